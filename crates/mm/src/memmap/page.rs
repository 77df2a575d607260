//! A page as it is referred to, head or tail, and arithmetic from page to page.

use physmem::{PAGE_SHIFT, PAGE_SIZE};

use super::Memmap;
use crate::slot::{PowerArray, SLOT_SIZE, Slot};

/// A `struct page *`: any page of an allocation, head or tail. Every released kernel's
/// bio_vecs point at one.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Page<'a>(pub &'a Slot);

crate::slot_pointer!(Page);

impl Memmap {
    /// The page that byte `offset` from the start of `page` lies in, and the offset in it.
    #[inline]
    pub fn page_at<'a>(&'a self, page: Page<'_>, offset: u32) -> (Page<'a>, u32) {
        (
            Page(self.nth(page.0, u64::from(offset >> PAGE_SHIFT))),
            offset & (PAGE_SIZE as u32 - 1),
        )
    }

    /// The head of a page's allocation, and the bytes from its start to the page
    /// (`page_folio`, `folio_page_idx`).
    #[inline]
    pub fn head_and_offset<'a>(&'a self, page: Page<'a>) -> (&'a Slot, u64) {
        let head = self.compound_head(page.0);
        (head, self.distance(page.0, head) << PAGE_SHIFT)
    }

    /// Whether page arithmetic leads from `a` to `b`: always, the array being virtually
    /// contiguous, but the kernel computes it, for other memory models have holes.
    #[inline]
    pub fn contiguous(&self, a: Page<'_>, a_end: u64, b: Page<'_>, b_offset: u32) -> bool {
        let line = |page: Page<'_>, n: u64| PowerArray::word_of(page.0).wrapping_add(n * SLOT_SIZE);
        line(a, a_end >> PAGE_SHIFT) == line(b, u64::from(b_offset >> PAGE_SHIFT))
    }
}
