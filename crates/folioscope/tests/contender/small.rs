//! A contender that describes memory and does nothing else: the least that takes part.

use mm::memmap::{Memmap, Page, STRUCT_PAGE};
use mm::{BuildError, Descriptor, DescriptorArray, Design, Plan, Slot};
use physmem::{Extent, Kind, Pfn};

#[derive(Debug)]
pub struct Small(Memmap);

impl Design for Small {
    const NAME: &'static str = "small";
    const IDEA: &'static str = "an array of struct page, and no code that uses it";
    const DESCRIPTORS: &'static [Descriptor] = &[STRUCT_PAGE];
    type Unit<'a> = Page<'a>;

    fn build(plan: &Plan) -> Result<Self, BuildError> {
        Memmap::build(plan).map(Self)
    }

    fn alloc(&self, extent: Extent, kind: Kind) -> Page<'_> {
        Page(self.0.alloc(extent, kind))
    }

    fn free<'a>(&'a self, page: Page<'a>) {
        self.0.free(page.0);
    }

    fn split<'a>(&'a self, page: Page<'a>) -> Result<(), mm::NoMemory> {
        self.0.split(page.0);
        Ok(())
    }

    fn lookup(&self, pfn: Pfn) -> Option<Page<'_>> {
        if !self.0.describes(pfn) {
            return None;
        }
        let head = self.0.compound_head(self.0.page(pfn));
        (self.0.refcount(head) != 0).then_some(Page(head))
    }

    fn extent<'a>(&'a self, page: Page<'a>) -> Extent {
        self.0.extent(page.0)
    }

    fn kind<'a>(&'a self, page: Page<'a>) -> Kind {
        Memmap::kind(page.0)
    }

    fn slot_of<'a>(&'a self, page: Page<'a>) -> &'a Slot {
        page.0
    }

    fn memory(&self) -> Vec<DescriptorArray<'_>> {
        vec![DescriptorArray {
            bytes: self.0.bytes(),
            mapping: self.0.slots().mapping(),
        }]
    }
}
