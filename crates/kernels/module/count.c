// SPDX-License-Identifier: GPL-2.0
/*
 * Counting: instructions that primitives of mm/ and block/ cost inside the
 * running kernel.
 *
 * Output, one batch "count", one record per line:
 *   count <primitive> <order> <class> <samples> <min> <max>
 *   absent <primitive> <reason in words>
 *   overhead <samples> <min> <max>
 *   sections <first:step:number> ...   behind a count: which brackets it was, in
 *                                     the order in which all were executed, from 0
 *   count_env <key> <value>
 * min and max are net instructions: the bracket around an empty operation
 * (two rdtsc, the indirect call, the return, the entry nop) is subtracted.
 * <class> names the state that the sample met. Where a class seen from outside
 * still holds several exact values (a spilled statistic, a drained reference),
 * each value is a class of its own: the plain name for one that most samples have,
 * class@value for the others. So min equals max in every line but one whose class
 * holds more than COUNT_CLASSES values, which is printed as class@mixed.
 *
 * The memcg primitives need the asking process two cgroup v2 levels below the
 * root; in the initramfs, before it asks for the counts:
 *
 *   mkdir -p /sys/fs/cgroup
 *   mount -t cgroup2 none /sys/fs/cgroup
 *   echo +memory > /sys/fs/cgroup/cgroup.subtree_control
 *   mkdir /sys/fs/cgroup/a
 *   echo +memory > /sys/fs/cgroup/a/cgroup.subtree_control
 *   mkdir /sys/fs/cgroup/a/b
 *   echo $$ > /sys/fs/cgroup/a/b/cgroup.procs
 *
 * Why samples repeat: irqs are off, and since some kernel functions switch them
 * on again, every sample starts in the first half of a timer period. A sample
 * that a timer interrupt still reached, or that began with a reschedule due, is
 * dropped and never counted; so is each series' first sample, which refills the
 * per-CPU stores that were emptied before it (see count.h).
 */
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/jiffies.h>
#include "count.h"
#include "count_trace.h"

const unsigned int count_orders[] = { 0, 2, 3, 4, 6, 9 };
const unsigned int count_nr_orders = ARRAY_SIZE(count_orders);

#define COUNT_MAX_SAMPLES 1280
#define COUNT_CLASSES 64

struct count_sample {
	char class[COUNT_CLASS_LEN];
	u32 net;
	u32 section;
};

static struct {
	struct oracle_out *out;
	struct count_sample *samples;
	unsigned int nr;
	unsigned int dropped;
	bool warm;
	const char *primitive;
	unsigned int order;
	u32 overhead;
	u32 sections;	/* brackets so far, which is how the tracer numbers them */
	unsigned long (*lookup)(const char *name);
	u64 (*interrupts)(unsigned int cpu);
	u32 period_start;
	unsigned long jiffy;
} c;

/* The low half of the TSC is enough for spans under four billion instructions
 * and keeps the bracket short. */
static __always_inline u32 count_ticks(void)
{
	u32 low;

	asm volatile("rdtsc" : "=a" (low) : : "edx", "memory");
	return low;
}

static noinline u32 count_bracket(count_fn op, struct count_arg *a)
{
	u32 start = count_ticks();

	TRACE_START();
	op(a);
	TRACE_STOP();
	return count_ticks() - start;
}

/* Half a timer period in ticks: the TSC and virtual time both run at 1 GHz. */
#define COUNT_HALF_PERIOD (1000000000u / HZ / 2)

/* Sleeping rather than spinning: an idle guest's clock jumps to the next timer
 * at once, and the sleeper wakes right after a tick. */
static void count_quiet(void)
{
	while (need_resched() || jiffies != c.jiffy ||
	       count_ticks() - c.period_start >= COUNT_HALF_PERIOD) {
		schedule_timeout_uninterruptible(1);
		c.jiffy = jiffies;
		c.period_start = count_ticks();
	}
}

/* The local timer's interrupts, and others of the CPU itself; a kernel that does
 * not let them be found still shows its ticks. */
static u64 count_interrupts(void)
{
	return c.interrupts ? c.interrupts(smp_processor_id()) : jiffies;
}

u32 count_take(count_fn op, struct count_arg *a)
{
	unsigned long flags;
	u64 before, after;
	bool due;
	u32 raw;

	trace_bio(a->bio);
	count_quiet();
	local_irq_save(flags);
	before = count_interrupts();
	due = need_resched();
	raw = count_bracket(op, a);
	c.sections++;
	after = count_interrupts();
	local_irq_restore(flags);
	return before == after && !due ? raw : COUNT_DISTURBED;
}

COUNT_OP op_nothing(struct count_arg *a)
{
	/* Not pure, so that the call stays. */
	asm volatile("" : : "r" (a) : "memory");
}

void count_begin(const char *primitive, unsigned int order)
{
	c.primitive = primitive;
	c.order = order;
	c.nr = 0;
	c.dropped = 0;
	c.warm = false;
	count_stats_settle();
}

void count_add(const char *class, u32 raw)
{
	struct count_sample *s;

	/* The first after settling pays for filling empty per-CPU stores again. */
	if (!c.warm) {
		c.warm = true;
		return;
	}
	if (raw == COUNT_DISTURBED || c.nr == COUNT_MAX_SAMPLES) {
		c.dropped++;
		return;
	}
	s = &c.samples[c.nr++];
	snprintf(s->class, sizeof(s->class), "%s", class);
	s->net = raw - c.overhead;
	/* Of several brackets the last one is the operation's own. */
	s->section = c.sections - 1;
}

static int count_compare(const void *left, const void *right)
{
	const struct count_sample *l = left, *r = right;
	int order = strcmp(l->class, r->class);

	if (order)
		return order;
	if (l->net != r->net)
		return l->net < r->net ? -1 : 1;
	return l->section < r->section ? -1 : l->section > r->section;
}

/* First sample after i that differs in class, or, by_value, in value too. */
static unsigned int count_run_end(unsigned int i, bool by_value)
{
	unsigned int j = i + 1;

	while (j < c.nr && !strcmp(c.samples[i].class, c.samples[j].class) &&
	       (!by_value || c.samples[i].net == c.samples[j].net))
		j++;
	return j;
}

/* Which of the tracer's sections the samples were: first:step:number, ... */
static void count_print_sections(unsigned int from, unsigned int to)
{
	const struct count_sample *s = c.samples;
	unsigned int i, end;

	out_part(c.out, "sections");
	for (i = from; i < to; i = end) {
		u32 step = i + 1 < to ? s[i + 1].section - s[i].section : 0;

		for (end = i + 1; end < to && s[end].section - s[end - 1].section == step; end++)
			;
		out_part(c.out, " %u:%u:%u", s[i].section, step, end - i);
	}
	out_line(c.out, "%s", "");
}

/* The value that three in five samples of a class have keeps the plain name, so
 * that a rare further one does not rename it. */
static void count_print_class(unsigned int from, unsigned int to)
{
	struct count_sample *s = c.samples;
	unsigned int values = 0, i, end;

	for (i = from; i < to; i = count_run_end(i, true))
		values++;
	if (values > COUNT_CLASSES) {
		out_line(c.out, "count %s %u %s@mixed %u %u %u", c.primitive, c.order,
			 s[from].class, to - from, s[from].net, s[to - 1].net);
		count_print_sections(from, to);
		return;
	}
	for (i = from; i < to; i = end) {
		char value[12] = "";

		end = count_run_end(i, true);
		if (5 * (end - i) < 3 * (to - from))
			snprintf(value, sizeof(value), "@%u", s[i].net);
		out_line(c.out, "count %s %u %s%s %u %u %u", c.primitive, c.order,
			 s[i].class, value, end - i, s[i].net, s[i].net);
		count_print_sections(i, end);
	}
}

void count_end(void)
{
	unsigned int i, end;

	if (c.dropped)
		count_note("dropped_%s_%u %u", c.primitive, c.order, c.dropped);
	sort(c.samples, c.nr, sizeof(*c.samples), count_compare, NULL);
	for (i = 0; i < c.nr; i = end) {
		end = count_run_end(i, false);
		count_print_class(i, end);
	}
	cond_resched();
}

void count_absent(const char *primitive, const char *reason)
{
	out_line(c.out, "absent %s %s", primitive, reason);
}

void count_note(const char *fmt, ...)
{
	char text[96];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	out_line(c.out, "count_env %s", text);
}

u32 count_net_of(u32 raw, u32 loop)
{
	if (raw == COUNT_DISTURBED || loop == COUNT_DISTURBED)
		return COUNT_DISTURBED;
	/* loop holds the bracket as well, which count_add is going to subtract */
	return raw - loop + c.overhead;
}

void count_steady(const char *primitive, unsigned int order, const char *class,
		  count_fn op, struct count_arg *a)
{
	unsigned int i;

	count_begin(primitive, order);
	for (i = 0; i < COUNT_SAMPLES; i++)
		count_add(class, count_take(op, a));
	count_end();
}

/* kallsyms_lookup_name is no longer exported; a kprobe finds it, as it would
 * find any function, and it then finds data and functions that must not be
 * probed as well. */
static int count_find_lookup(void)
{
	unsigned long address = (unsigned long)oracle_symbol("kallsyms_lookup_name");

	if (!address)
		return -ENOENT;
	/* On kernels built for IBT a probe sits behind the endbr64. */
	if (*(u32 *)(address - 4) == 0xfa1e0ff3u)
		address -= 4;
	c.lookup = (void *)address;
	return 0;
}

/* Kernels before 6.2 unpack every name up to the one looked for, millions of
 * instructions each time, so what was found is kept. */
void *count_symbol(const char *name)
{
	static struct {
		const char *name;
		void *address;
	} found[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(found) && found[i].name; i++)
		if (!strcmp(found[i].name, name))
			return found[i].address;
	if (i == ARRAY_SIZE(found))
		return (void *)c.lookup(name);
	found[i].name = name;
	found[i].address = (void *)c.lookup(name);
	return found[i].address;
}

void *count_need(const char *primitive, const char *symbol)
{
	void *address = count_symbol(symbol);
	char reason[80];

	if (!address) {
		snprintf(reason, sizeof(reason), "no symbol %s in this kernel", symbol);
		count_absent(primitive, reason);
	}
	return address;
}

int count_open(struct oracle_out *out)
{
	struct count_arg none = { 0 };
	u32 low = COUNT_DISTURBED, high = 0, raw;
	unsigned int i, n = 0;
	int error;

	memset(&c, 0, sizeof(c));
	c.out = out;
	error = count_find_lookup();
	if (error)
		return error;
	c.interrupts = count_symbol("arch_irq_stat_cpu");
	/* The tracer begins anew at a block's end; sleeping is many of them. */
	TRACE_ARM();
	schedule_timeout_uninterruptible(1);
	trace_objects();
	c.samples = kcalloc(COUNT_MAX_SAMPLES, sizeof(*c.samples), GFP_KERNEL);
	if (!c.samples)
		return -ENOMEM;
	for (i = 0; i < COUNT_SAMPLES; i++) {
		raw = count_take(op_nothing, &none);
		if (raw == COUNT_DISTURBED)
			continue;
		low = min(low, raw);
		high = max(high, raw);
		n++;
	}
	out_line(out, "overhead %u %u %u", n, low, high);
	/* Not one instruction per tick: whatever follows would be noise. */
	if (!n || low != high) {
		out_line(out, "absent all this machine's TSC does not count instructions (want -accel tcg -icount shift=0)");
		kfree(c.samples);
		return -ENODEV;
	}
	c.overhead = low;
	count_stats_open();
	return 0;
}

void count_close(void)
{
	kfree(c.samples);
	c.samples = NULL;
}

/*
 * args: empty for everything, or a comma-separated list of rooms out of
 * bio, endio, queue, page, lru, memcg. -EINVAL for a list that names none of them.
 */
int count_run(struct oracle_out *out, const char *args)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} rooms[] = {
		{ "bio", count_bio },	  { "endio", count_endio },
		{ "queue", count_queue }, { "page", count_page },
		{ "lru", count_lru },	  { "memcg", count_memcg },
	};
	unsigned int i, ran = 0;
	int error;

	out_begin(out, "count");
	error = count_open(out);
	if (error)
		goto end;
	for (i = 0; i < ARRAY_SIZE(rooms); i++)
		if (!args || !*args || strstr(args, rooms[i].name)) {
			rooms[i].run();
			ran++;
		}
	if (!ran)
		error = -EINVAL;
	count_close();
end:
	out_end(out, "count");
	return error;
}
