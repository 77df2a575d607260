//! The end of IO on pages, as v5.10 has it: every function may be handed a tail, so every
//! one finds the head for itself.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use mm::block::{Bio, all_segments};
use mm::memmap::{
    self, MAPPING_ANON, Memmap, PG_DIRTY, PG_LOCKED, PG_RECLAIM, PG_SWAPBACKED, PG_SWAPCACHE,
};

use crate::{FlatDesign, Page};

impl<const SINGLE_PAGE_VECS: bool> FlatDesign<SINGLE_PAGE_VECS> {
    /// `bio_release_pages` of v5.10.223: every page, compound or not, dirtied before.
    #[inline(never)]
    pub fn bio_release_pages<'a>(&'a self, bio: &Bio<Page<'a>>, mark_dirty: bool) {
        if bio.no_page_ref {
            return;
        }
        all_segments(self, bio, |segment| {
            let page = segment.page;
            if mark_dirty {
                self.set_page_dirty_lock(page);
            }
            self.put_page(page);
            true
        });
    }

    /// `bio_set_pages_dirty` of v5.10: every page, compound or not.
    #[inline(never)]
    pub fn bio_set_pages_dirty<'a>(&'a self, bio: &Bio<Page<'a>>) {
        all_segments(self, bio, |segment| {
            self.set_page_dirty_lock(segment.page);
            true
        });
    }

    /// `bio_check_pages_dirty` of v5.10: releases where every page is dirty still; else
    /// the caller must dirty them again, which needs a context that may sleep.
    #[inline(never)]
    pub fn bio_check_pages_dirty<'a>(&'a self, bio: &Bio<Page<'a>>) -> bool {
        let dirty = |page| memmap::is_dirty(self.compound_head(page));
        if !all_segments(self, bio, |segment| dirty(segment.page)) {
            return false;
        }
        self.bio_release_pages(bio, false);
        true
    }

    /// `put_page`.
    #[inline]
    fn put_page(&self, page: Page<'_>) {
        let head = self.compound_head(page);
        if memmap::page_ref_sub_and_test(head, 1) {
            self.free(Page(head));
        }
    }

    /// `__put_page`.
    #[cold]
    #[inline(never)]
    fn free(&self, head: Page<'_>) {
        self.memmap().free(head.0);
    }

    /// `set_page_dirty_lock`; the model has no waiters, so contention only spins.
    #[inline(never)]
    fn set_page_dirty_lock(&self, page: Page<'_>) {
        let head = self.compound_head(page);
        while head.flags.fetch_or(PG_LOCKED, Acquire) & PG_LOCKED != 0 {
            std::hint::spin_loop();
        }
        self.set_page_dirty(page);
        self.unlock_page(page);
    }

    /// `unlock_page`.
    #[inline(never)]
    fn unlock_page(&self, page: Page<'_>) {
        self.compound_head(page)
            .flags
            .fetch_and(!PG_LOCKED, Release);
    }

    /// `set_page_dirty`: each flag's accessor looks up the head again, since between two of
    /// them the compiler may not assume that it is still the same.
    #[inline(never)]
    fn set_page_dirty(&self, page: Page<'_>) -> bool {
        let mapping = self.page_mapping(page);
        let head = Page(self.compound_head(page));
        if mapping != 0 && self.compound_head(head).flags.load(Relaxed) & PG_RECLAIM != 0 {
            self.compound_head(head)
                .flags
                .fetch_and(!PG_RECLAIM, Relaxed);
        }
        // The kernel asks the file's `set_page_dirty`; page cache without buffers ends here.
        if self.compound_head(head).flags.load(Relaxed) & PG_DIRTY != 0 {
            return false;
        }
        self.compound_head(head).flags.fetch_or(PG_DIRTY, Relaxed) & PG_DIRTY == 0
    }

    /// The file that a page belongs to, as a word; 0 for slabs, anonymous memory and what
    /// belongs to nobody (`page_mapping`).
    #[inline(never)]
    fn page_mapping(&self, page: Page<'_>) -> u64 {
        let head = Page(self.compound_head(page));
        if Memmap::is_slab(self.compound_head(head)) {
            return 0;
        }
        // PageSwapCache looks at two flags, each through its own accessor.
        let swap_backed = self.compound_head(Page(self.compound_head(head)));
        if swap_backed.flags.load(Relaxed) & PG_SWAPBACKED != 0
            && swap_backed.flags.load(Relaxed) & PG_SWAPCACHE != 0
        {
            return head.0.private.load(Relaxed);
        }
        let mapping = head.0.mapping.load(Relaxed);
        if mapping & MAPPING_ANON != 0 {
            0
        } else {
            mapping & !3
        }
    }
}
