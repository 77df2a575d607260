/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FOLIOSCOPE_QUEUE_H
#define FOLIOSCOPE_QUEUE_H

#include "compat.h"

/* One request as our queue_rq saw it, in the order it came. */
struct seen_request {
	sector_t sector;
	unsigned int bytes;
	unsigned int segments; /* nr_phys_segments, the kernel's own count */
	unsigned int bio_first, bio_count;
	unsigned int sg_first, sg_count;
};

struct seen_bio {
	sector_t sector;
	unsigned int bytes;
};

struct seen_sg {
	phys_addr_t address;
	unsigned int length;
};

/* What the queue saw since queue_reset. */
struct seen {
	struct seen_request *requests;
	struct seen_bio *bios;
	struct seen_sg *sgs;
	unsigned int request_count, bio_count, sg_count;
	bool overflow;
};

/* A queue with so many tags. */
int queue_create(unsigned int depth);
void queue_destroy(void);
int queue_set_limits(const struct case_limits *limits);
struct gendisk *queue_disk(void);
struct seen *queue_seen(void);
void queue_reset(void);

/*
 * From now on requests are kept, in the order they come, instead of completed: at most
 * so many, which the queue's tags must not exceed. queue_release completes them.
 */
void queue_keep(struct request **into, unsigned int most);
unsigned int queue_kept(void);
void queue_release(void);

#endif
