/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counting room of the oracle module: what a counted operation looks like and
 * how its samples are taken, sorted into classes and printed.
 *
 * Units: one tick is one guest instruction, true only under QEMU's TCG with
 * -icount shift=0, where rdtsc advances by one per instruction.
 */
#ifndef ORACLE_COUNT_H
#define ORACLE_COUNT_H

#include <linux/types.h>
#include <linux/mm.h>
#include <linux/bio.h>
#include "oracle.h"
#include "count_compat.h"

/* Everything an operation may work on; one struct so that every operation has
 * the same signature and pays the same call. */
struct count_arg {
	struct bio *bio;
	struct page *page;	/* head of the compound page, or first page */
	struct page **pages;	/* an array of page pointers, nr long */
	unsigned int nr;	/* pages, or whatever the operation repeats over */
	unsigned int order;
	void *p;		/* operation-specific */
	void *q;
	void *fn;		/* a kernel function found by name */
	unsigned long sink;	/* results land here so that no work is elided */
};

typedef void (*count_fn)(struct count_arg *a);

/* The operation's own function is never inlined: all are called alike, and the
 * call, the return and the tracing nop at its entry are in the overhead. */
#define COUNT_OP static noinline void

/* One series is one primitive at one order. A raw sample of COUNT_DISTURBED was
 * interrupted and is dropped by count_add. */
#define COUNT_DISTURBED 0xffffffffu
#define COUNT_SAMPLES 41
#define COUNT_CLASS_LEN 32

int count_open(struct oracle_out *out);
void count_close(void);
void count_begin(const char *primitive, unsigned int order);
void count_add(const char *class, u32 raw);
void count_end(void);
void count_absent(const char *primitive, const char *reason);
void count_note(const char *fmt, ...) __printf(1, 2);

/* Run op once between two rdtsc, irqs off; the raw ticks. */
u32 count_take(count_fn op, struct count_arg *a);
/* raw less a loop's own raw ticks, for count_add. */
u32 count_net_of(u32 raw, u32 loop);
/* COUNT_SAMPLES of an operation that leaves its argument as it found it. */
void count_steady(const char *primitive, unsigned int order, const char *class,
		  count_fn op, struct count_arg *a);

/*
 * Node and zone statistics are per-CPU diffs that spill into shared counters past a
 * threshold, which costs more; free pages and memory cgroup charges have per-CPU
 * stores of their own. settle empties them all on this CPU, so that a series starts
 * alike in every boot (count_begin does it). mark and the class after it tell the
 * samples that spilled n statistics ("class+spilln") from the rest ("class").
 */
void count_stats_open(void);
void count_stats_settle(void);
void count_stats_mark(void);
const char *count_stats_class(const char *class);

/* Address of any kernel function or datum by name (a literal), NULL if there is none. */
void *count_symbol(const char *name);
/* The same; when it is missing, prints the primitive as absent. */
void *count_need(const char *primitive, const char *symbol);

/* The rooms: each prints its own primitives. */
void count_bio(void);
void count_endio(void);
void count_queue(void);
void count_page(void);
void count_lru(void);
void count_memcg(void);
/* Parts of rooms. */
void count_scan(void);
void count_memcg_locks(void);

/* Finds the asking process's group; false, and the primitive absent, without one. */
bool count_memcg_ready(const char *primitive);
/* An allocation charged to that group, and its end; after count_memcg_ready. */
struct page *count_charged_pages(unsigned int order);
void count_free_charged(struct page *page, unsigned int order);

extern const unsigned int count_orders[];
extern const unsigned int count_nr_orders;
#define count_for_each_order(i, order) \
	for ((i) = 0; (i) < count_nr_orders && ((order) = count_orders[i], 1); (i)++)

#endif
