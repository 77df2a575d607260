// SPDX-License-Identifier: GPL-2.0
/*
 * Cases: builds bios out of arena pages as the host's text says, submits them
 * to our own queue, and prints what the kernel made of them.
 *
 * In, one item a line, numbers decimal:
 *     l LOGICAL PHYSICAL SECTORS CHUNK SEGMENTS SEGMENT_SIZE SEG_BOUNDARY VIRT_BOUNDARY DMA
 *       ATOMIC_MAX ATOMIC_UNIT_MIN ATOMIC_UNIT_MAX ATOMIC_BOUNDARY
 *       DISCARD_SECTORS DISCARD_GRANULARITY
 *                     limits of all cases until the next such line; - states none
 *     c ID            a case begins
 *     b SECTOR VECS   a bio of at most VECS vecs begins; SECTOR + is where the
 *                     one before ends
 *     a HOW INDEX ORDER OFFSET BYTES
 *                     one add; HOW is p (bio_add_page on the page the offset
 *                     falls in), h (bio_add_page on the head) or f (bio_add_folio)
 *     o               the bios that follow are atomic writes
 *     d SECTOR SECTORS
 *                     a discard, which is the case's only bio and has no table
 *     h               what is added is held, as get_user_pages does, until the IO ends
 *     k BIO SKIP SECTORS
 *                     a clone of the BIO-th bio, which is complete, trimmed; clones are
 *                     submitted in place of the bios
 *     .               run it
 * Out, hexadecimal but for errors and ids; page indexes and addresses count from the arena's start:
 *     c ID
 *     b ACCEPTED...             per bio; bytes each add took
 *     v INDEX:OFFSET:BYTES...   its table
 *     w SEGMENTS BVECS CHUNKS   steps of the three walks; - where the kernel has none
 *     k SEGMENTS BVECS          steps of the walks over a clone
 *     q SECTOR BYTES SEGMENTS   a request, in order of dispatch
 *     m SECTOR:BYTES...         its bios
 *     g ADDRESS:BYTES...        its scatterlist
 *     e WHAT ERRNO              refused: limits, add or a bio's number
 *     h INDEX:HELD...           what is still held of each allocation, if h asked
 */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "cases.h"

static void bio_done(struct bio *bio)
{
	struct state *s = bio->bi_private;
	struct one_bio *b = container_of(bio, struct one_bio, bio);

	b->error = blk_status_to_errno(bio->bi_status);
	if (atomic_dec_and_test(&s->in_flight))
		complete(&s->done);
}

static void clone_done(struct bio *bio)
{
	struct state *s = bio->bi_private;

	if (bio->bi_status)
		s->clone_error = blk_status_to_errno(bio->bi_status);
	if (atomic_dec_and_test(&s->in_flight))
		complete(&s->done);
}

/* The next number of a line, or 0 at its end: the host writes every field. */
static unsigned long number(char **at)
{
	unsigned long value = 0;

	while (**at == ' ')
		++*at;
	while (isdigit(**at))
		value = value * 10 + *(*at)++ - '0';
	return value;
}

/* What a bio's building left, printed before submission changes the bio. */
static void bio_built(struct state *s)
{
	struct bio *bio;

	if (!s->bio_count)
		return;
	bio = &s->bios[s->bio_count - 1].bio;
	print_accepted(s);
	print_table(s, bio);
	print_walks(s, bio);
	s->accepted_count = 0;
}

static void case_begin(struct state *s, char *line)
{
	strscpy(s->id, strim(line), sizeof(s->id));
	s->bio_count = s->composed_count = s->accepted_count = s->clone_count = 0;
	s->clone_error = 0;
	s->held = s->atomic = s->discard = false;
	out_line(s->out, "c %s", s->id);
}

static int bio_begin(struct state *s, char *line)
{
	struct one_bio *b = &s->bios[s->bio_count];
	unsigned long sector, max_vecs;

	while (*line == ' ')
		line++;
	if (*line == '+' && s->bio_count) {
		struct bio *before = &s->bios[s->bio_count - 1].bio;

		line++;
		sector = before->bi_iter.bi_sector + (before->bi_iter.bi_size >> SECTOR_SHIFT);
	} else {
		sector = number(&line);
	}
	max_vecs = number(&line);
	if (s->bio_count == MOST_BIOS || max_vecs > MOST_VECS)
		return -E2BIG;
	bio_built(s);
	s->bio_count++;
	b->error = 0;
	compat_bio_init(&b->bio, queue_disk(), b->table, max_vecs);
	b->bio.bi_iter.bi_sector = sector;
	if (s->atomic)
		compat_write_atomically(&b->bio);
	b->bio.bi_private = s;
	b->bio.bi_end_io = bio_done;
	return 0;
}

static int compose_once(struct state *s, unsigned long index, unsigned int order)
{
	unsigned int i;

	for (i = 0; i < s->composed_count; i++)
		if (s->composed[i].index == index && s->composed[i].order == order)
			return 0;
	if (s->composed_count == MOST_ADDS)
		return -E2BIG;
	s->composed[s->composed_count].index = index;
	s->composed[s->composed_count].order = order;
	s->composed_count++;
	return arena_compose(index, order);
}

static int bio_add(struct state *s, char *line)
{
	struct bio *bio;
	unsigned long index, order, offset, bytes, taken;
	char how;
	int err;

	while (*line == ' ')
		line++;
	how = *line++;
	index = number(&line);
	order = number(&line);
	offset = number(&line);
	bytes = number(&line);
	if (!s->bio_count || s->accepted_count == MOST_ADDS)
		return -E2BIG;
	err = compose_once(s, index, order);
	if (err)
		return err;
	bio = &s->bios[s->bio_count - 1].bio;
	switch (how) {
	case 'p':
		taken = bio_add_page(bio, arena_page(index + (offset >> PAGE_SHIFT)), bytes,
				     offset & ~PAGE_MASK);
		break;
	case 'h':
		taken = bio_add_page(bio, arena_page(index), bytes, offset);
		break;
#if HAVE_BIO_ADD_FOLIO
	case 'f':
		if (!s->add_folio)
			return -EOPNOTSUPP;
		taken = s->add_folio(bio, page_folio(arena_page(index)), bytes, offset) ? bytes : 0;
		break;
#endif
	default:
		return -EOPNOTSUPP;
	}
	s->accepted[s->accepted_count++] = taken;
	if (s->held && taken)
		count_hold_for_io(arena_page(index), ((offset + taken - 1) >> PAGE_SHIFT) -
						     (offset >> PAGE_SHIFT) + 1);
	return 0;
}

static int discard_begin(struct state *s, char *line)
{
	struct one_bio *b = &s->bios[0];
	unsigned long sector = number(&line), sectors = number(&line);

	if (s->bio_count)
		return -E2BIG;
	s->bio_count++;
	s->discard = true;
	b->error = 0;
	compat_bio_init(&b->bio, queue_disk(), NULL, 0);
	b->bio.bi_opf = REQ_OP_DISCARD;
	b->bio.bi_iter.bi_sector = sector;
	b->bio.bi_iter.bi_size = sectors << SECTOR_SHIFT;
	b->bio.bi_private = s;
	b->bio.bi_end_io = bio_done;
	return 0;
}

static int clone_begin(struct state *s, char *line)
{
	unsigned long number_of = number(&line), skip = number(&line), sectors = number(&line);
	struct bio *clone;

	if (number_of >= s->bio_count || s->clone_count == MOST_CLONES)
		return -E2BIG;
	if (!s->clone_count)
		bio_built(s);
	clone = compat_clone(&s->bios[number_of].bio);
	if (!clone)
		return -ENOMEM;
	bio_trim(clone, skip, sectors);
	clone->bi_private = s;
	clone->bi_end_io = clone_done;
	s->clones[s->clone_count++] = clone;
	print_clone(s, clone);
	return 0;
}

/*
 * Submits all bios under one plug, as a filesystem does for its writeback, so
 * that the block layer may merge neighbours into one request.
 */
static int case_submit(struct state *s)
{
	struct blk_plug plug;
	unsigned int i, filled = s->clone_count;

	for (i = 0; !s->clone_count && i < s->bio_count; i++)
		filled += s->bios[i].bio.bi_iter.bi_size != 0;
	if (!filled)
		return 0;
	queue_reset();
	reinit_completion(&s->done);
	atomic_set(&s->in_flight, filled);
	blk_start_plug(&plug);
	for (i = 0; i < s->clone_count; i++)
		submit_bio(s->clones[i]);
	for (i = 0; !s->clone_count && i < s->bio_count; i++)
		if (s->bios[i].bio.bi_iter.bi_size)
			submit_bio(&s->bios[i].bio);
	blk_finish_plug(&plug);
	wait_for_completion_io(&s->done);

	for (i = 0; i < s->bio_count; i++)
		if (s->bios[i].error)
			out_line(s->out, "e %u %d", i, s->bios[i].error);
	if (s->clone_error)
		out_line(s->out, "e clone %d", s->clone_error);
	for (i = 0; i < queue_seen()->request_count; i++)
		print_request(s, queue_seen(), &queue_seen()->requests[i]);
	return queue_seen()->overflow ? -EOVERFLOW : 0;
}

static int case_run(struct state *s)
{
	unsigned int i;
	int err = 0;

	if (!s->clone_count && !s->discard)
		bio_built(s);
	if (s->limits_error)
		out_line(s->out, "e limits %d", s->limits_error);
	else
		err = case_submit(s);
	for (i = 0; i < s->clone_count; i++)
		bio_put(s->clones[i]);
	for (i = 0; i < s->bio_count; i++) {
		if (s->held && s->bios[i].bio.bi_vcnt) {
			count_mark_held(&s->bios[i].bio);
			bio_release_pages(&s->bios[i].bio, false);
		}
		bio_uninit(&s->bios[i].bio);
	}
	if (s->held)
		print_held(s);
	for (i = 0; i < s->composed_count; i++)
		arena_dissolve(s->composed[i].index, s->composed[i].order);
	s->bio_count = s->composed_count = s->clone_count = 0;
	cond_resched();
	return err;
}

/* In the order of struct case_limits; - where the driver states nothing. */
static int limits_set(char *line)
{
	struct case_limits l = { };
	unsigned long *field[] = {
		&l.logical_block_size, &l.physical_block_size, &l.max_sectors, &l.chunk_sectors,
		&l.max_segments, &l.max_segment_size, &l.seg_boundary_mask, &l.virt_boundary_mask,
		&l.dma_alignment, &l.atomic_max, &l.atomic_unit_min, &l.atomic_unit_max,
		&l.atomic_boundary, &l.discard_sectors, &l.discard_granularity,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(field); i++) {
		while (*line == ' ')
			line++;
		if (*line == '-') {
			line++;
			continue;
		}
		*field[i] = number(&line);
		l.stated |= 1U << i;
	}
	return queue_set_limits(&l);
}

static int one_line(struct state *s, char *line)
{
	switch (line[0]) {
	case 'l':
		s->limits_error = limits_set(line + 1);
		return 0;
	case 'c':
		case_begin(s, line + 1);
		return 0;
	case 'b':
		return bio_begin(s, line + 1);
	case 'a':
		return bio_add(s, line + 1);
	case 'd':
		return discard_begin(s, line + 1);
	case 'o':
		s->atomic = true;
		return HAVE_ATOMIC_WRITES ? 0 : -EOPNOTSUPP;
	case 'h':
		s->held = true;
		return 0;
	case 'k':
		return clone_begin(s, line + 1);
	case '.':
		return case_run(s);
	case 0:
		return 0;
	}
	return -EINVAL;
}

static struct state *state_create(struct oracle_out *out)
{
	struct state *s = kvzalloc(sizeof(*s), GFP_KERNEL);
	unsigned int i;

	if (!s)
		return NULL;
	s->out = out;
	init_completion(&s->done);
#if HAVE_BIO_ADD_FOLIO
	s->add_folio = oracle_symbol("bio_add_folio");
#endif
	s->accepted = kvcalloc(MOST_ADDS, sizeof(*s->accepted), GFP_KERNEL);
	s->bios = kvcalloc(MOST_BIOS, sizeof(*s->bios), GFP_KERNEL);
	for (i = 0; s->bios && i < MOST_BIOS; i++)
		s->bios[i].table = kvcalloc(MOST_VECS, sizeof(struct bio_vec), GFP_KERNEL);
	return s;
}

static bool state_complete(const struct state *s)
{
	unsigned int i;

	if (!s || !s->accepted || !s->bios)
		return false;
	for (i = 0; i < MOST_BIOS; i++)
		if (!s->bios[i].table)
			return false;
	return true;
}

static void state_free(struct state *s)
{
	unsigned int i;

	if (!s)
		return;
	for (i = 0; s->bios && i < MOST_BIOS; i++)
		kvfree(s->bios[i].table);
	kvfree(s->bios);
	kvfree(s->accepted);
	kvfree(s);
}

int cases_run(struct oracle_out *out, char *text)
{
	struct state *s = state_create(out);
	int err = state_complete(s) ? 0 : -ENOMEM;
	char *line;

	if (!err)
		err = queue_create(128);
	if (err) {
		state_free(s);
		return err;
	}
	out_begin(out, "cases");
	while (!err && (line = strsep(&text, "\n")))
		err = one_line(s, line);
	if (err) /* the batch ends all the same; the line says where it stopped */
		out_line(out, "e %s %d", s->id, err);
	out_end(out, "cases");
	queue_destroy();
	state_free(s);
	return err;
}
