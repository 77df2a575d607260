/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where kernels differ for what cases ask beyond a bio's way to the driver; the rest is
 * in compat.h.
 */
#ifndef FOLIOSCOPE_CASE_COMPAT_H
#define FOLIOSCOPE_CASE_COMPAT_H

#include <linux/mm.h>

#include "compat.h"

#define COUNT_SINCE(major, minor) (LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, 0))

/* What direct IO holds on nr pages of an allocation until the IO ends: references,
 * since 6.3 pins (a large folio counts them apart, a page in its high bits). */
static inline void count_hold_for_io(struct page *page, unsigned int nr)
{
#if COUNT_SINCE(6, 3)
	struct folio *folio = page_folio(page);

	if (folio_test_large(folio)) {
		folio_ref_add(folio, nr);
		atomic_add(nr, &folio->_pincount);
	} else {
		folio_ref_add(folio, nr * GUP_PIN_COUNTING_BIAS);
	}
#else
	page_ref_add(page, nr);
#endif
}

static inline void count_mark_held(struct bio *bio)
{
#if COUNT_SINCE(6, 3)
	bio_set_flag(bio, BIO_PAGE_PINNED);
#endif
}

/* What is held on an allocation, by its head; more than anybody can hold where the
 * counts contradict each other. */
static inline unsigned int compat_held(struct page *page)
{
	unsigned int refs = page_ref_count(page) - 1;
#if COUNT_SINCE(6, 3)
	struct folio *folio = page_folio(page);

	if (folio_test_large(folio))
		return atomic_read(&folio->_pincount) == refs ? refs : UINT_MAX;
	return refs % GUP_PIN_COUNTING_BIAS ? UINT_MAX : refs / GUP_PIN_COUNTING_BIAS;
#else
	return refs;
#endif
}

/* Writes that are done whole or not at all came in 6.11. */
#define HAVE_ATOMIC_WRITES COUNT_SINCE(6, 11)

static inline void compat_write_atomically(struct bio *bio)
{
#if HAVE_ATOMIC_WRITES
	bio->bi_opf = REQ_OP_WRITE | REQ_ATOMIC;
#endif
}

/* A bio over the same table; renamed in 5.18. */
static inline struct bio *compat_clone(struct bio *bio)
{
#if COUNT_SINCE(5, 18)
	return bio_alloc_clone(bio->bi_bdev, bio, GFP_KERNEL, &fs_bio_set);
#else
	return bio_clone_fast(bio, GFP_KERNEL, &fs_bio_set);
#endif
}

#endif
