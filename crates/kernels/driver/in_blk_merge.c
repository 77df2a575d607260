// SPDX-License-Identifier: GPL-2.0
/*
 * Included at the end of block/blk-merge.c, for functions that are static there.
 */
#include "compat.h"
#include "hooks.h"

/*
 * What submission does to a bio that may be too large: finds the front part that
 * fits and makes it a bio of its own. NULL where all of it fits. The kernel would
 * then submit the rest again; the caller asks again.
 */
struct bio *folioscope_split(struct request_queue *q, struct bio *bio, struct bio_set *bs)
{
	unsigned int segments;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	int sectors;

	if (!bio_may_need_split(bio, &q->limits))
		return NULL;
	sectors = bio_split_rw_at(bio, &q->limits, &segments,
				  get_max_io_size(bio, &q->limits) << SECTOR_SHIFT);
	if (sectors < 0)
		return ERR_PTR(sectors);
	return sectors ? bio_split(bio, sectors, GFP_NOIO, bs) : NULL;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 0, 0)
	if (!bio_may_exceed_limits(bio, &q->limits))
		return NULL;
	return bio_split_rw(bio, &q->limits, &segments, bs,
			    get_max_io_size(bio, &q->limits) << SECTOR_SHIFT);
#else
	if (!q->limits.chunk_sectors && bio->bi_vcnt == 1 &&
	    bio->bi_io_vec[0].bv_len + bio->bi_io_vec[0].bv_offset <= PAGE_SIZE)
		return NULL;
	return blk_bio_segment_split(q, bio, bs, &segments);
#endif
}
