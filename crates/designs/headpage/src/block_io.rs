//! Bios whose vecs name an allocation by its head and a place in it by its offset.

use mm::block::{self, Bio};
use mm::memmap::{self, Page};
use mm::{BlockIo, KernelRules, PowerArray, SlabIo};
use physmem::{PAGE_SHIFT, PAGE_SIZE, PhysAddr};
use std::sync::atomic::Ordering::Relaxed;

use crate::HeadPageDesign;

impl<const CHECK: bool> BlockIo for HeadPageDesign<CHECK> {
    type BvPage<'a> = Page<'a>;
    const SLAB_IO: SlabIo = SlabIo::Counted;

    /// The head stays the head; the page becomes part of the offset.
    #[inline]
    fn bv_page<'a>(&'a self, head: Page<'a>, n: u64) -> Option<(Page<'a>, u32)> {
        self.assert_head(head);
        Some((head, (n << PAGE_SHIFT) as u32))
    }

    #[inline]
    fn bv_page_word(head: Page<'_>) -> u64 {
        PowerArray::word_of(head.0)
    }

    #[inline]
    fn phys(&self, head: Page<'_>) -> PhysAddr {
        self.map.phys(head.0)
    }

    /// No page is ever named, so a single-page walk only clips lengths.
    #[inline]
    fn page_at<'a>(&'a self, head: Page<'a>, offset: u32) -> (Page<'a>, u32) {
        (head, offset)
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
    fn note_workingset(&self, head: Page<'_>) -> bool {
        head.0.flags.load(Relaxed) & memmap::PG_WORKINGSET != 0
    }

    /// The head is the unit; only a vec that was merged across allocations leads further.
    #[inline]
    fn unit_at<'a>(&'a self, head: Page<'a>, offset: u32) -> (Page<'a>, u64) {
        self.assert_head(head);
        let mut head = head;
        let mut offset = u64::from(offset);
        loop {
            let bytes = self.unit_bytes(head);
            if offset < bytes {
                return (head, offset);
            }
            offset -= bytes;
            head = self.next_unit(head);
        }
    }

    #[inline]
    fn unit_bytes(&self, head: Page<'_>) -> u64 {
        PAGE_SIZE << self.map.order(head.0)
    }

    #[inline]
    fn next_unit<'a>(&'a self, head: Page<'a>) -> Page<'a> {
        let next = Page(self.map.nth(head.0, self.map.nr_pages(head.0)));
        self.assert_head(next);
        next
    }

    /// One step, whatever the size: the head and the offset are what a vec holds.
    #[inline]
    fn add_unit<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Page<'a>>,
        head: Page<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        self.assert_head(head);
        block::add_page::<V, Self>(self, bio, head, len, offset)
    }

    fn pin<'a>(&'a self, bio: &Bio<Page<'a>>) {
        self.for_each_unit(bio, |run| memmap::page_ref_add(run.unit.0, run.pages()));
    }

    /// An allocation's run at a time, as with folios.
    #[inline]
    fn end_io<'a>(&'a self, bio: &Bio<Page<'a>>) -> u64 {
        let mut bytes = 0;
        self.for_each_unit(bio, |run| {
            memmap::set_dirty_lock(run.unit.0);
            memmap::page_ref_sub_and_test(run.unit.0, run.pages());
            bytes += u64::from(run.len);
        });
        bytes
    }
}
