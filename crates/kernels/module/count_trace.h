/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marks for the tracer of memory traffic (crates/kernels/trace/plugin/memtrace.c, which
 * says what they mean): nops that only an emulator with that plugin knows.
 */
#ifndef FOLIOSCOPE_COUNT_TRACE_H
#define FOLIOSCOPE_COUNT_TRACE_H

#include <linux/bio.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include "count.h"

#define TRACE_MARK(id) asm volatile(".byte 0x0f,0x1f,0x80," #id ",0x7a,0x7a,0x7a" : : : "memory")
#define TRACE_START() TRACE_MARK(0x01)
#define TRACE_STOP() TRACE_MARK(0x02)
#define TRACE_ARM() TRACE_MARK(0x03)

/* The class of the size bytes from p: the plugin learns both ends from two loads. */
#define TRACE_NAME(id, p, size)                                                   \
	do {                                                                      \
		const char *first_ = (const char *)(p);                           \
										  \
		asm volatile(".byte 0x0f,0x1f,0x80," #id ",0x7a,0x7a,0x7a\n\t"    \
			     "movb (%0), %%al\n\tmovb (%1), %%al"                 \
			     : : "r" (first_), "r" (first_ + (size) - 1)          \
			     : "memory", "al");                                   \
	} while (0)
#define TRACE_DESCRIPTORS(p, size) TRACE_NAME(0x10, p, size)
#define TRACE_BIO(p, size) TRACE_NAME(0x11, p, size)
#define TRACE_FORGET_BIOS() TRACE_MARK(0x21)
#define TRACE_MEMCG(p, size) TRACE_NAME(0x12, p, size)
#define TRACE_PERCPU(p, size) TRACE_NAME(0x13, p, size)

/* What stays where it is: descriptors, per-CPU memory, the asking process's groups. */
static inline void trace_objects(void)
{
	struct mem_cgroup *(*of)(struct task_struct *) = count_symbol("mem_cgroup_from_task");
	char **percpu = count_symbol("pcpu_base_addr");
	int *size = count_symbol("pcpu_unit_size");
	unsigned long *frames = count_symbol("max_pfn");
	struct page *first = pfn_to_page(0);
	struct mem_cgroup *group;

	if (frames)
		TRACE_DESCRIPTORS(first, *frames * sizeof(*first));
	if (percpu && size)
		TRACE_PERCPU(*percpu, *size);
	if (!of)
		return;
	rcu_read_lock();
	for (group = of(current); group; group = parent_mem_cgroup(group)) {
		TRACE_MEMCG(group, sizeof(*group));
		TRACE_MEMCG(group->nodeinfo[0], sizeof(*group->nodeinfo[0]));
	}
	rcu_read_unlock();
}

/* The bio of the next operation, if it has one, and its table. */
static inline void trace_bio(struct bio *bio)
{
	TRACE_FORGET_BIOS();
	if (!bio)
		return;
	TRACE_BIO(bio, sizeof(*bio));
	if (bio->bi_io_vec && bio->bi_max_vecs)
		TRACE_BIO(bio->bi_io_vec, bio->bi_max_vecs * sizeof(*bio->bi_io_vec));
}

#endif
