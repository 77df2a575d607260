//! Bios whose vecs name a folio and a place in it by offset.

use std::sync::atomic::Ordering::Relaxed;

use mm::block::{Bio, Pgmap, add_page};
use mm::memmap::{self, PG_WORKINGSET, Page};
use mm::{BlockIo, BvPages, Design, KernelRules, SlabIo};
use physmem::{PAGE_SIZE, PhysAddr};

use crate::{Folio, FolioBvecDesign};

impl<const SLAB: bool> BvPages for FolioBvecDesign<SLAB> {
    type BvPage<'a> = Folio<'a>;
    type UserPage<'a> = Page<'a>;
    const NAMES_UNITS: bool = true;

    #[inline]
    fn bv_page<'a>(&'a self, folio: Folio<'a>) -> Option<Folio<'a>> {
        Folio::of::<SLAB>(folio.0)
    }

    #[inline]
    fn phys(&self, folio: Folio<'_>) -> PhysAddr {
        self.0.map.phys(folio.0)
    }

    #[inline]
    fn user_page<'a>(&'a self, folio: Folio<'a>, n: u64) -> Option<Page<'a>> {
        let folio = self.bv_page(folio)?;
        Some(Page(self.0.map.nth(folio.0, n)))
    }

    /// `page_folio` and `folio_page_idx`: the one place with a tail test.
    #[inline]
    fn name_user_page<'a>(&'a self, page: Page<'a>) -> Option<(Folio<'a>, u32)> {
        let (head, offset) = self.0.map.head_and_offset(page);
        Some((Folio::of::<SLAB>(head)?, u32::try_from(offset).ok()?))
    }

    #[inline]
    fn same_pgmap(&self, a: Folio<'_>, b: Folio<'_>) -> bool {
        memmap::same_pgmap(a.0, b.0)
    }

    #[inline]
    fn pgmap(&self, folio: Folio<'_>) -> Option<Pgmap> {
        memmap::pgmap(folio.0)
    }

    fn set_pgmap<'a>(&'a self, unit: Self::Unit<'a>, pgmap: Option<Pgmap>) -> bool {
        self.0.map.set_pgmap(self.slot_of(unit), pgmap);
        true
    }

    #[inline]
    fn memmap_contiguous(&self, a: Folio<'_>, a_end: u64, b: Folio<'_>, b_offset: u32) -> bool {
        self.0.map.contiguous(Page(a.0), a_end, Page(b.0), b_offset)
    }

    #[inline]
    fn note_workingset(&self, folio: Folio<'_>) -> bool {
        folio.0.flags.load(Relaxed) & PG_WORKINGSET != 0
    }
}

impl<const SLAB: bool> BlockIo for FolioBvecDesign<SLAB> {
    const SLAB_IO: SlabIo = if SLAB {
        SlabIo::Counted
    } else {
        SlabIo::Refused
    };

    /// The vec names it: the claim of the design.
    #[inline]
    fn unit_at<'a>(&'a self, folio: Folio<'a>, offset: u32) -> (Folio<'a>, u64) {
        (folio, u64::from(offset))
    }

    #[inline]
    fn unit_bytes(&self, folio: Folio<'_>) -> u64 {
        PAGE_SIZE << self.0.map.order(folio.0)
    }

    #[inline]
    fn next_unit<'a>(&'a self, folio: Folio<'a>) -> Folio<'a> {
        Folio(self.0.map.nth(folio.0, self.0.map.nr_pages(folio.0)))
    }

    /// `bio_add_folio`. A caller that has a folio need not ask whether it is a slab: the type says
    /// so.
    #[inline]
    fn add_unit<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Folio<'a>>,
        folio: Folio<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        add_page::<V, Self>(self, bio, folio, len, offset)
    }

    fn pin<'a>(&'a self, bio: &Bio<Folio<'a>>) {
        self.for_each_unit(bio, |run| self.0.pin(run.unit.0, run.pages()));
    }

    #[inline]
    fn end_io<'a>(&'a self, bio: &Bio<Folio<'a>>) -> u64 {
        self.bio_release_pages(bio);
        bio.vecs().iter().map(|vec| u64::from(vec.len)).sum()
    }
}

impl<const SLAB: bool> FolioBvecDesign<SLAB> {
    /// `__bio_release_pages` of v6.12, dirtying: a folio's run at a time.
    #[inline(never)]
    fn bio_release_pages<'a>(&'a self, bio: &Bio<Folio<'a>>) {
        if bio.no_page_ref {
            return;
        }
        self.for_each_unit(bio, |run| {
            memmap::set_dirty_lock(run.unit.0);
            self.0.unpin(run.unit.0, run.pages());
        });
    }
}
