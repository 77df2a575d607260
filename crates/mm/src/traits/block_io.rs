//! `BlockIo`: bios over a design's memory.

use physmem::{PAGE_SHIFT, PhysAddr};

use super::design::{Design, Pointer};
use crate::block::{self, Bio, Pgmap, Segment, UnitRange};
use crate::rules::KernelRules;

/// How a bio_vec names memory: the facts that the block layer asks of a `bv_page`.
pub trait BvPages: Design {
    /// The name that a bio_vec stores: one pointer.
    type BvPage<'a>: Pointer
    where
        Self: 'a;

    /// Whether a name stands for a whole allocation, and `bv_offset` leads to its later
    /// pages, rather than for one page.
    const NAMES_UNITS: bool;

    /// The name of an allocation's first byte (`folio_page(folio, 0)`); `None` where the
    /// design refuses IO to memory of this kind. Law: `slab_io_is_as_claimed`.
    fn bv_page<'a>(&'a self, unit: Self::Unit<'a>) -> Option<Self::BvPage<'a>>;

    /// The physical address that offset 0 of a name means (`page_to_phys`).
    /// Law: `answers_equal_the_reference`.
    fn phys(&self, page: Self::BvPage<'_>) -> PhysAddr;

    /// The name and offset that a single-page walk hands out for byte `offset` of `page`
    /// (`bvec_iter_page`): wherever a page can be named, the page itself.
    #[inline]
    fn page_at<'a>(&'a self, page: Self::BvPage<'a>, offset: u32) -> (Self::BvPage<'a>, u32) {
        (page, offset)
    }

    /// The name and offset that a vec stores for byte `offset` of `page`: of the page where names
    /// are of pages, and unchanged where they are of units.
    #[inline]
    fn vec_at<'a>(&'a self, page: Self::BvPage<'a>, offset: u32) -> (Self::BvPage<'a>, u32) {
        if Self::NAMES_UNITS {
            (page, offset)
        } else {
            self.page_at(page, offset)
        }
    }

    /// The name and offset of base page `n` of an allocation (`folio_page`); `None` where a vec
    /// cannot name it: kept from the start of the allocation, `bv_offset` has 32 bits.
    #[inline]
    fn nth_page<'a>(&'a self, unit: Self::Unit<'a>, n: u64) -> Option<(Self::BvPage<'a>, u32)> {
        let page = self.bv_page(unit)?;
        Some(self.vec_at(page, u32::try_from(n << PAGE_SHIFT).ok()?))
    }

    /// A base page as its submitter holds it: `get_user_pages` fills in an array of these,
    /// heads and tails alike, whatever it is that vecs name.
    type UserPage<'a>: Copy + Send + Sync
    where
        Self: 'a;

    /// Base page `n` of an allocation as `get_user_pages` hands it out; `None` where the
    /// design refuses IO to memory of this kind.
    fn user_page<'a>(&'a self, unit: Self::Unit<'a>, n: u64) -> Option<Self::UserPage<'a>>;

    /// The name and offset that a vec stores for the start of a submitter's page: nothing to
    /// do where vecs name such pages, else the way from a tail to its head, or from a page to
    /// its address. `None` where the offset does not fit. Law: `user_pages_name_the_same_bytes`.
    fn name_user_page<'a>(&'a self, page: Self::UserPage<'a>) -> Option<(Self::BvPage<'a>, u32)>;

    /// The word by which the user of a walk reaches the descriptor of what it was handed
    /// (`bv.bv_page`).
    #[inline]
    fn descriptor_word(&self, page: Self::BvPage<'_>) -> u64 {
        page.word()
    }

    /// Checks a name that a vec is set to (`VM_BUG_ON_PAGE` in `bvec_set_page`): not at all, as
    /// without `CONFIG_DEBUG_VM`.
    #[inline]
    fn assert_vec(&self, _: Self::BvPage<'_>) {}

    /// Whether two names are both of ordinary memory, or of one device's
    /// (`zone_device_pages_have_same_pgmap`, v6.2 and later).
    #[inline]
    fn same_pgmap(&self, _: Self::BvPage<'_>, _: Self::BvPage<'_>) -> bool {
        true
    }

    /// The page map of a name's memory (`page_pgmap`); `None` for ordinary memory, and in a design
    /// that knows no other. Asked under the rules [`DeviceMemory`](crate::DeviceMemory) alone.
    #[inline]
    fn pgmap(&self, _: Self::BvPage<'_>) -> Option<Pgmap> {
        None
    }

    /// Makes an allocation device memory of a page map (`memmap_init_zone_device`), or ordinary
    /// memory again before it is freed. `false`, and nothing done, where vecs have nothing that
    /// could be asked for it. Law: `answers_equal_the_reference`.
    fn set_pgmap<'a>(&'a self, _: Self::Unit<'a>, _: Option<Pgmap>) -> bool {
        false
    }

    /// Whether `a + a_end` bytes is reached by the same descriptor arithmetic as
    /// `b + b_offset` (`bv_page + n == page`): always, where none is done.
    #[inline]
    fn memmap_contiguous(&self, _: Self::BvPage<'_>, _: u64, _: Self::BvPage<'_>, _: u32) -> bool {
        true
    }

    /// Whether a page that is added again is refaulting (`PageWorkingset`, in
    /// `__bio_add_page` up to v5.19).
    #[inline]
    fn note_workingset(&self, _: Self::BvPage<'_>) -> bool {
        false
    }
}

/// Whether a design takes block IO to slab memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlabIo {
    /// Taken, with a reference on the slab for the time of the IO.
    Counted,
    /// Taken; slab memory has no reference count of its own in this design.
    Uncounted,
    /// Refused: a bio_vec cannot name slab memory.
    Refused,
}

/// Bios: how an allocation is added, walked and released. The block layer itself is
/// [`crate::block`], the same for every design.
pub trait BlockIo: BvPages {
    /// Block IO to slab memory: taken or refused.
    const SLAB_IO: SlabIo;

    /// Whether a vec ends with its page, as before v5.1: such a design is only run under
    /// 5.0 rules, and the others under all later ones.
    const SINGLE_PAGE_VECS: bool = false;

    /// The unit that a vec begins in, and the offset of its first byte there
    /// (`bio_first_folio`): what the vec names and its `bv_offset` where names are of units,
    /// `page_folio` and `folio_page_idx` where they are of pages.
    /// Law: `walks_cover_the_same_bytes`.
    fn unit_at<'a>(&'a self, page: Self::BvPage<'a>, offset: u32) -> (Self::Unit<'a>, u64);

    /// Takes the references that [`Self::end_io`] drops (`bio_iov_iter_get_pages`' pins).
    /// Law: `end_of_io_gives_references_back`.
    fn pin<'a>(&'a self, bio: &Bio<Self::BvPage<'a>>);

    /// Ends a read into user memory (`bio_release_pages(bio, true)`) by the same steps in every
    /// design: of each page or unit that a vec names, lock, mark dirty, unlock, give the pins
    /// back, free with the last reference. A bio that pinned nothing (`no_page_ref`,
    /// `BIO_NO_PAGE_REF`; the other way round since v6.5, `BIO_PAGE_PINNED`) leaves its memory
    /// alone. Returns the bytes of the bio. Law: `end_of_io_gives_references_back`.
    fn end_io<'a>(&'a self, bio: &Bio<Self::BvPage<'a>>) -> u64;

    /// Bytes of a unit (`folio_size`).
    #[inline]
    fn unit_bytes<'a>(&'a self, unit: Self::Unit<'a>) -> u64 {
        self.extent(unit).order.bytes()
    }

    /// The unit that physically follows this one (`folio_next`); the unit itself where
    /// there is none, which no vec reaches into.
    #[inline]
    fn next_unit<'a>(&'a self, unit: Self::Unit<'a>) -> Self::Unit<'a> {
        self.lookup(self.extent(unit).end()).unwrap_or(unit)
    }

    /// Adds a part of an allocation in the largest steps that the design has
    /// (`bio_add_folio`): in one where names are of units, else a page at a time. Returns the
    /// bytes added.
    #[inline]
    fn add_unit<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Self::BvPage<'a>>,
        unit: Self::Unit<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        match self.bv_page(unit) {
            None => 0,
            Some(page) if Self::NAMES_UNITS => {
                block::add_page::<V, Self>(self, bio, page, len, offset)
            }
            Some(page) => block::add_page_in_page_pieces::<V, Self>(self, bio, page, len, offset),
        }
    }

    /// Walks a bio a base page at a time (`bio_for_each_segment`).
    #[inline]
    fn for_each_segment<'a>(
        &'a self,
        bio: &Bio<Self::BvPage<'a>>,
        visit: impl FnMut(Segment<Self::BvPage<'a>>),
    ) {
        block::Segments::new(self, bio).for_each(visit);
    }

    /// Walks a bio a vec at a time (`bio_for_each_bvec`).
    #[inline]
    fn for_each_bvec<'a>(
        &'a self,
        bio: &Bio<Self::BvPage<'a>>,
        visit: impl FnMut(Segment<Self::BvPage<'a>>),
    ) {
        block::Bvecs::new(bio).for_each(visit);
    }

    /// Walks a bio by the design's own unit (`bio_for_each_folio_all`).
    #[inline]
    fn for_each_unit<'a>(
        &'a self,
        bio: &Bio<Self::BvPage<'a>>,
        visit: impl FnMut(UnitRange<Self::Unit<'a>>),
    ) {
        block::for_each_unit(self, bio, visit);
    }
}
