// SPDX-License-Identifier: GPL-2.0
/*
 * Frames that boot sets aside: those that layouts are made of, and the pool that
 * the driver keeps its own state in.
 */
#include <linux/memblock.h>
#include <linux/mm.h>

#include "../internal.h"
#include "driver.h"
#include "driver_compat.h"

unsigned long frames_base;
static unsigned long count, pool_frames;
static int parent;
static const char *refused = "no folioscope=FIRST,FRAMES,POOL,PARENT on the command line";
static struct page pristine;
static size_t used;

static int __init frames_setup(char *text)
{
	phys_addr_t start, bytes;

	if (sscanf(text, "%lu,%lu,%lu,%d", &frames_base, &count, &pool_frames, &parent) != 4 ||
	    !count)
		return 0;
	start = (phys_addr_t)frames_base << PAGE_SHIFT;
	bytes = (phys_addr_t)(count + pool_frames) << PAGE_SHIFT;
	if (start + bytes > memblock_end_of_DRAM())
		refused = "mem= ends below the frames that folioscope= asks for";
	else if (memblock_is_region_reserved(start, bytes))
		refused = "boot already uses frames that folioscope= asks for; a larger mem= moves it away";
	else if (memblock_reserve(start, bytes))
		refused = "boot could not set the frames aside";
	else
		refused = NULL;
	return 0;
}
early_param("folioscope", frames_setup);

int frames_parent(void)
{
	return parent;
}

unsigned long frames_count(void)
{
	return count;
}

/* Nobody else owns these frames, so their descriptors may be put back whole. */
void frames_restore(unsigned long index, unsigned long nr)
{
	struct page *page = pfn_to_page(frames_base + index);

	for (; nr; nr--, page++) {
		*page = pristine;
		INIT_LIST_HEAD(&page->lru);
	}
}

const char *frames_take(void)
{
	if (refused)
		return refused;
	if (!pfn_valid(frames_base) || !pfn_valid(frames_base + count + pool_frames - 1))
		return "frames without descriptors";
	pristine = *pfn_to_page(frames_base);
	__ClearPageReserved(&pristine);
	set_page_count(&pristine, 1);
	frames_restore(0, count);
	return NULL;
}

void frames_compose(unsigned long index, unsigned int order)
{
	struct page *page = pfn_to_page(frames_base + index);
	unsigned long tail;

	if (!order)
		return;
	/* The allocator hands the pages of a block over unreferenced but for the head. */
	for (tail = 1; tail < 1UL << order; tail++)
		set_page_count(page + tail, 0);
	prep_compound_page(page, order);
}

/* What the cases ask for (oracle.h). */
struct page *arena_page(unsigned long index)
{
	return index < count ? pfn_to_page(frames_base + index) : NULL;
}

int arena_compose(unsigned long index, unsigned int order)
{
	unsigned long nr = 1UL << order;

	if (order > 15 || index & (nr - 1) || index + nr > count)
		return -EINVAL;
	frames_compose(index, order);
	/* Cases ask for no kind: what a kernel describes apart, it describes in all of them. */
	compat_describe(pfn_to_page(frames_base + index));
	return 0;
}

void arena_dissolve(unsigned long index, unsigned int order)
{
	compat_undescribe(pfn_to_page(frames_base + index));
	frames_restore(index, 1UL << order);
}

void *pool_start(void)
{
	return phys_to_virt((phys_addr_t)(frames_base + count) << PAGE_SHIFT);
}

void *pool_alloc(size_t bytes)
{
	void *at = pool_start() + used;

	bytes = ALIGN(bytes, SMP_CACHE_BYTES);
	if (bytes > (pool_frames << PAGE_SHIFT) - used)
		return NULL;
	used += bytes;
	return memset(at, 0, bytes);
}

size_t pool_used(void)
{
	return used;
}

void pool_reset(size_t to)
{
	used = to;
}
