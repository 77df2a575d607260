// SPDX-License-Identifier: GPL-2.0
/*
 * Which samples spilled a per-CPU statistic, seen from the shared counters.
 */
#include "count.h"

static struct {
	long node[NR_VM_NODE_STAT_ITEMS];
	long zone[NR_VM_ZONE_STAT_ITEMS];
} before;

static struct {
	int (*fold)(bool);
	void (*drain_pages)(struct zone *);
	void (*drain_stock)(struct work_struct *);
	void (*flush)(void *);
	void *flushed;
} settle;

void count_stats_open(void)
{
	struct mem_cgroup *(*of)(struct task_struct *) =
		count_symbol("mem_cgroup_from_task");
	struct mem_cgroup *group = NULL, *next;

	settle.fold = count_symbol("refresh_cpu_vm_stats");
	settle.drain_pages = count_symbol("drain_local_pages");
	settle.drain_stock = count_symbol("drain_local_stock");
	if (of) {
		rcu_read_lock();
		group = of(current);
		rcu_read_unlock();
	}
	while (group && (next = parent_mem_cgroup(group)))
		group = next;
	settle.flush = count_symbol(COUNT_FLUSH_GROUPS);
	settle.flushed = group ? count_flushed(group) : NULL;
}

void count_stats_settle(void)
{
	if (settle.flush && settle.flushed)
		settle.flush(settle.flushed);
	preempt_disable();
	if (settle.drain_stock)
		settle.drain_stock(NULL);
	if (settle.drain_pages)
		settle.drain_pages(NULL);
	if (settle.fold)
		settle.fold(false);
	preempt_enable();
}

void count_stats_mark(void)
{
	unsigned int i;

	for (i = 0; i < NR_VM_NODE_STAT_ITEMS; i++)
		before.node[i] = atomic_long_read(&vm_node_stat[i]);
	for (i = 0; i < NR_VM_ZONE_STAT_ITEMS; i++)
		before.zone[i] = atomic_long_read(&vm_zone_stat[i]);
}

const char *count_stats_class(const char *class)
{
	static char text[COUNT_CLASS_LEN];
	unsigned int i, spilled = 0;

	for (i = 0; i < NR_VM_NODE_STAT_ITEMS; i++)
		spilled += before.node[i] != atomic_long_read(&vm_node_stat[i]);
	for (i = 0; i < NR_VM_ZONE_STAT_ITEMS; i++)
		spilled += before.zone[i] != atomic_long_read(&vm_zone_stat[i]);
	if (!spilled)
		return class;
	snprintf(text, sizeof(text), "%s+spill%u", class, spilled);
	return text;
}
