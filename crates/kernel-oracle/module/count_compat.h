/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place where the counting code asks which kernel it is built for.
 */
#ifndef ORACLE_COUNT_COMPAT_H
#define ORACLE_COUNT_COMPAT_H

#include <linux/version.h>
#include <linux/bio.h>
#include <linux/blk-mq.h>
#include <linux/mm.h>

#define COUNT_SINCE(major, minor) (LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, 0))

/* struct folio: 5.16. Its walk over a bio came in the same release. */
#define COUNT_HAS_FOLIO COUNT_SINCE(5, 16)

/* bio_init took the device and the operation from 5.18 on. */
static inline void count_bio_init(struct bio *bio, struct bio_vec *table,
				  unsigned short max_vecs, unsigned int op)
{
#if COUNT_SINCE(5, 18)
	bio_init(bio, NULL, table, max_vecs, op);
#else
	bio_init(bio, table, max_vecs);
	bio->bi_opf = op;
#endif
}

/* BIO_MAX_PAGES was renamed in 5.12; one table of this size is enough for all. */
#define BIO_MAX_VECS_COUNT 256

/* What mm functions take for an allocation's head. */
#if COUNT_HAS_FOLIO
typedef struct folio count_head;
#define count_head_of(page) page_folio(page)
#else
typedef struct page count_head;
#define count_head_of(page) (page)
#endif

#endif
