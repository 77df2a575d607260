//! # A folio for everything
//!
//! A [`Folio`] is a head page *by type*: whoever holds one never asks whether it might be
//! a tail. Taken to its end, every allocation that is not a tail page is a folio: page
//! cache and anonymous memory, and also page tables, slabs, zsmalloc, kernel stacks and
//! pipe buffers. The lines are those of `struct page` (a folio overlays its head), so
//! memory cost is the same as flat; what goes away is `compound_head()` on every path
//! that starts from a folio. It stays where a frame or a bio_vec's page leads in.
//!
//! bio_vecs still name pages, as in every released kernel; IO is added, walked and
//! released a folio at a time. Mirrors v6.12.

#![forbid(unsafe_code)]

mod accounting;
mod block_io;

use hugemem::Proof;
use mm::memcg::{self, MemcgTree};
use mm::memmap::{self, Memmap};
use mm::{BuildError, Descriptor, Design, Plan, PowerArray, Slot};
use physmem::{Extent, Kind, Pfn};

/// A `struct folio *`: never a tail. Made only by composing an allocation and by
/// `page_folio`, which pays `compound_head` once.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Folio<'a>(pub(crate) &'a Slot);

impl<'a> Folio<'a> {
    /// The folio's first page (`&folio->page`).
    #[inline]
    pub fn page(self) -> &'a Slot {
        self.0
    }
}

impl PartialEq for Folio<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Folio<'_> {}

/// The folio design.
#[derive(Debug)]
pub struct FolioForAll {
    map: Memmap,
    memory: MemcgTree,
}

impl FolioForAll {
    /// The array of `struct page`.
    #[inline]
    pub fn memmap(&self) -> &Memmap {
        &self.map
    }

    /// The folio that a page belongs to (`page_folio`): the one place with a tail test.
    #[inline]
    fn page_folio<'a>(&'a self, page: &'a Slot) -> Folio<'a> {
        Folio(self.map.compound_head(page))
    }
}

impl Design for FolioForAll {
    const NAME: &'static str = "folio";
    const IDEA: &'static str = "every allocation is a folio: a head page by type, no tail tests";
    const DESCRIPTORS: &'static [Descriptor] = &[memmap::STRUCT_PAGE];
    type Unit<'a> = Folio<'a>;

    fn build(plan: &Plan) -> Result<Self, BuildError> {
        Ok(Self {
            map: Memmap::build(plan)?,
            memory: MemcgTree::new()?,
        })
    }

    fn alloc(&self, extent: Extent, kind: Kind) -> Folio<'_> {
        Folio(self.map.alloc(extent, kind))
    }

    fn mark_free(&self, extent: Extent) {
        self.map.mark_free(extent);
    }

    fn free(&self, folio: Folio<'_>) {
        self.map.free(folio.0);
    }

    fn split(&self, folio: Folio<'_>) {
        memcg::split_owner(
            &self.memory,
            &folio.0.memcg_data,
            self.map.nr_pages(folio.0),
        );
        self.map.split(folio.0);
    }

    #[inline]
    fn lookup(&self, pfn: Pfn) -> Option<Folio<'_>> {
        if !self.map.describes(pfn) {
            return None;
        }
        let folio = self.page_folio(self.map.page(pfn));
        (self.map.refcount(folio.0) != 0).then_some(folio)
    }

    fn extent(&self, folio: Folio<'_>) -> Extent {
        self.map.extent(folio.0)
    }

    #[inline]
    fn kind(&self, folio: Folio<'_>) -> Kind {
        Memmap::kind(folio.0)
    }

    #[inline]
    fn unit_word(folio: Folio<'_>) -> u64 {
        PowerArray::word_of(folio.0)
    }

    #[inline]
    fn get(&self, folio: Folio<'_>) {
        memmap::page_ref_inc(folio.0);
    }

    #[inline]
    fn try_get(&self, folio: Folio<'_>) -> bool {
        memmap::page_ref_add_unless_zero(folio.0)
    }

    #[inline]
    fn put(&self, folio: Folio<'_>) -> bool {
        memmap::page_ref_sub_and_test(folio.0, 1)
    }

    fn refcount(&self, folio: Folio<'_>) -> u32 {
        self.map.refcount(folio.0)
    }

    fn is_dirty(&self, folio: Folio<'_>) -> bool {
        memmap::is_dirty(folio.0)
    }

    fn descriptor_bytes(&self) -> u64 {
        self.map.bytes()
    }

    fn memory(&self) -> Vec<Result<Proof, hugemem::Error>> {
        vec![self.map.slots().proof()]
    }
}
