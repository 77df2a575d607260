// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own memory, which no layout describes: page tables with their descriptors
 * (kernel/tables, kernel/table-lookup) and objects that a group pays for or not (kernel/objects).
 * One element is a table or an object; "count" says how many are held at a time.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "driver.h"
#include "driver_compat.h"

static struct truth truth;
static u32 held;

/* Zeroed room for a pointer to each of what is held; NULL where there is none. */
static void *room(const struct params *p)
{
	held = param_number(p, "count", 64);
	job_elements = held;
	truth.checksum = digest_add(digest_new(), held);
	truth.raw = held;
	return held ? pool_alloc(held * sizeof(void *)) : NULL;
}

/* struct ptdesc came in 6.6; until a patch of ours it is the page by another name. */
#if COUNT_SINCE(6, 6)
static struct ptdesc **tables;
static void **entries;

static void tables_free(void)
{
	u32 i;

	for (i = 0; tables && i < held; i++) {
		if (tables[i])
			pagetable_free(tables[i]);
		tables[i] = NULL;
	}
}

static const char *tables_setup(const struct params *p)
{
	tables = room(p);
	return tables ? NULL : "count is 0, or more than the pool has room for";
}

/* Allocation and free, without the zeroing that a table in use would need. */
static noinline u64 tables_run(u64 iters)
{
	u64 made = 0;
	u32 i;

	for (; iters; iters--) {
		made = 0;
		for (i = 0; i < held; i++) {
			tables[i] = pagetable_alloc(GFP_KERNEL, 0);
			made += tables[i] != NULL;
		}
		tables_free();
	}
	return made;
}

static const char *table_lookup_setup(const struct params *p)
{
	u32 i;

	entries = room(p);
	tables = pool_alloc(held * sizeof(*tables));
	if (!entries || !tables)
		return "count is 0, or more than the pool has room for";
	truth.raw = 0;
	for (i = 0; i < held; i++) {
		tables[i] = pagetable_alloc(GFP_KERNEL, 0);
		if (!tables[i])
			return "no memory for a table";
		tables[i]->pt_index = i + 1;
		truth.raw += i + 1;
		/* Its last entry, as a page fault holds it. */
		entries[i] = ptdesc_address(tables[i]) + PAGE_SIZE - sizeof(pte_t);
	}
	return NULL;
}

/* From an entry to the descriptor of its table, and to a field in it. */
static noinline u64 table_lookup_run(u64 iters)
{
	u64 sum = 0;
	u32 i;

	for (; iters; iters--) {
		sum = 0;
		for (i = 0; i < held; i++)
			sum += READ_ONCE(virt_to_ptdesc(hide(entries[i]))->pt_index);
	}
	return sum;
}
#else
static const char *tables_setup(const struct params *p)
{
	return "absent: before 6.6 page tables have no descriptor of their own name";
}

static const char *table_lookup_setup(const struct params *p)
{
	return tables_setup(p);
}

static u64 tables_run(u64 iters)
{
	return 0;
}

static u64 table_lookup_run(u64 iters)
{
	return 0;
}

static void tables_free(void)
{
}
#endif

#define OBJECT_BYTES 64

static void **objects;
static struct kmem_cache *caches[2];
static struct kmem_cache *cache;
static struct group payer;

/* Whether the group is charged more while it holds objects of some pages. */
static bool is_paid(void)
{
	struct mem_cgroup *old = set_active_memcg(payer.memcg);
	const unsigned long before = group_pages(&payer);
	void **first = NULL, **object;
	unsigned int i;
	bool more;

	for (i = 0; i < 4 * PAGE_SIZE / OBJECT_BYTES; i++) {
		object = kmem_cache_alloc(cache, GFP_KERNEL);
		if (!object)
			break;
		*object = first;
		first = object;
	}
	more = group_pages(&payer) > before;
	while (first) {
		object = first;
		first = *object;
		kmem_cache_free(cache, object);
	}
	set_active_memcg(old);
	return more;
}

static const char *objects_setup(const struct params *p)
{
	const bool accounted = param_is(p, "accounted", "yes");
	const char *why = group_at(param_number(p, "depth", 2), &payer);

	if (why)
		return why;
	objects = room(p);
	if (!objects)
		return "count is 0, or more than the pool has room for";
	if (!caches[accounted])
		caches[accounted] = kmem_cache_create(accounted ? "folioscope_paid" : "folioscope_free",
						      OBJECT_BYTES, 0, accounted ? SLAB_ACCOUNT : 0, NULL);
	cache = caches[accounted];
	if (!cache)
		return "a cache cannot be made";
	return is_paid() == accounted ? NULL : "the group pays otherwise than asked";
}

static noinline u64 objects_run(u64 iters)
{
	struct mem_cgroup *old = set_active_memcg(payer.memcg);
	u64 made = 0;
	u32 i;

	for (; iters; iters--) {
		made = 0;
		for (i = 0; i < held; i++) {
			objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
			made += objects[i] != NULL;
		}
		for (i = 0; i < held; i++)
			if (objects[i])
				kmem_cache_free(cache, objects[i]);
	}
	set_active_memcg(old);
	return made;
}

static u64 held_check(u64 raw)
{
	return truth_of(&truth, raw);
}

const struct job kmem_jobs[] = {
	{ .name = "kernel/tables", .setup = tables_setup, .run = tables_run, .check = held_check },
	{ .name = "kernel/table-lookup", .setup = table_lookup_setup, .run = table_lookup_run,
	  .check = held_check, .release = tables_free },
	{ .name = "kernel/objects", .setup = objects_setup, .run = objects_run, .check = held_check },
	{ }
};
