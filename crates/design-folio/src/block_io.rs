//! Bios whose vecs point at pages and whose submitters and completers work by folio.

use design::block::{self, Bio};
use design::memmap::{self, Page};
use design::{BlockIo, PowerArray, Rules, SlabIo};
use physmem::{PAGE_SHIFT, PAGE_SIZE, PhysAddr};
use std::sync::atomic::Ordering::Relaxed;

use crate::{Folio, FolioForAll};

impl BlockIo for FolioForAll {
    type Ref<'a> = Page<'a>;
    const SLAB_IO: SlabIo = SlabIo::Counted;

    #[inline]
    fn reference<'a>(&'a self, folio: Folio<'a>, n: u64) -> Option<(Page<'a>, u32)> {
        Some((Page(self.map.nth(folio.0, n)), 0))
    }

    #[inline]
    fn ref_word(page: Page<'_>) -> u64 {
        PowerArray::word_of(page.0)
    }

    #[inline]
    fn phys(&self, page: Page<'_>) -> PhysAddr {
        self.map.phys(page.0)
    }

    #[inline]
    fn page_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Page<'a>, u32) {
        self.map.page_at(page, offset)
    }

    #[inline]
    fn same_pgmap(&self, a: Page<'_>, b: Page<'_>) -> bool {
        memmap::same_pgmap(a.0, b.0)
    }

    #[inline]
    fn memmap_contiguous(&self, a: Page<'_>, a_end: u64, b: Page<'_>, b_offset: u32) -> bool {
        self.map.contiguous(a, a_end, b, b_offset)
    }

    #[inline]
    fn note_workingset(&self, page: Page<'_>) -> bool {
        self.page_folio(page.0).0.flags.load(Relaxed) & memmap::PG_WORKINGSET != 0
    }

    #[inline]
    fn chunk_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Folio<'a>, u64) {
        let (page, in_page) = self.map.page_at(page, offset);
        let folio = self.page_folio(page.0);
        let pages = self.map.distance(page.0, folio.0);
        (folio, (pages << PAGE_SHIFT) + u64::from(in_page))
    }

    #[inline]
    fn chunk_bytes(&self, folio: Folio<'_>) -> u64 {
        PAGE_SIZE << self.map.order(folio.0)
    }

    /// `folio_next`: what lies behind a folio is a folio.
    #[inline]
    fn next_chunk<'a>(&'a self, folio: Folio<'a>) -> Folio<'a> {
        Folio(self.map.nth(folio.0, self.map.nr_pages(folio.0)))
    }

    /// `bio_add_folio`: one step, whatever the size.
    #[inline]
    fn add_chunk<'a, V: Rules>(
        &'a self,
        bio: &mut Bio<Page<'a>>,
        folio: Folio<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        let (page, in_page) = self.map.page_at(Page(folio.0), offset);
        block::add_page::<V, Self>(self, bio, page, len, in_page)
    }

    fn pin<'a>(&'a self, bio: &Bio<Page<'a>>) {
        self.for_each_chunk(bio, |run| memmap::page_ref_add(run.chunk.0, run.pages()));
    }

    /// `__bio_release_pages(bio, true)` of v6.12: a folio's run at a time, one lock, one
    /// mark, one unpin of all its pages.
    #[inline]
    fn end_io<'a>(&'a self, bio: &Bio<Page<'a>>) -> u64 {
        let mut bytes = 0;
        self.for_each_chunk(bio, |run| {
            memmap::set_dirty_lock(run.chunk.0);
            memmap::page_ref_sub_and_test(run.chunk.0, run.pages());
            bytes += u64::from(run.len);
        });
        bytes
    }
}
