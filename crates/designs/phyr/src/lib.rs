//! # bio_vecs that are physical ranges
//!
//! A [`Phys`] is an address, not a pointer to a descriptor: a bio_vec says which bytes, and not
//! what describes them (Gunthorpe's and Wilcox's `struct phyr`, 2022; `{physaddr, len}` in a
//! bio_vec, Howells and Hellwig, 2025). All else is `struct page` as in the flat design.
//!
//! The cost moves to other callers. A page that is added becomes an address once
//! ([`name_user_page`](mm::BvPages::name_user_page): `page_to_phys`). From there on merging,
//! cutting and mapping are arithmetic on addresses, with no descriptor, no tail test and no
//! question about what the memory is. Code that needs a descriptor after all, as the end of IO into
//! user memory does, goes from the address to the page and from the page to its head
//! (`Phyr::head_of`: `pfn_to_page`, `compound_head`).

#![forbid(unsafe_code)]

mod block_io;

use mm::memmap::Page;
use mm::{OnMemmap, PageArray, Pointer, Slot};
use physmem::{PAGE_SHIFT, PAGE_SIZE, Pfn, PhysAddr};

/// The address of a page, as a bio_vec holds it; `bv_offset` is what the address has below.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Phys(pub(crate) PhysAddr);

impl Pointer for Phys {
    #[inline]
    fn word(self) -> u64 {
        self.0
    }
}

/// The design with physical ranges in its bio_vecs.
#[derive(Debug)]
pub struct Phyr(PageArray);

impl Phyr {
    /// The address of a page (`page_to_phys`).
    #[inline]
    fn phys_of(&self, page: Page<'_>) -> Phys {
        Phys(self.0.map.phys(page.0))
    }

    /// The page that byte `offset` from an address lies in (`phys_to_page`).
    #[inline]
    fn page_at_phys(&self, phys: Phys, offset: u32) -> Page<'_> {
        Page(
            self.0
                .map
                .page(Pfn((phys.0 + u64::from(offset)) >> PAGE_SHIFT)),
        )
    }

    /// The head of the allocation that byte `offset` from an address lies in, and the offset
    /// in the allocation (`page_folio(phys_to_page(phys))`).
    #[inline]
    fn head_of(&self, phys: Phys, offset: u32) -> (&Slot, u64) {
        let page = self.page_at_phys(phys, offset).0;
        let head = self.0.map.compound_head(page);
        let in_head = self.0.map.distance(page, head) << PAGE_SHIFT;
        (head, in_head + u64::from(offset) % PAGE_SIZE)
    }
}

impl OnMemmap for Phyr {
    const NAME: &'static str = "phyr";
    const IDEA: &'static str = "struct page, but bio_vecs are physical ranges and name no page";
    type Ref<'a> = Page<'a>;

    fn over(pages: PageArray) -> Self {
        Self(pages)
    }

    #[inline]
    fn pages(&self) -> &PageArray {
        &self.0
    }

    /// As with flat pages: whoever is handed a page may be handed a tail.
    #[inline]
    fn head<'a>(&'a self, page: Page<'a>) -> &'a Slot {
        self.0.map.compound_head(page.0)
    }

    #[inline]
    fn unit<'a>(&'a self, head: &'a Slot) -> Page<'a> {
        Page(head)
    }
}
