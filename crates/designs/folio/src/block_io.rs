//! Bios whose vecs point at pages and whose submitters and completers work by folio.

use mm::block::{self, Bio};
use mm::memmap::{self, Memmap, Page};
use mm::{BlockIo, KernelRules, PageBvecs, SlabIo};
use physmem::{PAGE_SHIFT, PAGE_SIZE};
use std::sync::atomic::Ordering::Relaxed;

use crate::{Folio, FolioForAll};

impl PageBvecs for FolioForAll {
    const NAMES_HEADS: bool = false;

    #[inline]
    fn page_of<'a>(&'a self, folio: Folio<'a>) -> Page<'a> {
        Page(folio.0)
    }
}

impl BlockIo for FolioForAll {
    const SLAB_IO: SlabIo = SlabIo::Counted;

    /// `bio_first_folio`: the folio of the vec's page, and how far into it the page is.
    #[inline]
    fn unit_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Folio<'a>, u64) {
        let folio = self.page_folio(page.0);
        let pages = self.memmap().distance(page.0, folio.0);
        (folio, (pages << PAGE_SHIFT) + u64::from(offset))
    }

    #[inline]
    fn unit_bytes(&self, folio: Folio<'_>) -> u64 {
        PAGE_SIZE << self.memmap().order(folio.0)
    }

    /// `folio_next`: a folio follows a folio.
    #[inline]
    fn next_unit<'a>(&'a self, folio: Folio<'a>) -> Folio<'a> {
        Folio(self.memmap().nth(folio.0, self.memmap().nr_pages(folio.0)))
    }

    #[inline]
    fn add_unit<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Page<'a>>,
        folio: Folio<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        if self.bio_add_folio::<V>(bio, folio, len as usize, offset as usize) {
            len
        } else {
            0
        }
    }

    /// `unpin_user_folio`'s counterpart: references, and for a large folio pins apart.
    fn pin<'a>(&'a self, bio: &Bio<Page<'a>>) {
        self.for_each_unit(bio, |run| {
            let folio = run.unit.0;
            memmap::page_ref_add(folio, run.pages());
            if Memmap::is_large(folio) {
                memmap::pincount(self.memmap(), folio).fetch_add(u64::from(run.pages()), Relaxed);
            }
        });
    }

    #[inline]
    fn end_io<'a>(&'a self, bio: &Bio<Page<'a>>) -> u64 {
        self.bio_release_pages(bio, true);
        bio.vecs().iter().map(|vec| u64::from(vec.len)).sum()
    }
}

impl FolioForAll {
    /// Adds a part of a folio in one step, whatever its size (`bio_add_folio`).
    #[inline(never)]
    pub fn bio_add_folio<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Page<'a>>,
        folio: Folio<'a>,
        len: usize,
        offset: usize,
    ) -> bool {
        let Ok(len) = u32::try_from(len) else {
            return false;
        };
        let page = Page(self.memmap().nth(folio.0, (offset >> PAGE_SHIFT) as u64));
        let in_page = offset as u32 & (PAGE_SIZE as u32 - 1);
        block::add_page::<V, Self>(self, bio, page, len, in_page) > 0
    }

    /// `__bio_release_pages` of v6.12: a folio's run at a time, one lock, one mark, one
    /// unpin of all its pages.
    #[inline(never)]
    pub fn bio_release_pages<'a>(&'a self, bio: &Bio<Page<'a>>, mark_dirty: bool) {
        if bio.no_page_ref {
            return;
        }
        block::for_each_unit(self, bio, |run| {
            if mark_dirty {
                memmap::set_dirty_lock(run.unit.0);
            }
            self.unpin_user_folio(run.unit, run.pages());
        });
    }

    /// `bio_set_pages_dirty` of v6.12.
    #[inline(never)]
    pub fn bio_set_pages_dirty<'a>(&'a self, bio: &Bio<Page<'a>>) {
        block::for_each_unit(self, bio, |run| memmap::set_dirty_lock(run.unit.0));
    }

    /// `bio_check_pages_dirty` of v6.12: releases where every folio is dirty still; else
    /// the caller must dirty them again, which needs a context that may sleep.
    #[inline(never)]
    pub fn bio_check_pages_dirty<'a>(&'a self, bio: &Bio<Page<'a>>) -> bool {
        if !block::all_units(self, bio, |run| memmap::is_dirty(run.unit.0)) {
            return false;
        }
        self.bio_release_pages(bio, false);
        true
    }

    /// Gives back the pins of `pages` pages (`unpin_user_folio`, `gup_put_folio`). Small
    /// folios keep pins in the high bits of their reference count in the kernel; here a
    /// pin is a reference.
    #[inline(never)]
    fn unpin_user_folio(&self, folio: Folio<'_>, pages: u32) {
        if self.memmap().is_zero_page(folio.0) {
            return;
        }
        self.0
            .groups
            .count_unpinned(Memmap::node(folio.0), i64::from(pages));
        if Memmap::is_large(folio.0) {
            memmap::pincount(self.memmap(), folio.0).fetch_sub(u64::from(pages), Relaxed);
        }
        if memmap::page_ref_sub_and_test(folio.0, pages) {
            self.free(folio);
        }
    }

    /// `__folio_put`.
    #[cold]
    #[inline(never)]
    fn free(&self, folio: Folio<'_>) {
        self.memmap().free(folio.0);
    }
}
