// SPDX-License-Identifier: GPL-2.0
/*
 * Memory cgroups without user space: a mount of the unified hierarchy, a chain of
 * groups below its root, and for each group an mm that charges to it.
 */
#include <linux/cgroup.h>
#include <linux/fs.h>
#include <linux/init_syscalls.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/page_counter.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "driver.h"
#include "driver_compat.h"

#define MOST_DEPTH 16
#define ROOT "/cg"

static struct group chain[MOST_DEPTH + 1], beside[MOST_DEPTH + 1];
static bool mounted;

static const char *give_memory_below(const char *group)
{
	static const char text[] = "+memory";
	char path[16 + 2 * MOST_DEPTH];
	struct file *file;
	ssize_t written;
	loff_t at = 0;

	snprintf(path, sizeof(path), ROOT "%s/cgroup.subtree_control", group);
	file = filp_open(path, O_WRONLY, 0);
	if (IS_ERR(file))
		return "cgroup.subtree_control does not open";
	written = kernel_write(file, text, sizeof(text) - 1, &at);
	filp_close(file, NULL);
	return written == sizeof(text) - 1 ? NULL : "the memory controller cannot be given to a group";
}

static const char *__ref mount_groups(void)
{
	if (mounted)
		return NULL;
	if (init_mkdir(ROOT, 0755) || init_mount("none", ROOT, "cgroup2", 0, NULL))
		return "cgroup2 does not mount";
	mounted = true;
	return give_memory_below("");
}

/*
 * What get_mem_cgroup_from_mm looks at and nothing else: a process in the group,
 * as far as a charge can tell.
 */
static struct mm_struct *mm_in(struct cgroup_subsys_state *css)
{
	struct css_set *set = kzalloc(sizeof(*set), GFP_KERNEL);
	struct task_struct *task = kzalloc(sizeof(*task), GFP_KERNEL);
	struct mm_struct *mm = kzalloc(sizeof(*mm), GFP_KERNEL);

	if (!set || !task || !mm)
		return NULL;
	set->subsys[memory_cgrp_id] = css;
	rcu_assign_pointer(task->cgroups, set);
	rcu_assign_pointer(mm->owner, task);
	return mm;
}

static const char *__ref make_group(const char *path, struct group *group)
{
	char dir[16 + 2 * MOST_DEPTH];
	struct cgroup_subsys_state *css;
	struct cgroup *cgroup;

	snprintf(dir, sizeof(dir), ROOT "%s", path);
	if (init_mkdir(dir, 0755))
		return "a group cannot be made";
	cgroup = cgroup_get_from_path(path);
	if (IS_ERR(cgroup))
		return "a group that was made is not found";
	css = rcu_dereference_protected(cgroup->subsys[memory_cgrp_id], true);
	if (!css)
		return "a group without the memory controller";
	group->memcg = mem_cgroup_from_css(css);
	group->mm = mm_in(css);
	return group->mm ? NULL : "no memory for a group";
}

static const char *chain_to(unsigned int depth)
{
	char path[2 * MOST_DEPTH + 1] = "";
	const char *why = mount_groups();
	unsigned int i;

	if (!depth || depth > MOST_DEPTH)
		return "depth is 1 to 16";
	for (i = 1; !why && i <= depth; i++) {
		if (i > 1 && !chain[i].memcg)
			why = give_memory_below(path);
		strcat(path, "/a");
		if (!why && !chain[i].memcg)
			why = make_group(path, &chain[i]);
	}
	return why;
}

const char *group_at(unsigned int depth, struct group *group)
{
	const char *why = chain_to(depth);

	if (!why)
		*group = chain[depth];
	return why;
}

const char *group_beside(unsigned int depth, struct group *group)
{
	char path[2 * MOST_DEPTH + 1] = "";
	const char *why = chain_to(depth);
	unsigned int i;

	if (why)
		return why;
	for (i = 1; i < depth; i++)
		strcat(path, "/a");
	strcat(path, "/b");
	if (!beside[depth].memcg)
		why = make_group(path, &beside[depth]);
	if (!why)
		*group = beside[depth];
	return why;
}

unsigned long group_pages(const struct group *group)
{
	void (*drain)(struct work_struct *) = oracle_symbol(COMPAT_DRAIN_STOCK);

	if (drain)
		drain(NULL);
	return page_counter_read(&group->memcg->memory);
}

struct lruvec *group_lruvec(const struct group *group)
{
	return mem_cgroup_lruvec(group->memcg, NODE_DATA(0));
}
