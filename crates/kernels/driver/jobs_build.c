// SPDX-License-Identifier: GPL-2.0
/*
 * Building bios: the fixture of all jobs on bios, and merging/add and
 * merging/slab-io, which time it.
 */
#include <linux/bio.h>
#include <linux/err.h>

#include "driver.h"
#include "driver_compat.h"

struct bios bios;

/* The table that the kernel allocates for so many pages (biovec_slab). */
static unsigned short vecs_for(u64 pages)
{
	return pages <= 4 ? 4 : pages <= 16 ? 16 : pages <= 64 ? 64 : pages <= 128 ? 128 : 256;
}

static u64 io_pages(u32 io)
{
	u32 i = io ? ground.io_end[io - 1] : 0;
	u64 bytes = 0;

	for (; i < ground.io_end[io]; i++)
		bytes += ground.pieces[i].len;
	return bytes >> PAGE_SHIFT;
}

u64 bios_pages(void)
{
	u64 pages = 0;
	u32 io;

	for (io = 0; io < ground.nr_ios; io++)
		pages += io_pages(io);
	return pages;
}

u64 bios_pieces(void)
{
	return ground.nr_pieces;
}

static struct bio *bio_begin(struct gendisk *disk, u64 pages, sector_t sector)
{
	const unsigned short vecs = vecs_for(pages);
	struct bio_vec *table = pool_alloc(vecs * sizeof(*table));
	struct bio *bio = &bios.bios[bios.count];

	if (!table)
		return NULL;
	if (disk)
		compat_bio_init(bio, disk, table, vecs);
	else
		count_bio_init(bio, table, vecs, REQ_OP_READ);
	bio->bi_iter.bi_sector = sector;
	bios.count++;
	return bio;
}

/* One IO's bios, filled by the kernel's own largest step. */
static const char *io_build(struct gendisk *disk, u32 io, struct added **next)
{
	u32 i = io ? ground.io_end[io - 1] : 0;
	const u64 pages = io_pages(io);
	struct bio *bio = NULL;
	sector_t sector = 0;

	for (; i < ground.io_end[io]; i++) {
		const struct piece *p = &ground.pieces[i];
		struct page *head = extent_page(&ground.extents[p->extent]);
		bool stuck = !bio;
		u32 done = 0;

		while (done < p->len) {
			struct filling *f;
			unsigned int n;

			if (stuck) {
				bio = bio_begin(disk, pages, sector);
				if (!bio)
					return "the pool is too small for these bios";
				bios.fillings[bios.count - 1].adds = *next;
			}
			n = compat_add_native(bio, head, p->len - done, p->offset + done);
			if (!n && stuck)
				return "an empty bio refuses memory";
			stuck = !n;
			if (!n)
				continue;
			f = &bios.fillings[bios.count - 1];
			f->adds[f->nr_adds++] = (struct added){
				.page = head + ((p->offset + done) >> PAGE_SHIFT), .head = head,
				.offset = p->offset + done, .len = n,
			};
			++*next;
			sector += n >> SECTOR_SHIFT;
			done += n;
		}
	}
	return NULL;
}

const char *bios_build(struct gendisk *disk)
{
	/* A bio is full after 256 vecs, and each begins with a piece of its own. */
	const u64 most = ground.nr_ios + bios_pages() / 256 + 16;
	struct added *adds;
	const char *why = NULL;
	u32 io;

	ground_compose();
	memset(&bios, 0, sizeof(bios));
	bios.bios = pool_alloc(most * sizeof(*bios.bios));
	bios.fillings = pool_alloc(most * sizeof(*bios.fillings));
	adds = pool_alloc((ground.nr_pieces + most) * sizeof(*adds));
	if (!bios.bios || !bios.fillings || !adds)
		return "the pool is too small for these bios";
	for (io = 0; io < ground.nr_ios && !why; io++)
		why = io_build(disk, io, &adds);
	return why;
}

/* The same by page: what a submitter with an array of pages holds. */
static const char *list_pages(void)
{
	u32 i, k;

	for (i = 0; i < bios.count; i++) {
		struct filling *f = &bios.fillings[i];
		u32 at = 0;

		for (k = 0; k < f->nr_adds; k++)
			f->nr_pages += f->adds[k].len >> PAGE_SHIFT;
		f->pages = pool_alloc(f->nr_pages * sizeof(*f->pages));
		if (!f->pages)
			return "the pool is too small for an array of pages";
		for (k = 0; k < f->nr_adds; k++) {
			u32 page;

			for (page = 0; page < f->adds[k].len >> PAGE_SHIFT; page++)
				f->pages[at++] = f->adds[k].page + page;
		}
	}
	return NULL;
}

static bool by_page;

static const char *add_setup(const struct params *p)
{
	const char *why = bios_build(NULL);

	by_page = param_is(p, "unit", "page");
	job_elements = bios_pieces();
	return !why && by_page ? list_pages() : why;
}

static noinline u64 add_native(u64 iters)
{
	u64 accepted = 0;
	u32 i, k;

	for (; iters; iters--) {
		struct bios *b = hide(&bios);

		accepted = 0;
		for (i = 0; i < b->count; i++) {
			const struct filling *f = &b->fillings[i];
			struct bio *bio = &b->bios[i];

			compat_bio_empty(bio);
			for (k = 0; k < f->nr_adds; k++)
				accepted += compat_add_native(bio, f->adds[k].head, f->adds[k].len,
							      f->adds[k].offset);
		}
	}
	return accepted;
}

static noinline u64 add_pages(u64 iters)
{
	u64 accepted = 0;
	u32 i, k;

	for (; iters; iters--) {
		struct bios *b = hide(&bios);

		accepted = 0;
		for (i = 0; i < b->count; i++) {
			const struct filling *f = &b->fillings[i];
			struct bio *bio = &b->bios[i];

			compat_bio_empty(bio);
			for (k = 0; k < f->nr_pages; k++)
				accepted += bio_add_page(bio, f->pages[k], PAGE_SIZE, 0);
		}
	}
	return accepted;
}

static u64 add_run(u64 iters)
{
	return by_page ? add_pages(iters) : add_native(iters);
}

static u64 bvecs_digest(void)
{
	u64 digest = digest_new();
	struct bvec_iter iter;
	struct bio_vec bv;
	u32 i;

	for (i = 0; i < bios.count; i++)
		bio_for_each_bvec(bv, &bios.bios[i], iter)
			digest = digest_bytes(digest, VEC_PHYS(bv), bv.bv_len);
	return digest;
}

static u64 add_check(u64 raw)
{
	return digest_add(digest_add(digest_new(), raw), bvecs_digest());
}

static struct truth slab_truth;

static const char *slab_setup(const struct params *p)
{
	const char *why = bios_build(NULL);
	u32 i;

	for (i = 0; i < bios.count; i++)
		compat_mark_unheld(&bios.bios[i]);
	slab_truth.checksum = bvecs_digest();
	/* Accepted, walked and released. */
	slab_truth.raw = 3 * (bios_pages() << PAGE_SHIFT);
	job_elements = bios_pieces();
	return why;
}

/*
 * A whole IO: emptied, add, walk by page, end. Slab memory has no references to hand out:
 * as in bio_map_kern, its bio holds none, and its end drops none.
 */
static noinline u64 slab_run(u64 iters)
{
	struct bvec_iter iter;
	struct bio_vec bv;
	u64 sum = 0;
	u32 i, k;

	for (; iters; iters--) {
		struct bios *b = hide(&bios);

		sum = 0;
		for (i = 0; i < b->count; i++) {
			const struct filling *f = &b->fillings[i];
			struct bio *bio = &b->bios[i];

			compat_bio_empty(bio);
			for (k = 0; k < f->nr_adds; k++)
				sum += compat_add_native(bio, f->adds[k].head, f->adds[k].len,
							 f->adds[k].offset);
			bio_for_each_segment(bv, bio, iter) {
				sum += bv.bv_len;
				hide(VEC_NAMES(bv));
			}
			body_release(bio, true);
			sum += bio->bi_iter.bi_size;
		}
	}
	return sum;
}

static u64 slab_check(u64 raw)
{
	bool leaked = false;
	u32 i;

	for (i = 0; i < ground.nr_extents; i++)
		leaked |= page_count(extent_page(&ground.extents[i])) > 1;
	return truth_of(&slab_truth, raw) ^ leaked;
}

const struct job build_jobs[] = {
	{ .name = "merging/add", .setup = add_setup, .run = add_run, .check = add_check },
	{ .name = "merging/slab-io", .setup = slab_setup, .run = slab_run, .check = slab_check },
	{ }
};
