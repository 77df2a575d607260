/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where kernels differ for the counting code alone; the rest is in compat.h.
 */
#ifndef FOLIOSCOPE_COUNT_COMPAT_H
#define FOLIOSCOPE_COUNT_COMPAT_H

#include <linux/memcontrol.h>
#include <linux/mm.h>
#include "case_compat.h"
/* Folio batches moved out of pagevec.h in 7.x. */
#if __has_include(<linux/folio_batch.h>)
#include <linux/folio_batch.h>
#else
#include <linux/pagevec.h>
#endif

/* One table of this size is enough for every bio here. */
#define COUNT_MAX_VECS 256

/* A bio of no device: nothing looks up a cgroup. */
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

static inline void count_bio_device(struct bio *bio, struct gendisk *disk)
{
#if COUNT_SINCE(5, 12)
	bio->bi_bdev = disk->part0;
#else
	bio->bi_disk = disk;
#endif
}

/* What mm functions take for an allocation's head. */
#if HAVE_FOLIO_WALK
typedef struct folio count_head;
#define count_head_of(page) page_folio(page)
#else
typedef struct page count_head;
#define count_head_of(page) (page)
#endif

/* The check of a bio against its queue's limits at submission. */
#if COUNT_SINCE(6, 12)
#define COUNT_SPLIT_LIMITS "bio_split_rw"
#elif COUNT_SINCE(6, 0)
#define COUNT_SPLIT_LIMITS "__bio_split_to_limits"
#else
#define COUNT_SPLIT_LIMITS "__blk_queue_split"
#endif

static inline void count_split_limits(void *fn, struct bio *bio, const void *limits)
{
	unsigned int segments;
#if COUNT_SINCE(6, 0)
	struct bio *(*split)(struct bio *, const void *, unsigned int *) = fn;

	split(bio, limits, &segments);
#else
	void (*split)(struct bio **, unsigned int *) = fn;

	split(&bio, &segments);
#endif
}

/* Orders that the buddy lists have: MAX_ORDER was one past the highest until 6.4,
 * then the highest itself, then renamed. */
#define COUNT_ORDERS ARRAY_SIZE(((struct zone *)NULL)->free_area)

/* PG_lru came to be tested and cleared in one step in 5.11. */
static inline bool count_test_clear_lru(struct page *page)
{
#if HAVE_FOLIO_WALK
	return folio_test_clear_lru((struct folio *)page);
#else
	return test_and_clear_bit(PG_lru, &page->flags);
#endif
}

/* MEMCG_CHARGE_BATCH, doubled in 5.14 (it is known to mm alone). */
#define COUNT_CHARGE_BATCH (COUNT_SINCE(5, 14) ? 64UL : 32UL)

/* Several allocations of one group uncharged together: a list until 6.10. */
#if COUNT_SINCE(6, 10)
#define COUNT_UNCHARGE_BATCH "__mem_cgroup_uncharge_folios"
struct count_batch {
	struct folio_batch folios;
};

static inline void *count_batch_init(struct count_batch *batch)
{
	folio_batch_init(&batch->folios);
	return &batch->folios;
}

static inline void count_batch_add(struct count_batch *batch, struct page *page)
{
	folio_batch_add(&batch->folios, page_folio(page));
}
#else
#define COUNT_UNCHARGE_BATCH \
	(HAVE_FOLIO_WALK ? "__mem_cgroup_uncharge_list" : "mem_cgroup_uncharge_list")
struct count_batch {
	struct list_head pages;
};

static inline void *count_batch_init(struct count_batch *batch)
{
	INIT_LIST_HEAD(&batch->pages);
	return &batch->pages;
}

static inline void count_batch_add(struct count_batch *batch, struct page *page)
{
	list_add_tail(&page->lru, &batch->pages);
}
#endif

/* From 6.11 the lock needs CONFIG_MEMCG_V1 and does nothing without; 6.13 has none. */
#define COUNT_NO_MEMCG_LOCK                                                     \
	(COUNT_SINCE(6, 11) ? "an empty inline without CONFIG_MEMCG_V1, gone in 6.13" : \
			      "this kernel locks the other kind of unit")

/* Folding every group's per-CPU statistics: by cgroup, later by its part (6.16). */
#if COUNT_SINCE(6, 16)
#define COUNT_FLUSH_GROUPS "css_rstat_flush"
#define count_flushed(group) ((void *)&(group)->css)
#else
#define COUNT_FLUSH_GROUPS "cgroup_rstat_flush"
#define count_flushed(group) ((void *)(group)->css.cgroup)
#endif

/* Before 5.11 mem_cgroup_charge took every compound page for a THP (thp_nr_pages),
 * since none of another size came its way; uncharging went by the real size. */
static inline unsigned long count_charged_size(unsigned int order)
{
#if COUNT_SINCE(5, 11)
	return 1UL << order;
#else
	return order ? HPAGE_PMD_NR : 1;
#endif
}

/*
 * Before 5.11 a group's events were kept per CPU, in view: spilled to the
 * ancestors past a batch, and looked at for thresholds (event) and for the soft
 * limit (soft) once in so many pages.
 */
struct count_events {
	unsigned long in, out, thresholds, soft;
};

static inline void count_events_read(struct mem_cgroup *group, struct count_events *e)
{
#if !COUNT_SINCE(5, 11)
	struct memcg_vmstats_percpu *v = get_cpu_ptr(group->vmstats_percpu);

	e->in = v->events[PGPGIN];
	e->out = v->events[PGPGOUT];
	e->thresholds = v->targets[MEM_CGROUP_TARGET_THRESH];
	e->soft = v->targets[MEM_CGROUP_TARGET_SOFTLIMIT];
	put_cpu_ptr(group->vmstats_percpu);
#else
	memset(e, 0, sizeof(*e));
#endif
}

#endif
