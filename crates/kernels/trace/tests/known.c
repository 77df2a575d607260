// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sections whose traffic is known, for the plugin's tests: a static program without a C
 * library, run under user-mode emulation. Each section is announced on the standard
 * output before it runs, as NAME and what must be found. The call of the section itself,
 * which every section has, is not in those figures: one store, one load, one line of stack.
 */
typedef unsigned long u64;
typedef unsigned char u8;

#define MARK(id) asm volatile(".byte 0x0f,0x1f,0x80," #id ",0x7a,0x7a,0x7a" : : : "memory")
#define NAME(id, first, last)                                                     \
	asm volatile(".byte 0x0f,0x1f,0x80," #id ",0x7a,0x7a,0x7a\n\t"            \
		     "movb (%0), %%al\n\tmovb (%1), %%al"                         \
		     : : "r"(first), "r"(last) : "memory", "al")

static long call(long n, long a, const void *b, long c)
{
	long result;

	asm volatile("syscall" : "=a"(result)
		     : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

static void say(const char *text)
{
	long n = 0;

	while (text[n])
		n++;
	call(1, 1, text, n);
}

/* Tells the plugin an address, as crates/kernels/trace/src/announce.rs does. */
static void seek(u64 what, const u8 *address)
{
	call(8, 0, (const void *)(0x5eul << 56 | what << 48 | (u64)address), 0);
}

/* Descriptors, a table and a page to spare, at the start of a 2 MiB page. */
static u8 memory[4 << 20] __attribute__((aligned(2 << 20)));
#define DESCRIPTORS (memory)
#define TABLE (memory + (512 << 6))
#define OTHER (memory + (1 << 20))

#define OP static __attribute__((noinline, noclone)) void
#define ASM(name, text, ...)                                                      \
	OP name(u8 *p, u8 *q)                                                     \
	{                                                                         \
		asm volatile(text : "+r"(p), "+r"(q) : : "rax", "rcx", "rdx",     \
			     "memory", "cc");                                     \
	}

ASM(nothing, "")
ASM(load_8, "movb (%0), %%al")
ASM(load_64, "movq (%0), %%rax")
ASM(store_64, "movq %%rax, (%0)")
ASM(add_to_memory, "addq $1, (%0)")
ASM(lock_xadd, "movl $1, %%eax\n\tlock xaddq %%rax, (%0)")
ASM(lock_cmpxchg, "xorl %%eax, %%eax\n\tlock cmpxchgq %%rcx, (%0)")
ASM(xchg, "xchgq %%rax, (%0)")
ASM(lock_bts, "lock btsq $3, (%0)")
ASM(bit_test, "btq $3, (%0)")
ASM(straddle, "movq 60(%0), %%rax")
ASM(page_crossing, "movq 4092(%0), %%rax")
ASM(page_crossing_store, "movq %%rax, 4092(%0)")
ASM(push_pop, "pushq %%rax\n\tpopq %%rax")
ASM(nop_with_address, "nopl (%0)")
ASM(prefetch, "prefetchw (%0)")
ASM(two_words, "movq 8(%0), %%rax\n\tmovq %%rax, 48(%0)")

/* As a compiler makes of a call at a function's end, or of two functions that are alike. */
void by_jump(u8 *p, u8 *q);
asm("by_jump:\n\tnop\n\tjmp two_words");

OP copy(u8 *p, u8 *q)
{
	u64 n = 512;

	asm volatile("rep movsq" : "+c"(n), "+S"(p), "+D"(q) : : "memory");
}

OP walk(u8 *p, u8 *q)
{
	for (int i = 0; i < 512; i++)
		asm volatile("movq 8(%0), %%rax" : : "r"(p + 64 * i) : "rax");
}

OP walk_and_write_every_other(u8 *p, u8 *q)
{
	for (int i = 0; i < 512; i++) {
		asm volatile("movq 8(%0), %%rax" : : "r"(p + 64 * i) : "rax");
		if (i % 2)
			asm volatile("movl %%eax, 52(%0)" : : "r"(p + 64 * i) : "memory");
	}
}

OP pages(u8 *p, u8 *q)
{
	for (int i = 0; i < 1024; i++)
		asm volatile("movb (%0), %%al" : : "r"(memory + 4096 * i) : "rax");
}

/* Loads, stores, other's lines/written, descriptor's, and a word mask where one is met. */
static const struct {
	const char *expected;
	void (*op)(u8 *p, u8 *q);
	u8 *p, *q;
} sections[] = {
	{ "nothing 0 0 0/0 0/0 0/0\n", nothing, OTHER, OTHER },
	{ "load_8 1 0 1/0 0/0 0/0\n", load_8, OTHER, OTHER },
	{ "load_64 1 0 1/0 0/0 0/0\n", load_64, OTHER, OTHER },
	{ "store_64 0 1 1/1 0/0 0/0\n", store_64, OTHER, OTHER },
	{ "add_to_memory 1 1 1/1 0/0 0/0\n", add_to_memory, OTHER, OTHER },
	{ "lock_xadd 1 1 1/1 0/0 0/0\n", lock_xadd, OTHER, OTHER },
	{ "lock_cmpxchg 1 1 1/1 0/0 0/0\n", lock_cmpxchg, OTHER, OTHER },
	{ "xchg 1 1 1/1 0/0 0/0\n", xchg, OTHER, OTHER },
	{ "lock_bts 1 1 1/1 0/0 0/0\n", lock_bts, OTHER, OTHER },
	{ "bit_test 1 0 1/0 0/0 0/0\n", bit_test, OTHER, OTHER },
	{ "straddle 1 0 2/0 0/0 0/0\n", straddle, OTHER, OTHER },
	{ "page_crossing 1 0 2/0 0/0 0/0\n", page_crossing, OTHER, OTHER },
	{ "page_crossing_store 0 1 2/2 0/0 0/0\n", page_crossing_store, OTHER, OTHER },
	{ "push_pop 1 1 0/0 0/0 0/0\n", push_pop, OTHER, OTHER },
	{ "nop_with_address 0 0 0/0 0/0 0/0\n", nop_with_address, OTHER, OTHER },
	{ "prefetch 0 0 0/0 0/0 0/0\n", prefetch, OTHER, OTHER },
	{ "copy 512 512 128/64 0/0 0/0\n", copy, OTHER, OTHER + 8192 },
	{ "load_of_table 1 0 0/0 0/0 1/0\n", load_64, TABLE, TABLE },
	{ "store_past_table 0 1 1/1 0/0 0/0\n", store_64, TABLE + 4096, TABLE },
	{ "two_words 1 1 0/0 1/1 0/0 word.02.40=1\n", two_words, DESCRIPTORS, OTHER },
	{ "by_jump 1 1 0/0 1/1 0/0 word.02.40=1\n", by_jump, DESCRIPTORS, OTHER },
	{ "walk 512 0 0/0 512/0 0/0 word.02.00=512\n", walk, DESCRIPTORS, OTHER },
	{ "walk_and_write 512 256 0/0 512/256 0/0 word.02.00=256 word.02.40=256\n",
	  walk_and_write_every_other, DESCRIPTORS, OTHER },
	{ "pages 1024 0 1015/0 8/0 1/0 word.01.00=8\n", pages, OTHER, OTHER },
};

void _start(void)
{
	for (unsigned int i = 0; i < sizeof(memory); i += 4096)
		memory[i] = 1;
	/* For a run that is traced by entries. */
	seek(0x10, DESCRIPTORS);
	seek(0x20, DESCRIPTORS + (512 << 6) - 1);
	MARK(0x03);
	/* The translation anew starts at the next block. */
	say("");
	NAME(0x10, DESCRIPTORS, DESCRIPTORS + (512 << 6) - 1);
	NAME(0x11, TABLE, TABLE + 4096 - 1);
	for (unsigned int i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		void (*volatile op)(u8 *p, u8 *q) = sections[i].op;
		u8 *p = sections[i].p, *q = sections[i].q;

		say(sections[i].expected);
		asm volatile("" : "+r"(op), "+r"(p), "+r"(q));
		void (*f)(u8 *p, u8 *q) = op;
		asm volatile("" : "+r"(f));
		MARK(0x01);
		asm volatile("call *%2" : "+D"(p), "+S"(q) : "r"(f)
			     : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
		MARK(0x02);
	}
	MARK(0x20);
	call(231, 0, 0, 0);
}
