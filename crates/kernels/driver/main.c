// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's command loop. In, on descriptor 0:
 *
 *     SEQ VERB BYTES\n   and then BYTES bytes, which belong to the verb
 *
 * Out, on descriptor 1, one answer a command and nothing else:
 *
 *     @answer SEQ VERB STATUS BYTES CRC32\n   and then BYTES bytes of text
 *     @end SEQ\n
 *
 * STATUS is ok, absent or error (the text says why), or tainted: the kernel warned
 * or worse while it worked, and the text is not to be believed. Verbs:
 *
 *     hello          what this kernel is, where its memory is, which jobs it knows
 *     clock          the time stamp counter beside CLOCK_MONOTONIC_RAW
 *     collapse       asks the host for huge pages behind descriptors and state
 *     layout         frames, allocations and IOs (ground.c)
 *     job            NAME and parameters; answers elements and the calls of a run
 *     run ITERS      ticks, nanoseconds, raw result, whether a tick was held back
 *     check RAW      the checksum of one call
 *     cases          case files (cases.c)
 *     ledger         accounting and lists as cases (ledger.c)
 *     bye            halts
 *
 * The kernel halts too when descriptor 0 ends.
 */
#include <linux/console.h>
#include <linux/crc32.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/utsname.h>

#include "driver.h"

static struct oracle_out out;
static const struct job *job;
static size_t ground_used;

void *oracle_symbol(const char *name)
{
	return (void *)kallsyms_lookup_name(name);
}

/* Text waits for the answer's frame. */
void out_send(struct oracle_out *o)
{
}

/* Ordered on both sides: nothing of the work leaves the two. */
static __always_inline u64 ticks(void)
{
	u32 low, high;

	asm volatile("lfence; rdtscp; lfence" : "=a" (low), "=d" (high) : : "ecx", "memory");
	return (u64)high << 32 | low;
}

static bool read_all(void *into, size_t bytes)
{
	while (bytes) {
		long n = host_read(0, into, min_t(size_t, bytes, 1 << 30));

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return false;
		into += n;
		bytes -= n;
	}
	return true;
}

static bool write_all(const void *from, size_t bytes)
{
	while (bytes) {
		long n = host_write(1, from, min_t(size_t, bytes, 1 << 30));

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return false;
		from += n;
		bytes -= n;
	}
	return true;
}

/* A line up to its newline, read byte by byte: commands are short. */
static bool read_line(char *line, size_t size)
{
	size_t at = 0;

	while (at + 1 < size && read_all(line + at, 1)) {
		if (line[at] == '\n') {
			line[at] = 0;
			return true;
		}
		at++;
	}
	return false;
}

static bool answer(unsigned long seq, const char *verb, const char *status)
{
	char line[96];
	int n;

	if (test_taint(TAINT_WARN) || test_taint(TAINT_DIE) || test_taint(TAINT_BAD_PAGE))
		status = "tainted";
	if (out.broken)
		status = "error";
	n = snprintf(line, sizeof(line), "@answer %lu %s %s %zu %08x\n", seq, verb, status,
		     out.used, out.used ? crc32_le(~0U, out.text, out.used) ^ ~0U : 0);
	if (!write_all(line, n) || !write_all(out.text, out.used))
		return false;
	n = snprintf(line, sizeof(line), "@end %lu\n", seq);
	out_empty(&out);
	return write_all(line, n);
}

/* Text of an answer that is no batch of its own. */
#define say(fmt, ...)					\
	do {						\
		out.in_batch = true;			\
		out_line(&out, fmt, ##__VA_ARGS__);	\
	} while (0)

static const char *hello(void)
{
	struct page *first = pfn_to_page(frames_first());

	say("release %s", init_utsname()->release);
	say("compiler %s", CONFIG_CC_VERSION_TEXT);
	say("frames %lu %lu", frames_first(), frames_count());
	say("descriptors %lx %zx", (unsigned long)first, frames_count() * sizeof(struct page));
	say("pool %lx", (unsigned long)pool_start());
	say("page-struct %zu", sizeof(struct page));
	jobs_list(&out);
	return NULL;
}

static const char *clock_beside(void)
{
	u64 before = ticks(), ns = host_ns();

	say("ticks %llu", before + (ticks() - before) / 2);
	say("ns %llu", ns);
	return NULL;
}

static const char *collapse(void)
{
	const unsigned long huge = 2UL << 20;
	unsigned long start = ALIGN_DOWN((unsigned long)pfn_to_page(frames_first()), huge);
	unsigned long end = ALIGN((unsigned long)pfn_to_page(frames_first() + frames_count()), huge);

	say("descriptors %d", host_collapse((void *)start, end - start));
	start = ALIGN_DOWN((unsigned long)pool_start(), huge);
	end = ALIGN((unsigned long)pool_start() + pool_used() + 1, huge);
	say("pool %d", host_collapse((void *)start, end - start));
	return NULL;
}

static void job_close(void)
{
	if (job && job->release)
		job->release();
	job = NULL;
	ground_dissolve();
	pool_reset(ground_used);
}

static const char *read_layout(const void *data, size_t bytes)
{
	const char *why;

	job_close();
	why = ground_read(data, bytes);
	ground_used = pool_used();
	return why;
}

static const char *open_job(char *text)
{
	struct params params = { };
	const char *name = strsep(&text, "\n"), *why;
	const struct job *wanted;

	job_close();
	params.text = text;
	wanted = job_named(name, &params);
	if (!wanted)
		return "absent: this driver has no such job";
	job_elements = 0;
	why = wanted->setup(&params);
	if (why) {
		if (wanted->release)
			wanted->release();
		ground_dissolve();
		return why;
	}
	job = wanted;
	say("elements %llu", job_elements);
	say("once %d", job->once);
	return NULL;
}

static const char *run_job(const char *text)
{
	u64 iters, start, end, ns, raw;
	int held;

	if (!job)
		return "no job is set up";
	if (kstrtou64(text, 10, &iters) || !iters || (job->once && iters != 1))
		return "not a number of calls that this job can make in one run";
	if (job->prepare)
		job->prepare();
	host_hold_tick();
	ns = host_ns();
	start = ticks();
	raw = job->run(iters);
	end = ticks();
	ns = host_ns() - ns;
	held = host_tick_pending();
	host_release_tick();
	say("ticks %llu", end - start);
	say("ns %llu", ns);
	say("raw %llu", raw);
	say("held %d", held);
	return NULL;
}

static const char *check_job(const char *text)
{
	u64 raw;

	if (!job)
		return "no job is set up";
	if (kstrtou64(text, 10, &raw))
		return "not a raw result";
	say("checksum %llu", job->check(raw));
	return NULL;
}

/* The verb's own text is a batch as the module sends it. */
static const char *run_cases(int (*run)(struct oracle_out *, char *), char *text)
{
	int err;

	job_close();
	err = run(&out, text);

	return err && !out.used ? "the cases could not be run" : NULL;
}

static const char *obey(const char *verb, char *data, size_t bytes)
{
	if (!strcmp(verb, "hello"))
		return hello();
	if (!strcmp(verb, "clock"))
		return clock_beside();
	if (!strcmp(verb, "collapse"))
		return collapse();
	if (!strcmp(verb, "layout"))
		return read_layout(data, bytes);
	if (!strcmp(verb, "job"))
		return open_job(data);
	if (!strcmp(verb, "run"))
		return run_job(data);
	if (!strcmp(verb, "check"))
		return check_job(data);
	if (!strcmp(verb, "cases"))
		return run_cases(cases_run, data);
	if (!strcmp(verb, "ledger"))
		return run_cases(ledger_run, data);
	return "no such verb";
}

static bool one_command(void)
{
	const char *why, *status = "ok";
	unsigned long seq;
	char line[80], verb[16];
	size_t bytes;
	char *data;
	bool more;

	/* Whoever waits for a command leaves the CPU to others, ticks included. */
	host_hold_tick();
	more = read_line(line, sizeof(line));
	if (!more || sscanf(line, "%lu %15s %zu", &seq, verb, &bytes) != 3) {
		host_release_tick();
		return false;
	}
	data = kvmalloc(bytes + 1, GFP_KERNEL);
	/*
	 * 5.10 maps vmalloc memory at the first touch, and the host's read() is none:
	 * it fails with EFAULT.
	 */
	if (data)
		memset(data, 0, bytes + 1);
	more = data && read_all(data, bytes);
	host_release_tick();
	if (!more || !strcmp(verb, "bye")) {
		kvfree(data);
		return false;
	}
	data[bytes] = 0;
	why = obey(verb, data, bytes);
	kvfree(data);
	if (why) {
		out_empty(&out);
		status = strncmp(why, "absent: ", 8) ? "error" : "absent";
		say("%s", status[0] == 'a' ? why + 8 : why);
	}
	more = answer(seq, verb, status);
	/* What was put off gets its turn: RCU, work queues. */
	cond_resched();
	return more;
}

/* What the kernel prints goes to descriptor 2, whichever consoles there are else. */
static void console_out(struct console *con, const char *text, unsigned int bytes)
{
	while (bytes) {
		long n = host_write(2, text, bytes);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		bytes -= n;
	}
}

static struct console host_console = {
	.name = "host",
	.write = console_out,
	.flags = CON_PRINTBUFFER | CON_ENABLED,
	.index = -1,
};

static int __init console_begin(void)
{
	register_console(&host_console);
	return 0;
}
console_initcall(console_begin);

static int __init folioscope_run(void)
{
	const char *why;
	int err = host_begin(frames_parent());

	/* No frames of ours: boot goes on to its own tests, which end it. */
	if (IS_ENABLED(CONFIG_KUNIT) && !err && !frames_count())
		return 0;
	if (err) {
		pr_crit("folioscope: the process that started this kernel is gone\n");
	} else {
		why = frames_take();
		if (why)
			pr_crit("folioscope: %s\n", why);
		else
			while (one_command())
				;
	}
	kernel_halt();
	return 0;
}
late_initcall(folioscope_run);
