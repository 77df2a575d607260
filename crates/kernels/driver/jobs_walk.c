// SPDX-License-Identifier: GPL-2.0
/*
 * Walks over bios: iteration/segments, bvecs, chunks and end-io.
 */
#include <linux/bio.h>

#include "driver.h"
#include "driver_compat.h"

static struct truth truth;

/* What the walk of that name meets, by a walk of its own. */
#define MET(body)							\
	({								\
		unsigned long sum = 0, mix = 0;				\
		u32 n;							\
									\
		for (n = 0; n < bios.count; n++)			\
			body(&bios.bios[n], &sum, &mix);		\
		truth.raw = sum ^ mix;					\
	})

#define WALK(walk, body)						\
static noinline u64 walk(u64 iters)					\
{									\
	u64 result = 0;							\
	u32 i;								\
									\
	for (; iters; iters--) {					\
		struct bios *b = hide(&bios);				\
		unsigned long sum = 0, mix = 0;				\
									\
		for (i = 0; i < b->count; i++)				\
			body(&b->bios[i], &sum, &mix);			\
		result = hide(sum ^ mix);				\
	}								\
	return result;							\
}

WALK(segments_run, body_segments)
WALK(bvecs_run, body_bvecs)

static u64 walk_check(u64 raw)
{
	return truth_of(&truth, raw);
}

static bool reads_payload;

static u64 value(u64 word, u64 seed)
{
	return (word ^ seed) * 0x9e3779b97f4a7c15ULL;
}

/* Fills what IO meets, counted in words from the arena's start. */
static u64 fill_payload(u64 seed)
{
	const u64 base = (u64)frames_first() << PAGE_SHIFT;
	u64 sum = 0;
	u32 i;

	for (i = 0; i < ground.nr_pieces; i++) {
		const struct piece *p = &ground.pieces[i];
		u64 phys = page_to_phys(extent_page(&ground.extents[p->extent])) + p->offset;
		u64 word = (phys - base) / 8, *data = phys_to_virt(phys), k;

		for (k = 0; k < p->len / 8; k++) {
			data[k] = value(word + k, seed);
			sum += data[k];
		}
	}
	return sum;
}

static noinline u64 payload_run(u64 iters)
{
	struct bvec_iter iter;
	struct bio_vec bv;
	u64 sum = 0;
	u32 i;

	for (; iters; iters--) {
		struct bios *b = hide(&bios);

		sum = 0;
		for (i = 0; i < b->count; i++)
			bio_for_each_segment(bv, &b->bios[i], iter) {
				const u64 *word = VEC_ADDRESS(bv);
				const u64 *end = (void *)word + bv.bv_len;

				while (word < end)
					sum += *word++;
			}
	}
	return sum;
}

static const char *segments_setup(const struct params *p)
{
	const char *why = bios_build(NULL);
	struct bvec_iter iter;
	struct bio_vec bv;
	u32 i;

	if (why)
		return why;
	truth.checksum = digest_new();
	for (i = 0; i < bios.count; i++)
		bio_for_each_segment(bv, &bios.bios[i], iter)
			truth.checksum = digest_bytes(truth.checksum,
						      VEC_PHYS(bv),
						      bv.bv_len);
	MET(body_segments);
	job_elements = bios_pages();
	reads_payload = param_is(p, "payload", "read");
	if (reads_payload)
		truth.raw = fill_payload(param_number(p, "seed", 0));
	return NULL;
}

static u64 segments_or_payload_run(u64 iters)
{
	return reads_payload ? payload_run(iters) : segments_run(iters);
}

static const char *bvecs_setup(const struct params *p)
{
	const char *why = bios_build(NULL);
	struct bvec_iter iter;
	struct bio_vec bv;
	u32 i;

	if (why)
		return why;
	truth.checksum = digest_new();
	for (i = 0; i < bios.count; i++)
		bio_for_each_bvec(bv, &bios.bios[i], iter)
			truth.checksum = digest_bytes(truth.checksum,
						      VEC_PHYS(bv),
						      bv.bv_len);
	MET(body_bvecs);
	job_elements = bios_pieces();
	return NULL;
}

#if HAVE_FOLIO_WALK
WALK(folios_run, body_folios)

static const char *folios_setup(const struct params *p)
{
	const char *why = bios_build(NULL);
	struct folio_iter fi;
	u32 i;

	if (why)
		return why;
	truth.checksum = digest_new();
	for (i = 0; i < bios.count; i++)
		bio_for_each_folio_all(fi, &bios.bios[i])
			truth.checksum = digest_bytes(truth.checksum,
						      page_to_phys(&fi.folio->page) + fi.offset,
						      fi.length);
	MET(body_folios);
	job_elements = bios_pieces();
	return NULL;
}
#else
static const char *folios_setup(const struct params *p)
{
	return "absent: folios, and with them bio_for_each_folio_all, came with 5.16";
}

static u64 folios_run(u64 iters)
{
	return 0;
}
#endif

/* Bytes released, and head and references of allocations: of so many that looking at
 * them takes no longer than a run. */
static u64 settled(u64 bytes)
{
	const u32 stride = max(DIV_ROUND_UP(ground.nr_extents, 1 << 12), 1);
	u64 digest = digest_add(digest_new(), bytes);
	u32 i;

	for (i = 0; i < ground.nr_extents; i += stride) {
		struct page *page = extent_page(&ground.extents[i]);

		digest = digest_add(digest, page_to_pfn(page));
		digest = digest_add(digest, page_count(page));
	}
	return digest;
}

static const char *end_io_setup(const struct params *p)
{
	const char *why = bios_build(NULL);
	u32 i;

	for (i = 0; !why && i < bios.count; i++)
		count_mark_held(&bios.bios[i]);
	job_elements = bios_pieces();
	return why;
}

static noinline u64 end_io_run(u64 iters)
{
	u64 released = 0;
	u32 i;

	for (; iters; iters--) {
		struct bios *b = hide(&bios);

		released = 0;
		for (i = 0; i < b->count; i++) {
			struct bio *bio = &b->bios[i];

			compat_hold(bio);
			body_release(bio, true);
			released += bio->bi_iter.bi_size;
		}
	}
	return released;
}

const struct job walk_jobs[] = {
	{ .name = "iteration/segments", .setup = segments_setup, .run = segments_or_payload_run,
	  .check = walk_check },
	{ .name = "iteration/bvecs", .setup = bvecs_setup, .run = bvecs_run, .check = walk_check },
	{ .name = "iteration/chunks", .setup = folios_setup, .run = folios_run,
	  .check = walk_check },
	{ .name = "iteration/end-io", .setup = end_io_setup, .run = end_io_run, .check = settled },
	{ }
};
