// SPDX-License-Identifier: GPL-2.0
/*
 * Accounting: accounting/charge, uncharge, stat and lock, and kernel/stat, which counts by a
 * page out of a page table too.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/vmstat.h>

#include "driver.h"
#include "driver_compat.h"

static struct group groups[2];
/* What the groups hold of others, such as the descriptions of the groups below them. */
static unsigned long before[2];
static long kmem_before;
static unsigned int nr_groups;
static bool is_charged;
/* Kernel memory that is charged whole, such as page tables. */
static bool is_kmem;
static struct count_batch *batches;
static unsigned int nr_batches;
static bool gathered;

static struct page *head_at(u32 i)
{
	return extent_page(&ground.extents[i]);
}

/* Groups and allocations; "whole" asks that large ones can be charged. */
static const char *ledger_open_for(const struct params *p, bool whole)
{
	const unsigned int depth = param_number(p, "depth", 2);
	const char *why = group_at(depth, &groups[0]);

	nr_groups = 1;
	is_charged = false;
	if (!why && param_is(p, "path", "miss")) {
		why = group_beside(depth, &groups[1]);
		nr_groups = 2;
	}
	if (why)
		return why;
	before[0] = group_pages(&groups[0]);
	before[1] = nr_groups == 2 ? group_pages(&groups[1]) : 0;
	kmem_before = compat_kmem_pages(groups[0].memcg);
	if (!ground.nr_extents || ground.extents[0].kind == KIND_FREE)
		return "absent: nobody pays for free memory";
	if (ground.extents[0].kind == KIND_SLAB)
		return "absent: a slab is charged by objects: see kernel/objects";
	is_kmem = ground.extents[0].kind == KIND_OTHER;
	if (is_kmem && nr_groups == 2)
		return "kernel memory is charged to one group here";
	if (whole && !is_kmem && ground.extents[0].order && !COMPAT_CHARGES_LARGE)
		return "absent: before 5.11 only THPs are charged whole, and ARCH=um has none";
	ground_compose();
	job_elements = ground.nr_extents;
	return NULL;
}

static const char *ledger_open(const struct params *p)
{
	return ledger_open_for(p, true);
}

/* For what looks at the owner of user memory and charges nothing. */
static const char *owners_open(const struct params *p)
{
	const char *why = ledger_open_for(p, false);

	return !why && is_kmem ? "absent: this is asked of user memory" : why;
}

/* As an allocation with __GFP_ACCOUNT is charged, on behalf of a group. */
static noinline u64 charge_kernel(const struct group *g)
{
	struct mem_cgroup *old = set_active_memcg(g->memcg);
	u64 charged = 0;
	u32 i;

	for (i = 0; i < ground.nr_extents; i++)
		charged += !__memcg_kmem_charge_page(head_at(i), GFP_KERNEL,
						     ground.extents[i].order);
	set_active_memcg(old);
	return charged;
}

/* Charges all; the groups take turns. */
static noinline u64 charge_all(u64 iters)
{
	const struct group *g = hide(&groups[0]);
	u64 charged = 0;
	u32 i;

	if (is_kmem) {
		charged = charge_kernel(g);
	} else if (nr_groups == 1) {
		for (i = 0; i < ground.nr_extents; i++)
			charged += !body_charge(mem_cgroup_charge, count_head_of(head_at(i)), g->mm);
	} else {
		for (i = 0; i < ground.nr_extents; i++)
			charged += !body_charge(mem_cgroup_charge, count_head_of(head_at(i)),
						g[i & 1].mm);
	}
	is_charged = true;
	return charged;
}

/*
 * Gives all of it an owner: by a charge where the kernel charges it whole, else by the head's
 * own word, which is all that a THP's lock and statistics look at. Goes with the descriptors.
 */
static bool own_all(void)
{
#if !COMPAT_CHARGES_LARGE
	u32 i;

	if (ground.extents[0].order) {
		for (i = 0; i < ground.nr_extents; i++)
			head_at(i)->mem_cgroup = groups[0].memcg;
		return true;
	}
#endif
	return charge_all(1) == ground.nr_extents;
}

static noinline u64 uncharge_all(void)
{
	u32 i;

	if (is_kmem)
		for (i = 0; i < ground.nr_extents; i++)
			__memcg_kmem_uncharge_page(head_at(i), ground.extents[i].order);
	else
		for (i = 0; i < ground.nr_extents; i++)
			mem_cgroup_uncharge(count_head_of(head_at(i)));
	is_charged = false;
	return ground.nr_extents;
}

static noinline u64 uncharge_gathered(void)
{
	unsigned int i;

	for (i = 0; i < nr_batches; i++)
		compat_uncharge_batch(&batches[i]);
	is_charged = false;
	return ground.nr_extents;
}

static u64 uncharge_run(u64 iters)
{
	return gathered ? uncharge_gathered() : uncharge_all();
}

/* Chunks with an owner, pages charged and not in stock, references held, kernel pages.
 * A reference is per-CPU and cannot be read; each chunk with an owner holds one. */
static u64 ledger_check(u64 charged)
{
	long kmem = compat_kmem_pages(groups[0].memcg) - kmem_before;
	u64 owned = 0, pages = 0;
	unsigned int i;
	u64 digest;

	for (i = 0; i < ground.nr_extents; i++)
		owned += compat_owned_by(head_at(i), groups[i % nr_groups].memcg);
	for (i = 0; i < nr_groups; i++)
		pages += group_pages(&groups[i]) - before[i];
	if (!COMPAT_COUNTS_KMEM && is_kmem)
		kmem = pages;
	digest = digest_add(digest_add(digest_new(), owned), pages);
	digest = digest_add(digest_add(digest, owned), kmem);
	return digest ^ (charged ^ ground.nr_extents);
}

static void ledger_close(void)
{
	if (is_charged)
		uncharge_all();
}

static void charge_prepare(void)
{
	if (is_charged)
		uncharge_all();
}

static void uncharge_prepare(void)
{
	if (is_charged)
		uncharge_all();
	charge_all(1);
}

static const char *uncharge_setup(const struct params *p)
{
	const char *why = ledger_open(p);
	u32 i, n = 0;

	if (why)
		return why;
	gathered = param_is(p, "batch", "gathered");
	if (gathered && is_kmem)
		return "absent: kernel memory is uncharged one by one";
	nr_batches = (ground.nr_extents - 1) / COMPAT_UNCHARGE_BATCH + 1;
	batches = pool_alloc(nr_batches * sizeof(*batches));
	if (!batches)
		return "the pool is too small for the batches";
	for (i = 0; i < ground.nr_extents; i++) {
		if (i % COMPAT_UNCHARGE_BATCH == 0)
			count_batch_init(&batches[n++]);
		count_batch_add(&batches[n - 1], head_at(i));
	}
	return NULL;
}

static struct {
	enum node_stat_item item;
	int pages;
	long group, lruvec, node;
	/* Counted by the last page of each, as rmap does, which then looks for the head. */
	bool by_page;
} stat;

static __always_inline void count_all_pages(int pages)
{
	u32 i;

	for (i = 0; i < ground.nr_extents; i++)
		compat_mod_stat(hide(head_at(i)), stat.item, pages);
}

static __always_inline void count_by_pages(int pages)
{
	u32 i;

	for (i = 0; i < ground.nr_extents; i++) {
		const struct extent *e = &ground.extents[i];

		compat_mod_stat_by_page(hide(extent_page(e) + extent_pages(e) - 1), stat.item,
					pages);
	}
}

/* The node's statistic; ARCH=um has one CPU and no parts of CPUs. */
static long node_stat(void)
{
	return global_node_page_state(stat.item);
}

static const char *stat_setup(const struct params *p)
{
	const char *why = owners_open(p);

	if (why)
		return why;
	stat.item = ground.extents[0].kind == KIND_ANON ? NR_ANON_MAPPED : NR_FILE_PAGES;
	stat.pages = extent_pages(&ground.extents[0]);
	if (!own_all())
		return "a charge is refused";
	stat.node = node_stat();
	count_all_pages(stat.pages);
	compat_flush_stats(groups[0].memcg);
	stat.group = compat_group_stat(groups[0].memcg, stat.item);
	stat.lruvec = compat_lruvec_stat(group_lruvec(&groups[0]), stat.item);
	count_all_pages(-stat.pages);
	stat.by_page = param_is(p, "from", "pte");
	job_elements = 2 * ground.nr_extents;
	return NULL;
}

static noinline u64 stat_pages(u64 iters)
{
	u64 i;

	for (i = 0; i < iters; i++) {
		count_by_pages(hide(stat.pages));
		count_by_pages(-hide(stat.pages));
	}
	return iters;
}

static noinline u64 stat_run(u64 iters)
{
	u64 i;

	if (stat.by_page)
		return stat_pages(iters);
	for (i = 0; i < iters; i++) {
		count_all_pages(hide(stat.pages));
		count_all_pages(-hide(stat.pages));
	}
	return iters;
}

static u64 stat_check(u64 raw)
{
	long now;

	compat_flush_stats(groups[0].memcg);
	now = abs(compat_group_stat(groups[0].memcg, stat.item)) + abs(node_stat() - stat.node);
	return digest_add(digest_add(digest_add(digest_new(), stat.group), stat.lruvec), now);
}

#ifdef COMPAT_LOCK_PAIR
/* Whether the lock is taken by the last page of each, as rmap has it. */
static bool lock_by_page;

static const char *lock_setup(const struct params *p)
{
	const char *why = owners_open(p);

	lock_by_page = param_is(p, "from", "pte");
#ifndef COMPAT_LOCK_PAGE_PAIR
	if (lock_by_page)
		return "absent: nothing takes the lock by a page";
#endif
	if (why)
		return why;
	if (!own_all())
		return "a charge is refused";
	if (param_is(p, "moving", "yes"))
		atomic_inc(&groups[0].memcg->moving_account);
	return NULL;
}

#ifdef COMPAT_LOCK_PAGE_PAIR
static noinline u64 lock_pages(u64 iters)
{
	u64 entered = 0;
	u32 i;

	for (; iters; iters--) {
		entered = 0;
		for (i = 0; i < ground.nr_extents; i++) {
			const struct extent *e = &ground.extents[i];

			COMPAT_LOCK_PAGE_PAIR(hide(extent_page(e) + extent_pages(e) - 1));
			entered = hide(entered + 1);
		}
	}
	return entered;
}
#endif

static noinline u64 lock_run(u64 iters)
{
	u64 entered = 0;
	u32 i;

#ifdef COMPAT_LOCK_PAGE_PAIR
	if (lock_by_page)
		return lock_pages(iters);
#endif
	for (; iters; iters--) {
		entered = 0;
		for (i = 0; i < ground.nr_extents; i++) {
			COMPAT_LOCK_PAIR(hide(head_at(i)));
			entered = hide(entered + 1);
		}
	}
	return entered;
}
#else
static const char *lock_setup(const struct params *p)
{
	return "absent: " COMPAT_NO_LOCK;
}

static u64 lock_run(u64 iters)
{
	return 0;
}
#endif

static u64 lock_check(u64 raw)
{
	u32 i;

	for (i = 0; i < ground.nr_extents; i++)
		raw += !compat_owned_by(head_at(i), groups[0].memcg);
	return raw;
}

static void lock_close(void)
{
#ifdef COMPAT_LOCK_PAIR
	atomic_set(&groups[0].memcg->moving_account, 0);
#endif
	ledger_close();
}

const struct job memcg_jobs[] = {
	{ .name = "accounting/charge", .setup = ledger_open, .prepare = charge_prepare,
	  .run = charge_all, .check = ledger_check, .release = ledger_close, .once = true },
	{ .name = "accounting/uncharge", .setup = uncharge_setup, .prepare = uncharge_prepare,
	  .run = uncharge_run, .check = ledger_check, .release = ledger_close, .once = true },
	{ .name = "accounting/stat", .setup = stat_setup, .run = stat_run, .check = stat_check,
	  .release = ledger_close },
	{ .name = "kernel/stat", .setup = stat_setup, .run = stat_run, .check = stat_check,
	  .release = ledger_close },
	{ .name = "accounting/lock", .setup = lock_setup, .run = lock_run, .check = lock_check,
	  .release = lock_close },
	{ }
};
