/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where kernels differ. The only file of the module that looks at
 * LINUX_VERSION_CODE; everything else is one source for all of them.
 */
#ifndef FOLIOSCOPE_COMPAT_H
#define FOLIOSCOPE_COMPAT_H

#include <linux/bio.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/log2.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 18, 0)
#include <linux/genhd.h>
#endif

/* Folios, and with them bio_for_each_folio_all, came in 5.16; bio_add_folio in 5.17. */
#define HAVE_FOLIO_WALK (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0))
#define HAVE_BIO_ADD_FOLIO (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 17, 0))

/* Renamed in 5.12. */
#ifndef BIO_MAX_VECS
#define MOST_VECS 256U
#else
#define MOST_VECS BIO_MAX_VECS
#endif

/*
 * A bio_vec: what it names and where in that it begins, as walks hand it out, and the page
 * and address of its first byte. With our patch phyr it is an address and names no page.
 */
#ifdef BVEC_IS_PHYS_RANGE
#define VEC_NAMES(bv) ((unsigned long)(bv).bv_phys)
#define VEC_WITHIN(bv) 0
#define VEC_PAGE(bv) bvec_page(&(bv))
#define VEC_OFFSET(bv) bvec_offset(&(bv))
#define VEC_PHYS(bv) ((bv).bv_phys)
#define VEC_ADDRESS(bv) phys_to_virt((bv).bv_phys)
#else
#define VEC_NAMES(bv) ((unsigned long)(bv).bv_page)
#define VEC_WITHIN(bv) ((bv).bv_offset)
#define VEC_PAGE(bv) ((bv).bv_page)
#define VEC_OFFSET(bv) ((bv).bv_offset)
#define VEC_PHYS(bv) (page_to_phys((bv).bv_page) + (bv).bv_offset)
#define VEC_ADDRESS(bv) (page_address((bv).bv_page) + (bv).bv_offset)
#endif

/* Allocation profiling renamed the allocators that callers reach by address (6.10). */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define ALLOC_CONTIG_RANGE "alloc_contig_range_noprof"
#else
#define ALLOC_CONTIG_RANGE "alloc_contig_range"
#endif

/* The second argument's meaning moved from a migrate type to flags in 6.16; ours is 0 or its name. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define CONTIG_KIND 0
#else
#define CONTIG_KIND MIGRATE_MOVABLE
#endif

/* bio_init takes the device and the operation since 5.18. */
static inline void compat_bio_init(struct bio *bio, struct gendisk *disk,
				   struct bio_vec *table, unsigned short max_vecs)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
	bio_init(bio, disk->part0, table, max_vecs, REQ_OP_READ);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 12, 0)
	bio_init(bio, table, max_vecs);
	bio_set_dev(bio, disk->part0);
	bio->bi_opf = REQ_OP_READ;
#else
	bio_init(bio, table, max_vecs);
	bio->bi_disk = disk;
	bio->bi_partno = 0;
	bio->bi_opf = REQ_OP_READ;
	bio_associate_blkg(bio); /* bio_set_dev would; it wants a block_device */
#endif
}

/* The queue argument of blk_rq_map_sg went away in 6.16. */
static inline int compat_map_sg(struct request *rq, struct scatterlist *sg)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return blk_rq_map_sg(rq, sg);
#else
	return blk_rq_map_sg(rq->q, rq, sg);
#endif
}

/* Merging in the queue was a flag until 6.14; having no scheduler, too. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
#define TAG_SET_FLAGS BLK_MQ_F_NO_SCHED_BY_DEFAULT
#else
#define TAG_SET_FLAGS (BLK_MQ_F_SHOULD_MERGE | BLK_MQ_F_NO_SCHED)
#endif

static inline struct gendisk *compat_alloc_disk(struct blk_mq_tag_set *set)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	struct queue_limits lim = { };

	return blk_mq_alloc_disk(set, &lim, NULL);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 15, 0)
	return blk_mq_alloc_disk(set, NULL);
#else
	struct gendisk *disk = alloc_disk(1);

	if (!disk)
		return ERR_PTR(-ENOMEM);
	disk->queue = blk_mq_init_queue(set);
	if (IS_ERR(disk->queue)) {
		long err = PTR_ERR(disk->queue);

		disk->queue = NULL;
		put_disk(disk);
		return ERR_PTR(err);
	}
	return disk;
#endif
}

static inline int compat_add_disk(struct gendisk *disk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 19, 0)
	disk->flags |= GENHD_FL_NO_PART;
#else
	disk->flags |= GENHD_FL_NO_PART_SCAN;
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 15, 0)
	return add_disk(disk);
#else
	add_disk(disk);
	return 0;
#endif
}

static inline void compat_drop_disk(struct gendisk *disk)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 15, 0)
	blk_cleanup_queue(disk->queue);
	disk->queue = NULL;
#endif
	put_disk(disk);
}

/* What a driver states about its queue; what it does not state is not set. */
struct case_limits {
	unsigned long logical_block_size, physical_block_size;
	unsigned long max_sectors, chunk_sectors;
	unsigned long max_segments, max_segment_size;
	unsigned long seg_boundary_mask, virt_boundary_mask;
	unsigned long dma_alignment;
	unsigned long atomic_max, atomic_unit_min, atomic_unit_max, atomic_boundary;
	unsigned long discard_sectors, discard_granularity;
	unsigned int stated; /* bit n: the n-th field above */
};

enum {
	LIMIT_LOGICAL, LIMIT_PHYSICAL, LIMIT_SECTORS, LIMIT_CHUNK, LIMIT_SEGMENTS,
	LIMIT_SEGMENT_SIZE, LIMIT_SEG_BOUNDARY, LIMIT_VIRT_BOUNDARY, LIMIT_DMA,
	LIMIT_ATOMIC, LIMIT_DISCARD = LIMIT_ATOMIC + 4,
};

#define STATED(c, limit) ((c)->stated & (1U << (limit)))

/*
 * Since 6.9 limits come in one struct and are validated as a whole; before,
 * each is one call of a setter, on a queue that has its defaults (fresh) again.
 * A driver that states no max_hw_sectors of its own states a very large one;
 * for one that does, an administrator has raised max_sectors to it, which is
 * what a write to sysfs would do.
 */
static inline int compat_set_limits(struct request_queue *q, const struct queue_limits *fresh,
				    const struct case_limits *c)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	struct queue_limits lim = {
		.logical_block_size = c->logical_block_size,
		.physical_block_size = c->physical_block_size,
		.max_hw_sectors = STATED(c, LIMIT_SECTORS) ? c->max_sectors : UINT_MAX >> SECTOR_SHIFT,
		.max_user_sectors = c->max_sectors,
		.chunk_sectors = c->chunk_sectors,
		.max_segments = c->max_segments,
		.max_segment_size = c->max_segment_size,
		.seg_boundary_mask = c->seg_boundary_mask,
		.virt_boundary_mask = c->virt_boundary_mask,
		.dma_alignment = c->dma_alignment,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
		.atomic_write_hw_max = c->atomic_max,
		.atomic_write_hw_unit_min = c->atomic_unit_min,
		.atomic_write_hw_unit_max = c->atomic_unit_max,
		.atomic_write_hw_boundary = c->atomic_boundary,
#endif
		.max_hw_discard_sectors = c->discard_sectors,
		.max_user_discard_sectors = UINT_MAX,
		.discard_granularity = c->discard_granularity,
	};

#ifdef BLK_FEAT_ATOMIC_WRITES
	if (STATED(c, LIMIT_ATOMIC))
		lim.features |= BLK_FEAT_ATOMIC_WRITES;
#endif
	return queue_limits_set(q, &lim);
#else
	q->limits = *fresh;
	if (STATED(c, LIMIT_LOGICAL)) {
		/* Here it is drivers that check (blk_validate_block_size and its forebears). */
		if (c->logical_block_size < SECTOR_SIZE || c->logical_block_size > PAGE_SIZE ||
		    !is_power_of_2(c->logical_block_size))
			return -EINVAL;
		blk_queue_logical_block_size(q, c->logical_block_size);
	}
	if (STATED(c, LIMIT_PHYSICAL))
		blk_queue_physical_block_size(q, c->physical_block_size);
	blk_queue_max_hw_sectors(q, STATED(c, LIMIT_SECTORS) ? c->max_sectors : UINT_MAX >> SECTOR_SHIFT);
	if (STATED(c, LIMIT_SECTORS))
		q->limits.max_sectors = q->limits.max_hw_sectors;
	if (STATED(c, LIMIT_CHUNK))
		blk_queue_chunk_sectors(q, c->chunk_sectors);
	if (STATED(c, LIMIT_SEGMENTS))
		blk_queue_max_segments(q, c->max_segments);
	if (STATED(c, LIMIT_SEG_BOUNDARY))
		blk_queue_segment_boundary(q, c->seg_boundary_mask);
	if (STATED(c, LIMIT_VIRT_BOUNDARY))
		blk_queue_virt_boundary(q, c->virt_boundary_mask);
	if (STATED(c, LIMIT_SEGMENT_SIZE)) {
		/* The setter does as it is told but warns of the pair, which cases state on purpose. */
		unsigned long mask = q->limits.virt_boundary_mask;

		q->limits.virt_boundary_mask = 0;
		blk_queue_max_segment_size(q, c->max_segment_size);
		q->limits.virt_boundary_mask = mask;
	}
	if (STATED(c, LIMIT_DMA))
		blk_queue_dma_alignment(q, c->dma_alignment);
	blk_queue_max_discard_sectors(q, c->discard_sectors);
	q->limits.discard_granularity = c->discard_granularity;
#ifdef QUEUE_FLAG_DISCARD
	if (STATED(c, LIMIT_DISCARD))
		blk_queue_flag_set(QUEUE_FLAG_DISCARD, q);
	else
		blk_queue_flag_clear(QUEUE_FLAG_DISCARD, q);
#endif
	return 0;
#endif
}

#endif
