// SPDX-License-Identifier: GPL-2.0
/*
 * Holding a page's memory cgroup steady: lock and unlock together, of a charged
 * page, no move under way.
 */
#include <linux/memcontrol.h>
#include "bodies.h"
#include "count.h"

/* Some kernels' lock returns the group; nothing looks at it here. */
COUNT_OP op_lock_pair(struct count_arg *a)
{
	void (*lock)(void *) = a->fn;
	void (*unlock)(void *) = a->q;

	BODY_LOCK_PAIR(lock, unlock, a->p);
}

static void count_pair(const char *primitive, const char *lock, const char *unlock,
		       struct page *page)
{
	struct count_arg a = { .p = page };

	a.fn = count_symbol(lock);
	a.q = count_symbol(unlock);
	if (a.fn && a.q)
		count_steady(primitive, 0, "no_move", op_lock_pair, &a);
	else
		count_absent(primitive, COUNT_NO_MEMCG_LOCK);
}

void count_memcg_locks(void)
{
	struct page *page = count_charged_pages(0);

	if (!page)
		return;
	count_pair("lock_page_memcg", "lock_page_memcg", "unlock_page_memcg", page);
	count_pair("folio_memcg_lock", "folio_memcg_lock", "folio_memcg_unlock", page);
	count_free_charged(page, 0);
}
