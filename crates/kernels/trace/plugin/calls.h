/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls of a program that is traced by entries, followed by its instructions.
 */
#ifndef FOLIOSCOPE_CALLS_H
#define FOLIOSCOPE_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin.h"

/* An instruction of a program that is traced by entries. */
struct insn {
	uint64_t pc, end;
	bool is_entry, is_call, is_return;
};

/*
 * The calls under way: where each returns to, and where on the stack that is kept. A function
 * that a compiler made another one jump to returns to where that one was called from.
 */
#define MAX_CALLS (1u << 16)
static struct {
	uint64_t return_to, at;
} call[MAX_CALLS];
static uint32_t calls;
static const struct insn *last_insn;

/* Before an instruction: `stored` is where was stored last. */
static inline void follow_calls(uint64_t stored)
{
	const struct insn *last = last_insn;

	if (!last)
		return;
	if (last->is_return && calls > 0)
		calls--;
	if (!last->is_call)
		return;
	if (calls == MAX_CALLS) {
		fprintf(stderr, "memtrace: more than %u calls within each other\n", MAX_CALLS);
		exit(1);
	}
	/* What was stored last is the return address. */
	call[calls].return_to = last->end;
	call[calls++].at = stored;
}

/* An instruction behind its prefixes, which are all that compilers put before a call. */
static inline void kind_of(const struct qemu_plugin_insn *from, struct insn *insn)
{
	uint8_t code[15];
	size_t size = qemu_plugin_insn_size(from), i = 0;

	if (size > sizeof(code))
		return;
#if API < 3
	memcpy(code, qemu_plugin_insn_data(from), size);
#else
	qemu_plugin_insn_data(from, code, size);
#endif
	while (i + 1 < size && (code[i] == 0xf2 || code[i] == 0xf3 || code[i] == 0x66 ||
				code[i] == 0x3e || (code[i] & 0xf0) == 0x40))
		i++;
	insn->is_return = code[i] == 0xc3 || code[i] == 0xc2;
	insn->is_call = code[i] == 0xe8 ||
			(code[i] == 0xff && i + 1 < size && (code[i + 1] >> 3 & 7) == 2);
}

#endif
