//! Bios whose vecs are addresses: added as one range, released by way of the page.

use std::sync::atomic::Ordering::Relaxed;

use mm::block::{Bio, add_page};
use mm::memmap::{self, PG_WORKINGSET, Page};
use mm::{BlockIo, BvPages, KernelRules, Pointer, SlabIo};
use physmem::{PAGE_SHIFT, PAGE_SIZE, PhysAddr};

use crate::{Phyr, Phys};

const IN_PAGE: u32 = PAGE_SIZE as u32 - 1;

impl BvPages for Phyr {
    type BvPage<'a> = Phys;
    type UserPage<'a> = Page<'a>;
    const NAMES_UNITS: bool = false;

    #[inline]
    fn bv_page<'a>(&'a self, page: Page<'a>) -> Option<Phys> {
        Some(self.phys_of(page))
    }

    /// The name says it.
    #[inline]
    fn phys(&self, phys: Phys) -> PhysAddr {
        phys.0
    }

    #[inline]
    fn page_at(&self, phys: Phys, offset: u32) -> (Phys, u32) {
        (
            Phys(phys.0 + u64::from(offset & !IN_PAGE)),
            offset & IN_PAGE,
        )
    }

    /// Of any allocation, however large: an address has 64 bits.
    #[inline]
    fn nth_page<'a>(&'a self, page: Page<'a>, n: u64) -> Option<(Phys, u32)> {
        Some((Phys(self.phys_of(page).0 + (n << PAGE_SHIFT)), 0))
    }

    #[inline]
    fn user_page<'a>(&'a self, page: Page<'a>, n: u64) -> Option<Page<'a>> {
        Some(Page(self.0.map.nth(page.0, n)))
    }

    /// `page_to_phys`, once; head or tail makes no difference.
    #[inline]
    fn name_user_page<'a>(&'a self, page: Page<'a>) -> Option<(Phys, u32)> {
        Some((self.phys_of(page), 0))
    }

    /// Finds the page from the address (`pfn_to_page`), for callers that walk by page.
    #[inline]
    fn descriptor_word(&self, phys: Phys) -> u64 {
        self.page_at_phys(phys, 0).word()
    }

    #[inline]
    fn note_workingset(&self, phys: Phys) -> bool {
        let (head, _) = self.head_of(phys, 0);
        head.flags.load(Relaxed) & PG_WORKINGSET != 0
    }
}

impl BlockIo for Phyr {
    /// Slab memory has addresses like any other.
    const SLAB_IO: SlabIo = SlabIo::Counted;

    #[inline]
    fn unit_at<'a>(&'a self, phys: Phys, offset: u32) -> (Page<'a>, u64) {
        let (head, offset) = self.head_of(phys, offset);
        (Page(head), offset)
    }

    #[inline]
    fn unit_bytes(&self, head: Page<'_>) -> u64 {
        PAGE_SIZE << self.0.map.order(head.0)
    }

    #[inline]
    fn next_unit<'a>(&'a self, head: Page<'a>) -> Page<'a> {
        Page(self.0.map.nth(head.0, self.0.map.nr_pages(head.0)))
    }

    /// One range, whatever it lies in.
    #[inline]
    fn add_unit<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Phys>,
        page: Page<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        let (phys, in_page) = self.page_at(self.phys_of(page), offset);
        add_page::<V, Self>(self, bio, phys, len, in_page)
    }

    fn pin(&self, bio: &Bio<Phys>) {
        self.for_each_unit(bio, |run| self.0.pin(run.unit.0, run.pages()));
    }

    #[inline]
    fn end_io(&self, bio: &Bio<Phys>) -> u64 {
        self.bio_release_pages(bio);
        bio.vecs().iter().map(|vec| u64::from(vec.len)).sum()
    }
}

impl Phyr {
    /// `__bio_release_pages` of v6.12, dirtying: an allocation's run at a time, as with folios.
    #[inline(never)]
    fn bio_release_pages(&self, bio: &Bio<Phys>) {
        if bio.no_page_ref {
            return;
        }
        self.for_each_unit(bio, |run| {
            memmap::set_dirty_lock(run.unit.0);
            self.0.unpin(run.unit.0, run.pages());
        });
    }
}
