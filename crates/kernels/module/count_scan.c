// SPDX-License-Identifier: GPL-2.0
/*
 * pfn_scan: a walk over every PFN of a mixed zone, as compaction's
 * isolate_migratepages_block does it. The kernel's own takes a private control
 * structure, so the loop is ours; each step is the kernel's inline helper.
 *
 * The zone: ZONE_PAGES pages, naturally aligned, in blocks of 2^order pages whose
 * kinds repeat in fours:
 *   0  ordinary pages on an LRU list
 *   1  one free block (PageBuddy, its order in page_private)
 *   2  one compound page (at order 0: one more page on the LRU list)
 *   3  ordinary pages of the kernel, on no list
 * The states are set by hand on pages that we own; the LRU list and its lock are
 * ours. Nothing else in the guest looks at them, so every run meets the same zone.
 *
 * Per PFN:
 *   every 32nd: drop the lock if held
 *   page = pfn_to_page(pfn)
 *   PageBuddy: skip the block by its order; next
 *   PageCompound: skip it by compound_order; next
 *   not PageLRU: next
 *   without mapping and count above one: next
 *   get_page_unless_zero; test and clear PG_lru, else put and next
 *   take the lock if not held; PageCompound again: put back and next
 *   move the page to the list of isolated pages
 * a->sink: pages isolated.
 */
#include <linux/list.h>
#include <linux/spinlock.h>
#include "count.h"

#define ZONE_ORDER 10
#define ZONE_PAGES (1u << ZONE_ORDER)
#define LOCK_BATCH 32

static DEFINE_SPINLOCK(zone_lock);
static LIST_HEAD(zone_lru);
static LIST_HEAD(zone_isolated);

COUNT_OP op_scan(struct count_arg *a)
{
	unsigned long pfn = page_to_pfn(a->page);
	const unsigned long end = pfn + ZONE_PAGES;
	unsigned long flags = 0, isolated = 0;
	bool locked = false;

	for (; pfn < end; pfn++) {
		struct page *page;
		unsigned long order;

		if (!(pfn % LOCK_BATCH) && locked) {
			spin_unlock_irqrestore(&zone_lock, flags);
			locked = false;
		}
		page = pfn_to_page(pfn);
		if (PageBuddy(page)) {
			order = READ_ONCE(page_private(page));
			if (order > 0 && order <= ZONE_ORDER)
				pfn += (1UL << order) - 1;
			continue;
		}
		if (PageCompound(page)) {
			order = compound_order(page);
			if (order <= ZONE_ORDER)
				pfn += (1UL << order) - 1;
			continue;
		}
		if (!PageLRU(page))
			continue;
		if (!READ_ONCE(page->mapping) && page_count(page) > 1)
			continue;
		if (!get_page_unless_zero(page))
			continue;
		if (!count_test_clear_lru(page)) {
			put_page(page);
			continue;
		}
		if (!locked) {
			spin_lock_irqsave(&zone_lock, flags);
			locked = true;
		}
		if (PageCompound(page)) {
			SetPageLRU(page);
			put_page(page);
			continue;
		}
		list_move(&page->lru, &zone_isolated);
		isolated++;
	}
	if (locked)
		spin_unlock_irqrestore(&zone_lock, flags);
	a->sink = isolated;
}

static unsigned int kind_of(unsigned int i, unsigned int order)
{
	unsigned int kind = (i >> order) % 4;

	return kind == 2 && !order ? 0 : kind;
}

/* Both directions of the zone's states, so that every sample starts alike. */
static void zone_set(struct page *base, unsigned int order)
{
	unsigned int i;

	INIT_LIST_HEAD(&zone_lru);
	INIT_LIST_HEAD(&zone_isolated);
	for (i = 0; i < ZONE_PAGES; i++) {
		struct page *page = base + i;

		if (kind_of(i, order) == 0) {
			list_add_tail(&page->lru, &zone_lru);
			SetPageLRU(page);
		} else if (kind_of(i, order) == 1 && !(i & ((1u << order) - 1))) {
			set_page_private(page, order);
			__SetPageBuddy(page);
		}
	}
}

static void zone_clear(struct page *base, unsigned int order)
{
	unsigned int i;

	for (i = 0; i < ZONE_PAGES; i++) {
		struct page *page = base + i;

		if (kind_of(i, order) == 0) {
			list_del_init(&page->lru);
			if (count_test_clear_lru(page))
				continue;
			put_page(page);	/* the scan's reference */
		} else if (kind_of(i, order) == 1 && PageBuddy(page)) {
			__ClearPageBuddy(page);
			set_page_private(page, 0);
		}
	}
}

static void count_zone(unsigned int order, void (*prep)(struct page *, unsigned int))
{
	struct count_arg a = { .order = order };
	unsigned int i, k;

	a.page = alloc_pages(GFP_KERNEL, ZONE_ORDER);
	if (!a.page) {
		count_note("no_memory_zone %u", order);
		return;
	}
	split_page(a.page, ZONE_ORDER);
	for (i = 0; i < ZONE_PAGES; i += 1u << order) {
		if (kind_of(i, order) != 2)
			continue;
		for (k = 1; k < 1u << order; k++)
			set_page_count(a.page + i + k, 0);
		prep(a.page + i, order);
	}
	count_begin("pfn_scan", order);
	for (i = 0; i < COUNT_SAMPLES; i++) {
		char class[24];
		u32 raw;

		zone_set(a.page, order);
		raw = count_take(op_scan, &a);
		zone_clear(a.page, order);
		snprintf(class, sizeof(class), "isolated%lu", a.sink);
		count_add(class, raw);
	}
	count_end();
	for (i = 0; i < ZONE_PAGES; i += kind_of(i, order) == 2 ? 1u << order : 1)
		__free_pages(a.page + i, kind_of(i, order) == 2 ? order : 0);
}

void count_scan(void)
{
	void (*prep)(struct page *, unsigned int) = count_need("pfn_scan", "prep_compound_page");
	unsigned int i, order;

	if (!prep)
		return;
	count_for_each_order(i, order)
		/* Four blocks must fit. */
		if (order <= ZONE_ORDER - 2)
			count_zone(order, prep);
}
