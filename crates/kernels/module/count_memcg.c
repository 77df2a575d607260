// SPDX-License-Identifier: GPL-2.0
/*
 * Memory cgroup accounting, for the group of the process that asks for the counts
 * (see count.c: two levels below the root). Functions are the kernel's, by address.
 *
 *   memcg_charge             mem_cgroup_charge / __mem_cgroup_charge, one allocation
 *   memcg_uncharge           mem_cgroup_uncharge / __mem_cgroup_uncharge
 *   memcg_charge_base_pages  2^order allocations of one page, charged one by one
 *   memcg_uncharge_base_pages
 *   uncharge_batch           BATCH allocations of 2^order pages of one group at once
 *   lruvec_stat              __mod_lruvec_state of 2^order pages, up or down
 *   lock_page_memcg, folio_memcg_lock   lock and unlock of a charged page
 *
 * States of a charge, read off the group's page_counter before and after:
 *   hit     the counter did not move: the per-CPU stock had enough
 *   miss    it moved by more than the allocation: the surplus fills the stock
 *   exact   it moved by the allocation: no surplus (THP, or as large as the batch)
 *   as_thp  a compound page charged as 512 pages whatever its order (before 5.11);
 *           the surplus is taken back behind the sample
 *   +wm     some level's watermark moved too
 *   +spill, +event, +soft   per-CPU events went to the ancestors, were looked at for
 *           thresholds, for the soft limit (before 5.11, where they are in view)
 * For base pages refillN: the counter was charged N batches.
 */
#include <linux/memcontrol.h>
#include <linux/page_counter.h>
#include <linux/slab.h>
#include "bodies.h"
#include "count.h"

#define BATCH 15
#define BASE_PAGES 512
#define LEVELS 8

static struct {
	int (*charge)(count_head *, struct mm_struct *, gfp_t);
	void (*uncharge)(count_head *);
	struct mem_cgroup *group;
	unsigned long watermark[LEVELS];
	unsigned long usage;
	struct count_events events;
} m;

COUNT_OP op_charge(struct count_arg *a)
{
	a->sink = body_charge(m.charge, a->p, current->mm);
}

COUNT_OP op_uncharge(struct count_arg *a)
{
	m.uncharge(a->p);
}

COUNT_OP op_charge_base(struct count_arg *a)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < a->nr; i++)
		error |= body_charge(m.charge, (count_head *)a->pages[i], current->mm);
	a->sink = error;
}

COUNT_OP op_uncharge_base(struct count_arg *a)
{
	unsigned int i;

	for (i = 0; i < a->nr; i++)
		m.uncharge((count_head *)a->pages[i]);
}

COUNT_OP op_uncharge_batch(struct count_arg *a)
{
	void (*uncharge)(void *) = a->fn;

	uncharge(a->q);
}

COUNT_OP op_lruvec_stat(struct count_arg *a)
{
	void (*mod)(struct lruvec *, enum node_stat_item, int) = a->fn;

	mod(a->p, NR_ANON_MAPPED, (int)a->nr);
}

bool count_memcg_ready(const char *primitive)
{
	struct mem_cgroup *(*of)(struct task_struct *) =
		count_symbol("mem_cgroup_from_task");
	unsigned int depth = 0;
	struct mem_cgroup *group;

	m.charge = count_symbol(HAVE_FOLIO_WALK ? "__mem_cgroup_charge" : "mem_cgroup_charge");
	m.uncharge = count_symbol(HAVE_FOLIO_WALK ? "__mem_cgroup_uncharge" : "mem_cgroup_uncharge");
	if (!of || !m.charge || !m.uncharge) {
		count_absent(primitive, "this kernel has no memory cgroups");
		return false;
	}
	rcu_read_lock();
	m.group = of(current);
	rcu_read_unlock();
	for (group = m.group; group; group = parent_mem_cgroup(group))
		depth++;
	if (depth < 2) {
		count_absent(primitive, "the asking process is in the root cgroup");
		return false;
	}
	return true;
}

/* Takes back what the kernel charged beyond the size of such a page. */
static void count_repair(unsigned int order)
{
	void (*uncharge)(struct page_counter *, unsigned long) =
		count_symbol("page_counter_uncharge");
	unsigned long surplus = count_charged_size(order) - (1UL << order);

	if (surplus && !WARN_ON(!uncharge))
		uncharge(&m.group->memory, surplus);
}

struct page *count_charged_pages(unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);

	if (page && m.charge(count_head_of(page), current->mm, GFP_KERNEL)) {
		__free_pages(page, order);
		return NULL;
	}
	if (page)
		count_repair(order);
	return page;
}

void count_free_charged(struct page *page, unsigned int order)
{
	m.uncharge(count_head_of(page));
	__free_pages(page, order);
}

static void state_before(void)
{
	struct page_counter *level = &m.group->memory;
	unsigned int i;

	m.usage = page_counter_read(level);
	for (i = 0; i < LEVELS && level; i++, level = level->parent)
		m.watermark[i] = level->watermark;
	count_events_read(m.group, &m.events);
}

static const char *events_suffix(void)
{
	static char suffix[20];
	struct count_events now;

	count_events_read(m.group, &now);
	snprintf(suffix, sizeof(suffix), "%s%s%s",
		 now.in < m.events.in || now.out < m.events.out ? "+spill" : "",
		 now.thresholds != m.events.thresholds ? "+event" : "",
		 now.soft != m.events.soft ? "+soft" : "");
	return suffix;
}

/* The class of what just happened to one allocation of that order. */
static const char *state_after(unsigned int order, bool base)
{
	static char class[COUNT_CLASS_LEN];
	const unsigned long pages = count_charged_size(order);
	struct page_counter *level = &m.group->memory;
	unsigned long moved = page_counter_read(level) - m.usage;
	bool watermark = false;
	unsigned int i;

	for (i = 0; i < LEVELS && level; i++, level = level->parent)
		watermark |= m.watermark[i] != level->watermark;
	if (base)
		snprintf(class, sizeof(class), "refill%lu%s",
			 moved / COUNT_CHARGE_BATCH, watermark ? "+wm" : "");
	else
		snprintf(class, sizeof(class), "%s%s%s",
			 pages != 1UL << order ? "as_thp" :
			 !moved ? "hit" : moved == pages ? "exact" : "miss",
			 watermark ? "+wm" : "", events_suffix());
	return class;
}

/* Charges and uncharges in turn; which of the two is recorded is for the caller. */
static void turns(struct count_arg *a, unsigned int times, bool charges)
{
	char class[COUNT_CLASS_LEN];
	unsigned int i;

	for (i = 0; i < times; i++) {
		u32 raw;

		state_before();
		raw = count_take(op_charge, a);
		if (charges)
			count_add(state_after(a->order, false), raw);
		count_repair(a->order);
		state_before();
		raw = count_take(op_uncharge, a);
		if (!charges) {
			snprintf(class, sizeof(class), "direct%s", events_suffix());
			count_add(class, raw);
		}
	}
}

/* Charges that stay, so that the usage climbs past its watermark. */
static void climb(struct count_arg *a, unsigned int order, unsigned int times)
{
	struct page **held = kcalloc(times, sizeof(*held), GFP_KERNEL);
	unsigned int n;

	for (n = 0; held && n < times; n++) {
		u32 raw;

		held[n] = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
		if (!held[n])
			break;
		a->p = count_head_of(held[n]);
		state_before();
		raw = count_take(op_charge, a);
		count_add(state_after(order, false), raw);
		count_repair(order);
	}
	while (n--)
		count_free_charged(held[n], order);
	kfree(held);
}

static void count_charges(unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
	struct count_arg a = { .order = order, .nr = 1u << order };
	unsigned int times = order ? 128 : 512;

	if (!page)
		return;
	a.p = count_head_of(page);
	count_begin("memcg_charge", order);
	turns(&a, times, true);
	climb(&a, order, order < 4 ? 128 : order < 9 ? 64 : 16);
	count_end();
	a.p = count_head_of(page);
	count_begin("memcg_uncharge", order);
	turns(&a, times, false);
	count_end();
	__free_pages(page, order);
}

static void count_base_charges(struct page **pages, unsigned int order)
{
	struct count_arg a = { .pages = pages, .nr = 1u << order };
	unsigned int i, charges;

	for (charges = 0; charges < 2; charges++) {
		count_begin(charges ? "memcg_charge_base_pages" : "memcg_uncharge_base_pages",
			    order);
		for (i = 0; i < 2 * COUNT_SAMPLES; i++) {
			u32 raw;

			state_before();
			raw = count_take(op_charge_base, &a);
			if (charges)
				count_add(state_after(0, true), raw);
			raw = count_take(op_uncharge_base, &a);
			if (!charges)
				count_add("direct", raw);
		}
		count_end();
	}
}

static void count_batches(unsigned int order)
{
	struct count_arg a = { .order = order };
	struct page *pages[BATCH];
	struct count_batch batch;
	unsigned int i, k, n;

	a.fn = count_need("uncharge_batch", COUNT_UNCHARGE_BATCH);
	if (!a.fn)
		return;
	for (n = 0; n < BATCH; n++) {
		pages[n] = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
		if (!pages[n])
			goto free;
	}
	count_begin("uncharge_batch", order);
	for (i = 0; i < 2 * COUNT_SAMPLES; i++) {
		a.q = count_batch_init(&batch);
		for (k = 0; k < BATCH; k++) {
			WARN_ON(m.charge(count_head_of(pages[k]), current->mm, GFP_KERNEL));
			count_repair(order);
			count_batch_add(&batch, pages[k]);
		}
		count_add("one_owner", count_take(op_uncharge_batch, &a));
	}
	count_end();
free:
	while (n--)
		__free_pages(pages[n], order);
}

static void count_stats(unsigned int order)
{
	struct count_arg a = { .order = order };
	struct lruvec *lruvec;
	unsigned int i;

	/* mem_cgroup_lruvec wants root_mem_cgroup, which modules cannot see. */
	lruvec = &m.group->nodeinfo[0]->lruvec;
	lruvec->pgdat = NODE_DATA(0);
	a.p = lruvec;
	a.fn = count_symbol("__mod_lruvec_state");
	if (!a.fn)
		a.fn = count_need("lruvec_stat", "mod_lruvec_state");
	if (!a.fn)
		return;
	count_begin("lruvec_stat", order);
	for (i = 0; i < 8 * COUNT_SAMPLES; i++) {
		/* Long climbs and descents, so that diffs spill both ways. */
		int sign = i % 64 < 32 ? 1 : -1;
		u32 raw;

		a.nr = sign * (1 << order);
		count_stats_mark();
		raw = count_take(op_lruvec_stat, &a);
		count_add(count_stats_class("cpu"), raw);
	}
	count_end();
}

void count_memcg(void)
{
	struct page **pages = kcalloc(BASE_PAGES, sizeof(*pages), GFP_KERNEL);
	unsigned int i, order, n = 0;

	if (!pages || !count_memcg_ready("memcg_charge"))
		goto out;
	count_for_each_order(i, order)
		count_charges(order);
	for (n = 0; n < BASE_PAGES; n++) {
		pages[n] = alloc_page(GFP_KERNEL);
		if (!pages[n])
			goto out;
	}
	count_for_each_order(i, order)
		count_base_charges(pages, order);
	count_for_each_order(i, order)
		count_batches(order);
	count_for_each_order(i, order)
		count_stats(order);
	count_memcg_locks();
out:
	while (n--)
		__free_page(pages[n]);
	kfree(pages);
}
