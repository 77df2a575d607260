// SPDX-License-Identifier: GPL-2.0
/*
 * Included at the end of mm/vmscan.c, for functions that are static there.
 */
#include "count_compat.h"
#include "hooks.h"

/*
 * Reclaim's round over a list: takes so many pages off its tail and puts them back at
 * its head, with the locking of shrink_inactive_list. Returns the pages taken.
 */
unsigned long folioscope_lru_round(struct lruvec *lruvec, enum lru_list lru, unsigned long nr)
{
	struct scan_control sc = {
		.may_writepage = 1, .may_unmap = 1, .may_swap = 1,
		.reclaim_idx = MAX_NR_ZONES - 1,
	};
	struct pglist_data *pgdat = lruvec_pgdat(lruvec);
	const int isolated = NR_ISOLATED_ANON + is_file_lru(lru);
	unsigned long taken, scanned;
	LIST_HEAD(list);

#if COUNT_SINCE(5, 11)
	spin_lock_irq(&lruvec->lru_lock);
	taken = isolate_lru_folios(nr, lruvec, &list, &scanned, &sc, lru);
	__mod_node_page_state(pgdat, isolated, taken);
	spin_unlock_irq(&lruvec->lru_lock);
#if COUNT_SINCE(6, 18)
	move_folios_to_lru(&list);
	mod_node_page_state(pgdat, isolated, -taken);
#else
	spin_lock_irq(&lruvec->lru_lock);
	move_folios_to_lru(lruvec, &list);
	__mod_node_page_state(pgdat, isolated, -taken);
	spin_unlock_irq(&lruvec->lru_lock);
#endif
#else
	spin_lock_irq(&pgdat->lru_lock);
	taken = isolate_lru_pages(nr, lruvec, &list, &scanned, &sc, lru);
	__mod_node_page_state(pgdat, isolated, taken);
	spin_unlock_irq(&pgdat->lru_lock);
	spin_lock_irq(&pgdat->lru_lock);
	move_pages_to_lru(lruvec, &list);
	__mod_node_page_state(pgdat, isolated, -taken);
	spin_unlock_irq(&pgdat->lru_lock);
#endif
	return taken;
}
