// SPDX-License-Identifier: GPL-2.0
/*
 * The referee's module: files below /proc/folioscope take the host's text, run
 * a part of the module on it and send its results to the host.
 */
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>

#include "out.h"

/* QEMU's isa-debugcon; the host names the same port on its command line. */
#define DATA_PORT 0xe9

static struct oracle_out out;
static DEFINE_MUTEX(busy);

/* What was written to the cases file so far; it runs when the file is closed. */
static char *input;
static size_t input_used, input_size;

void *oracle_symbol(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	void *address;

	if (register_kprobe(&probe))
		return NULL;
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

void out_send(struct oracle_out *o)
{
	outsb(DATA_PORT, o->text, o->used);
	out_empty(o);
}

/* A module without the counting part still answers cases. */
int __weak count_run(struct oracle_out *o, const char *args)
{
	return -ENOSYS;
}

static int input_append(const char __user *from, size_t length)
{
	if (input_used + length + 1 > input_size) {
		size_t size = max_t(size_t, 2 * input_size, input_used + length + 1);
		char *text = vmalloc(size);

		if (!text)
			return -ENOMEM;
		if (input_used)
			memcpy(text, input, input_used);
		vfree(input);
		input = text;
		input_size = size;
	}
	if (copy_from_user(input + input_used, from, length))
		return -EFAULT;
	input_used += length;
	input[input_used] = 0;
	return 0;
}

static ssize_t input_write(struct file *file, const char __user *from, size_t length, loff_t *at)
{
	int err;

	mutex_lock(&busy);
	err = input_append(from, length);
	mutex_unlock(&busy);
	return err ? err : length;
}

static void report_failure(const char *part, int err)
{
	out_begin(&out, "failure");
	out_line(&out, "%s %d", part, err);
	out_end(&out, "failure");
}

static void run_input(struct file *file, const char *part, int (*run)(struct oracle_out *, char *))
{
	int err;

	if (!(file->f_mode & FMODE_WRITE))
		return;
	mutex_lock(&busy);
	if (input) {
		err = run(&out, input);
		if (err)
			report_failure(part, err);
		out_send(&out);
		vfree(input);
		input = NULL;
		input_used = input_size = 0;
	}
	mutex_unlock(&busy);
}

static int cases_close(struct inode *inode, struct file *file)
{
	run_input(file, "cases", cases_run);
	return 0;
}

static int count_text(struct oracle_out *o, char *text)
{
	return count_run(o, strim(text));
}

static int count_close(struct inode *inode, struct file *file)
{
	run_input(file, "count", count_text);
	return 0;
}

static const struct proc_ops cases_ops = {
	.proc_write = input_write,
	.proc_release = cases_close,
};

static const struct proc_ops count_ops = {
	.proc_write = input_write,
	.proc_release = count_close,
};

static int __init oracle_init(void)
{
	struct proc_dir_entry *dir;
	int err = arena_take();

	out_begin(&out, "hello");
	out_line(&out, "release %s", init_utsname()->release);
	out_line(&out, "version %s", init_utsname()->version);
	out_line(&out, "compiler %s", CONFIG_CC_VERSION_TEXT);
	out_line(&out, "arena %d", err);
	out_end(&out, "hello");
	out_send(&out);
	if (err)
		return err;

	dir = proc_mkdir("folioscope", NULL);
	if (!dir || !proc_create("cases", 0200, dir, &cases_ops) ||
	    !proc_create("count", 0200, dir, &count_ops)) {
		remove_proc_subtree("folioscope", NULL);
		arena_release();
		return -ENOMEM;
	}
	return 0;
}

static void __exit oracle_exit(void)
{
	remove_proc_subtree("folioscope", NULL);
	arena_release();
}

module_init(oracle_init);
module_exit(oracle_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The real kernel as referee of folioscope's models");
