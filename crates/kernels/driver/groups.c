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
#define MOST_GROUPS 128
#define MOST_PATH (2 * MOST_DEPTH + 1)
#define ROOT "/cg"

/* Groups by path, a letter or digit a level; made once and kept. */
static struct {
	char path[MOST_PATH];
	struct group group;
	bool gives; /* the memory controller to those below */
} groups[MOST_GROUPS];
static unsigned int nr_groups;
static bool mounted;

static const char *give_memory_below(const char *group)
{
	static const char text[] = "+memory";
	char path[32 + MOST_PATH];
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
	char dir[8 + MOST_PATH];
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

const char *group_named(const char *path, struct group *group)
{
	const size_t length = strlen(path);
	char above[MOST_PATH];
	const char *why;
	unsigned int i;

	if (!length || length >= MOST_PATH)
		return "depth is 1 to 16";
	for (i = 0; i < nr_groups; i++)
		if (!strcmp(groups[i].path, path)) {
			*group = groups[i].group;
			return NULL;
		}
	strscpy(above, path, sizeof(above));
	above[length - 2] = 0;
	why = above[0] ? group_named(above, group) : mount_groups();
	if (why)
		return why;
	for (i = 0; i < nr_groups; i++)
		if (!strcmp(groups[i].path, above) && !groups[i].gives) {
			why = give_memory_below(above);
			groups[i].gives = !why;
		}
	if (nr_groups == MOST_GROUPS)
		return "more groups than the driver keeps";
	if (!why)
		why = make_group(path, group);
	if (!why) {
		strscpy(groups[nr_groups].path, path, MOST_PATH);
		groups[nr_groups++].group = *group;
	}
	return why;
}

/* The path that many levels down, the last one called so. */
static const char *at_depth(unsigned int depth, char last, struct group *group)
{
	char path[MOST_PATH] = "";
	unsigned int i;

	if (!depth || depth > MOST_DEPTH)
		return "depth is 1 to 16";
	for (i = 0; i < depth; i++) {
		path[2 * i] = '/';
		path[2 * i + 1] = i + 1 == depth ? last : 'a';
	}
	return group_named(path, group);
}

const char *group_at(unsigned int depth, struct group *group)
{
	return at_depth(depth, 'a', group);
}

const char *group_beside(unsigned int depth, struct group *group)
{
	return at_depth(depth, 'b', group);
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
