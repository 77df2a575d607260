//! The array of `struct page` with one thing wrong at a time in its description, its
//! charges or its lists.

use mm::memcg::{self, Charge, MemCgroup, MemcgTree, OverLimit};
use mm::memmap::{Memmap, Page, STRUCT_PAGE};
use mm::{
    BuildError, Descriptor, DescriptorArray, Design, KernelRules, Lru, Memcg, Plan, PowerArray,
    Scan, Slot, lru,
};
use physmem::{Extent, Kind, Pfn};
use std::sync::atomic::Ordering::Relaxed;

/// The faults of a [`Misled`] design.
pub mod fault {
    /// Nothing.
    pub const NONE: u8 = 0;
    /// Tails lead nowhere.
    pub const LOSES_TAILS: u8 = 1;
    /// Dropping a reference drops none.
    pub const KEEPS_REFERENCES: u8 = 2;
    /// A reference is taken to what has none left.
    pub const RESURRECTS: u8 = 3;
    /// Charging takes a reference.
    pub const CHARGE_REFERS: u8 = 4;
    /// Listing makes anonymous memory the root's.
    pub const LIST_DISOWNS: u8 = 5;
    /// A page out of a page table is taken for a unit, though it may be a tail.
    pub const LOCKS_TAILS: u8 = 6;
}

/// Pages whose references are to heads, with a `fault`.
#[derive(Debug)]
pub struct Misled<const FAULT: u8> {
    map: Memmap,
    groups: MemcgTree,
}

impl<const FAULT: u8> Design for Misled<FAULT> {
    const NAME: &'static str = "misled";
    const IDEA: &'static str = "a design that a law must catch";
    const DESCRIPTORS: &'static [Descriptor] = &[STRUCT_PAGE];
    type Unit<'a> = Page<'a>;

    fn build(plan: &Plan) -> Result<Self, BuildError> {
        Ok(Self {
            map: Memmap::build(plan)?,
            groups: MemcgTree::new()?,
        })
    }

    fn alloc(&self, extent: Extent, kind: Kind) -> Page<'_> {
        Page(self.map.alloc(extent, kind))
    }

    fn free<'a>(&'a self, page: Page<'a>) {
        self.map.free(page.0);
    }

    fn split<'a>(&'a self, page: Page<'a>) -> Result<(), mm::NoMemory> {
        memcg::split_owner(&self.groups, &page.0.memcg_data, self.map.nr_pages(page.0));
        self.map.split(page.0);
        Ok(())
    }

    fn lookup(&self, pfn: Pfn) -> Option<Page<'_>> {
        let page = self.map.describes(pfn).then(|| self.map.page(pfn))?;
        if FAULT == fault::LOSES_TAILS && Memmap::is_tail(page) {
            return None;
        }
        let head = self.map.compound_head(page);
        (self.map.refcount(head) != 0).then_some(Page(head))
    }

    fn extent<'a>(&'a self, page: Page<'a>) -> Extent {
        self.map.extent(page.0)
    }

    fn kind<'a>(&'a self, page: Page<'a>) -> Kind {
        Memmap::kind(page.0)
    }

    fn slot_of<'a>(&'a self, page: Page<'a>) -> &'a Slot {
        page.0
    }

    fn memory(&self) -> Vec<DescriptorArray<'_>> {
        Vec::new()
    }

    fn try_get<'a>(&'a self, page: Page<'a>) -> bool {
        if FAULT == fault::RESURRECTS {
            self.get(page);
            return true;
        }
        mm::memmap::page_ref_add_unless_zero(page.0)
    }

    fn put<'a>(&'a self, page: Page<'a>) -> bool {
        FAULT != fault::KEEPS_REFERENCES && mm::memmap::page_ref_sub_and_test(page.0, 1)
    }
}

impl<const FAULT: u8> Memcg for Misled<FAULT> {
    type MappedPage<'a> = Page<'a>;

    fn mapped_page<'a>(&'a self, page: Page<'a>, n: u64) -> Page<'a> {
        Page(self.map.nth(page.0, n))
    }

    fn unit_of_mapped<'a>(&'a self, page: Page<'a>) -> Page<'a> {
        if FAULT == fault::LOCKS_TAILS {
            return page;
        }
        Page(self.map.compound_head(page.0))
    }

    fn groups(&self) -> &MemcgTree {
        &self.groups
    }

    fn charge_of<'a>(&'a self, page: Page<'a>) -> Charge<'a> {
        Charge {
            owner: &page.0.memcg_data,
            pages: self.map.nr_pages(page.0),
            kind: Memmap::kind(page.0),
        }
    }

    fn charge<'a, V: KernelRules>(
        &'a self,
        cpu: usize,
        group: &MemCgroup,
        page: Page<'a>,
    ) -> Result<(), OverLimit> {
        if FAULT == fault::CHARGE_REFERS {
            self.get(page);
        }
        memcg::charge::<V>(&self.groups, cpu, group, self.charge_of(page))
    }
}

impl<const FAULT: u8> Lru for Misled<FAULT> {
    fn slots(&self) -> &PowerArray<Slot> {
        self.map.slots()
    }

    fn unit_of<'a>(&'a self, slot: &'a Slot) -> Page<'a> {
        Page(slot)
    }

    fn mark_free(&self, extent: Extent) {
        self.map.mark_free(extent);
    }

    fn pfn_scan<V: KernelRules>(&self, cpu: usize, start: Pfn, pfns: u64, isolate: bool) -> Scan {
        self.map
            .pfn_scan::<V>(start, pfns, |head, on_list| match (isolate, on_list) {
                (false, _) => false,
                (true, true) => lru::isolate_and_putback(self, cpu, Page(head), || true),
                (true, false) => {
                    mm::movable::isolate_movable_and_putback(self, Page(head), || true)
                }
            })
    }

    fn lru_add<'a>(&'a self, cpu: usize, pages: &[Page<'a>]) {
        lru::add(self, cpu, pages);
        if FAULT == fault::LIST_DISOWNS {
            pages
                .iter()
                .for_each(|page| page.0.memcg_data.store(0, Relaxed));
        }
    }
}
