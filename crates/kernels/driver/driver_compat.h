/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where kernels differ for the driver alone; the rest is in compat.h and
 * count_compat.h, which it shares with the module.
 */
#ifndef FOLIOSCOPE_DRIVER_COMPAT_H
#define FOLIOSCOPE_DRIVER_COMPAT_H

#include <linux/memcontrol.h>
#include <linux/pagemap.h>
#include <linux/swap.h>
#include "count_compat.h"

/* The low bit of a mapping that says "anonymous"; renamed in 6.16. */
#ifdef FOLIO_MAPPING_ANON
#define COMPAT_MAPPING_ANON FOLIO_MAPPING_ANON
#else
#define COMPAT_MAPPING_ANON PAGE_MAPPING_ANON
#endif

#if COUNT_SINCE(5, 18)
#define COMPAT_DIRTY_OPS { .dirty_folio = filemap_dirty_folio }
#else
#define COMPAT_DIRTY_OPS { .set_page_dirty = __set_page_dirty_nobuffers }
#endif

/* One mapping of the whole. Before 6.10 a scan looks at that of base pages alone. */
static inline void compat_map_once(struct page *page, unsigned int order)
{
	if (!order)
		atomic_set(&page->_mapcount, 0);
#if COUNT_SINCE(6, 10)
	else
		atomic_set(&((struct folio *)page)->_large_mapcount, 0);
#endif
}

/* A descriptor apart, with the patch filedesc. */
#ifdef HAVE_FILEDESC
#define compat_describe(head) filedesc_attach((struct folio *)(head))
#define compat_undescribe(head) filedesc_detach((struct folio *)(head))
#else
#define compat_describe(head) ((void)(head))
#define compat_undescribe(head) ((void)(head))
#endif

static inline void compat_set_swapbacked(struct page *page)
{
#if HAVE_FOLIO_WALK
	folio_set_swapbacked((struct folio *)page);
#else
	SetPageSwapBacked(page);
#endif
}

/* A slab is a type of page since 6.10, a flag before. */
static inline void compat_set_slab(struct page *page)
{
#if COUNT_SINCE(6, 10)
	__folio_set_slab((struct folio *)page);
#else
	__SetPageSlab(page);
#endif
}

static inline void compat_mark_buddy(struct page *page, unsigned int order)
{
	set_page_count(page, 0);
	set_page_private(page, order);
	__SetPageBuddy(page);
}

/*
 * An empty bio again. bio_reset clears all of it, which the models' bios do not have: what
 * is compared is what building reads and writes.
 */
static __always_inline void compat_bio_empty(struct bio *bio)
{
	bio->bi_iter = (struct bvec_iter){ };
	bio->bi_vcnt = 0;
#if !COUNT_SINCE(6, 0)
	bio_clear_flag(bio, BIO_WORKINGSET);
#endif
}

/* A bio that holds no references; since 6.3 that is so unless it is marked as holding. */
static __always_inline void compat_mark_unheld(struct bio *bio)
{
#if !COUNT_SINCE(6, 3)
	bio_set_flag(bio, BIO_NO_PAGE_REF);
#endif
}

/* The whole allocation in one step, where the kernel can; else a page at a time. */
static __always_inline unsigned int compat_add_native(struct bio *bio, struct page *head,
						      unsigned int len, unsigned int offset)
{
#if HAVE_BIO_ADD_FOLIO
	return bio_add_folio(bio, (struct folio *)head, len, offset) ? len : 0;
#else
	struct page *page = head + (offset >> PAGE_SHIFT);
	unsigned int done = 0;

	for (; done < len; done += PAGE_SIZE, page++)
		if (bio_add_page(bio, page, PAGE_SIZE, 0) != PAGE_SIZE)
			break;
	return done;
#endif
}

/* What a read holds until it ends, run by run of an allocation, as the version does. */
static __always_inline void compat_hold(struct bio *bio)
{
#if COUNT_SINCE(6, 3)
	struct folio_iter fi;

	bio_for_each_folio_all(fi, bio) {
		const unsigned int nr = DIV_ROUND_UP(offset_in_page(fi.offset) + fi.length,
						     PAGE_SIZE);

		if (folio_test_large(fi.folio)) {
			folio_ref_add(fi.folio, nr);
			atomic_add(nr, &fi.folio->_pincount);
		} else {
			folio_ref_add(fi.folio, nr * GUP_PIN_COUNTING_BIAS);
		}
	}
#else
	struct bvec_iter_all iter;
	struct bio_vec *bv;

	bio_for_each_segment_all(bv, bio, iter)
		get_page(bv->bv_page);
#endif
}

/* Folds each CPU's part of a group's statistics together, however little it is. */
static inline void compat_flush_stats(struct mem_cgroup *memcg)
{
#if COUNT_SINCE(6, 16)
	css_rstat_flush(&memcg->css);
#elif COUNT_SINCE(5, 15)
	cgroup_rstat_flush(memcg->css.cgroup);
#endif
}

/* A change of state of an allocation, interrupts off as its callers have them. */
static __always_inline void compat_mod_stat(struct page *head, enum node_stat_item item, int pages)
{
#if COUNT_SINCE(6, 18)
	lruvec_stat_mod_folio((struct folio *)head, item, pages);
#elif HAVE_FOLIO_WALK
	__lruvec_stat_mod_folio((struct folio *)head, item, pages);
#else
	__mod_lruvec_page_state(head, item, pages);
#endif
}

/* The same by any page of it, as rmap had it: until 5.16 the function looks for the head. */
static __always_inline void compat_mod_stat_by_page(struct page *page, enum node_stat_item item,
						    int pages)
{
#if HAVE_FOLIO_WALK
	compat_mod_stat(&page_folio(page)->page, item, pages);
#else
	__mod_lruvec_page_state(page, item, pages);
#endif
}

/* A group's statistic, that of the groups below it included, and its lruvec's; before
 * 5.15 each CPU's part of each group stands apart. */
static inline long compat_group_stat(struct mem_cgroup *memcg, int item)
{
#if COUNT_SINCE(5, 15)
	return memcg_page_state(memcg, item);
#else
	long pages = atomic_long_read(&memcg->vmstats[item]);
	struct cgroup_subsys_state *css;

	rcu_read_lock();
	css_for_each_descendant_pre(css, &memcg->css)
		pages += __this_cpu_read(mem_cgroup_from_css(css)->vmstats_percpu->stat[item]);
	rcu_read_unlock();
	return pages;
#endif
}

static inline long compat_lruvec_stat(struct lruvec *lruvec, int item)
{
#if COUNT_SINCE(5, 15)
	return lruvec_page_state(lruvec, item);
#else
	struct mem_cgroup_per_node *node = container_of(lruvec, struct mem_cgroup_per_node, lruvec);

	return atomic_long_read(&node->lruvec_stat[item]) +
	       __this_cpu_read(node->lruvec_stat_cpu->count[item]);
#endif
}

/* Pages of kernel memory that a group is charged, those of the groups below it included. */
#define COMPAT_COUNTS_KMEM COUNT_SINCE(5, 18)

static inline long compat_kmem_pages(struct mem_cgroup *memcg)
{
#if COMPAT_COUNTS_KMEM
	compat_flush_stats(memcg);
	return compat_group_stat(memcg, MEMCG_KMEM);
#else
	return 0;
#endif
}

static inline bool compat_owned_by(struct page *head, struct mem_cgroup *memcg)
{
#if HAVE_FOLIO_WALK
	return folio_memcg((struct folio *)head) == memcg;
#else
	return head->mem_cgroup == memcg;
#endif
}

static inline void compat_lru_add(struct page *head)
{
#if HAVE_FOLIO_WALK
	folio_add_lru((struct folio *)head);
#else
	lru_cache_add(head);
#endif
}

/* Off its list, with a reference of the isolation's. Wants mm/internal.h. */
#if HAVE_FOLIO_WALK
#define compat_lru_isolate(head) ((void)folio_isolate_lru((struct folio *)(head)))
#else
#define compat_lru_isolate(head) ((void)isolate_lru_page(head))
#endif

/* mem_cgroup_charge takes every compound page for a THP before 5.11, and without
 * THPs, as here, that is one page. */
#define COMPAT_CHARGES_LARGE COUNT_SINCE(5, 11)

/* Several allocations uncharged together: batches of so many since 6.10, a list before. */
#if COUNT_SINCE(6, 10)
#define COMPAT_UNCHARGE_BATCH ARRAY_SIZE(((struct folio_batch *)NULL)->folios)
#else
#define COMPAT_UNCHARGE_BATCH UINT_MAX
#endif

static __always_inline void compat_uncharge_batch(struct count_batch *batch)
{
#if COUNT_SINCE(6, 10)
	mem_cgroup_uncharge_folios(&batch->folios);
#else
	mem_cgroup_uncharge_list(&batch->pages);
#endif
}

/* Holding an allocation's group steady. */
#if !HAVE_FOLIO_WALK
#define COMPAT_LOCK_PAIR(head) BODY_LOCK_PAIR(lock_page_memcg, unlock_page_memcg, head)
#elif !COUNT_SINCE(6, 11)
#define COMPAT_LOCK_PAIR(head) \
	BODY_LOCK_PAIR(folio_memcg_lock, folio_memcg_unlock, (struct folio *)(head))
#else
#define COMPAT_NO_LOCK "the lock is an empty inline without CONFIG_MEMCG_V1, gone in 6.13"
#endif

/* The same by a page out of a page table, head or tail. */
#if !COUNT_SINCE(6, 2)
#define COMPAT_LOCK_PAGE_PAIR(page) BODY_LOCK_PAIR(lock_page_memcg, unlock_page_memcg, page)
#endif

/* Large allocations came to be isolated by compaction in 6.9. */
#define COMPAT_ISOLATES_LARGE COUNT_SINCE(6, 9)

#define COMPAT_DRAIN_STOCK \
	(COUNT_SINCE(6, 16) ? "drain_local_memcg_stock" : "drain_local_stock")

/* Isolates the next cluster and returns where it got to; the end of the range was the
 * return value until 5.14. Wants mm/internal.h. */
#if COUNT_SINCE(5, 14)
#define compat_isolate_range(cc, pfn, end) \
	(isolate_migratepages_range(cc, pfn, end) ? 0 : (cc)->migrate_pfn)
#else
#define compat_isolate_range(cc, pfn, end) isolate_migratepages_range(cc, pfn, end)
#endif

#endif
