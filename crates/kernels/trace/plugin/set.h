/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of numbers that is emptied in constant time, since it is emptied for every
 * section: an entry counts only if its stamp is the set's current one.
 */
#ifndef FOLIOSCOPE_SET_H
#define FOLIOSCOPE_SET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SET_BITS 22 /* half of it: 128 MiB of lines, and a bounce copies that much */
#define SET_SLOTS (1u << SET_BITS)

struct set {
	struct {
		uint64_t key;
		uint32_t stamp;
	} slot[SET_SLOTS];
	uint32_t stamp; /* 0 until the first set_clear: nothing may be added before */
	uint32_t used;
	uint32_t order[SET_SLOTS / 2]; /* the slots in use, oldest first */
};

static inline void set_clear(struct set *s)
{
	s->stamp++;
	s->used = 0;
}

/* Returns the key's slot; *added tells whether the key is new. */
static inline uint32_t set_add(struct set *s, uint64_t key, bool *added)
{
	uint32_t i = (key * 0x9e3779b97f4a7c15u) >> (64 - SET_BITS);

	while (s->slot[i].stamp == s->stamp && s->slot[i].key != key)
		i = (i + 1) % SET_SLOTS;
	*added = s->slot[i].stamp != s->stamp;
	if (!*added)
		return i;
	if (s->used == SET_SLOTS / 2) {
		fprintf(stderr, "memtrace: a section touches more than %u lines\n", SET_SLOTS / 2);
		exit(1);
	}
	s->slot[i].key = key;
	s->slot[i].stamp = s->stamp;
	s->order[s->used++] = i;
	return i;
}

#endif
