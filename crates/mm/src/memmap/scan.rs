//! Compaction's walk over the array.

use std::sync::atomic::Ordering::Relaxed;

use physmem::Pfn;

use super::{Memmap, PAGEBLOCK_PAGES, PG_HEAD, PGTY_BUDDY, is_movable};
use crate::lru::PG_LRU;
use crate::rules::KernelRules;
use crate::slot::Slot;
use crate::traits::Scan;

impl Memmap {
    /// Frames that a PFN walk may skip from here because they are one free block
    /// (`PageBuddy`, `buddy_order_unsafe`); 0 where the line is no block's head.
    #[inline]
    pub fn free_block(page: &Slot) -> u64 {
        if page.mapcount.load(Relaxed) >> 24 != PGTY_BUDDY {
            return 0;
        }
        // Read without the zone's lock, as compaction does: a wild order is not believed.
        1 << page
            .private
            .load(Relaxed)
            .min(u64::from(physmem::MAX_ORDER))
    }

    /// Compaction's walk (`isolate_migratepages_block`): free blocks and compound pages beyond the
    /// pageblock's order are skipped whole, what is on an LRU list, and what a driver moves, is
    /// offered to `isolate`, which is told which of the two it is; the rest is counted.
    ///
    /// An allocation on a list is stepped over whole. Behind any other small allocation the walk goes on
    /// as the kernel's does: [`KernelVersion::walks_small_compounds`](crate::KernelVersion).
    #[inline]
    pub fn pfn_scan<V: KernelRules>(
        &self,
        start: Pfn,
        pfns: u64,
        mut isolate: impl FnMut(&Slot, bool) -> bool,
    ) -> Scan {
        let mut scan = Scan::default();
        let end = start + pfns;
        let mut pfn = start;
        while pfn < end {
            let page = self.page(pfn);
            let block = Self::free_block(page);
            if block != 0 {
                scan.free += block.min(end - pfn);
                pfn = pfn + block;
                continue;
            }
            // PageCompound, then compound_order: one branch each, so that the walk goes on
            // before a large page's second line has arrived.
            let flags = page.flags.load(Relaxed);
            let pages = if flags & PG_HEAD != 0 {
                self.nr_pages(page)
            } else if Self::is_tail(page) {
                if V::VERSION.walks_small_compounds() && self.could_be_taken(page) {
                    scan.unmovable += 1;
                }
                pfn = pfn + 1;
                continue;
            } else {
                1
            };
            let mut step = pages;
            if flags & PG_LRU != 0 && pages < V::VERSION.compacts_below(PAGEBLOCK_PAGES) {
                scan.movable += 1;
                scan.movable_pages += pages;
                scan.isolated += u64::from(isolate(page, true));
            } else if pages >= PAGEBLOCK_PAGES || flags & PG_LRU != 0 {
                scan.large += 1;
            } else {
                if V::VERSION.walks_small_compounds() {
                    step = 1;
                }
                if page.refcount.load(Relaxed) == 0 {
                    if Self::is_frozen(page) {
                        scan.unmovable += 1;
                    } else {
                        scan.free += 1;
                    }
                } else if is_movable(page) {
                    scan.of_drivers += 1;
                    scan.isolated += u64::from(isolate(page, false));
                } else {
                    scan.unmovable += 1;
                }
            }
            pfn = pfn + step;
        }
        scan
    }

    /// The look at a tail, which has no order of its own: its head's list (`PageLRU`) and then its
    /// own count (`folio_get_nontail_page`), or its own mapping (`__PageMovable`). No tail passes.
    #[inline]
    fn could_be_taken(&self, tail: &Slot) -> bool {
        if self.compound_head(tail).flags.load(Relaxed) & PG_LRU != 0 {
            tail.refcount.load(Relaxed) != 0
        } else {
            is_movable(tail)
        }
    }
}
