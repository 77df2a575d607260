// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors: references, heads and tails, making and unmaking a compound page.
 *
 *   get_page_*, put_page_*  one inline call; the put never drops the last reference
 *   compound_head_*         one inline call, the result stored
 *   prep_compound           prep_compound_page on pages that are free of users
 *   free_compound           __free_pages with the last reference of a compound page,
 *                           which unmakes it on the way to the buddy lists
 *   free_plain              the same for pages that never were one: the difference
 *                           is what unmaking costs
 *   split_page              2^order references out of one, no compound page
 *
 * _head is the head of a compound page (an ordinary page at order 0), _tail the page
 * behind it.
 */
#include <linux/slab.h>
#include "count.h"

COUNT_OP op_get_page(struct count_arg *a)
{
	get_page(a->page);
}

COUNT_OP op_put_page(struct count_arg *a)
{
	put_page(a->page);
}

COUNT_OP op_compound_head(struct count_arg *a)
{
	a->sink = (unsigned long)compound_head(a->page);
}

COUNT_OP op_prep_compound(struct count_arg *a)
{
	void (*prep)(struct page *, unsigned int) = a->fn;

	prep(a->page, a->order);
}

COUNT_OP op_free_pages(struct count_arg *a)
{
	__free_pages(a->page, a->order);
}

COUNT_OP op_split_page(struct count_arg *a)
{
	split_page(a->page, a->order);
}

static void count_references(const char *which, struct page *page, unsigned int order)
{
	struct count_arg a = { .page = page, .order = order };
	char name[32];
	unsigned int i;

	snprintf(name, sizeof(name), "get_page_%s", which);
	count_begin(name, order);
	for (i = 0; i < COUNT_SAMPLES; i++) {
		count_add("all", count_take(op_get_page, &a));
		put_page(page);
	}
	count_end();
	snprintf(name, sizeof(name), "put_page_%s", which);
	count_begin(name, order);
	for (i = 0; i < COUNT_SAMPLES; i++) {
		get_page(page);
		count_add("all", count_take(op_put_page, &a));
	}
	count_end();
	snprintf(name, sizeof(name), "compound_head_%s", which);
	count_steady(name, order, "all", op_compound_head, &a);
}

/*
 * Where freed pages went, read off the zone's free lists: pcp (none of them moved:
 * the pages are in the per-CPU list), merge<k> (one block of an order higher by k,
 * after joining free neighbours), bulk (the per-CPU list overflowed into them).
 */
static const char *free_class(const unsigned long *before, struct zone *zone,
			      unsigned int order)
{
	static char class[16];
	unsigned int i, grown = 0, merged = 0, more = 0;

	for (i = 0; i < COUNT_ORDERS; i++) {
		long change = zone->free_area[i].nr_free - before[i];

		if (change > 0) {
			grown++;
			merged = i;
		}
		more += change > 1;
	}
	if (grown > 1 || more || (grown && merged < order))
		return "bulk";
	if (!grown)
		return "pcp";
	snprintf(class, sizeof(class), "merge%u", merged - order);
	return class;
}

#define REGION_ORDER 10
#define REGION_PAGES (1u << REGION_ORDER)

/* One block of the region, as an allocation of its own. */
static void shape(struct page *block, unsigned int order,
		  void (*prep)(struct page *, unsigned int))
{
	unsigned int k;

	for (k = 1; k < 1u << order; k++)
		set_page_count(block + k, 0);
	if (prep)
		prep(block, order);
}

/*
 * Frees blocks out of a region that we hold: each block's neighbour and the blocks
 * beside the two stay ours, so that nothing ever joins, whatever the guest's memory
 * looks like. The per-CPU lists are empty before each sample. The last order has
 * only one neighbour.
 */
static void count_frees(const char *name, unsigned int order,
			void (*prep)(struct page *, unsigned int))
{
	const unsigned int step = order + 2 > REGION_ORDER ? REGION_PAGES : 4u << order;
	struct count_arg a = { .order = order };
	unsigned long before[COUNT_ORDERS];
	unsigned int i, k, n = 0;

	count_begin(name, order);
	while (n < COUNT_SAMPLES) {
		struct page *region = alloc_pages(GFP_KERNEL, REGION_ORDER);

		if (!region) {
			count_note("no_memory_%s %u", name, order);
			break;
		}
		split_page(region, REGION_ORDER);
		for (i = 0; i < REGION_PAGES; i += step, n++) {
			struct zone *zone = page_zone(region);
			u32 raw;

			a.page = region + i;
			shape(a.page, order, prep);
			count_stats_settle();
			for (k = 0; k < COUNT_ORDERS; k++)
				before[k] = zone->free_area[k].nr_free;
			raw = count_take(op_free_pages, &a);
			count_add(free_class(before, zone, order), raw);
		}
		for (i = 0; i < REGION_PAGES; i++)
			if (i % step >= 1u << order)
				__free_page(region + i);
	}
	count_end();
}

static void count_splits(unsigned int order)
{
	struct count_arg a = { .order = order };
	unsigned int i, k;

	count_begin("split_page", order);
	for (i = 0; i < COUNT_SAMPLES; i++) {
		a.page = alloc_pages(GFP_KERNEL, order);
		if (!a.page)
			break;
		count_add("all", count_take(op_split_page, &a));
		for (k = 0; k < 1u << order; k++)
			__free_page(a.page + k);
	}
	count_end();
}

void count_page(void)
{
	unsigned int i, order;

	count_for_each_order(i, order) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
		struct count_arg a = { .page = page, .order = order };

		if (!page)
			continue;
		count_references("head", page, order);
		if (order)
			count_references("tail", page + 1, order);
		__free_pages(page, order);
		count_frees("free_plain", order, NULL);
		if (!order)
			continue;
		count_splits(order);

		/* Making it again over and over writes the same words. */
		a.page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
		a.fn = count_need("prep_compound", "prep_compound_page");
		if (a.fn)
			count_frees("free_compound", order, a.fn);
		if (a.page && a.fn)
			count_steady("prep_compound", order, "all", op_prep_compound, &a);
		if (a.page)
			__free_pages(a.page, order);
	}
	count_scan();
}
