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

/* The limits a case states; the kernel's own derived fields are left to it. */
struct case_limits {
	unsigned int max_segments;
	unsigned int max_segment_size;
	unsigned long seg_boundary_mask;
	unsigned long virt_boundary_mask;
	unsigned int max_sectors;
	unsigned int chunk_sectors;
	unsigned int logical_block_size;
	unsigned int physical_block_size;
	unsigned int dma_alignment;
};

static inline void compat_fill_limits(struct queue_limits *lim, const struct case_limits *c)
{
	lim->max_segments = c->max_segments;
	lim->max_segment_size = c->max_segment_size;
	lim->seg_boundary_mask = c->seg_boundary_mask;
	lim->virt_boundary_mask = c->virt_boundary_mask;
	lim->max_hw_sectors = c->max_sectors;
	lim->max_sectors = c->max_sectors;
	lim->chunk_sectors = c->chunk_sectors;
	lim->logical_block_size = c->logical_block_size;
	lim->physical_block_size = c->physical_block_size;
	lim->io_min = c->physical_block_size;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 0, 0)
	lim->dma_alignment = c->dma_alignment;
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	lim->max_user_sectors = c->max_sectors;
#endif
}

/*
 * Since 6.9 limits are validated and committed as a whole. Before, drivers set
 * them one by one; sysfs and stacking write the fields, and so do we, so that
 * max_sectors above the default limit can be had on every version. What the
 * setters would have clamped is refused instead.
 */
static inline int compat_set_limits(struct request_queue *q, const struct case_limits *c)
{
	if (c->max_segments == 0 || c->max_segments > USHRT_MAX ||
	    c->max_segment_size < PAGE_SIZE || c->seg_boundary_mask < PAGE_SIZE - 1 ||
	    c->max_sectors < (PAGE_SIZE >> SECTOR_SHIFT) ||
	    c->logical_block_size < SECTOR_SIZE || c->logical_block_size > PAGE_SIZE ||
	    c->physical_block_size < c->logical_block_size)
		return -EINVAL;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	{
		struct queue_limits lim = queue_limits_start_update(q);

		compat_fill_limits(&lim, c);
		return queue_limits_commit_update(q, &lim);
	}
#else
	compat_fill_limits(&q->limits, c);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 0, 0)
	q->dma_alignment = c->dma_alignment;
#endif
	return 0;
#endif
}

#endif
