// SPDX-License-Identifier: GPL-2.0
/*
 * Lists and frames: iteration/lru-scan, reclaim's isolate and put back, and
 * iteration/pfn-scan, compaction's walk. Both are the kernel's own functions.
 */
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/swap.h>

#include "../internal.h"
#include "driver.h"
#include "driver_compat.h"
#include "hooks.h"

static bool on_lists;
static struct group owner;
static bool charged;

static bool goes_on_a_list(const struct extent *e)
{
	return e->kind == KIND_ANON || e->kind == KIND_FILE;
}

/* A group's, as on any machine: 7.x does not put memory without a group on a list. */
static bool charge_to(const struct group *group)
{
	u32 i;

	owner = *group;
	charged = true;
	for (i = 0; i < ground.nr_extents; i++) {
		const struct extent *e = &ground.extents[i];

		if (goes_on_a_list(e) && (!e->order || COMPAT_CHARGES_LARGE) &&
		    mem_cgroup_charge(count_head_of(extent_page(e)), owner.mm, GFP_KERNEL))
			return false;
	}
	return true;
}

static void put_on_lists(void)
{
	u32 i;

	for (i = 0; i < ground.nr_extents; i++)
		if (goes_on_a_list(&ground.extents[i]))
			compat_lru_add(extent_page(&ground.extents[i]));
	lru_add_drain();
	on_lists = true;
}

/* The lists must not hold descriptors that are put back whole. */
static void take_off_lists(void)
{
	u32 i;

	lru_add_drain();
	for (i = 0; i < ground.nr_extents && (on_lists || charged); i++) {
		struct page *head = extent_page(&ground.extents[i]);

		if (on_lists && PageLRU(head))
			compat_lru_isolate(head);
		if (charged)
			mem_cgroup_uncharge(count_head_of(head));
	}
	on_lists = charged = false;
}

static struct {
	struct lruvec *lruvec;
	enum lru_list list;
	unsigned long batch;
	unsigned int order;
} lru;

static const char *lru_setup(const struct params *p)
{
	struct group group;
	const char *why = group_at(param_number(p, "depth", 2), &group);

	if (why)
		return why;
	if (!ground.nr_extents || !goes_on_a_list(&ground.extents[0]))
		return "absent: only anon and file are on a list";
	ground_compose();
	lru.order = ground.extents[0].order;
	lru.list = ground.extents[0].kind == KIND_ANON ? LRU_INACTIVE_ANON : LRU_INACTIVE_FILE;
	lru.batch = param_number(p, "batch", 32);
	if (lru.order && !COMPAT_CHARGES_LARGE)
		return "absent: before 5.11 only THPs are charged whole, and ARCH=um has none";
	if (!charge_to(&group))
		return "a charge is refused";
	put_on_lists();
	lru.lruvec = group_lruvec(&owner);
	job_elements = lru.batch;
	return NULL;
}

static noinline u64 lru_run(u64 iters)
{
	unsigned long taken = 0;

	for (; iters; iters--)
		taken = folioscope_lru_round(hide(lru.lruvec), lru.list, lru.batch << lru.order);
	return taken >> lru.order;
}

static u64 lru_check(u64 raw)
{
	const u32 stride = max(DIV_ROUND_UP(ground.nr_extents, 1 << 12), 1);
	u64 units = 0, wrong = 0;
	struct list_head *at;
	u32 i;

	list_for_each(at, &lru.lruvec->lists[lru.list])
		units++;
	for (i = 0; i < ground.nr_extents; i += stride)
		wrong += page_count(extent_page(&ground.extents[i])) != 1;
	return digest_add(digest_add(digest_add(digest_new(), raw), units),
			  ground.nr_extents - wrong);
}

static struct {
	u64 free, movable, movable_pages, unmovable, large;
	unsigned long frames; /* up to the end of the last allocation */
} zone;

static const char *scan_setup(const struct params *p)
{
	bool large = false;
	struct group group;
	const char *why;
	u32 i;

	if (!param_is(p, "mode", "isolate"))
		return "absent: the kernel's walk always isolates what it can";
	if (param_is(p, "zsmalloc", "movable"))
		return "absent: the zone is made up, and no driver moves any of it";
	why = group_at(1, &group);
	if (why)
		return why;
	memset(&zone, 0, sizeof(zone));
	for (i = 0; i < ground.nr_extents; i++) {
		const struct extent *e = &ground.extents[i];

		zone.frames = max(zone.frames, e->index + extent_pages(e));
		if (e->kind == KIND_FREE) {
			zone.free += extent_pages(e);
		} else if (e->order >= 9) {
			zone.large++;
		} else if (goes_on_a_list(e)) {
			zone.movable++;
			zone.movable_pages += extent_pages(e);
			large |= e->order;
		} else {
			zone.unmovable++;
		}
	}
	if (large && !COMPAT_ISOLATES_LARGE)
		return "absent: before 6.9 compaction passes by every compound page";
	ground_compose();
	if (!charge_to(&group))
		return "a charge is refused";
	put_on_lists();
	job_elements = zone.frames;
	return NULL;
}

/* One pass over the zone, a cluster at a time, as __alloc_contig_migrate_range asks;
 * what was isolated goes back instead of elsewhere. */
static unsigned long scan_pass(void)
{
	const unsigned long end = frames_first() + zone.frames;
	unsigned long pfn = frames_first(), pages = 0;
	struct compact_control cc = {
		/* A target below the pageblock: larger allocations are not worth moving. */
		.order = 9,
		.zone = page_zone(pfn_to_page(pfn)),
		.mode = MIGRATE_SYNC,
		.ignore_skip_hint = true,
		.gfp_mask = GFP_KERNEL,
	};

	INIT_LIST_HEAD(&cc.migratepages);
	while (pfn < end) {
		unsigned long from = pfn;

		cc.nr_migratepages = 0;
		pfn = compat_isolate_range(&cc, pfn, end);
		if (pfn <= from)
			return 0; /* refused, which no expectation is */
		pages += cc.nr_migratepages;
		putback_movable_pages(&cc.migratepages);
	}
	lru_add_drain();
	return pages;
}

static noinline u64 scan_run(u64 iters)
{
	u64 pages = 0;

	for (; iters; iters--)
		pages = hide(scan_pass());
	return pages;
}

static u64 scan_check(u64 raw)
{
	u64 digest = digest_new();

	digest = digest_add(digest_add(digest, zone.free), zone.movable);
	digest = digest_add(digest_add(digest, zone.movable_pages), zone.unmovable);
	digest = digest_add(digest_add(digest, zone.large), zone.movable);
	return digest ^ (raw ^ zone.movable_pages);
}

const struct job lru_jobs[] = {
	{ .name = "iteration/lru-scan", .setup = lru_setup, .run = lru_run, .check = lru_check,
	  .release = take_off_lists },
	{ .name = "iteration/pfn-scan", .setup = scan_setup, .run = scan_run, .check = scan_check,
	  .release = take_off_lists },
	{ }
};
