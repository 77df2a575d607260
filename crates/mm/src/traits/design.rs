//! `Design`: how physical memory is described.

use std::fmt::Debug;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use hugemem::{Backing, Mapping};
use physmem::{Extent, Kind, Pfn};

use crate::memmap::{self, PG_DIRTY};
use crate::slot::Slot;

/// The frames that a design is built for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The first frame; a multiple of the largest order used.
    pub base: Pfn,
    /// Frames described.
    pub frames: u64,
    /// The memory that the descriptors themselves lie on.
    pub backing: Backing,
    /// The seed of the order in which a design hands out descriptors that it allocates apart
    /// from the frames (`shuffle_freelist`); of no use to an array of them.
    pub seed: u64,
}

/// There is no memory for a descriptor (`-ENOMEM`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no memory for a descriptor (ENOMEM)")]
pub struct NoMemory;

/// Why a design could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No memory for descriptors.
    #[error("no memory for the descriptors: {0}")]
    Memory(#[from] hugemem::Error),
}

/// A field of a descriptor, for the docs, the size assertions and the memory plot.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name as in the kernel.
    pub name: &'static str,
    /// Bytes from the descriptor's start.
    pub offset: usize,
    /// Bytes.
    pub size: usize,
}

/// One kind of descriptor that a design keeps.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// Name as in the kernel or in the thread.
    pub name: &'static str,
    /// Bytes of one.
    pub bytes: usize,
    /// The fields, by offset.
    pub fields: &'static [Field],
}

/// An array of descriptors as it stands in memory.
#[derive(Clone, Copy, Debug)]
pub struct DescriptorArray<'a> {
    /// Bytes that the described frames now cost here: per-frame descriptors for all frames,
    /// typed ones for each allocation that exists.
    pub bytes: u64,
    /// The memory that the array lies in.
    pub mapping: &'a Mapping,
}

/// A reference to memory that is one machine word: a `struct page *`, a `struct folio *`.
pub trait Pointer: Copy + Eq + Send + Sync + Debug {
    /// The word (`(unsigned long)folio`).
    fn word(self) -> u64;
}

/// Makes a type over one `&Slot` a [`Pointer`]: two are equal if they point at the same slot.
#[macro_export]
macro_rules! slot_pointer {
    ($pointer:ident) => {
        impl PartialEq for $pointer<'_> {
            #[inline]
            fn eq(&self, other: &Self) -> bool {
                std::ptr::eq(self.0, other.0)
            }
        }

        impl Eq for $pointer<'_> {}

        impl $crate::Pointer for $pointer<'_> {
            #[inline]
            fn word(self) -> u64 {
                $crate::PowerArray::word_of(self.0)
            }
        }
    };
}

impl Pointer for Pfn {
    #[inline]
    fn word(self) -> u64 {
        self.0
    }
}

/// One answer to how physical memory is described. A design that implements this trait and
/// no other is a contender: the loops of other capabilities print a dash.
pub trait Design: Sized + Send + Sync {
    /// The name on the command line and in records: `flat`.
    const NAME: &'static str;
    /// One line for `folioscope list`: the idea.
    const IDEA: &'static str;
    /// Whether this is the harness floor: it does no work, and its answers are not checked.
    const IS_FLOOR: bool = false;
    /// The descriptors.
    const DESCRIPTORS: &'static [Descriptor];
    /// The name by which other subsystems hold an allocation: a page, a folio, a head page,
    /// a typed reference.
    type Unit<'a>: Pointer
    where
        Self: 'a;

    /// Allocates and populates descriptors; every frame starts free (`memmap_init`).
    /// Law: `every_frame_leads_to_its_allocation`.
    fn build(plan: &Plan) -> Result<Self, BuildError>;

    /// Makes an allocation out of free frames, with one reference (`prep_new_page`,
    /// `prep_compound_page`). Law: `every_frame_leads_to_its_allocation`.
    fn alloc(&self, extent: Extent, kind: Kind) -> Self::Unit<'_>;

    /// Whether the later frames of an allocation without `__GFP_COMP` lead to it. The array of
    /// `struct page` has no tails then: no reference, no type and no way to the first page, like a
    /// page that is free in a CPU's list.
    const LATER_PAGES_ARE_TOLD: bool = true;

    /// Makes an allocation without `__GFP_COMP` (`alloc_pages`, for example a stack without
    /// `CONFIG_VMAP_STACK`). [`Self::free`] frees all of it.
    /// Law: `a_walk_passes_what_is_frozen_or_not_compound`.
    #[inline]
    fn alloc_without_comp(&self, extent: Extent, kind: Kind) -> Self::Unit<'_> {
        self.alloc(extent, kind)
    }

    /// Takes the reference count away from an allocation (`folio_ref_freeze`; slabs since v6.15
    /// have none from the start): nobody can take a reference, and no look-up finds it.
    /// Law: `a_walk_passes_what_is_frozen_or_not_compound`.
    #[inline]
    fn freeze<'a>(&'a self, unit: Self::Unit<'a>) {
        self.slot_of(unit).refcount.store(0, Release);
    }

    /// Gives it one reference again (`folio_ref_unfreeze`).
    #[inline]
    fn unfreeze<'a>(&'a self, unit: Self::Unit<'a>) {
        self.slot_of(unit).refcount.store(1, Release);
    }

    /// Returns an allocation's frames to the free ones, whatever its reference count
    /// (`free_pages_prepare`). Law: `every_frame_leads_to_its_allocation`.
    fn free<'a>(&'a self, unit: Self::Unit<'a>);

    /// Splits an allocation that is on no LRU list into ones of order 0 of the same kind,
    /// owner and reference count (`split_page`, `folio_split`), each findable by
    /// [`Self::lookup`]. Law: `every_frame_leads_to_its_allocation`.
    ///
    /// # Errors
    /// [`NoMemory`] where the parts need descriptors that cannot be had; nothing has changed
    /// then.
    fn split<'a>(&'a self, unit: Self::Unit<'a>) -> Result<(), NoMemory>;

    /// Finds the allocation that a frame belongs to (`pfn_folio`); `None` for a free frame or
    /// one that is not described. Law: `every_frame_leads_to_its_allocation`.
    fn lookup(&self, pfn: Pfn) -> Option<Self::Unit<'_>>;

    /// The frames of an allocation (`folio_pfn`, `folio_order`).
    /// Law: `every_frame_leads_to_its_allocation`.
    fn extent<'a>(&'a self, unit: Self::Unit<'a>) -> Extent;

    /// The use that an allocation is put to (`folio_test_anon`, `folio_test_slab`).
    /// Law: `every_frame_leads_to_its_allocation`.
    fn kind<'a>(&'a self, unit: Self::Unit<'a>) -> Kind;

    /// The line with an allocation's flags, reference count and list words: where flat pages
    /// pay `compound_head`. Law: `references_are_counted`.
    fn slot_of<'a>(&'a self, unit: Self::Unit<'a>) -> &'a Slot;

    /// The arrays of descriptors, their cost and their memory (`vmemmap_populate`). Test:
    /// `footprints_are_what_the_layouts_of_descriptors_say` in `registry`.
    fn memory(&self) -> Vec<DescriptorArray<'_>>;

    /// Takes a reference (`get_page`, `folio_get`).
    #[inline]
    fn get<'a>(&'a self, unit: Self::Unit<'a>) {
        memmap::page_ref_inc(self.slot_of(unit));
    }

    /// Takes a reference unless there is none left (`get_page_unless_zero`,
    /// `folio_try_get`).
    #[inline]
    fn try_get<'a>(&'a self, unit: Self::Unit<'a>) -> bool {
        memmap::page_ref_add_unless_zero(self.slot_of(unit))
    }

    /// Drops a reference; true where it was the last, and the caller then frees the
    /// allocation (`put_page_testzero`).
    #[inline]
    fn put<'a>(&'a self, unit: Self::Unit<'a>) -> bool {
        memmap::page_ref_sub_and_test(self.slot_of(unit), 1)
    }

    /// Whether a frame still leads to an allocation, once a reference to it is held: between the
    /// look-up and the reference the frame may have been freed, and a descriptor may describe
    /// something else by now (`page_folio(page) == folio`).
    /// Law: `what_a_frame_leads_to_is_not_another_frames`.
    #[inline]
    fn leads_to<'a>(&'a self, pfn: Pfn, unit: Self::Unit<'a>) -> bool {
        self.lookup(pfn) == Some(unit)
    }

    /// Finds the allocation that a frame belongs to and takes a reference to it; `None` where
    /// it is free or was freed underneath (`page_idle_get_folio`, v6.12).
    /// Law: `what_a_frame_leads_to_is_not_another_frames`.
    #[inline]
    fn try_get_at(&self, pfn: Pfn) -> Option<Self::Unit<'_>> {
        let unit = self.lookup(pfn)?;
        if !self.try_get(unit) {
            return None;
        }
        if !self.leads_to(pfn, unit) {
            self.put_and_free(unit);
            return None;
        }
        Some(unit)
    }

    /// Drops a reference, and frees the allocation with the last one (`folio_put` of memory
    /// that is on no list and charged to nobody).
    #[inline]
    fn put_and_free<'a>(&'a self, unit: Self::Unit<'a>) {
        if self.put(unit) {
            self.free(unit);
        }
    }

    /// References held (`page_count`, `folio_ref_count`).
    #[inline]
    fn refcount<'a>(&'a self, unit: Self::Unit<'a>) -> u32 {
        self.slot_of(unit).refcount.load(Acquire)
    }

    /// Whether the allocation holds data that was written to and not yet stored
    /// (`folio_test_dirty`).
    #[inline]
    fn is_dirty<'a>(&'a self, unit: Self::Unit<'a>) -> bool {
        self.slot_of(unit).flags.load(Relaxed) & PG_DIRTY != 0
    }

    /// Bytes of descriptor that the frames described now cost.
    fn descriptor_bytes(&self) -> u64 {
        self.memory().iter().map(|array| array.bytes).sum()
    }
}
