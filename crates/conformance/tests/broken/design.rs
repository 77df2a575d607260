//! Flat pages over the shared memory map, with one thing wrong at a time.

use hugemem::Proof;
use mm::block::{self, Bio, Bvec};
use mm::memmap::{self, Memmap, Page, STRUCT_PAGE};
use mm::{BlockIo, BuildError, Descriptor, Design, KernelRules, Plan, PowerArray, SlabIo};
use physmem::{Extent, Kind, PAGE_SHIFT, Pfn, PhysAddr};

/// What is wrong with a [`Broken`] design.
pub mod fault {
    /// Nothing.
    pub const NONE: u8 = 0;
    /// The single-page walk hands out the page behind the one it stands in.
    pub const NEXT_PAGE: u8 = 1;
    /// The end of IO forgets a reference of each bio.
    pub const LEAKS: u8 = 2;
    /// The end of IO marks nothing dirty.
    pub const STAYS_CLEAN: u8 = 3;
    /// Says that it refuses IO to slab memory, and takes it.
    pub const REFUSES_SLAB: u8 = 4;
    /// Says that IO to slab memory takes no reference, and takes one.
    pub const UNCOUNTED_SLAB: u8 = 5;
    /// No piece is ever merged.
    pub const NO_MERGE: u8 = 6;
    /// A vec gets fewer bytes than the call says were taken.
    pub const LOSES_BYTES: u8 = 7;
    /// Frames above some address are elsewhere.
    pub const WRONG_PHYS: u8 = 8;
    /// Units are a page longer than they are.
    pub const LONG_UNITS: u8 = 9;
}

/// Flat pages with a `fault`.
#[derive(Debug)]
pub struct Broken<const FAULT: u8> {
    map: Memmap,
}

impl<const FAULT: u8> Design for Broken<FAULT> {
    const NAME: &'static str = "broken";
    const IDEA: &'static str = "a design that a law must catch";
    const DESCRIPTORS: &'static [Descriptor] = &[STRUCT_PAGE];
    type Unit<'a> = Page<'a>;

    fn build(plan: &Plan) -> Result<Self, BuildError> {
        Memmap::build(plan).map(|map| Self { map })
    }

    fn alloc(&self, extent: Extent, kind: Kind) -> Page<'_> {
        Page(self.map.alloc(extent, kind))
    }

    fn mark_free(&self, extent: Extent) {
        self.map.mark_free(extent);
    }

    fn free(&self, page: Page<'_>) {
        self.map.free(page.0);
    }

    fn split(&self, page: Page<'_>) {
        self.map.split(page.0);
    }

    fn lookup(&self, pfn: Pfn) -> Option<Page<'_>> {
        let head = self.map.compound_head(self.map.page(pfn));
        (self.map.describes(pfn) && self.map.refcount(head) > 0).then_some(Page(head))
    }

    fn extent(&self, page: Page<'_>) -> Extent {
        self.map.extent(page.0)
    }

    fn kind(&self, page: Page<'_>) -> Kind {
        Memmap::kind(page.0)
    }

    fn get(&self, page: Page<'_>) {
        memmap::page_ref_add(page.0, 1);
    }

    fn try_get(&self, page: Page<'_>) -> bool {
        self.get(page);
        true
    }

    fn put(&self, page: Page<'_>) -> bool {
        memmap::page_ref_sub_and_test(page.0, 1)
    }

    fn refcount(&self, page: Page<'_>) -> u32 {
        self.map.refcount(page.0)
    }

    fn is_dirty(&self, page: Page<'_>) -> bool {
        page.0.flags.load(std::sync::atomic::Ordering::Relaxed) & memmap::PG_DIRTY != 0
    }

    fn unit_word(page: Page<'_>) -> u64 {
        PowerArray::word_of(page.0)
    }

    fn descriptor_bytes(&self) -> u64 {
        self.map.bytes()
    }

    fn memory(&self) -> Vec<Result<Proof, hugemem::Error>> {
        vec![self.map.slots().proof()]
    }
}

impl<const FAULT: u8> BlockIo for Broken<FAULT> {
    type BvPage<'a> = Page<'a>;
    const SLAB_IO: SlabIo = match FAULT {
        fault::REFUSES_SLAB => SlabIo::Refused,
        fault::UNCOUNTED_SLAB => SlabIo::Uncounted,
        _ => SlabIo::Counted,
    };

    fn bv_page<'a>(&'a self, page: Page<'a>, n: u64) -> Option<(Page<'a>, u32)> {
        Some((Page(self.map.nth(page.0, n)), 0))
    }

    fn bv_page_word(page: Page<'_>) -> u64 {
        PowerArray::word_of(page.0)
    }

    fn phys(&self, page: Page<'_>) -> PhysAddr {
        let phys = self.map.phys(page.0);
        let elsewhere = FAULT == fault::WRONG_PHYS && phys & (1 << 24) != 0;
        if elsewhere { phys + (1 << 40) } else { phys }
    }

    fn page_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Page<'a>, u32) {
        let (page, offset) = self.map.page_at(page, offset);
        let step = u64::from(FAULT == fault::NEXT_PAGE);
        (Page(self.map.nth(page.0, step)), offset)
    }

    fn same_pgmap(&self, a: Page<'_>, b: Page<'_>) -> bool {
        memmap::same_pgmap(a.0, b.0)
    }

    fn memmap_contiguous(&self, a: Page<'_>, a_end: u64, b: Page<'_>, b_offset: u32) -> bool {
        self.map.contiguous(a, a_end, b, b_offset)
    }

    fn note_workingset(&self, _: Page<'_>) -> bool {
        false
    }

    fn unit_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Page<'a>, u64) {
        let (page, in_page) = self.map.page_at(page, offset);
        let head = self.map.compound_head(page.0);
        let pages = self.map.distance(page.0, head);
        (Page(head), (pages << PAGE_SHIFT) + u64::from(in_page))
    }

    fn unit_bytes(&self, head: Page<'_>) -> u64 {
        let pages = self.map.nr_pages(head.0) + u64::from(FAULT == fault::LONG_UNITS);
        pages << PAGE_SHIFT
    }

    fn next_unit<'a>(&'a self, head: Page<'a>) -> Page<'a> {
        Page(self.map.nth(head.0, self.map.nr_pages(head.0)))
    }

    fn add_page<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Page<'a>>,
        page: Page<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        let short = u32::from(FAULT == fault::LOSES_BYTES && len > 1);
        if short == 0 && FAULT != fault::NO_MERGE {
            return block::add_page::<V, Self>(self, bio, page, len, offset);
        }
        let vec = Bvec {
            page,
            len: len - short,
            offset,
        };
        if bio.push(vec) { len } else { 0 }
    }

    fn add_unit<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Page<'a>>,
        page: Page<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        let (page, offset) = self.map.page_at(page, offset);
        self.add_page::<V>(bio, page, len, offset)
    }

    fn pin<'a>(&'a self, bio: &Bio<Page<'a>>) {
        self.for_each_unit(bio, |run| memmap::page_ref_add(run.unit.0, run.pages()));
    }

    fn end_io<'a>(&'a self, bio: &Bio<Page<'a>>) -> u64 {
        let mut forget = u32::from(FAULT == fault::LEAKS);
        let mut bytes = 0;
        self.for_each_unit(bio, |run| {
            if FAULT != fault::STAYS_CLEAN {
                memmap::set_dirty_lock(run.unit.0);
            }
            memmap::page_ref_sub_and_test(run.unit.0, run.pages() - forget);
            forget = 0;
            bytes += u64::from(run.len);
        });
        bytes
    }
}
