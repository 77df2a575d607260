// SPDX-License-Identifier: GPL-2.0
/*
 * Building and walking a bio over one compound page of 2^order pages.
 *
 * The models mirror the bodies of the walks (bodies.h) exactly. Each starts with
 * sum = 0 and mix = 0, and leaves sum ^ mix in a->sink.
 *
 * bio_add_page adds page by page; the loop around an empty function is subtracted,
 * and bio_add_page_loop is the same with the loop left in. bio_add_page_one is one
 * call: the first vec, a merge, a further vec.
 *
 * The function that walks is entered with the bio in memory and is not inlined;
 * its saving of registers belongs to the walk.
 */
#include <linux/slab.h>
#include "bodies.h"
#include "count.h"

COUNT_OP op_bio_add_page(struct count_arg *a)
{
	a->sink = body_add_pages(a->bio, a->page, a->nr);
}

/*
 * The loop of op_bio_add_page around an empty function: an opaque one, since a clone for
 * constant arguments takes their moves, and the sum of its results, out of the loop.
 */
#if __has_attribute(__noipa__)
#define COUNT_OPAQUE __attribute__((__noipa__))
#else
#define COUNT_OPAQUE noinline
#endif

static COUNT_OPAQUE int count_accept(struct bio *bio, struct page *page,
				     unsigned int len, unsigned int offset)
{
	asm volatile("" : : "r" (bio), "r" (page), "r" (offset) : "memory");
	return len;
}

/* As body_add_pages, with its arguments in registers: else the two loops are not one. */
static __always_inline unsigned int body_accept_pages(struct bio *bio, struct page *page,
						      unsigned int nr)
{
	unsigned int i, accepted = 0;

	for (i = 0; i < nr; i++)
		accepted += count_accept(bio, page + i, PAGE_SIZE, 0);
	return accepted;
}

COUNT_OP op_add_loop(struct count_arg *a)
{
	a->sink = body_accept_pages(a->bio, a->page, a->nr);
}

/* A merging add by itself: the bio already holds the page before. */
COUNT_OP op_bio_add_one(struct count_arg *a)
{
	a->sink = bio_add_page(a->bio, a->page, a->nr, 0);
}

COUNT_OP op_segments(struct count_arg *a)
{
	unsigned long sum = 0, mix = 0;

	body_segments(a->bio, &sum, &mix);
	a->sink = sum ^ mix;
}

COUNT_OP op_bvecs(struct count_arg *a)
{
	unsigned long sum = 0, mix = 0;

	body_bvecs(a->bio, &sum, &mix);
	a->sink = sum ^ mix;
}

#if HAVE_FOLIO_WALK
COUNT_OP op_folios(struct count_arg *a)
{
	unsigned long sum = 0, mix = 0;

	body_folios(a->bio, &sum, &mix);
	a->sink = sum ^ mix;
}

COUNT_OP op_bio_add_folio(struct count_arg *a)
{
	bool (*add)(struct bio *, struct folio *, size_t, size_t) = a->fn;

	a->sink = add(a->bio, a->p, PAGE_SIZE << a->order, 0);
}
#endif

static void bio_empty(struct bio *bio)
{
	bio->bi_vcnt = 0;
	bio->bi_iter = (struct bvec_iter){ };
}

static void count_adds(struct count_arg *a)
{
	unsigned int i, net;

	for (net = 0; net < 2; net++) {
		count_begin(net ? "bio_add_page" : "bio_add_page_loop", a->order);
		for (i = 0; i < COUNT_SAMPLES; i++) {
			u32 raw, loop = count_take(op_add_loop, a);

			bio_empty(a->bio);
			raw = count_take(op_bio_add_page, a);
			if (net)
				raw = count_net_of(raw, loop);
			count_add(a->sink == PAGE_SIZE << a->order ? "all" : "refused", raw);
		}
		count_end();
	}

#if HAVE_FOLIO_WALK
	a->fn = count_need("bio_add_folio", "bio_add_folio");
	if (a->fn) {
		a->p = count_head_of(a->page);
		count_begin("bio_add_folio", a->order);
		for (i = 0; i < COUNT_SAMPLES; i++) {
			u32 raw;

			bio_empty(a->bio);
			raw = count_take(op_bio_add_folio, a);
			count_add(a->sink ? "all" : "refused", raw);
		}
		count_end();
	}
#endif
}

/* The three ends that one call can have: a first vec, a merge, a further vec. */
static void count_single_adds(struct count_arg *a)
{
	struct page *base = a->page;
	unsigned int i, j;
	static const struct {
		const char *class;
		unsigned int held;	/* page already in the bio */
		unsigned int added;
	} cases[] = {
		{ "first", 0, 0 }, { "merge", 0, 1 }, { "new_vec", 0, 2 },
	};

	for (j = 0; j < ARRAY_SIZE(cases); j++) {
		count_begin("bio_add_page_one", 0);
		for (i = 0; i < COUNT_SAMPLES; i++) {
			bio_empty(a->bio);
			if (j)
				WARN_ON(!bio_add_page(a->bio, base + cases[j].held, PAGE_SIZE, 0));
			a->page = base + cases[j].added;
			a->nr = PAGE_SIZE;
			count_add(cases[j].class, count_take(op_bio_add_one, a));
		}
		count_end();
	}
	a->page = base;
}

void count_bio(void)
{
	const unsigned short max_vecs = COUNT_MAX_VECS;
	struct bio_vec *table = kcalloc(max_vecs, sizeof(*table), GFP_KERNEL);
	struct bio *bio = kzalloc(sizeof(*bio), GFP_KERNEL);
	unsigned int i, order, v;

	if (!table || !bio)
		goto out;
#if !HAVE_FOLIO_WALK
	count_absent("bio_add_folio", "folios came with 5.16, bio_add_folio with 5.17");
	count_absent("bio_for_each_folio_all", "folios came with 5.16");
#endif
	count_for_each_order(i, order) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
		struct count_arg a = { .bio = bio, .page = page,
				       .nr = 1u << order, .order = order };

		if (!page) {
			count_note("no_memory_order %u", order);
			continue;
		}
		count_bio_init(bio, table, max_vecs, REQ_OP_READ);
		count_adds(&a);
		bio_empty(bio);
		op_bio_add_page(&a);
		count_steady("bio_for_each_segment", order, "all", op_segments, &a);
		count_steady("bio_for_each_bvec", order, "all", op_bvecs, &a);
#if HAVE_FOLIO_WALK
		count_steady("bio_for_each_folio_all", order, "all", op_folios, &a);
#endif
		if (order == 2)
			count_single_adds(&a);
		__free_pages(page, order);
	}
	/* The same walks over vecs that could not merge: every other page. The
	 * order is the logarithm of the number of vecs. */
	for (v = 1; v <= 7; v++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, v + 1);
		struct count_arg a = { .bio = bio, .page = page };
		unsigned int k;

		if (!page)
			continue;
		count_bio_init(bio, table, max_vecs, REQ_OP_READ);
		for (k = 0; k < 1u << v; k++)
			WARN_ON(!bio_add_page(bio, page + 2 * k, PAGE_SIZE, 0));
		if (bio->bi_vcnt == 1u << v) {
			count_steady("bio_for_each_segment_scattered", v, "all", op_segments, &a);
			count_steady("bio_for_each_bvec_scattered", v, "all", op_bvecs, &a);
#if HAVE_FOLIO_WALK
			count_steady("bio_for_each_folio_all_scattered", v, "all", op_folios, &a);
#endif
		}
		__free_pages(page, v + 1);
	}
out:
	kfree(bio);
	kfree(table);
}
