// SPDX-License-Identifier: GPL-2.0
/*
 * The line printer: gathers text in memory and checksums each batch. How the
 * text leaves is for the two ways of running to say (out_send).
 */
#include <linux/crc32.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "out.h"

static int out_room(struct oracle_out *out, size_t want)
{
	size_t size = out->size ? out->size : 1UL << 20;
	char *text;

	if (out->used + want <= out->size)
		return 0;
	while (size < out->used + want)
		size *= 2;
	text = kvmalloc(size, GFP_KERNEL);
	if (!text) {
		out->broken = true;
		return -ENOMEM;
	}
	if (out->used)
		memcpy(text, out->text, out->used);
	kvfree(out->text);
	out->text = text;
	out->size = size;
	return 0;
}

static void out_vprint(struct oracle_out *out, const char *fmt, va_list args)
{
	va_list again;
	int need, room = out->size - out->used;

	va_copy(again, args);
	need = vsnprintf(room ? out->text + out->used : NULL, room, fmt, args);
	if (need >= room) {
		if (!out_room(out, need + 1))
			vsnprintf(out->text + out->used, need + 1, fmt, again);
		else
			need = 0;
	}
	va_end(again);
	out->used += need;
}

void out_part(struct oracle_out *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	out_vprint(out, fmt, args);
	va_end(args);
}

static void out_newline(struct oracle_out *out)
{
	if (!out_room(out, 1))
		out->text[out->used++] = '\n';
}

void out_line(struct oracle_out *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	out_vprint(out, fmt, args);
	va_end(args);
	out_newline(out);
	out->lines++;
	if (!out->in_batch)
		out->broken = true;
}

void out_begin(struct oracle_out *out, const char *name)
{
	out_part(out, "@begin %s", name);
	out_newline(out);
	out->batch = out->used;
	out->lines = 0;
	out->in_batch = true;
}

void out_end(struct oracle_out *out, const char *name)
{
	u32 crc = crc32_le(~0U, out->text + out->batch, out->used - out->batch) ^ ~0U;

	out->in_batch = false;
	if (out->broken)
		out_part(out, "@broken %s", name);
	else
		out_part(out, "@end %s %lu %08x", name, out->lines, crc);
	out_newline(out);
}

void out_empty(struct oracle_out *out)
{
	kvfree(out->text);
	memset(out, 0, sizeof(*out));
}
