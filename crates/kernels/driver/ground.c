// SPDX-License-Identifier: GPL-2.0
/*
 * Layouts: which allocations exist and which IO meets which of them, as the host
 * says it. Little-endian 32-bit words: counts of extents, pieces, IOs and frames,
 * then the four arrays as driver.h has them.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "../internal.h"
#include "driver.h"
#include "driver_compat.h"

struct ground ground;

u64 digest_bytes(u64 digest, u64 phys, u64 len)
{
	const u64 end = phys + len;

	while (phys < end) {
		u64 n = min_t(u64, PAGE_SIZE - (phys & ~PAGE_MASK), end - phys);

		digest = digest_add(digest_add(digest, phys), n);
		phys += n;
	}
	return digest;
}

static const char *ground_valid(void)
{
	u32 i, from = 0;

	for (i = 0; i < ground.nr_extents; i++) {
		const struct extent *e = &ground.extents[i];

		if (e->order > 18 || e->index & (extent_pages(e) - 1) ||
		    e->index + extent_pages(e) > frames_count())
			return "an extent beyond the arena, or not aligned to its order";
	}
	for (i = 0; i < ground.nr_pieces; i++) {
		const struct piece *p = &ground.pieces[i];

		if (p->extent >= ground.nr_extents || !p->len || (p->len | p->offset) & ~PAGE_MASK ||
		    (u64)p->offset + p->len > PAGE_SIZE << ground.extents[p->extent].order)
			return "a piece that is not whole pages of an extent";
	}
	for (i = 0; i < ground.nr_ios; from = ground.io_end[i++])
		if (ground.io_end[i] < from || ground.io_end[i] > ground.nr_pieces)
			return "an IO of pieces that do not exist";
	for (i = 0; i < ground.nr_frames; i++)
		if (ground.frames[i] >= frames_count())
			return "a frame beyond the arena";
	return NULL;
}

const char *ground_read(const void *data, size_t bytes)
{
	const u32 *counts = data;
	u64 want = 16;
	void *copy;

	ground_dissolve();
	pool_reset(0);
	memset(&ground, 0, sizeof(ground));
	if (bytes < want)
		return "a layout without its counts";
	want += (u64)counts[0] * sizeof(struct extent) + (u64)counts[1] * sizeof(struct piece) +
		((u64)counts[2] + counts[3]) * sizeof(u32);
	if (bytes != want)
		return "a layout whose length is not that of its counts";
	copy = pool_alloc(bytes);
	if (!copy)
		return "the pool is too small for this layout";
	memcpy(copy, data, bytes);
	ground.nr_extents = counts[0];
	ground.nr_pieces = counts[1];
	ground.nr_ios = counts[2];
	ground.nr_frames = counts[3];
	ground.extents = copy + 16;
	ground.pieces = (void *)(ground.extents + ground.nr_extents);
	ground.io_end = (void *)(ground.pieces + ground.nr_pieces);
	ground.frames = ground.io_end + ground.nr_ios;
	return ground_valid();
}

/* Nobody maps these pages, but a scan may only take what looks mapped. */
static struct address_space file_mapping;
static struct address_space_operations file_operations = COMPAT_DIRTY_OPS;

static void give_kind(struct page *page, const struct extent *e)
{
	switch (e->kind) {
	case KIND_FREE:
		compat_mark_buddy(page, e->order);
		break;
	case KIND_ANON:
		page->mapping = (void *)((unsigned long)&file_mapping | COMPAT_MAPPING_ANON);
		compat_set_swapbacked(page);
		compat_map_once(page, e->order);
		SetPageUptodate(page);
		SetPageDirty(page);
		break;
	case KIND_FILE:
		file_mapping.a_ops = &file_operations;
		page->mapping = &file_mapping;
		SetPageUptodate(page);
		SetPageDirty(page);
		compat_describe(page);
		break;
	case KIND_SLAB:
		compat_set_slab(page);
		break;
	default:
		break;
	}
}

void ground_compose(void)
{
	u32 i;

	if (ground.composed)
		return;
	for (i = 0; i < ground.nr_extents; i++) {
		const struct extent *e = &ground.extents[i];

		if (e->kind != KIND_FREE)
			frames_compose(e->index, e->order);
		give_kind(extent_page(e), e);
	}
	ground.composed = true;
}

void ground_dissolve(void)
{
	u32 i;

	for (i = 0; i < ground.nr_extents && ground.composed; i++) {
		const struct extent *e = &ground.extents[i];

		if (e->kind == KIND_FILE)
			compat_undescribe(extent_page(e));
		frames_restore(e->index, extent_pages(e));
	}
	ground.composed = false;
}
