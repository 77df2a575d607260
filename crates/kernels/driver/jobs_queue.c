// SPDX-License-Identifier: GPL-2.0
/*
 * What the block layer makes of bios: merging/map-sg and merging/count-segments over
 * requests that a queue of ours was given and keeps, and merging/split.
 */
#include <linux/bio.h>
#include <linux/scatterlist.h>

#include "../../block/blk.h"
#include "driver.h"
#include "driver_compat.h"
#include "hooks.h"
#include "queue.h"

static struct request **requests;
static unsigned int nr_requests;
static struct scatterlist *table;
static struct truth truth;
static struct bio_set fronts;
static bool queue_made;

/* The queues that workloads name; what is not stated here is the kernel's default. */
static const char *limits_set(const struct params *p)
{
	struct case_limits l = { };
	const char *name = param(p, "limits", "default");

	if (!strcmp(name, "large")) {
		l.max_segment_size = UINT_MAX;
		l.stated |= 1U << LIMIT_SEGMENT_SIZE;
	}
	if (!strcmp(name, "nvme")) {
		/* Segments of any size are what a virtual boundary brings with it. */
		l.virt_boundary_mask = 0xfff;
		l.stated |= 1U << LIMIT_VIRT_BOUNDARY;
	} else {
		l.max_sectors = !strcmp(name, "large") ? 1 << 22 : !strcmp(name, "small") ? 256 : 8192;
		l.stated |= 1U << LIMIT_SECTORS;
	}
	if (!strcmp(name, "small")) {
		l.max_segments = 32;
		l.stated |= 1U << LIMIT_SEGMENTS;
	}
	return queue_set_limits(&l) ? "the kernel refuses these limits" : NULL;
}

static void no_end_io(struct bio *bio)
{
}

/* More requests than the bios can become. */
static u64 most_requests(void)
{
	const struct queue_limits *l = &queue_disk()->queue->limits;
	u64 bytes = bios_pages() << PAGE_SHIFT, vecs = 0;
	u32 i;

	for (i = 0; i < bios.count; i++)
		vecs += bios.bios[i].bi_vcnt;
	vecs += bytes / l->max_segment_size;
	return bios.count + bytes / ((u64)l->max_sectors << SECTOR_SHIFT) +
	       vecs / l->max_segments + 1;
}

static void queue_drop(void)
{
	if (!queue_made)
		return;
	queue_release();
	bioset_exit(&fronts);
	queue_destroy();
	queue_made = false;
}

static const char *open_queue(const struct params *p, unsigned int depth)
{
	const char *why;

	if (queue_create(depth))
		return "no queue";
	queue_made = true;
	if (bioset_init(&fronts, 64, 0, 0))
		return "no memory for a bio_set";
	why = limits_set(p);
	if (!why)
		why = bios_build(queue_disk());
	job_elements = bios_pieces();
	return why;
}

static const char *requests_build(const struct params *p)
{
	const char *why = open_queue(p, BLK_MQ_MAX_DEPTH);
	struct blk_plug plug;
	u64 most;
	u32 i;

	if (why)
		return why;
	most = most_requests();
	if (most > BLK_MQ_MAX_DEPTH)
		return "absent: more requests than a queue has tags";
	requests = pool_alloc(most * sizeof(*requests));
	if (!requests)
		return "the pool is too small for the requests";
	queue_keep(requests, most);
	blk_start_plug(&plug);
	for (i = 0; i < bios.count; i++) {
		bios.bios[i].bi_end_io = no_end_io;
		submit_bio(&bios.bios[i]);
	}
	blk_finish_plug(&plug);
	nr_requests = queue_kept();
	truth.checksum = truth.raw = 0;
	for (i = 0; i < nr_requests; i++) {
		truth.checksum += blk_rq_bytes(requests[i]);
		truth.raw += requests[i]->nr_phys_segments;
	}
	return truth.checksum == bios_pages() << PAGE_SHIFT ?
	       NULL : "the requests do not hold what was submitted";
}

static u64 truth_check(u64 raw)
{
	return truth_of(&truth, raw);
}

static noinline u64 count_run_segments(u64 iters)
{
	u64 segments = 0;
	unsigned int i;

	for (; iters; iters--) {
		struct request **r = hide(requests);

		segments = 0;
		for (i = 0; i < nr_requests; i++)
			segments += blk_recalc_rq_segments(r[i]);
	}
	return segments;
}

static const char *map_setup(const struct params *p)
{
	const char *why = requests_build(p);
	u64 room = 0, digest = digest_new(), entries = 0;
	struct scatterlist *sg;
	unsigned int i, k;

	if (why)
		return why;
	for (i = 0; i < nr_requests; i++)
		room = max_t(u64, room, blk_rq_bytes(requests[i]) / PAGE_SIZE +
					requests[i]->nr_phys_segments + 1);
	table = pool_alloc(room * sizeof(*table));
	if (!table)
		return "the pool is too small for a scatterlist";
	for (i = 0; i < nr_requests; i++) {
		unsigned int used;

		sg_init_table(table, room);
		used = compat_map_sg(requests[i], table);
		for_each_sg(table, sg, used, k)
			digest = digest_bytes(digest, sg_phys(sg), sg->length);
		entries += used;
	}
	/* What a mapping left set, an end, is unset as the next one goes past it. */
	truth.checksum = digest;
	truth.raw = entries;
	return NULL;
}

static noinline u64 map_run(u64 iters)
{
	u64 entries = 0;
	unsigned int i;

	for (; iters; iters--) {
		struct request **r = hide(requests);

		entries = 0;
		for (i = 0; i < nr_requests; i++)
			entries += compat_map_sg(r[i], table);
	}
	return entries;
}

static const char *split_setup(const struct params *p)
{
	return open_queue(p, 128);
}

static noinline u64 split_run(u64 iters)
{
	struct request_queue *q = queue_disk()->queue;
	u64 bytes = 0;
	u32 i;

	for (; iters; iters--) {
		struct bios *b = hide(&bios);

		bytes = 0;
		for (i = 0; i < b->count; i++) {
			struct bio *bio = &b->bios[i], *front;
			const struct bvec_iter whole = bio->bi_iter;

			while ((front = folioscope_split(q, bio, &fronts))) {
				if (IS_ERR(front)) {
					bytes++; /* a refusal must not pass for fast work */
					break;
				}
				bytes += front->bi_iter.bi_size;
				bio_put(front);
			}
			bytes += bio->bi_iter.bi_size;
			bio->bi_iter = whole;
		}
	}
	return bytes;
}

static u64 bytes_check(u64 raw)
{
	return raw;
}

const struct job queue_jobs[] = {
	{ .name = "merging/map-sg", .setup = map_setup, .run = map_run, .check = truth_check,
	  .release = queue_drop },
	{ .name = "merging/count-segments", .setup = requests_build, .run = count_run_segments,
	  .check = truth_check, .release = queue_drop },
	{ .name = "merging/split", .setup = split_setup, .run = split_run, .check = bytes_check,
	  .release = queue_drop },
	{ }
};
