// SPDX-License-Identifier: GPL-2.0
/*
 * LRU: adding to the per-CPU batch, draining the batch to the lruvec, isolating.
 * The pages belong to the asking process's memory cgroup, so that the lruvec is
 * that group's.
 *
 *   lru_add          folio_add_lru / lru_cache_add: batched (a slot taken) or flushed
 *                    (the batch was full, or the folio large: on the list afterwards)
 *   lru_add_drain    lru_add_drain with so many pages in this CPU's batch
 *   lru_isolate      folio_isolate_lru / isolate_lru_page
 *   lru_add_isolate  the three for one page or folio, in one count
 */
#include "count.h"

#define BATCH 14	/* one less than the smallest kernel's batch of 15 */
#define FILL 31		/* as many as the largest holds */

static struct {
	void (*add)(count_head *);
	void (*drain)(void);
	int (*isolate)(count_head *);
} lru;

COUNT_OP op_lru_add(struct count_arg *a)
{
	lru.add(a->p);
}

COUNT_OP op_lru_drain(struct count_arg *a)
{
	lru.drain();
}

COUNT_OP op_lru_isolate(struct count_arg *a)
{
	a->sink = lru.isolate(a->p);
}

COUNT_OP op_lru_add_isolate(struct count_arg *a)
{
	lru.add(a->p);
	lru.drain();
	a->sink = lru.isolate(a->p);
}

/* Off the list again, without the isolation's reference. */
static void take_off(struct count_arg *a)
{
	if (PageLRU(a->page))
		lru.isolate(a->p);
	put_page(a->page);
}

/* One sample of op, its class split by the statistics that it spilled. */
static void sample(const char *class, count_fn op, struct count_arg *a)
{
	u32 raw;

	count_stats_mark();
	raw = count_take(op, a);
	if (!class)
		class = PageLRU(a->page) ? "flushed" : "batched";
	count_add(count_stats_class(class), raw);
}

static void count_lru_order(struct count_arg *a)
{
	unsigned int i;

	lru.drain();
	count_begin("lru_isolate", a->order);
	for (i = 0; i < COUNT_SAMPLES; i++) {
		lru.add(a->p);
		lru.drain();
		sample("on_list", op_lru_isolate, a);
		take_off(a);
	}
	count_end();

	count_begin("lru_add_isolate", a->order);
	for (i = 0; i < COUNT_SAMPLES; i++) {
		sample("one", op_lru_add_isolate, a);
		take_off(a);
	}
	count_end();
}

static void count_large_adds(struct count_arg *a)
{
	unsigned int i;

	lru.drain();
	count_begin("lru_add", a->order);
	for (i = 0; i < COUNT_SAMPLES; i++) {
		sample(NULL, op_lru_add, a);
		lru.drain();
		take_off(a);
	}
	count_end();
}

/* Pages one after the other, until the batch is full and is moved to the list. */
static void count_small_adds(struct page **pages)
{
	struct count_arg a = { 0 };
	unsigned int i, k;

	lru.drain();
	count_begin("lru_add", 0);
	for (i = 0; i < COUNT_SAMPLES; i++) {
		for (k = 0; k < FILL; k++) {
			a.page = pages[k];
			a.p = count_head_of(a.page);
			sample(NULL, op_lru_add, &a);
		}
		lru.drain();
		for (k = 0; k < FILL; k++) {
			a.page = pages[k];
			a.p = count_head_of(a.page);
			take_off(&a);
		}
	}
	count_end();
}

static void count_batches(struct page **pages)
{
	static const unsigned int sizes[] = { 0, 1, BATCH };
	struct count_arg a = { 0 };
	unsigned int i, j, k;

	count_begin("lru_add_drain", 0);
	for (j = 0; j < ARRAY_SIZE(sizes); j++) {
		char class[16];

		snprintf(class, sizeof(class), "pages%u", sizes[j]);
		for (i = 0; i < COUNT_SAMPLES; i++) {
			for (k = 0; k < sizes[j]; k++)
				lru.add(count_head_of(pages[k]));
			sample(class, op_lru_drain, &a);
			for (k = 0; k < sizes[j]; k++) {
				a.page = pages[k];
				a.p = count_head_of(a.page);
				take_off(&a);
			}
		}
	}
	count_end();
}

void count_lru(void)
{
	struct page *pages[FILL];
	unsigned int i, order, n;

	lru.add = count_need("lru_add", HAVE_FOLIO_WALK ? "folio_add_lru" : "lru_cache_add");
	lru.drain = count_need("lru_add_drain", "lru_add_drain");
	lru.isolate = count_need("lru_isolate",
				 HAVE_FOLIO_WALK ? "folio_isolate_lru" : "isolate_lru_page");
	if (!lru.add || !lru.drain || !lru.isolate || !count_memcg_ready("lru_add_isolate"))
		return;
	count_for_each_order(i, order) {
		struct count_arg a = { .order = order };

		a.page = count_charged_pages(order);
		if (!a.page)
			continue;
		a.p = count_head_of(a.page);
		count_lru_order(&a);
		if (order)
			count_large_adds(&a);
		count_free_charged(a.page, order);
	}
	for (n = 0; n < FILL; n++) {
		pages[n] = count_charged_pages(0);
		if (!pages[n])
			break;
	}
	if (n == FILL) {
		count_small_adds(pages);
		count_batches(pages);
	}
	while (n--)
		count_free_charged(pages[n], 0);
}
