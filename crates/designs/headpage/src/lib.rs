//! # bio_vecs that point only at head pages
//!
//! Keep `struct page`, but let every reference to an allocation be one to its head: a
//! bio_vec holds a head page and an offset into the whole allocation. The lines are those
//! of the flat design; the *reference* changes. No iteration needs to break a vec into
//! pages in order to find the head, since the vec names it.
//!
//! Assertions give here what a type gives to folios: [`HeadPage`] checks
//! `!PageTail(page)` wherever it is handed a page (`VM_BUG_ON_PAGE`), and counts its
//! finds in [`HeadPageDesign::violations`]; [`HeadPageUnchecked`] is the same without.
//! Anyone may still write down a tail page: the types do not say.

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

    /// How often a tail page was handed in where only heads may be; stays 0 without
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
        "struct page, but references name head pages only, with assertions"
    } else {
        "head pages with the assertions compiled out"
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

    /// Asserted, not looked for.
    #[inline]
    fn head<'a>(&'a self, head: Page<'a>) -> &'a Slot {
        self.assert_head(head);
        head.0
    }

    #[inline]
    fn unit<'a>(&'a self, head: &'a Slot) -> Page<'a> {
        Page(head)
    }
}
