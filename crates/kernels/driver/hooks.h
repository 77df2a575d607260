/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of ours that stand at the end of the kernel's own files (in_*.c), since
 * they call what is static there.
 */
#ifndef FOLIOSCOPE_HOOKS_H
#define FOLIOSCOPE_HOOKS_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/mmzone.h>

struct bio *folioscope_split(struct request_queue *q, struct bio *bio, struct bio_set *bs);
unsigned long folioscope_lru_round(struct lruvec *lruvec, enum lru_list lru, unsigned long nr);
void folioscope_make(struct page *page, unsigned int order);
void folioscope_unmake(struct page *page, unsigned int order);

#endif
