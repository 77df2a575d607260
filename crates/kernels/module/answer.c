// SPDX-License-Identifier: GPL-2.0
/*
 * Answers as text: cases.c says what each line means.
 */
#include "cases.h"

void print_accepted(struct state *s)
{
	unsigned int i;

	out_part(s->out, "b");
	for (i = 0; i < s->accepted_count; i++)
		out_part(s->out, " %x", s->accepted[i]);
	out_line(s->out, "%s", "");
}

void print_table(struct state *s, struct bio *bio)
{
	unsigned long first = page_to_pfn(arena_page(0));
	unsigned int i;

	out_part(s->out, "v");
	for (i = 0; i < bio->bi_vcnt; i++)
		out_part(s->out, " %lx:%x:%x", page_to_pfn(VEC_PAGE(bio->bi_io_vec[i])) - first,
			 VEC_OFFSET(bio->bi_io_vec[i]), bio->bi_io_vec[i].bv_len);
	out_line(s->out, "%s", "");
}

/* Steps of the walks that any bio has. */
static void count_steps(struct bio *bio, unsigned int *single, unsigned int *multi)
{
	struct bvec_iter iter;
	struct bio_vec bv;

	*single = *multi = 0;
	bio_for_each_segment(bv, bio, iter)
		++*single;
	bio_for_each_bvec(bv, bio, iter)
		++*multi;
}

void print_walks(struct state *s, struct bio *bio)
{
	unsigned int single, multi;

	count_steps(bio, &single, &multi);
#if HAVE_FOLIO_WALK
	{
		struct folio_iter fi;
		unsigned int chunks = 0;

		if (bio->bi_vcnt)
			bio_for_each_folio_all(fi, bio)
				chunks++;
		out_line(s->out, "w %x %x %x", single, multi, chunks);
	}
#else
	out_line(s->out, "w %x %x -", single, multi);
#endif
}

/* bio_for_each_folio_all is for a bio's owner. */
void print_clone(struct state *s, struct bio *clone)
{
	unsigned int single, multi;

	count_steps(clone, &single, &multi);
	out_line(s->out, "k %x %x", single, multi);
}

void print_held(struct state *s)
{
	unsigned int i;

	out_part(s->out, "h");
	for (i = 0; i < s->composed_count; i++)
		out_part(s->out, " %x:%x", s->composed[i].index,
			 compat_held(arena_page(s->composed[i].index)));
	out_line(s->out, "%s", "");
}

void print_request(struct state *s, const struct seen *seen, const struct seen_request *r)
{
	phys_addr_t first = page_to_phys(arena_page(0));
	unsigned int i;

	out_line(s->out, "q %llx %x %x", (u64)r->sector, r->bytes, r->segments);
	out_part(s->out, "m");
	for (i = r->bio_first; i < r->bio_first + r->bio_count; i++)
		out_part(s->out, " %llx:%x", (u64)seen->bios[i].sector, seen->bios[i].bytes);
	out_line(s->out, "%s", "");
	out_part(s->out, "g");
	for (i = r->sg_first; i < r->sg_first + r->sg_count; i++)
		out_part(s->out, " %llx:%x", (u64)(seen->sgs[i].address - first), seen->sgs[i].length);
	out_line(s->out, "%s", "");
}
