/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the driver share: the frames it owns, the memory it works
 * in, what a layout made of the frames, and the jobs that run over it.
 */
#ifndef FOLIOSCOPE_DRIVER_H
#define FOLIOSCOPE_DRIVER_H

#include "bodies.h"
#include "host.h"
#include "out.h"

/*
 * frames.c: pages that boot set aside for us, "folioscope=FIRST,FRAMES,POOL,PARENT"
 * on the command line: FRAMES frames from page frame number FIRST on, which layouts
 * are made of, and POOL frames behind them, in which the driver keeps its state.
 */
extern unsigned long frames_base;

/* In place: loops over allocations ask it for each. */
static inline unsigned long frames_first(void)
{
	return frames_base;
}

unsigned long frames_count(void);
const char *frames_take(void);

/* The host's process that started us, as the command line says it. */
int frames_parent(void);

/* Makes an allocation of neighbouring frames, one reference on it; and unmakes it,
 * whatever was done to its descriptors. */
void frames_compose(unsigned long index, unsigned int order);
void frames_restore(unsigned long index, unsigned long count);

/*
 * The pool: zeroed memory that is given back all at once. Mapped as the kernel maps
 * all its memory, where vmalloc's would be single pages of the host's. NULL when it
 * is used up.
 */
void *pool_alloc(size_t bytes);
size_t pool_used(void);
void pool_reset(size_t used);
void *pool_start(void);

/* An allocation of the layout. */
enum kind { KIND_FREE, KIND_ANON, KIND_FILE, KIND_SLAB, KIND_OTHER };

struct extent {
	u32 index; /* frame of the arena */
	u8 order;
	u8 kind;
	u16 unused;
};

/* A part of an allocation that one IO meets. */
struct piece {
	u32 extent;
	u32 offset;
	u32 len;
};

/*
 * ground.c: what a layout describes. Extents in the order in which they are met;
 * IO number i is pieces io_end[i - 1] up to io_end[i]; frames are those to look up.
 */
struct ground {
	struct extent *extents;
	struct piece *pieces;
	u32 *io_end;
	u32 *frames;
	u32 nr_extents, nr_pieces, nr_ios, nr_frames;
	bool composed;
};

extern struct ground ground;

const char *ground_read(const void *data, size_t bytes);
/* Makes the allocations, if they are not made; and unmakes them. */
void ground_compose(void);
void ground_dissolve(void);

static inline struct page *extent_page(const struct extent *e)
{
	return pfn_to_page(frames_first() + e->index);
}

static inline unsigned long extent_pages(const struct extent *e)
{
	return 1UL << e->order;
}

/* A digest as the models' (checksum.rs): order-dependent, over whole pages. */
static inline u64 digest_new(void)
{
	return 0xcbf29ce484222325ULL;
}

static inline u64 digest_add(u64 digest, u64 number)
{
	return (rol64(digest, 23) ^ number) * 0x00000100000001b3ULL;
}

u64 digest_bytes(u64 digest, u64 phys, u64 len);

/*
 * groups.c: memory cgroups. group_at(depth) is the one that many levels below the
 * root; group_beside() its sibling; group_named("/0/2") the one at that path. Charges go to the group through an mm whose
 * owner is in it, as a process's do.
 */
struct group {
	struct mem_cgroup *memcg;
	struct mm_struct *mm;
};

const char *group_named(const char *path, struct group *group);
const char *group_at(unsigned int depth, struct group *group);
const char *group_beside(unsigned int depth, struct group *group);
/* Pages charged to the group, nothing left in a CPU's stock. */
unsigned long group_pages(const struct group *group);
struct lruvec *group_lruvec(const struct group *group);

/* ledger.c: accounting and lists as cases; one batch "ledger" a run. */
int ledger_run(struct oracle_out *out, char *text);

/* The parameters of a job, one "name=value" a line behind the job's own name. */
struct params {
	char *text;
};

const char *param(const struct params *p, const char *name, const char *otherwise);
unsigned long param_number(const struct params *p, const char *name, unsigned long otherwise);
bool param_is(const struct params *p, const char *name, const char *value);

/*
 * A job: one workload over the ground. setup answers NULL, or why not; a reason
 * that begins with "absent: " is no error. prepare puts the state back before a
 * run; where once is set that is needed before every call, so a run is one call.
 * run does the work iters times and nothing else. check answers the checksum of
 * one call from run's raw result.
 */
struct job {
	const char *name;
	const char *(*setup)(const struct params *p);
	void (*prepare)(void);
	u64 (*run)(u64 iters);
	u64 (*check)(u64 raw);
	void (*release)(void);
	bool once;
};

/* Filled by setup: what one call handles. */
extern u64 job_elements;

/* For walks over what does not change: what was met at setup, by another walk. */
struct truth {
	u64 checksum;
	u64 raw;
};

static inline u64 truth_of(const struct truth *t, u64 raw)
{
	return t->checksum ^ (t->raw ^ raw);
}

/* So that a compiler neither drops nor hoists what a loop meets. */
#define hide(x)					\
	({					\
		typeof(x) hidden = (x);		\
		asm volatile("" : "+r" (hidden) : : "memory"); \
		hidden;				\
	})

/* jobs.c */
const struct job *job_named(const char *name, const struct params *p);
void jobs_list(struct oracle_out *out);

/* A null-terminated list per file. */
extern const struct job walk_jobs[], build_jobs[], queue_jobs[], memcg_jobs[], lru_jobs[],
	layout_jobs[], kmem_jobs[];

/* jobs_build.c: the bios of the ground's IOs, as many for each as it takes. */
struct added {
	struct page *page; /* the first page of what is added */
	struct page *head;
	u32 offset; /* in the allocation */
	u32 len;
};

struct filling {
	struct added *adds;
	struct page **pages;
	u32 nr_adds, nr_pages;
};

struct bios {
	struct bio *bios;
	struct filling *fillings;
	u32 count;
};

extern struct bios bios;

const char *bios_build(struct gendisk *disk);
u64 bios_pieces(void);
u64 bios_pages(void);

#endif
