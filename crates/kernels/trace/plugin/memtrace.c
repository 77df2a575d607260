// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A QEMU TCG plugin: what a stretch of guest code does to memory, exactly.
 *
 * A section is one call of a counted operation. It is found in one of two ways:
 *
 *   marks    nops that the guest executes around the call, known by their bytes at
 *            translation: 0f 1f 80 ID 7a 7a 7a, that is nopl 0x7a7a7aID(%rax)
 *              01      start      02  stop
 *              03      arm: translate everything anew with callbacks; until then
 *                      only marks are looked for, so a boot runs at full speed
 *              10 + C  the next two loads are the first and last byte of an object
 *                      of class C
 *              20 + C  forget the objects of class C
 *   entries  user-mode emulation only: entries=FILE holds addresses of functions, in
 *            hex and in order, one a line, as distances from the first executable
 *            segment. A section
 *            lasts from a function's first instruction until it has returned.
 *
 * A program that is traced by entries names its objects by seeking in any file, which
 * takes a number and has no other effect: see named_by_seek.
 *
 * Written to out=FILE for each section, in order, one line of key=value:
 *   section insns loads stores     the mark nops are not counted
 *   lines written pages huge       distinct 64-byte lines touched, those written,
 *                                  distinct pages of 4 KiB and of 2 MiB; virtual
 *   CLASS=lines/written            for each class that was touched
 *   word.RR.WW=n                   n descriptors of which the 8-byte words in the mask
 *                                  RR were read and those in WW written (hex)
 *   from.PC=n                      n descriptor lines were touched first by the
 *                                  instruction at PC, a distance as in entries (hex);
 *                                  with entries only
 * trace=N also writes section N's accesses one by one to FILE.trace.
 */
#include <inttypes.h>
#include <string.h>

#include "calls.h"
#include "qemu_plugin.h"
#include "set.h"

EXPORT int qemu_plugin_version = API;

enum class { DESCRIPTOR, BIO, MEMCG, PERCPU, NAMED, STACK = NAMED, OTHER, CLASSES };
static const char *const class_name[CLASSES] = {
	"descriptor", "bio", "memcg", "percpu", "stack", "other",
};

#define MAX_OBJECTS 64
static struct {
	uint64_t first, last;
} object[NAMED][MAX_OBJECTS];
static uint32_t objects[NAMED];

static plugin_id self;
static FILE *out, *trace;
static long traced = -1;
static bool armed, by_entries, on;

/* The section under way. */
static uint64_t section, insns, loads, stores, stack;
static struct set lines, pages, huge;
static uint8_t read_words[SET_SLOTS], written_words[SET_SLOTS]; /* by slot of lines */
static uint64_t first_pc[SET_SLOTS]; /* the same */

static void forget(unsigned int class)
{
	objects[class] = 0;
}

static void name(unsigned int class, uint64_t first, uint64_t last)
{
	for (uint32_t i = 0; i < objects[class]; i++)
		if (object[class][i].first == first && object[class][i].last == last)
			return;
	if (objects[class] == MAX_OBJECTS) {
		fprintf(stderr, "memtrace: more than %u objects of class %s\n",
			MAX_OBJECTS, class_name[class]);
		exit(1);
	}
	object[class][objects[class]].first = first;
	object[class][objects[class]++].last = last;
}

/* A line belongs to the first class that has a byte in it. */
static enum class class_of(uint64_t line)
{
	for (unsigned int class = 0; class < NAMED; class++)
		for (uint32_t i = 0; i < objects[class]; i++)
			if (line >= object[class][i].first >> 6 && line <= object[class][i].last >> 6)
				return class;
	/* A kernel's stack is 16 KiB, aligned to its size; a program's has no such bounds. */
	if (by_entries ? (line << 6) - stack + (1 << 20) < (2 << 20) : line >> 8 == stack >> 14)
		return STACK;
	return OTHER;
}

static void start(uint64_t stack_at)
{
	insns = loads = stores = 0;
	stack = stack_at;
	set_clear(&lines);
	set_clear(&pages);
	set_clear(&huge);
	on = true;
}

struct words {
	uint8_t read, written;
	uint32_t descriptors;
};

static void write_words(const struct words *w, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		fprintf(out, " word.%02x.%02x=%" PRIu32, w[i].read, w[i].written, w[i].descriptors);
}

struct from {
	uint64_t pc;
	uint32_t lines;
};

static void write_from(const struct from *from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		fprintf(out, " from.%" PRIx64 "=%" PRIu32, from[i].pc - qemu_plugin_start_code(),
			from[i].lines);
}

static void stop(void)
{
	static struct from from[SET_SLOTS];
	uint32_t froms = 0;
	static struct words words[1 << 16];
	uint32_t in[CLASSES] = { 0 }, written[CLASSES] = { 0 }, all_written = 0, shapes = 0;

	for (uint32_t k = 0; k < lines.used; k++) {
		uint32_t i = lines.order[k], s = 0;
		enum class class = class_of(lines.slot[i].key);

		in[class]++;
		written[class] += !!written_words[i];
		all_written += !!written_words[i];
		if (class != DESCRIPTOR)
			continue;
		while (s < shapes && (words[s].read != read_words[i] || words[s].written != written_words[i]))
			s++;
		if (s == shapes)
			words[shapes++] = (struct words){ read_words[i], written_words[i], 0 };
		words[s].descriptors++;
		for (s = 0; s < froms && from[s].pc != first_pc[i]; s++)
			;
		if (s == froms)
			from[froms++] = (struct from){ first_pc[i], 0 };
		from[s].lines++;
	}
	fprintf(out, "section=%" PRIu64 " insns=%" PRIu64 " loads=%" PRIu64 " stores=%" PRIu64
		" lines=%" PRIu32 " written=%" PRIu32 " pages=%" PRIu32 " huge=%" PRIu32,
		section, insns, loads, stores, lines.used, all_written, pages.used, huge.used);
	for (unsigned int class = 0; class < CLASSES; class++)
		if (in[class])
			fprintf(out, " %s=%" PRIu32 "/%" PRIu32, class_name[class], in[class], written[class]);
	write_words(words, shapes);
	if (by_entries)
		write_from(from, froms);
	fputc('\n', out);
	section++;
	on = false;
}

/* How far the naming of an object is: its class, and whether its first byte is known. */
static int naming = -1;
static bool has_first;
static uint64_t first_byte;

static void named_by_access(uint64_t at)
{
	if (!has_first) {
		first_byte = at;
		has_first = true;
		return;
	}
	name(naming, first_byte, at);
	naming = -1;
}

static void touched(uint64_t line, uint8_t words, bool store, uint64_t pc)
{
	bool added, ignored;
	uint32_t i = set_add(&lines, line, &added);

	if (added) {
		read_words[i] = written_words[i] = 0;
		first_pc[i] = pc;
	}
	*(store ? written_words + i : read_words + i) |= words;
	set_add(&pages, line >> 6, &ignored);
	set_add(&huge, line >> 15, &ignored);
}

static uint64_t last_store;

static void accessed(unsigned int cpu, uint32_t info, uint64_t at, void *pc)
{
	uint64_t end = at + (1u << qemu_plugin_mem_size_shift(info));
	bool store = qemu_plugin_mem_is_store(info);

	if (store)
		last_store = at;
	else if (naming >= 0)
		named_by_access(at);
	if (!on)
		return;
	if (!stack)
		stack = at; /* the call behind the start mark saves its return address */
	*(store ? &stores : &loads) += 1;
	if (trace && (long)section == traced)
		fprintf(trace, "%c %016" PRIx64 " %2" PRIu64 " %016" PRIx64 "\n",
			store ? 'W' : 'R', at, end - at, (uint64_t)(uintptr_t)pc);
	while (at < end) {
		uint64_t next = (at | 63) + 1 < end ? (at | 63) + 1 : end;

		touched(at >> 6, (2u << (((next - 1) & 63) / 8)) - (1u << ((at & 63) / 8)), store,
			(uint64_t)(uintptr_t)pc);
		at = next;
	}
}

static uint64_t return_to;

static void stepped(unsigned int cpu, void *data)
{
	const struct insn *i = data;

	follow_calls(last_store);
	if (on && i->pc == return_to)
		stop();
	if (!on && i->is_entry && calls > 0) {
		return_to = call[calls - 1].return_to;
		start(call[calls - 1].at);
	}
	insns += on;
	last_insn = i;
}

static void executed(unsigned int cpu, void *data)
{
	insns += on;
}

static void install(plugin_id id);

static void marked(unsigned int cpu, void *data)
{
	unsigned int mark = (uintptr_t)data, class = mark & 15;

	if (mark == 0x03 && !armed) {
		armed = true;
		qemu_plugin_reset(self, install);
	}
	if (!armed || mark == 0x03)
		return;
	if (mark == 0x01) {
		start(0);
	} else if (mark == 0x02 && on) {
		stop();
	} else if (mark >> 4 == 1 && class < NAMED) {
		naming = class;
		has_first = false;
	} else if (mark >> 4 == 2 && class < NAMED) {
		forget(class);
	}
}

/*
 * lseek(any file, 0x5e << 56 | what << 48 | address, SEEK_SET): what is 0x10 + class for
 * the first byte of an object and 0x20 + class for its last one, 0x30 + class forgets the
 * class. A program needs no assembly for it, and without the plugin it does nothing.
 */
static void named_by_seek(plugin_id id, unsigned int cpu, int64_t number, uint64_t a1,
			  uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6,
			  uint64_t a7, uint64_t a8)
{
	unsigned int what = a2 >> 48 & 0xff, class = what & 15;
	uint64_t address = a2 & ((1ull << 48) - 1);

	if (number != 8 || a2 >> 56 != 0x5e || class >= NAMED)
		return;
	if (what >> 4 == 1)
		first_byte = address;
	else if (what >> 4 == 2)
		name(class, first_byte, address);
	else if (what >> 4 == 3)
		forget(class);
}

#define MAX_ENTRIES 4096
static uint64_t entry[MAX_ENTRIES];
static uint32_t entries;

static bool is_entry(uint64_t pc)
{
	uint64_t at = pc - qemu_plugin_start_code();
	uint32_t low = 0, high = entries;

	/* They are in order. */
	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (entry[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < entries && entry[low] == at;
}

/* The ID of a mark, or 0. */
static uint8_t mark_of(const struct qemu_plugin_insn *insn)
{
	uint8_t code[7];

	if (qemu_plugin_insn_size(insn) != sizeof(code))
		return 0;
#if API < 3
	memcpy(code, qemu_plugin_insn_data(insn), sizeof(code));
#else
	qemu_plugin_insn_data(insn, code, sizeof(code));
#endif
	return memcmp(code, "\x0f\x1f\x80", 3) || memcmp(code + 4, "zzz", 3) ? 0 : code[3];
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	for (size_t i = 0, n = qemu_plugin_tb_n_insns(tb); i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t pc = qemu_plugin_insn_vaddr(insn);
		uint8_t mark = by_entries ? 0 : mark_of(insn);

		if (mark) {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, marked, CB_NO_REGS,
							       (void *)(uintptr_t)mark);
			continue;
		}
		if (!armed)
			continue;
		if (by_entries) {
			/* Kept for as long as the program may run it: until the end. */
			struct insn *known = malloc(sizeof(*known));

			if (!known)
				abort();
			*known = (struct insn){
				.pc = pc,
				.end = pc + qemu_plugin_insn_size(insn),
				.is_entry = is_entry(pc),
			};
			kind_of(insn, known);
			qemu_plugin_register_vcpu_insn_exec_cb(insn, stepped, CB_NO_REGS, known);
		} else {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, executed, CB_NO_REGS, NULL);
		}
		qemu_plugin_register_vcpu_mem_cb(insn, accessed, CB_NO_REGS, MEM_RW,
						 (void *)(uintptr_t)pc);
	}
}

static void finished(plugin_id id, void *data)
{
	/* A section that never ended would be missed in silence. */
	if (on)
		fputs("unfinished\n", out);
	fclose(out);
	if (trace)
		fclose(trace);
}

static void install(plugin_id id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finished, NULL);
	if (by_entries)
		qemu_plugin_register_vcpu_syscall_cb(id, named_by_seek);
}

static bool read_entries(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		return false;
	while (entries < MAX_ENTRIES && fscanf(file, "%" SCNx64, &entry[entries]) == 1)
		entries++;
	fclose(file);
	return entries > 0 && entries < MAX_ENTRIES;
}

EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info_t *info, int argc, char **argv)
{
	char path[4096] = "";

	self = id;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4)) {
			snprintf(path, sizeof(path) - sizeof(".trace"), "%s", argv[i] + 4);
		} else if (!strncmp(argv[i], "entries=", 8)) {
			by_entries = armed = read_entries(argv[i] + 8);
			if (!by_entries)
				return 1;
		} else if (!strncmp(argv[i], "trace=", 6)) {
			traced = atol(argv[i] + 6);
		} else {
			return 1;
		}
	}
	out = fopen(path, "w");
	if (out && traced >= 0)
		trace = fopen(strcat(path, ".trace"), "w");
	if (!out)
		return 1;
	install(id);
	return 0;
}
