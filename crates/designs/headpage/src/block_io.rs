//! Bios whose vecs name an allocation by its head and a place in it by its offset.

use mm::block::Bio;
use mm::memmap::{self, Page};
use mm::{BlockIo, PageBvecs, SlabIo};
use physmem::PAGE_SIZE;

use crate::HeadPageDesign;

impl<const CHECK: bool> PageBvecs for HeadPageDesign<CHECK> {
    /// The head stays the head; a page of it becomes part of the offset.
    const NAMES_HEADS: bool = true;

    #[inline]
    fn page_of<'a>(&'a self, head: Page<'a>) -> Page<'a> {
        head
    }

    #[inline]
    fn check_vec(&self, page: Page<'_>) {
        self.assert_head(page);
    }
}

impl<const CHECK: bool> BlockIo for HeadPageDesign<CHECK> {
    const SLAB_IO: SlabIo = SlabIo::Counted;

    /// The vec names it: the claim of the design.
    #[inline]
    fn unit_at<'a>(&'a self, head: Page<'a>, offset: u32) -> (Page<'a>, u64) {
        (head, u64::from(offset))
    }

    #[inline]
    fn unit_bytes(&self, head: Page<'_>) -> u64 {
        PAGE_SIZE << self.pages.map.order(head.0)
    }

    #[inline]
    fn next_unit<'a>(&'a self, head: Page<'a>) -> Page<'a> {
        Page(self.pages.map.nth(head.0, self.pages.map.nr_pages(head.0)))
    }

    fn pin<'a>(&'a self, bio: &Bio<Page<'a>>) {
        self.for_each_unit(bio, |run| self.pages.pin(run.unit.0, run.pages()));
    }

    #[inline]
    fn end_io<'a>(&'a self, bio: &Bio<Page<'a>>) -> u64 {
        self.bio_release_pages(bio);
        bio.vecs().iter().map(|vec| u64::from(vec.len)).sum()
    }
}

impl<const CHECK: bool> HeadPageDesign<CHECK> {
    /// `__bio_release_pages` of v6.12, dirtying: an allocation's run at a time, as with folios.
    #[inline(never)]
    fn bio_release_pages<'a>(&'a self, bio: &Bio<Page<'a>>) {
        if bio.no_page_ref {
            return;
        }
        self.for_each_unit(bio, |run| {
            memmap::set_dirty_lock(run.unit.0);
            self.pages.unpin(run.unit.0, run.pages());
        });
    }
}
