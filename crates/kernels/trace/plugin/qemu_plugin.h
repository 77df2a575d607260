/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of QEMU's plugin interface that memtrace uses. Distributions do not
 * package qemu-plugin.h. API is the interface version: 1 for QEMU 6.0 to 8.2, 2 for
 * 9.0, 3 for 9.1, 4 from 9.2 on. Only qemu_plugin_insn_data differs between them.
 */
#ifndef FOLIOSCOPE_QEMU_PLUGIN_H
#define FOLIOSCOPE_QEMU_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef API
#define API 1
#endif
#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;

enum { CB_NO_REGS = 0 };
enum { MEM_RW = 3 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
#if API < 3
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
#else
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest, size_t len);
#endif
unsigned int qemu_plugin_mem_size_shift(uint32_t info);
bool qemu_plugin_mem_is_store(uint32_t info);
/* Where user-mode emulation loaded the first executable segment of the program. */
uint64_t qemu_plugin_start_code(void);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
		void (*cb)(plugin_id id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
		void (*cb)(unsigned int cpu, void *data), int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
		void (*cb)(unsigned int cpu, uint32_t info, uint64_t address, void *data),
		int flags, int which, void *data);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id id,
		void (*cb)(plugin_id id, unsigned int cpu, int64_t number, uint64_t a1,
			   uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
			   uint64_t a6, uint64_t a7, uint64_t a8));
void qemu_plugin_register_atexit_cb(plugin_id id, void (*cb)(plugin_id id, void *data), void *data);
void qemu_plugin_reset(plugin_id id, void (*cb)(plugin_id id));

#endif
