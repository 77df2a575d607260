// SPDX-License-Identifier: GPL-2.0
/*
 * Included at the end of mm/page_alloc.c, for functions that are static there.
 */
#include "count_compat.h"
#include "hooks.h"

/* What the allocator does to a block that it found on its lists. */
void folioscope_make(struct page *page, unsigned int order)
{
	prep_new_page(page, order, GFP_KERNEL | __GFP_COMP, 0);
#if COUNT_SINCE(6, 14)
	set_page_refcounted(page); /* no longer part of it, for callers who want none */
#endif
}

/*
 * What it does to one before it goes back there. Dropping the last reference is a put like
 * any other, an atomic operation that no model's free has: it is not part of this.
 */
void folioscope_unmake(struct page *page, unsigned int order)
{
	set_page_count(page, 0);
#if COUNT_SINCE(6, 4)
	free_pages_prepare(page, order);
#elif COUNT_SINCE(5, 16)
	free_pages_prepare(page, order, true, FPI_NONE);
#else
	free_pages_prepare(page, order, true);
#endif
}
