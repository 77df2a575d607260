//! Flat pages as before v5.1: a bio_vec ends with its page.

use hugemem::Proof;
use mm::block::{self, Bio, Run, Segment};
use mm::{BlockIo, BuildError, Descriptor, Design, KernelRules, Plan, SlabIo};
use physmem::{Extent, Kind, Pfn, PhysAddr};

use crate::{Flat, Page};

/// The flat design with single-page bio_vecs. Only [`BlockIo`] differs from [`Flat`], so
/// only that is implemented: accounting would be the same code.
#[derive(Debug)]
pub struct FlatSinglePage(Flat);

impl Design for FlatSinglePage {
    const NAME: &'static str = "flat-sp";
    const IDEA: &'static str = "struct page, and a bio_vec that ends with its page (before v5.1)";
    const DESCRIPTORS: &'static [Descriptor] = Flat::DESCRIPTORS;
    type Unit<'a> = Page<'a>;

    fn build(plan: &Plan) -> Result<Self, BuildError> {
        Flat::build(plan).map(Self)
    }

    fn alloc(&self, extent: Extent, kind: Kind) -> Page<'_> {
        self.0.alloc(extent, kind)
    }

    fn mark_free(&self, extent: Extent) {
        self.0.mark_free(extent);
    }

    fn free(&self, page: Page<'_>) {
        self.0.free(page);
    }

    fn split(&self, page: Page<'_>) {
        self.0.split(page);
    }

    fn lookup(&self, pfn: Pfn) -> Option<Page<'_>> {
        self.0.lookup(pfn)
    }

    fn extent(&self, page: Page<'_>) -> Extent {
        self.0.extent(page)
    }

    fn kind(&self, page: Page<'_>) -> Kind {
        self.0.kind(page)
    }

    #[inline]
    fn unit_word(page: Page<'_>) -> u64 {
        Flat::unit_word(page)
    }

    fn get(&self, page: Page<'_>) {
        self.0.get(page);
    }

    fn try_get(&self, page: Page<'_>) -> bool {
        self.0.try_get(page)
    }

    fn put(&self, page: Page<'_>) -> bool {
        self.0.put(page)
    }

    fn refcount(&self, page: Page<'_>) -> u32 {
        self.0.refcount(page)
    }

    fn is_dirty(&self, page: Page<'_>) -> bool {
        self.0.is_dirty(page)
    }

    fn descriptor_bytes(&self) -> u64 {
        self.0.descriptor_bytes()
    }

    fn memory(&self) -> Vec<Result<Proof, hugemem::Error>> {
        self.0.memory()
    }
}

impl BlockIo for FlatSinglePage {
    type BvPage<'a> = Page<'a>;
    const SLAB_IO: SlabIo = SlabIo::Counted;
    const SINGLE_PAGE_VECS: bool = true;

    #[inline]
    fn bv_page<'a>(&'a self, page: Page<'a>, n: u64) -> Option<(Page<'a>, u32)> {
        self.0.bv_page(page, n)
    }

    #[inline]
    fn bv_page_word(page: Page<'_>) -> u64 {
        Flat::bv_page_word(page)
    }

    #[inline]
    fn phys(&self, page: Page<'_>) -> PhysAddr {
        self.0.phys(page)
    }

    #[inline]
    fn page_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Page<'a>, u32) {
        self.0.page_at(page, offset)
    }

    #[inline]
    fn same_pgmap(&self, a: Page<'_>, b: Page<'_>) -> bool {
        self.0.same_pgmap(a, b)
    }

    #[inline]
    fn memmap_contiguous(&self, a: Page<'_>, a_end: u64, b: Page<'_>, b_offset: u32) -> bool {
        self.0.memmap_contiguous(a, a_end, b, b_offset)
    }

    #[inline]
    fn note_workingset(&self, page: Page<'_>) -> bool {
        self.0.note_workingset(page)
    }

    #[inline]
    fn unit_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Page<'a>, u64) {
        self.0.unit_at(page, offset)
    }

    #[inline]
    fn unit_bytes(&self, head: Page<'_>) -> u64 {
        self.0.unit_bytes(head)
    }

    #[inline]
    fn next_unit<'a>(&'a self, head: Page<'a>) -> Page<'a> {
        self.0.next_unit(head)
    }

    #[inline]
    fn add_unit<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Page<'a>>,
        page: Page<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        block::add_page_in_page_pieces::<V, Self>(self, bio, page, len, offset)
    }

    /// A vec never spans pages, so the walk is over the table itself
    /// (`bio_for_each_segment` of v5.0).
    #[inline]
    fn for_each_segment<'a>(&'a self, bio: &Bio<Page<'a>>, visit: impl FnMut(Segment<Page<'a>>)) {
        block::Bvecs::new(bio).for_each(visit);
    }

    #[inline]
    fn for_each_unit<'a>(&'a self, bio: &Bio<Page<'a>>, mut visit: impl FnMut(Run<Page<'a>>)) {
        self.for_each_segment(bio, |segment| {
            let (unit, offset) = self.unit_at(segment.page, segment.offset);
            visit(Run {
                unit,
                offset,
                len: segment.len,
            });
        });
    }

    fn pin<'a>(&'a self, bio: &Bio<Page<'a>>) {
        self.0.pin(bio);
    }

    #[inline]
    fn end_io<'a>(&'a self, bio: &Bio<Page<'a>>) -> u64 {
        self.0.end_io(bio)
    }
}
