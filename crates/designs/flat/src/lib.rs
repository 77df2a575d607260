//! # `struct page` for everything
//!
//! Every frame has a [`Page`]. Allocations above order 0 are compound pages: a head and
//! tails that point at it. Any function may be handed any page of an allocation, so
//! the state of an allocation (references, flags, owner, size) is reached through
//! `compound_head()`: a load, a test, and for a tail a second line. memcg, the block
//! layer and the LRU all speak `struct page`.
//!
//! Two variants: [`Flat`] as since v5.1, with bio_vecs that span pages, and
//! [`FlatSinglePage`] as before, where a bio_vec ends with its page and segments are
//! counted by walking. They mirror v5.10 and v5.0 respectively.

#![forbid(unsafe_code)]

mod block_io;
mod end_io;

use mm::memmap::Memmap;
use mm::{OnMemmap, PageArray, Slot};
use physmem::Pfn;

pub use mm::memmap::Page;

/// Flat pages with bio_vecs that span pages.
pub type Flat = FlatDesign<false>;
/// Flat pages with bio_vecs that end with their page (before v5.1).
pub type FlatSinglePage = FlatDesign<true>;

/// The flat design, with multi-page or with single-page bio_vecs.
#[derive(Debug)]
pub struct FlatDesign<const SINGLE_PAGE_VECS: bool>(PageArray);

impl<const SINGLE_PAGE_VECS: bool> FlatDesign<SINGLE_PAGE_VECS> {
    /// The page that all pages of an allocation answer for. Every function that is handed
    /// a page pays it, since the type does not say whether the page is a tail.
    #[inline]
    pub fn compound_head<'a>(&'a self, page: Page<'a>) -> &'a Slot {
        self.0.map.compound_head(page.0)
    }

    /// The page of a frame (`pfn_to_page`), of any state.
    #[inline]
    pub fn page(&self, pfn: Pfn) -> Page<'_> {
        Page(self.0.map.page(pfn))
    }

    /// The array of `struct page`.
    #[inline]
    pub fn memmap(&self) -> &Memmap {
        &self.0.map
    }

    /// The `n`th page after this one (`page + n`).
    #[inline]
    pub fn nth<'a>(&'a self, page: Page<'a>, n: u64) -> Page<'a> {
        Page(self.0.map.nth(page.0, n))
    }
}

impl<const SINGLE_PAGE_VECS: bool> OnMemmap for FlatDesign<SINGLE_PAGE_VECS> {
    const NAME: &'static str = if SINGLE_PAGE_VECS { "flat-sp" } else { "flat" };
    const IDEA: &'static str = if SINGLE_PAGE_VECS {
        "struct page, and a bio_vec that ends with its page (before v5.1)"
    } else {
        "struct page for everything; a tail leads to its head"
    };
    type Ref<'a> = Page<'a>;

    fn over(pages: PageArray) -> Self {
        Self(pages)
    }

    #[inline]
    fn pages(&self) -> &PageArray {
        &self.0
    }

    #[inline]
    fn head<'a>(&'a self, page: Page<'a>) -> &'a Slot {
        self.compound_head(page)
    }

    #[inline]
    fn unit<'a>(&'a self, head: &'a Slot) -> Page<'a> {
        Page(head)
    }

    /// A page, head or tail.
    #[inline]
    fn unit_of_page<'a>(&'a self, page: Page<'a>) -> Page<'a> {
        page
    }
}
