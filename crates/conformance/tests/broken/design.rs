//! Flat pages over the shared memory map, with one thing wrong at a time.

use mm::block::{self, Bio, Pgmap};
use mm::memmap::{self, Page};
use mm::{BlockIo, BvPages, KernelRules, OnMemmap, PageArray, SlabIo, Slot};
use physmem::{PAGE_SHIFT, PhysAddr};

/// The faults of a [`Broken`] design.
pub mod fault {
    /// Nothing.
    pub const NONE: u8 = 0;
    /// The single-page walk hands out the page after the one it stands in.
    pub const NEXT_PAGE: u8 = 1;
    /// The end of IO forgets a reference of each bio.
    pub const LEAKS: u8 = 2;
    /// The end of IO marks nothing dirty.
    pub const STAYS_CLEAN: u8 = 3;
    /// Says that it refuses IO to slab memory, and takes it.
    pub const REFUSES_SLAB: u8 = 4;
    /// Says that IO to slab memory takes no reference, and takes one.
    pub const UNCOUNTED_SLAB: u8 = 5;
    /// No page is ever contiguous with the one before it.
    pub const NO_MERGE: u8 = 6;
    /// A vec gets fewer bytes than the call says were taken.
    pub const LOSES_BYTES: u8 = 7;
    /// Frames above some address are elsewhere.
    pub const WRONG_PHYS: u8 = 8;
    /// Units are a page longer than they are.
    pub const LONG_UNITS: u8 = 9;
    /// The end of IO gives back what the bio never took.
    pub const DROPS_UNPINNED: u8 = 10;
    /// A submitter's page becomes the head of its allocation, and the way to it is forgotten.
    pub const FIRST_OF_ALL: u8 = 11;
    /// All devices' memory is of one page map.
    pub const ONE_PGMAP: u8 = 12;
}

/// Flat pages with a `fault`.
#[derive(Debug)]
pub struct Broken<const FAULT: u8>(PageArray);

impl<const FAULT: u8> OnMemmap for Broken<FAULT> {
    const NAME: &'static str = "broken";
    const IDEA: &'static str = "a design that a law must catch";
    type Ref<'a> = Page<'a>;

    fn over(pages: PageArray) -> Self {
        Self(pages)
    }

    fn pages(&self) -> &PageArray {
        &self.0
    }

    fn head<'a>(&'a self, page: Page<'a>) -> &'a Slot {
        page.0
    }

    fn unit<'a>(&'a self, head: &'a Slot) -> Page<'a> {
        Page(head)
    }
}

impl<const FAULT: u8> BvPages for Broken<FAULT> {
    type BvPage<'a> = Page<'a>;
    type UserPage<'a> = Page<'a>;
    const NAMES_UNITS: bool = false;

    fn user_page<'a>(&'a self, page: Page<'a>, n: u64) -> Option<Page<'a>> {
        Some(Page(self.0.map.nth(page.0, n)))
    }

    fn name_user_page<'a>(&'a self, page: Page<'a>) -> Option<(Page<'a>, u32)> {
        let first = FAULT == fault::FIRST_OF_ALL;
        let head = Page(self.0.map.compound_head(page.0));
        Some((if first { head } else { page }, 0))
    }

    fn bv_page<'a>(&'a self, page: Page<'a>) -> Option<Page<'a>> {
        Some(page)
    }

    fn phys(&self, page: Page<'_>) -> PhysAddr {
        let phys = self.0.map.phys(page.0);
        let elsewhere = FAULT == fault::WRONG_PHYS && phys & (1 << 24) != 0;
        if elsewhere { phys + (1 << 40) } else { phys }
    }

    fn page_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Page<'a>, u32) {
        let (page, offset) = self.0.map.page_at(page, offset);
        let step = u64::from(FAULT == fault::NEXT_PAGE);
        (Page(self.0.map.nth(page.0, step)), offset)
    }

    fn same_pgmap(&self, a: Page<'_>, b: Page<'_>) -> bool {
        memmap::same_pgmap(a.0, b.0)
    }

    fn pgmap(&self, page: Page<'_>) -> Option<Pgmap> {
        let mut map = memmap::pgmap(page.0)?;
        if FAULT == fault::ONE_PGMAP {
            map.number = 1;
        }
        Some(map)
    }

    fn set_pgmap<'a>(&'a self, page: Page<'a>, pgmap: Option<Pgmap>) -> bool {
        self.0.map.set_pgmap(page.0, pgmap);
        true
    }

    fn memmap_contiguous(&self, a: Page<'_>, a_end: u64, b: Page<'_>, b_offset: u32) -> bool {
        FAULT != fault::NO_MERGE && self.0.map.contiguous(a, a_end, b, b_offset)
    }
}

impl<const FAULT: u8> BlockIo for Broken<FAULT> {
    const SLAB_IO: SlabIo = match FAULT {
        fault::REFUSES_SLAB => SlabIo::Refused,
        fault::UNCOUNTED_SLAB => SlabIo::Uncounted,
        _ => SlabIo::Counted,
    };

    fn unit_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Page<'a>, u64) {
        let (page, in_page) = self.0.map.page_at(page, offset);
        let head = self.0.map.compound_head(page.0);
        let pages = self.0.map.distance(page.0, head);
        (Page(head), (pages << PAGE_SHIFT) + u64::from(in_page))
    }

    fn unit_bytes(&self, head: Page<'_>) -> u64 {
        let pages = self.0.map.nr_pages(head.0) + u64::from(FAULT == fault::LONG_UNITS);
        pages << PAGE_SHIFT
    }

    fn add_unit<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Page<'a>>,
        page: Page<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        let (page, offset) = self.0.map.page_at(page, offset);
        let short = u32::from(FAULT == fault::LOSES_BYTES && len > 1);
        match block::add_page::<V, Self>(self, bio, page, len - short, offset) {
            0 => 0,
            _ => len,
        }
    }

    fn pin<'a>(&'a self, bio: &Bio<Page<'a>>) {
        self.for_each_unit(bio, |range| {
            memmap::page_ref_add(range.unit.0, range.pages())
        });
    }

    fn end_io<'a>(&'a self, bio: &Bio<Page<'a>>) -> u64 {
        let mut forget = u32::from(FAULT == fault::LEAKS);
        let mut bytes = 0;
        if bio.no_page_ref && FAULT != fault::DROPS_UNPINNED {
            return bio.vecs().iter().map(|vec| u64::from(vec.len)).sum();
        }
        self.for_each_unit(bio, |range| {
            if FAULT != fault::STAYS_CLEAN {
                memmap::set_dirty_lock(range.unit.0);
            }
            memmap::page_ref_sub_and_test(range.unit.0, range.pages() - forget);
            forget = 0;
            bytes += u64::from(range.len);
        });
        bytes
    }
}
