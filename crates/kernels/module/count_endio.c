// SPDX-License-Identifier: GPL-2.0
/*
 * What a bio costs when its IO ends: dirtying its pages and letting them go.
 *
 *   end_io_release   bio_release_pages, not dirtying. Each page holds the reference
 *                    (since 6.3: the pin) that direct IO takes, none drops to zero.
 *   end_io_dirty     bio_set_pages_dirty, on clean and on dirty pages
 *   end_io_check     bio_check_pages_dirty on dirty pages: test, release, bio_put
 *
 * The bio spans one compound page of 2^order pages; with _base in the name it spans
 * 2^order ordinary pages that are physical neighbours, so that per-page and
 * per-folio completion stand side by side.
 */
#include <linux/slab.h>
#include "bodies.h"
#include "count.h"

COUNT_OP op_release(struct count_arg *a)
{
	body_release(a->bio, false);
}

COUNT_OP op_bio_call(struct count_arg *a)
{
	void (*call)(struct bio *) = a->fn;

	call(a->bio);
}

/* One ordinary page stands for itself, a compound page for its pages. */
static unsigned int units(const struct count_arg *a)
{
	return a->p ? a->nr : 1;
}

static void hold(struct count_arg *a)
{
	unsigned int i;

	for (i = 0; i < units(a); i++)
		count_hold_for_io(a->page + i, a->p ? 1 : a->nr);
}

static void set_dirty(struct count_arg *a, bool dirty)
{
	unsigned int i;

	for (i = 0; i < units(a); i++) {
		if (dirty)
			SetPageDirty(a->page + i);
		else
			ClearPageDirty(a->page + i);
	}
}

static void rearm(struct count_arg *a, struct bio_vec *table)
{
	unsigned int i;

	count_bio_init(a->bio, table, COUNT_MAX_VECS, REQ_OP_READ);
	for (i = 0; i < a->nr; i++)
		WARN_ON(!bio_add_page(a->bio, a->page + i, PAGE_SIZE, 0));
	count_mark_held(a->bio);
}

static void count_one(struct count_arg *a, struct bio_vec *table)
{
	const bool base = a->p;
	const char *name = base ? "end_io_release_base" : "end_io_release";
	unsigned int i, dirty;

	rearm(a, table);
	count_begin(name, a->order);
	for (i = 0; i < COUNT_SAMPLES; i++) {
		u32 raw;

		hold(a);
		count_stats_mark();
		raw = count_take(op_release, a);
		count_add(count_stats_class("held"), raw);
	}
	count_end();

	name = base ? "end_io_dirty_base" : "end_io_dirty";
	a->fn = count_need(name, "bio_set_pages_dirty");
	if (a->fn) {
		count_begin(name, a->order);
		for (dirty = 0; dirty < 2; dirty++)
			for (i = 0; i < COUNT_SAMPLES; i++) {
				set_dirty(a, dirty);
				count_add(dirty ? "dirty" : "clean",
					  count_take(op_bio_call, a));
			}
		count_end();
	}

	name = base ? "end_io_check_base" : "end_io_check";
	a->fn = count_need(name, "bio_check_pages_dirty");
	if (a->fn) {
		count_begin(name, a->order);
		for (i = 0; i < COUNT_SAMPLES; i++) {
			u32 raw;

			rearm(a, table);
			/* It ends in bio_put, and the bio is ours. */
			bio_get(a->bio);
			bio_get(a->bio);
			set_dirty(a, true);
			hold(a);
			count_stats_mark();
			raw = count_take(op_bio_call, a);
			count_add(count_stats_class("dirty"), raw);
		}
		count_end();
	}
	set_dirty(a, false);
}

void count_endio(void)
{
	struct bio_vec *table = kcalloc(COUNT_MAX_VECS, sizeof(*table), GFP_KERNEL);
	struct bio *bio = kzalloc(sizeof(*bio), GFP_KERNEL);
	unsigned int i, order, k;

	if (!table || !bio)
		goto out;
	count_for_each_order(i, order) {
		struct count_arg a = { .bio = bio, .nr = 1u << order, .order = order };

		a.page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
		if (a.page) {
			count_one(&a, table);
			__free_pages(a.page, order);
		}
		a.page = alloc_pages(GFP_KERNEL, order);
		if (a.page) {
			split_page(a.page, order);
			a.p = bio;	/* any pointer: ordinary pages */
			count_one(&a, table);
			for (k = 0; k < a.nr; k++)
				__free_page(a.page + k);
		}
	}
out:
	kfree(bio);
	kfree(table);
}
