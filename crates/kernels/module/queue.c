// SPDX-License-Identifier: GPL-2.0
/*
 * A blk-mq driver of our own. It moves no data: queue_rq writes down what the
 * block layer made of the bios, maps the request to a scatterlist with the
 * kernel's own function, and completes it.
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "queue.h"

#define MOST 65536U

static struct blk_mq_tag_set tags;
static struct gendisk *disk;
static struct scatterlist *table;
static struct seen seen;
/* The limits that the kernel gave the queue before anybody stated any. */
static struct queue_limits fresh;
static int major;
static struct request **kept;
static unsigned int kept_most, kept_count;

/*
 * More entries than any mapping of this request can have. Drivers size the
 * table by nr_phys_segments; some kernels map more than they counted, and we
 * want to see that, not die of it.
 */
static unsigned int most_entries(struct request *rq)
{
	/* Where a device has a virtual boundary, segments may be smaller than pages. */
	unsigned int smallest = min_t(unsigned int, queue_max_segment_size(rq->q), PAGE_SIZE);
	unsigned int most = blk_rq_nr_phys_segments(rq) + 2 * (blk_rq_bytes(rq) / smallest) + 8;
	struct req_iterator iter;
	struct bio_vec bv;

	/* A discard has sectors and no memory: there is nothing to walk or to map. */
	if (req_op(rq) == REQ_OP_DISCARD)
		return 0;
	rq_for_each_bvec(bv, rq, iter)
		most += 2;
	return most;
}

static void note_request(struct request *rq)
{
	unsigned int most = most_entries(rq);
	struct seen_request *r = &seen.requests[seen.request_count];
	unsigned int segments = blk_rq_nr_phys_segments(rq);
	struct scatterlist *sg;
	struct bio *bio;
	int i, count;

	if (seen.request_count == MOST || most > MOST || seen.sg_count + most > MOST) {
		seen.overflow = true;
		return;
	}
	seen.request_count++;
	r->sector = blk_rq_pos(rq);
	r->bytes = blk_rq_bytes(rq);
	r->segments = segments;
	r->bio_first = seen.bio_count;
	for (bio = rq->bio; bio; bio = bio->bi_next) {
		if (seen.bio_count == MOST) {
			seen.overflow = true;
			return;
		}
		seen.bios[seen.bio_count].sector = bio->bi_iter.bi_sector;
		seen.bios[seen.bio_count].bytes = bio->bi_iter.bi_size;
		seen.bio_count++;
	}
	r->bio_count = seen.bio_count - r->bio_first;

	r->sg_first = seen.sg_count;
	r->sg_count = 0;
	if (!most)
		return;
	sg_init_table(table, most);
	count = compat_map_sg(rq, table);
	r->sg_count = count;
	for_each_sg(table, sg, count, i) {
		seen.sgs[seen.sg_count].address = sg_phys(sg);
		seen.sgs[seen.sg_count].length = sg->length;
		seen.sg_count++;
	}
}

static blk_status_t note_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *data)
{
	blk_mq_start_request(data->rq);
	if (kept && kept_count < kept_most) {
		kept[kept_count++] = data->rq;
		return BLK_STS_OK;
	}
	note_request(data->rq);
	blk_mq_end_request(data->rq, BLK_STS_OK);
	return BLK_STS_OK;
}

static const struct blk_mq_ops queue_ops = { .queue_rq = note_rq };
static const struct block_device_operations disk_ops = { .owner = THIS_MODULE };

static int queue_buffers(void)
{
	table = kvmalloc_array(MOST, sizeof(*table), GFP_KERNEL);
	seen.requests = kvmalloc_array(MOST, sizeof(*seen.requests), GFP_KERNEL);
	seen.bios = kvmalloc_array(MOST, sizeof(*seen.bios), GFP_KERNEL);
	seen.sgs = kvmalloc_array(MOST, sizeof(*seen.sgs), GFP_KERNEL);
	return table && seen.requests && seen.bios && seen.sgs ? 0 : -ENOMEM;
}

static void queue_free(void)
{
	kvfree(table);
	kvfree(seen.requests);
	kvfree(seen.bios);
	kvfree(seen.sgs);
	memset(&seen, 0, sizeof(seen));
	table = NULL;
}

int queue_create(unsigned int depth)
{
	int err = queue_buffers();

	if (err)
		goto free;
	major = register_blkdev(0, "folioscope");
	if (major < 0) {
		err = major;
		goto free;
	}
	memset(&tags, 0, sizeof(tags));
	tags.ops = &queue_ops;
	tags.nr_hw_queues = 1;
	tags.queue_depth = depth;
	tags.numa_node = NUMA_NO_NODE;
	tags.flags = TAG_SET_FLAGS;
	err = blk_mq_alloc_tag_set(&tags);
	if (err)
		goto unregister;
	disk = compat_alloc_disk(&tags);
	if (IS_ERR(disk)) {
		err = PTR_ERR(disk);
		goto tags;
	}
	fresh = disk->queue->limits;
	disk->major = major;
	disk->minors = 1;
	disk->fops = &disk_ops;
	strscpy(disk->disk_name, "folioscope", sizeof(disk->disk_name));
	set_capacity(disk, 1ULL << 40);
	err = compat_add_disk(disk);
	if (!err)
		return 0;
	compat_drop_disk(disk);
tags:
	blk_mq_free_tag_set(&tags);
unregister:
	unregister_blkdev(major, "folioscope");
free:
	queue_free();
	return err;
}

void queue_destroy(void)
{
	del_gendisk(disk);
	compat_drop_disk(disk);
	blk_mq_free_tag_set(&tags);
	unregister_blkdev(major, "folioscope");
	queue_free();
}

int queue_set_limits(const struct case_limits *limits)
{
	return compat_set_limits(disk->queue, &fresh, limits);
}

struct gendisk *queue_disk(void)
{
	return disk;
}

struct seen *queue_seen(void)
{
	return &seen;
}

void queue_reset(void)
{
	seen.request_count = seen.bio_count = seen.sg_count = 0;
	seen.overflow = false;
}

void queue_keep(struct request **into, unsigned int most)
{
	kept = into;
	kept_most = most;
	kept_count = 0;
}

unsigned int queue_kept(void)
{
	return kept_count;
}

void queue_release(void)
{
	struct request **all = kept;
	unsigned int i;

	kept = NULL;
	for (i = 0; i < kept_count; i++)
		blk_mq_end_request(all[i], BLK_STS_OK);
	kept_count = 0;
}
