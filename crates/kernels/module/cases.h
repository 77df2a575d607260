/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FOLIOSCOPE_CASES_H
#define FOLIOSCOPE_CASES_H

#include "case_compat.h"
#include "oracle.h"
#include "queue.h"

#define MOST_BIOS 64
#define MOST_ADDS 1024
#define MOST_CLONES 64

struct one_bio {
	struct bio bio;
	struct bio_vec *table;
	int error;
};

struct one_add {
	unsigned int index, order;
};

struct state {
	struct oracle_out *out;
	struct one_bio *bios;
	struct one_add composed[MOST_ADDS];
	/* Submitted in place of the bios, if there are any. */
	struct bio *clones[MOST_CLONES];
	unsigned int *accepted;
	unsigned int bio_count, composed_count, accepted_count, clone_count;
	bool held, atomic, discard;
	int clone_error;
#if HAVE_BIO_ADD_FOLIO
	/* Not exported at first (6.1). */
	bool (*add_folio)(struct bio *bio, struct folio *folio, size_t bytes, size_t offset);
#endif
	int limits_error;
	char id[24];
	atomic_t in_flight;
	struct completion done;
};

/* answer.c: what the kernel made of a bio, and of what was submitted. */
void print_accepted(struct state *s);
void print_table(struct state *s, struct bio *bio);
void print_walks(struct state *s, struct bio *bio);
void print_clone(struct state *s, struct bio *clone);
void print_held(struct state *s);
void print_request(struct state *s, const struct seen *seen, const struct seen_request *r);

#endif
