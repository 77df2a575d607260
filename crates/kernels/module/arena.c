// SPDX-License-Identifier: GPL-2.0
/*
 * The arena: physically contiguous pages around a 4 GiB boundary, out of which
 * cases compose compound pages at the very places they name.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/moduleparam.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "oracle.h"

static unsigned long boundary = 0x200000; /* page frame number: 8 GiB */
module_param(boundary, ulong, 0444);
MODULE_PARM_DESC(boundary, "page frame number of a 4 GiB boundary with memory on both sides");

static unsigned long first_pfn;
static struct page *saved;
static void (*prep)(struct page *page, unsigned int order);

struct page *arena_page(unsigned long index)
{
	return first_pfn && index < ARENA_PAGES ? pfn_to_page(first_pfn + index) : NULL;
}

/* Nothing but the arena owns these pages, so their descriptors may be put back whole. */
static void arena_restore(unsigned long index, unsigned long count)
{
	memcpy(arena_page(index), saved + index, count * sizeof(struct page));
}

int arena_take(void)
{
	int (*contig)(unsigned long start, unsigned long end, unsigned int kind, gfp_t gfp);
	unsigned long start = boundary - ARENA_PAGES / 2, index;
	int err;

	prep = oracle_symbol("prep_compound_page");
	contig = oracle_symbol(ALLOC_CONTIG_RANGE);
	if (!prep || !contig)
		return -ENOSYS; /* no CONFIG_CONTIG_ALLOC */
	if (!pfn_valid(start) || !pfn_valid(start + ARENA_PAGES - 1))
		return -ENXIO;
	saved = vmalloc(ARENA_PAGES * sizeof(struct page));
	if (!saved)
		return -ENOMEM;
	err = contig(start, start + ARENA_PAGES, CONTIG_KIND, GFP_KERNEL);
	if (err) {
		vfree(saved);
		return err;
	}
	first_pfn = start;
	for (index = 0; index < ARENA_PAGES; index++)
		saved[index] = *arena_page(index);
	return 0;
}

void arena_release(void)
{
	unsigned long index;

	if (!first_pfn)
		return;
	arena_restore(0, ARENA_PAGES);
	for (index = 0; index < ARENA_PAGES; index++)
		__free_page(arena_page(index));
	first_pfn = 0;
	vfree(saved);
}

int arena_compose(unsigned long index, unsigned int order)
{
	unsigned long count = 1UL << order, tail;

	if (order > 15 || index & (count - 1) || index + count > ARENA_PAGES)
		return -EINVAL;
	if (!order)
		return 0;
	/* The allocator hands the pages of a block to prep_compound_page unreferenced but for the head. */
	for (tail = 1; tail < count; tail++)
		set_page_count(arena_page(index + tail), 0);
	prep(arena_page(index), order);
	return 0;
}

void arena_dissolve(unsigned long index, unsigned int order)
{
	arena_restore(index, 1UL << order);
}
