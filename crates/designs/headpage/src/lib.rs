//! # bio_vecs that point only at head pages
//!
//! Keep `struct page`, but let whoever refers to an allocation refer to its head: a
//! bio_vec holds a head page and an offset into the whole allocation. The lines are those
//! of the flat design; what changes is the *reference*. No iteration needs to break a vec
//! into pages in order to find the head, since it is what the vec names.
//!
//! What a type gives to folios, assertions give here: [`HeadPage`] checks
//! `!PageTail(page)` wherever it is handed a page (`VM_BUG_ON_PAGE`), and counts what it
//! caught in [`HeadPageDesign::violations`]; [`HeadPageUnchecked`] is the same without.
//! Anyone may still write down a tail page: the types do not say.

#![forbid(unsafe_code)]

mod accounting;
mod block_io;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hugemem::Proof;
use mm::memcg::{self, MemcgTree};
use mm::memmap::{self, Memmap, Page};
use mm::{BuildError, Descriptor, Design, Plan, PowerArray};
use physmem::{Extent, Kind, Pfn};

/// Head pages with assertions.
pub type HeadPage = HeadPageDesign<true>;
/// Head pages with assertions compiled out.
pub type HeadPageUnchecked = HeadPageDesign<false>;

/// The head-page design, with or without assertions.
#[derive(Debug)]
pub struct HeadPageDesign<const CHECK: bool> {
    map: Memmap,
    memory: MemcgTree,
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
        Page(self.map.page(pfn))
    }
}

impl<const CHECK: bool> Design for HeadPageDesign<CHECK> {
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
    const DESCRIPTORS: &'static [Descriptor] = &[memmap::STRUCT_PAGE];
    type Unit<'a> = Page<'a>;

    fn build(plan: &Plan) -> Result<Self, BuildError> {
        Ok(Self {
            map: Memmap::build(plan)?,
            memory: MemcgTree::new()?,
            violations: AtomicU64::new(0),
        })
    }

    fn alloc(&self, extent: Extent, kind: Kind) -> Page<'_> {
        Page(self.map.alloc(extent, kind))
    }

    fn mark_free(&self, extent: Extent) {
        self.map.mark_free(extent);
    }

    fn free(&self, head: Page<'_>) {
        self.assert_head(head);
        self.map.free(head.0);
    }

    fn split(&self, head: Page<'_>) {
        self.assert_head(head);
        memcg::split_owner(&self.memory, &head.0.memcg_data, self.map.nr_pages(head.0));
        self.map.split(head.0);
    }

    /// A frame may be a tail's: here, and only here, the head is looked for.
    #[inline]
    fn lookup(&self, pfn: Pfn) -> Option<Page<'_>> {
        if !self.map.describes(pfn) {
            return None;
        }
        let head = self.map.compound_head(self.map.page(pfn));
        (self.map.refcount(head) != 0).then_some(Page(head))
    }

    fn extent(&self, head: Page<'_>) -> Extent {
        self.assert_head(head);
        self.map.extent(head.0)
    }

    #[inline]
    fn kind(&self, head: Page<'_>) -> Kind {
        self.assert_head(head);
        Memmap::kind(head.0)
    }

    #[inline]
    fn unit_word(head: Page<'_>) -> u64 {
        PowerArray::word_of(head.0)
    }

    #[inline]
    fn get(&self, head: Page<'_>) {
        self.assert_head(head);
        memmap::page_ref_inc(head.0);
    }

    #[inline]
    fn try_get(&self, head: Page<'_>) -> bool {
        self.assert_head(head);
        memmap::page_ref_add_unless_zero(head.0)
    }

    #[inline]
    fn put(&self, head: Page<'_>) -> bool {
        self.assert_head(head);
        memmap::page_ref_sub_and_test(head.0, 1)
    }

    fn refcount(&self, head: Page<'_>) -> u32 {
        self.assert_head(head);
        self.map.refcount(head.0)
    }

    fn is_dirty(&self, head: Page<'_>) -> bool {
        memmap::is_dirty(head.0)
    }

    fn descriptor_bytes(&self) -> u64 {
        self.map.bytes()
    }

    fn memory(&self) -> Vec<Result<Proof, hugemem::Error>> {
        vec![self.map.slots().proof()]
    }
}
