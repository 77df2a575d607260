// SPDX-License-Identifier: GPL-2.0
/*
 * Accounting and lists as cases: what charges, references, statistics and lists come to
 * for every group of a tree and every allocation.
 *
 * In, one item a line, numbers decimal:
 *     c ID                        a case begins: no groups, no allocations
 *     g PATH                      a group, as /0/2: the third one below the first one
 *     a GROUP INDEX ORDER KIND    an allocation at a frame, charged to a group by number;
 *                                 KIND is a (anonymous) or f (file)
 *     u ALLOC                     uncharged
 *     s ALLOC PAGES               its statistic (NR_ANON_MAPPED, NR_FILE_PAGES) changes
 *     l ALLOC                     goes on its list
 *     i ALLOC                     comes off it
 *     r ALLOC, d ALLOC            a reference is taken, dropped
 *     .                           prints all, and puts everything back
 * Out, for the items between:
 *     c ID
 *     g USAGE ANON FILE LRU_ANON LRU_FILE
 *                                 a group in order: pages charged and its statistics, those
 *                                 below it included; pages on its own lists
 *     a GROUP REFS LIST           an allocation in order: its owner, - for none; references;
 *                                 whether it is on a list
 *     e WHAT ERRNO                refused, the case ends there
 */
#include <linux/ctype.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>

#include "../internal.h"
#include "driver.h"
#include "driver_compat.h"

#define MOST_GROUPS 16
#define MOST_ALLOCS 64

static struct {
	struct group groups[MOST_GROUPS];
	/* What the groups held of others before. */
	long pages[MOST_GROUPS], anon[MOST_GROUPS], file[MOST_GROUPS];
	unsigned int nr_groups;
	struct allocation {
		struct page *head;
		u32 index;
		unsigned int order;
		bool file, charged;
	} allocs[MOST_ALLOCS];
	unsigned int nr_allocs;
} l;

static long number(char **at)
{
	bool minus;
	long value = 0;

	while (**at == ' ')
		++*at;
	minus = **at == '-';
	*at += minus;
	while (isdigit(**at))
		value = value * 10 + *(*at)++ - '0';
	return minus ? -value : value;
}

static long statistic(unsigned int group, enum node_stat_item item)
{
	compat_flush_stats(l.groups[group].memcg);
	return compat_group_stat(l.groups[group].memcg, item);
}

static int add_group(char *path)
{
	const unsigned int n = l.nr_groups;

	while (*path == ' ')
		path++;
	if (n == MOST_GROUPS || group_named(strim(path), &l.groups[n]))
		return -EINVAL;
	l.nr_groups++;
	return 0;
}

/* Once all groups are there: making one charges those above for its description. */
static void note_before(void)
{
	unsigned int i;

	for (i = 0; i < l.nr_groups; i++) {
		l.pages[i] = group_pages(&l.groups[i]);
		l.anon[i] = statistic(i, NR_ANON_MAPPED);
		l.file[i] = statistic(i, NR_FILE_PAGES);
	}
}

static int add_allocation(char *line)
{
	struct allocation *a = &l.allocs[l.nr_allocs];
	unsigned long group = number(&line), index = number(&line), order = number(&line);

	while (*line == ' ')
		line++;
	if (group >= l.nr_groups || l.nr_allocs == MOST_ALLOCS || order > 9 ||
	    index & ((1UL << order) - 1) || index + (1UL << order) > frames_count())
		return -EINVAL;
	if (order && !COMPAT_CHARGES_LARGE)
		return -EOPNOTSUPP;
	if (!l.nr_allocs)
		note_before();
	*a = (struct allocation){
		.head = pfn_to_page(frames_first() + index), .index = index, .order = order,
		.file = *line == 'f',
	};
	l.nr_allocs++;
	frames_compose(index, order);
	if (!a->file)
		compat_set_swapbacked(a->head);
	a->charged = !mem_cgroup_charge(count_head_of(a->head), l.groups[group].mm, GFP_KERNEL);
	return a->charged ? 0 : -ENOMEM;
}

static void off_the_list(struct allocation *a)
{
	lru_add_drain();
	if (!PageLRU(a->head))
		return;
	compat_lru_isolate(a->head);
	put_page(a->head);
}

static int change(char verb, char *line)
{
	unsigned long n = number(&line);
	struct allocation *a = &l.allocs[n];

	if (n >= l.nr_allocs)
		return -EINVAL;
	switch (verb) {
	case 'u':
		mem_cgroup_uncharge(count_head_of(a->head));
		a->charged = false;
		return 0;
	case 's':
		compat_mod_stat(a->head, a->file ? NR_FILE_PAGES : NR_ANON_MAPPED, number(&line));
		return 0;
	case 'l':
		compat_lru_add(a->head);
		lru_add_drain();
		return 0;
	case 'i':
		off_the_list(a);
		return 0;
	case 'r':
		get_page(a->head);
		return 0;
	case 'd':
		put_page(a->head);
		return 0;
	}
	return -EINVAL;
}

static long on_list(unsigned int group, enum lru_list list)
{
	struct lruvec *lruvec = group_lruvec(&l.groups[group]);
	long pages = 0;
	unsigned int zone;

	for (zone = 0; zone < MAX_NR_ZONES; zone++)
		pages += mem_cgroup_get_zone_lru_size(lruvec, list, zone);
	return pages;
}

static void print_all(struct oracle_out *out)
{
	unsigned int i, k;

	if (!l.nr_allocs)
		note_before();
	for (i = 0; i < l.nr_groups; i++)
		out_line(out, "g %ld %ld %ld %ld %ld", group_pages(&l.groups[i]) - l.pages[i],
			 statistic(i, NR_ANON_MAPPED) - l.anon[i],
			 statistic(i, NR_FILE_PAGES) - l.file[i],
			 on_list(i, LRU_INACTIVE_ANON), on_list(i, LRU_INACTIVE_FILE));
	for (i = 0; i < l.nr_allocs; i++) {
		struct page *head = l.allocs[i].head;

		for (k = 0; k < l.nr_groups; k++)
			if (compat_owned_by(head, l.groups[k].memcg))
				break;
		if (k < l.nr_groups)
			out_line(out, "a %u %d %d", k, page_count(head), !!PageLRU(head));
		else
			out_line(out, "a - %d %d", page_count(head), !!PageLRU(head));
	}
}

/* Statistics that a case left are the group's for ever, and no longer looked at. */
static void put_back(void)
{
	unsigned int i;

	for (i = 0; i < l.nr_allocs; i++) {
		struct allocation *a = &l.allocs[i];

		off_the_list(a);
		if (a->charged)
			mem_cgroup_uncharge(count_head_of(a->head));
		frames_restore(a->index, 1UL << a->order);
	}
	l.nr_allocs = l.nr_groups = 0;
}

int ledger_run(struct oracle_out *out, char *text)
{
	bool refused = false;
	char *line;

	out_begin(out, "ledger");
	while ((line = strsep(&text, "\n"))) {
		int err = 0;

		switch (line[0]) {
		case 'c':
			refused = false;
			out_line(out, "c %s", strim(line + 1));
			break;
		case 'g':
			err = refused ? 0 : add_group(line + 1);
			break;
		case 'a':
			err = refused ? 0 : add_allocation(line + 1);
			break;
		case '.':
			if (!refused)
				print_all(out);
			put_back();
			cond_resched();
			break;
		case 0:
			break;
		default:
			err = refused ? 0 : change(line[0], line + 1);
		}
		if (err) {
			refused = true;
			out_line(out, "e %c %d", line[0], err);
		}
	}
	put_back();
	out_end(out, "ledger");
	return 0;
}
