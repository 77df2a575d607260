//! # A folio for everything
//!
//! A [`Folio`] is a head page *by type*: the holder of one never asks whether it might be a
//! tail. Taken to its conclusion, every allocation that is not a tail page is a folio: page
//! cache and anonymous memory, and also page tables, slabs, zsmalloc, kernel stacks and
//! pipe buffers. The lines are those of `struct page` (a folio overlays its head), so
//! memory cost is the same as flat; `compound_head()` goes away on every path that starts
//! from a folio. It stays where a frame or a bio_vec's page leads in.
//!
//! bio_vecs still name pages, as in every released kernel; IO is added, walked and
//! released a folio at a time. Mirrors v6.12.

#![forbid(unsafe_code)]

mod block_io;

use mm::memmap::Memmap;
use mm::{OnMemmap, PageArray, Slot};

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

mm::slot_pointer!(Folio);

/// The folio design.
#[derive(Debug)]
pub struct FolioForAll(PageArray);

impl FolioForAll {
    /// The array of `struct page`.
    #[inline]
    pub fn memmap(&self) -> &Memmap {
        &self.0.map
    }

    /// The folio that a page belongs to (`page_folio`): the one place with a tail test.
    #[inline]
    fn page_folio<'a>(&'a self, page: &'a Slot) -> Folio<'a> {
        Folio(self.0.map.compound_head(page))
    }
}

impl OnMemmap for FolioForAll {
    const NAME: &'static str = "folio";
    const IDEA: &'static str = "every allocation is a folio: a head page by type, no tail tests";
    type Ref<'a> = Folio<'a>;

    fn over(pages: PageArray) -> Self {
        Self(pages)
    }

    #[inline]
    fn pages(&self) -> &PageArray {
        &self.0
    }

    #[inline]
    fn head<'a>(&'a self, folio: Folio<'a>) -> &'a Slot {
        folio.0
    }

    #[inline]
    fn unit<'a>(&'a self, head: &'a Slot) -> Folio<'a> {
        Folio(head)
    }
}
