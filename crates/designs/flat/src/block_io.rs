//! Bios whose vecs point at pages: added page by page, released page by page.

use mm::block::{self, Bio, Run};
use mm::memmap::{self, PG_WORKINGSET};
use mm::{BlockIo, KernelRules, PowerArray, SlabIo};
use physmem::{PAGE_SHIFT, PAGE_SIZE, PhysAddr};
use std::sync::atomic::Ordering::Relaxed;

use crate::{Flat, Page};

const IN_PAGE: u32 = PAGE_SIZE as u32 - 1;

impl BlockIo for Flat {
    type BvPage<'a> = Page<'a>;
    const SLAB_IO: SlabIo = SlabIo::Counted;

    #[inline]
    fn bv_page<'a>(&'a self, page: Page<'a>, n: u64) -> Option<(Page<'a>, u32)> {
        Some((self.nth(page, n), 0))
    }

    #[inline]
    fn bv_page_word(page: Page<'_>) -> u64 {
        PowerArray::word_of(page.0)
    }

    #[inline]
    fn phys(&self, page: Page<'_>) -> PhysAddr {
        self.memmap().phys(page.0)
    }

    #[inline]
    fn page_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Page<'a>, u32) {
        self.memmap().page_at(page, offset)
    }

    #[inline]
    fn same_pgmap(&self, a: Page<'_>, b: Page<'_>) -> bool {
        memmap::same_pgmap(a.0, b.0)
    }

    #[inline]
    fn memmap_contiguous(&self, a: Page<'_>, a_end: u64, b: Page<'_>, b_offset: u32) -> bool {
        self.memmap().contiguous(a, a_end, b, b_offset)
    }

    #[inline]
    fn note_workingset(&self, page: Page<'_>) -> bool {
        self.compound_head(page).flags.load(Relaxed) & PG_WORKINGSET != 0
    }

    #[inline]
    fn unit_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Page<'a>, u64) {
        let page = self.nth(page, u64::from(offset >> PAGE_SHIFT));
        let head = self.compound_head(page);
        let in_head = self.memmap().distance(page.0, head) << PAGE_SHIFT;
        (Page(head), in_head + u64::from(offset & IN_PAGE))
    }

    #[inline]
    fn unit_bytes(&self, head: Page<'_>) -> u64 {
        self.memmap().nr_pages(head.0) << PAGE_SHIFT
    }

    #[inline]
    fn next_unit<'a>(&'a self, head: Page<'a>) -> Page<'a> {
        let next = self.nth(head, self.memmap().nr_pages(head.0));
        Page(self.compound_head(next))
    }

    /// A page at a time: there is nothing larger to add.
    #[inline]
    fn add_unit<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Page<'a>>,
        page: Page<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        block::add_page_in_page_pieces::<V, Self>(self, bio, page, len, offset)
    }

    /// The flat design's own unit is the page. Who wants to act on an allocation finds its
    /// head from every page of it.
    #[inline]
    fn for_each_unit<'a>(&'a self, bio: &Bio<Page<'a>>, mut visit: impl FnMut(Run<Page<'a>>)) {
        for segment in block::Segments::new(self, bio) {
            let (unit, offset) = self.unit_at(segment.page, segment.offset);
            visit(Run {
                unit,
                offset,
                len: segment.len,
            });
        }
    }

    fn pin<'a>(&'a self, bio: &Bio<Page<'a>>) {
        for segment in block::Segments::new(self, bio) {
            memmap::page_ref_inc(self.compound_head(segment.page));
        }
    }

    #[inline]
    fn end_io<'a>(&'a self, bio: &Bio<Page<'a>>) -> u64 {
        self.bio_release_pages(bio, true);
        bio.vecs().iter().map(|vec| u64::from(vec.len)).sum()
    }
}
