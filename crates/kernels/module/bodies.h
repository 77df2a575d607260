/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loop bodies: one source for the counting module, which runs them under
 * emulation, and for the driver, which runs them natively. Nothing in here but
 * the work itself.
 */
#ifndef FOLIOSCOPE_BODIES_H
#define FOLIOSCOPE_BODIES_H

#include "compat.h"
#include "count_compat.h"

/*
 * The three walks. What they meet is added to *sum and mixed into *mix:
 *
 *   bio_for_each_segment   sum += bv.bv_len;  mix ^= what it names, a page's
 *                          address;  mix ^= bv.bv_offset
 *   bio_for_each_bvec      the same, bv being the multi-page view
 *   bio_for_each_folio_all sum += fi.length;  mix ^= fi.folio address;
 *                          mix ^= fi.offset
 */
static __always_inline void body_segments(struct bio *bio, unsigned long *sum,
					  unsigned long *mix)
{
	struct bvec_iter iter;
	struct bio_vec bv;

	bio_for_each_segment(bv, bio, iter) {
		*sum += bv.bv_len;
		*mix ^= VEC_NAMES(bv);
		*mix ^= VEC_WITHIN(bv);
	}
}

static __always_inline void body_bvecs(struct bio *bio, unsigned long *sum,
				       unsigned long *mix)
{
	struct bvec_iter iter;
	struct bio_vec bv;

	bio_for_each_bvec(bv, bio, iter) {
		*sum += bv.bv_len;
		*mix ^= VEC_NAMES(bv);
		*mix ^= VEC_WITHIN(bv);
	}
}

#if HAVE_FOLIO_WALK
static __always_inline void body_folios(struct bio *bio, unsigned long *sum,
					unsigned long *mix)
{
	struct folio_iter fi;

	bio_for_each_folio_all(fi, bio) {
		*sum += fi.length;
		*mix ^= (unsigned long)fi.folio;
		*mix ^= fi.offset;
	}
}
#endif

/* Neighbouring pages, one call each; the bytes that were taken. */
static __always_inline unsigned int body_add_pages(struct bio *bio, struct page *page,
						   unsigned int nr)
{
	unsigned int i, accepted = 0;

	for (i = 0; i < nr; i++)
		accepted += bio_add_page(bio, page + i, PAGE_SIZE, 0);
	return accepted;
}

/* End of a read: what was written is dirty, and what was held is let go. */
static __always_inline void body_release(struct bio *bio, bool mark_dirty)
{
	bio_release_pages(bio, mark_dirty);
}

/* Charging base pages or folios one by one; 0 or an errno. */
static __always_inline int body_charge(int (*charge)(count_head *, struct mm_struct *, gfp_t),
				       count_head *head, struct mm_struct *mm)
{
	return charge(head, mm, GFP_KERNEL);
}

/* Lock and unlock of one allocation's group; some kernels' lock returns the group,
 * which nothing looks at here. */
#define BODY_LOCK_PAIR(lock, unlock, head)	\
	do {					\
		lock(head);			\
		unlock(head);			\
	} while (0)

#endif
