// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors: layout/compose and layout/lookup.
 */
#include <linux/mm.h>

#include "../internal.h"
#include "driver.h"
#include "driver_compat.h"
#include "hooks.h"

static u64 found;

/* The unit that a frame belongs to. */
static __always_inline count_head *unit_of(unsigned long pfn)
{
#if HAVE_FOLIO_WALK
	return page_folio(pfn_to_page(pfn));
#else
	return compound_head(pfn_to_page(pfn));
#endif
}

/* Found from the last frame of each allocation. */
static u64 look(void)
{
	u64 digest = digest_new();
	u32 i;

	for (i = 0; i < ground.nr_extents; i++) {
		const struct extent *e = &ground.extents[i];
		struct page *head = (struct page *)unit_of(frames_first() + e->index +
							   extent_pages(e) - 1);

		digest = digest_add(digest, page_to_phys(head));
	}
	return digest;
}

static const char *compose_setup(const struct params *p)
{
	u32 i, k;

	if (!param_is(p, "mode", "make"))
		return "absent: without THP, which ARCH=um does not have, no large folio can be split";
	/* As the allocator finds them: without references. */
	for (i = 0; i < ground.nr_extents; i++)
		for (k = 0; k < extent_pages(&ground.extents[i]); k++)
			set_page_count(extent_page(&ground.extents[i]) + k, 0);
	ground.composed = true;
	for (i = 0; i < ground.nr_extents; i++)
		folioscope_make(extent_page(&ground.extents[i]), ground.extents[i].order);
	found = look();
	for (i = 0; i < ground.nr_extents; i++)
		folioscope_unmake(extent_page(&ground.extents[i]), ground.extents[i].order);
	job_elements = ground.nr_extents;
	return NULL;
}

static noinline u64 compose_run(u64 iters)
{
	u64 made = 0;
	u32 i;

	for (; iters; iters--) {
		struct ground *g = hide(&ground);

		made = 0;
		for (i = 0; i < g->nr_extents; i++) {
			struct page *page = extent_page(&g->extents[i]);

			folioscope_make(page, g->extents[i].order);
			folioscope_unmake(page, g->extents[i].order);
			made++;
		}
	}
	return made;
}

static u64 compose_check(u64 raw)
{
	u64 in_use = 0;
	u32 i;

	for (i = 0; i < ground.nr_extents; i++) {
		struct page *page = extent_page(&ground.extents[i]);

		in_use += page_ref_count(page) != 0 ||
			  PageCompound(page + extent_pages(&ground.extents[i]) - 1);
	}
	return digest_add(digest_add(digest_add(digest_new(), found), raw), in_use);
}

static struct truth truth;

static const char *lookup_setup(const struct params *p)
{
	u32 i;

	if (!ground.nr_frames)
		return "a layout without frames to look up";
	ground_compose();
	truth.checksum = digest_new();
	for (i = 0; i < ground.nr_frames; i++) {
		struct page *head = (struct page *)unit_of(frames_first() + ground.frames[i]);

		truth.checksum = digest_add(truth.checksum, page_to_pfn(head));
	}
	truth.raw = ground.nr_frames;
	job_elements = ground.nr_frames;
	return NULL;
}

static noinline u64 lookup_run(u64 iters)
{
	const unsigned long first = frames_first();
	u64 units = 0;
	u32 i;

	for (; iters; iters--) {
		struct ground *g = hide(&ground);

		units = 0;
		for (i = 0; i < g->nr_frames; i++)
			units += hide(unit_of(first + g->frames[i])) != NULL;
	}
	return units;
}

static u64 lookup_check(u64 raw)
{
	return truth_of(&truth, raw);
}

const struct job layout_jobs[] = {
	{ .name = "layout/compose", .setup = compose_setup, .run = compose_run,
	  .check = compose_check },
	{ .name = "layout/lookup", .setup = lookup_setup, .run = lookup_run,
	  .check = lookup_check },
	{ }
};
