//! # `struct page` for everything
//!
//! Every frame has a [`Page`]. Allocations above order 0 are compound pages: a head and
//! tails that point at it. Any function may be handed any page of an allocation, so
//! whatever is kept per allocation (references, flags, owner, size) is reached through
//! `compound_head()`: a load, a test, and for a tail a second line. memcg, the block
//! layer and the LRU all speak `struct page`.
//!
//! Two variants: [`Flat`] as since v5.1, with bio_vecs that span pages, and
//! [`FlatSinglePage`] as before, where a bio_vec ends with its page and segments are
//! counted by walking. Mirrors v5.10, v5.0 respectively.

#![forbid(unsafe_code)]

mod accounting;
mod block_io;
mod end_io;
mod single_page;

use hugemem::Proof;
use mm::memcg::{self, MemcgTree};
use mm::memmap::{self, Memmap};
use mm::{BuildError, Descriptor, Design, Plan, PowerArray, Slot};
use physmem::{Extent, Kind, Pfn};

pub use mm::memmap::Page;
pub use single_page::FlatSinglePage;

/// The flat design.
#[derive(Debug)]
pub struct Flat {
    map: Memmap,
    memory: MemcgTree,
}

impl Flat {
    /// The page that all pages of an allocation answer for. Every function below that is
    /// handed a page pays it, since the type does not say whether the page is a tail.
    #[inline]
    pub fn compound_head<'a>(&'a self, page: Page<'a>) -> &'a Slot {
        self.map.compound_head(page.0)
    }

    /// The page of a frame (`pfn_to_page`), of any state.
    #[inline]
    pub fn page(&self, pfn: Pfn) -> Page<'_> {
        Page(self.map.page(pfn))
    }

    /// The array of `struct page`.
    #[inline]
    pub fn memmap(&self) -> &Memmap {
        &self.map
    }

    /// The `n`th page behind this one (`page + n`).
    #[inline]
    pub fn nth<'a>(&'a self, page: Page<'a>, n: u64) -> Page<'a> {
        Page(self.map.nth(page.0, n))
    }
}

impl Design for Flat {
    const NAME: &'static str = "flat";
    const IDEA: &'static str = "struct page for everything; a tail leads to its head";
    const DESCRIPTORS: &'static [Descriptor] = &[memmap::STRUCT_PAGE];
    type Unit<'a> = Page<'a>;

    fn build(plan: &Plan) -> Result<Self, BuildError> {
        Ok(Self {
            map: Memmap::build(plan)?,
            memory: MemcgTree::new()?,
        })
    }

    fn alloc(&self, extent: Extent, kind: Kind) -> Page<'_> {
        Page(self.map.alloc(extent, kind))
    }

    fn mark_free(&self, extent: Extent) {
        self.map.mark_free(extent);
    }

    fn free(&self, page: Page<'_>) {
        self.map.free(self.compound_head(page));
    }

    fn split(&self, page: Page<'_>) {
        let head = self.compound_head(page);
        memcg::split_owner(&self.memory, &head.memcg_data, self.map.nr_pages(head));
        self.map.split(head);
    }

    #[inline]
    fn lookup(&self, pfn: Pfn) -> Option<Page<'_>> {
        if !self.map.describes(pfn) {
            return None;
        }
        let head = self.compound_head(self.page(pfn));
        (self.map.refcount(head) != 0).then_some(Page(head))
    }

    fn extent(&self, page: Page<'_>) -> Extent {
        self.map.extent(self.compound_head(page))
    }

    #[inline]
    fn kind(&self, page: Page<'_>) -> Kind {
        Memmap::kind(self.compound_head(page))
    }

    #[inline]
    fn unit_word(page: Page<'_>) -> u64 {
        PowerArray::word_of(page.0)
    }

    #[inline]
    fn get(&self, page: Page<'_>) {
        memmap::page_ref_inc(self.compound_head(page));
    }

    #[inline]
    fn try_get(&self, page: Page<'_>) -> bool {
        memmap::page_ref_add_unless_zero(self.compound_head(page))
    }

    #[inline]
    fn put(&self, page: Page<'_>) -> bool {
        memmap::page_ref_sub_and_test(self.compound_head(page), 1)
    }

    fn refcount(&self, page: Page<'_>) -> u32 {
        self.map.refcount(self.compound_head(page))
    }

    fn is_dirty(&self, page: Page<'_>) -> bool {
        memmap::is_dirty(self.compound_head(page))
    }

    fn descriptor_bytes(&self) -> u64 {
        self.map.bytes()
    }

    fn memory(&self) -> Vec<Result<Proof, hugemem::Error>> {
        vec![self.map.slots().proof()]
    }
}
