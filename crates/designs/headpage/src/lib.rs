//! # bio_vecs that point only at head pages
//!
//! Keep `struct page`, memcg, the LRU and references as they are, every function that is handed
//! a page paying `compound_head()`; but let a bio_vec hold a head page and an offset into the
//! whole allocation. No iteration needs to break a vec into pages in order to find the head,
//! since the vec names it.
//!
//! An assertion gives here what a type gives to folios: [`HeadPage`] checks `!PageTail(page)` where
//! a vec is set (`VM_BUG_ON_PAGE` in `bvec_set_page`) and counts what it finds in
//! [`HeadPageDesign::violations`]; [`HeadPageUnchecked`] is the same without, as in production
//! kernels, where `VM_BUG_ON_PAGE` is nothing without `CONFIG_DEBUG_VM`. A vec may still be set to
//! a tail page: the types do not forbid it.
//!
//! Linux had such vecs: 6.1's `bio_add_folio` stores `&folio->page` and the whole offset. It was
//! reverted ("block: fix adding folio to bio", 26064d3e2b4d) because `bv_offset` has 32 bits, and a
//! folio may be 4 GiB; 6.12's finds the page first. Here memory that such an offset does not reach
//! is refused a vec, or a place in one. The rules' short cuts for a vec within its first page look
//! at the offset in that page, as the patch `headpage` does.

#![forbid(unsafe_code)]

mod block_io;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use mm::memmap::{Memmap, Page};
use mm::{OnMemmap, PageArray, Slot};
use physmem::Pfn;

/// Head pages with assertions.
pub type HeadPage = HeadPageDesign<true>;
/// Head pages with assertions compiled out.
pub type HeadPageUnchecked = HeadPageDesign<false>;

/// The head-page design, with or without assertions.
#[derive(Debug)]
pub struct HeadPageDesign<const CHECK: bool> {
    pages: PageArray,
    violations: AtomicU64,
}

impl<const CHECK: bool> HeadPageDesign<CHECK> {
    /// `VM_BUG_ON_PAGE(PageTail(page), page)`.
    #[inline]
    fn assert_head(&self, page: Page<'_>) {
        if CHECK && Memmap::is_tail(page.0) {
            self.bug();
        }
    }

    /// A kernel would stop here.
    #[cold]
    #[inline(never)]
    fn bug(&self) {
        self.violations.fetch_add(1, Relaxed);
    }

    /// How often a vec was set to a tail page; stays 0 without
    /// assertions.
    pub fn violations(&self) -> u64 {
        self.violations.load(Relaxed)
    }

    /// The page of a frame, head or tail: what the assertions guard against.
    pub fn page(&self, pfn: Pfn) -> Page<'_> {
        Page(self.pages.map.page(pfn))
    }
}

impl<const CHECK: bool> OnMemmap for HeadPageDesign<CHECK> {
    const NAME: &'static str = if CHECK {
        "headpage"
    } else {
        "headpage-noassert"
    };
    const IDEA: &'static str = if CHECK {
        "struct page, but bio_vecs name head pages only, with assertions"
    } else {
        "bio_vecs name head pages, the assertions compiled out"
    };
    type Ref<'a> = Page<'a>;

    fn over(pages: PageArray) -> Self {
        Self {
            pages,
            violations: AtomicU64::new(0),
        }
    }

    #[inline]
    fn pages(&self) -> &PageArray {
        &self.pages
    }

    /// As with flat pages: whoever is handed a page may be handed a tail.
    #[inline]
    fn head<'a>(&'a self, page: Page<'a>) -> &'a Slot {
        self.pages.map.compound_head(page.0)
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
