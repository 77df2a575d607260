/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the referee's module share: a line printer whose batches
 * carry their length and checksum, the arena of physically contiguous pages,
 * and the entry points of the two parts.
 *
 * Results never pass through the kernel log. They gather in memory and leave
 * through QEMU's debug port only when a part has finished, so printing costs
 * nothing inside a counted stretch and console noise cannot mix with data.
 */
#ifndef FOLIOSCOPE_ORACLE_H
#define FOLIOSCOPE_ORACLE_H

#include <linux/mm.h>
#include <linux/types.h>

struct oracle_out;

/*
 * Appends one line (no newline in the format; one is added). A line may be of
 * any length. Allocates: not for use with interrupts off or in queue_rq;
 * gather there and print afterwards. A failed allocation or a line outside of
 * a batch makes the batch's end say so, and the host then refuses it.
 */
__printf(2, 3) void out_line(struct oracle_out *out, const char *fmt, ...);

/*
 * Appends to the line that is under way, without ending it; out_line ends it.
 */
__printf(2, 3) void out_part(struct oracle_out *out, const char *fmt, ...);

/*
 * A batch is what the host believes or refuses as a whole. Begin prints
 *     @begin NAME
 * and end prints
 *     @end NAME LINES CRC32
 * with the number of lines between and the zlib CRC-32 (hex) of their bytes,
 * newlines included. NAME is a word without blanks.
 */
void out_begin(struct oracle_out *out, const char *name);
void out_end(struct oracle_out *out, const char *name);

/*
 * The address of a kernel function that is not exported, found through a
 * kprobe, or NULL if this kernel has none of that name (inlined or absent).
 * Process context.
 */
void *oracle_symbol(const char *name);

/*
 * The arena: 2^15 physically contiguous pages around a 4 GiB boundary, each an
 * ordinary page of its own with one reference, taken from a zone that nothing
 * unmovable lives in. Physical neighbours and alignments can so be chosen
 * freely. arena_page(0) lies 64 MiB below the boundary. NULL if out of range.
 */
#define ARENA_PAGES 32768UL
int arena_take(void);
void arena_release(void);
struct page *arena_page(unsigned long index);

/*
 * Makes the 2^order pages from this index on one compound page, by the
 * kernel's own prep_compound_page, with one reference on the head; index must
 * be a multiple of 2^order. arena_dissolve puts back 2^order ordinary pages.
 */
int arena_compose(unsigned long index, unsigned int order);
void arena_dissolve(unsigned long index, unsigned int order);

/*
 * The two parts. Both run in process context of the writer of a file below
 * /proc/folioscope, with the text written there; both open and end their own
 * batches. 0 or a negative errno, which reaches the writer and the host.
 *
 *     cases: cases.c, one batch "cases" a run
 *     count: count.c; args as the host wrote them, e.g. "" for all
 */
int cases_run(struct oracle_out *out, char *text);
int count_run(struct oracle_out *out, const char *args);

#endif
