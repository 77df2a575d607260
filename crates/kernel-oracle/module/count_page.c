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

/* A free's path depends on what lies free beside the block: value by value. */
static void count_frees(const char *name, unsigned int order, gfp_t gfp)
{
	struct count_arg a = { .order = order };
	unsigned int i;

	count_begin(name, order);
	for (i = 0; i < COUNT_SAMPLES; i++) {
		a.page = alloc_pages(GFP_KERNEL | gfp, order);
		if (!a.page)
			break;
		count_add("last", count_take(op_free_pages, &a));
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
		count_frees("free_plain", order, 0);
		if (!order)
			continue;
		count_frees("free_compound", order, __GFP_COMP);
		count_splits(order);

		/* Making it again over and over writes the same words. */
		a.page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
		a.fn = count_need("prep_compound", "prep_compound_page");
		if (a.page && a.fn)
			count_steady("prep_compound", order, "all", op_prep_compound, &a);
		if (a.page)
			__free_pages(a.page, order);
	}
	count_scan();
}
