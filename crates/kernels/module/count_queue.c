// SPDX-License-Identifier: GPL-2.0
/*
 * Block layer work that needs a queue: mapping a request to a scatterlist,
 * counting its segments, checking a bio against the limits, and splitting it.
 *
 *   blk_rq_map_sg     a request of one bio over one compound page
 *   recount           blk_recalc_rq_segments on the same request
 *   bio_split_limits  the check at submission that splits where it must; here
 *                     nothing must be: __blk_queue_split (5.10),
 *                     __bio_split_to_limits (6.1), bio_split_rw (later)
 *   bio_split         cut in half, the first half's bio allocated from a bio_set;
 *                     without a device, so that no cgroup is looked up
 *
 * Plain names have default limits but for max_sectors, which holds the largest bio;
 * with _uintmax, max_segment_size is UINT_MAX. With _scattered the bio has 2^order
 * vecs of one page each, none adjacent, and default limits.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include "count.h"

#define MAX_ENTRIES 128

COUNT_OP op_map_sg(struct count_arg *a)
{
	a->sink = compat_map_sg(a->p, a->q);
}

COUNT_OP op_recount(struct count_arg *a)
{
	unsigned int (*recount)(struct request *) = a->fn;

	a->sink = recount(a->p);
}

COUNT_OP op_split_limits(struct count_arg *a)
{
	count_split_limits(a->fn, a->bio, a->q);
}

COUNT_OP op_split(struct count_arg *a)
{
	a->q = bio_split(a->bio, a->nr, GFP_NOIO, a->p);
}

static blk_status_t count_queue_rq(struct blk_mq_hw_ctx *hctx,
				   const struct blk_mq_queue_data *bd)
{
	return BLK_STS_IOERR;
}

static const struct blk_mq_ops count_mq_ops = { .queue_rq = count_queue_rq };

struct count_room {
	struct blk_mq_tag_set set;
	struct gendisk *disk;
	struct request *rq;
	struct scatterlist sg[MAX_ENTRIES];
	struct bio_vec table[COUNT_MAX_VECS];
	struct bio bio;
	struct bio_set bios;
};

static void count_limits(struct count_room *r, const char *suffix, unsigned int order)
{
	struct count_arg a = { .bio = &r->bio, .order = order };
	struct request *rq = r->rq;
	char name[48];

	rq->bio = rq->biotail = &r->bio;
	rq->nr_phys_segments = MAX_ENTRIES;

	snprintf(name, sizeof(name), "blk_rq_map_sg%s", suffix);
	a.p = rq;
	a.q = r->sg;
	sg_init_table(r->sg, MAX_ENTRIES);
	count_steady(name, order, "all", op_map_sg, &a);

	snprintf(name, sizeof(name), "recount%s", suffix);
	a.fn = count_need(name, "blk_recalc_rq_segments");
	if (a.fn)
		count_steady(name, order, "all", op_recount, &a);

	snprintf(name, sizeof(name), "bio_split_limits%s", suffix);
	a.q = &r->disk->queue->limits;
	a.fn = count_need(name, COUNT_SPLIT_LIMITS);
	if (a.fn)
		count_steady(name, order, "fits", op_split_limits, &a);
	rq->bio = rq->biotail = NULL;
}

static void count_halves(struct count_room *r, struct page *page, unsigned int order)
{
	struct count_arg a = { .bio = &r->bio, .p = &r->bios, .order = order };
	unsigned int i;

	a.nr = (PAGE_SIZE << order) / 2 >> SECTOR_SHIFT;
	count_begin("bio_split", order);
	for (i = 0; i < COUNT_SAMPLES; i++) {
		u32 raw;

		count_bio_init(a.bio, r->table, COUNT_MAX_VECS, REQ_OP_WRITE);
		WARN_ON(!bio_add_page(a.bio, page, PAGE_SIZE << order, 0));
		raw = count_take(op_split, &a);
		if (IS_ERR_OR_NULL(a.q))
			continue;
		count_add("half", raw);
		bio_put(a.q);
	}
	count_end();
}

static void count_all(struct count_room *r)
{
	struct queue_limits *limits = &r->disk->queue->limits;
	const unsigned int segment = limits->max_segment_size;
	unsigned int i, k, order;

	limits->max_sectors = limits->max_hw_sectors = 8192;
	count_note("max_segments %u", limits->max_segments);
	count_note("max_segment_size %u", limits->max_segment_size);
	count_for_each_order(i, order) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);

		if (!page)
			continue;
		count_bio_init(&r->bio, r->table, COUNT_MAX_VECS, REQ_OP_WRITE);
		count_bio_device(&r->bio, r->disk);
		WARN_ON(!bio_add_page(&r->bio, page, PAGE_SIZE << order, 0));
		count_limits(r, "", order);
		limits->max_segment_size = UINT_MAX;
		count_limits(r, "_uintmax", order);
		limits->max_segment_size = segment;
		count_halves(r, page, order);
		__free_pages(page, order);
	}
	for (order = 1; order <= 7; order++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, order + 1);

		if (!page)
			continue;
		count_bio_init(&r->bio, r->table, COUNT_MAX_VECS, REQ_OP_WRITE);
		count_bio_device(&r->bio, r->disk);
		for (k = 0; k < 1u << order; k++)
			WARN_ON(!bio_add_page(&r->bio, page + 2 * k, PAGE_SIZE, 0));
		count_limits(r, "_scattered", order);
		__free_pages(page, order + 1);
	}
}

void count_queue(void)
{
	struct count_room *r = kzalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return;
	r->set.ops = &count_mq_ops;
	r->set.nr_hw_queues = 1;
	r->set.queue_depth = 2;
	r->set.numa_node = NUMA_NO_NODE;
	r->set.flags = TAG_SET_FLAGS;
	if (blk_mq_alloc_tag_set(&r->set))
		goto no_set;
	r->disk = compat_alloc_disk(&r->set);
	if (IS_ERR(r->disk))
		goto no_disk;
	if (bioset_init(&r->bios, 4, 0, 0))
		goto no_bios;
	r->rq = blk_mq_alloc_request(r->disk->queue, REQ_OP_DRV_OUT, 0);
	if (!IS_ERR(r->rq)) {
		count_all(r);
		blk_mq_free_request(r->rq);
	}
	bioset_exit(&r->bios);
no_bios:
	compat_drop_disk(r->disk);
no_disk:
	blk_mq_free_tag_set(&r->set);
no_set:
	kfree(r);
}
