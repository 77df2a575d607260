//! Bios whose vecs name pages, as in every released kernel. A vec does not say of which type its
//! memory is: code that has to know looks, once for each allocation.

use mm::block::{self, Bio};
use mm::memmap::Page;
use mm::{BlockIo, KernelRules, PageBvecs, SlabIo};
use physmem::{PAGE_SHIFT, PAGE_SIZE};

use crate::{Mem, Split, Typed};

impl PageBvecs for Split {
    const NAMES_HEADS: bool = false;

    #[inline]
    fn page_of<'a>(&'a self, mem: Mem<'a>) -> Page<'a> {
        Page(mem.0)
    }
}

impl BlockIo for Split {
    /// Taken, since a slab's page is a page. References are not counted on it: [`crate::Slab`]
    /// has no way to take one.
    const SLAB_IO: SlabIo = SlabIo::Uncounted;

    #[inline]
    fn unit_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Mem<'a>, u64) {
        let mem = Mem(self.memmap().compound_head(page.0));
        let pages = self.memmap().distance(page.0, mem.0);
        (mem, (pages << PAGE_SHIFT) + u64::from(offset))
    }

    #[inline]
    fn unit_bytes(&self, mem: Mem<'_>) -> u64 {
        PAGE_SIZE << self.memmap().order(mem.0)
    }

    /// Memory follows memory, of whatever type.
    #[inline]
    fn next_unit<'a>(&'a self, mem: Mem<'a>) -> Mem<'a> {
        Mem(self.memmap().nth(mem.0, self.memmap().nr_pages(mem.0)))
    }

    /// In one step, whatever the type: a vec needs a page and nothing else.
    #[inline]
    fn add_unit<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Page<'a>>,
        mem: Mem<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        let page = Page(self.memmap().nth(mem.0, u64::from(offset >> PAGE_SHIFT)));
        let in_page = offset & (PAGE_SIZE as u32 - 1);
        block::add_page::<V, Self>(self, bio, page, len, in_page)
    }

    fn pin<'a>(&'a self, bio: &Bio<Page<'a>>) {
        self.for_each_unit(bio, |run| match run.unit.typed() {
            Some(Typed::Slab(_)) | None => {}
            Some(_) => self.0.pin(run.unit.0, run.pages()),
        });
    }

    #[inline]
    fn end_io<'a>(&'a self, bio: &Bio<Page<'a>>) -> u64 {
        self.bio_release_pages(bio);
        bio.vecs().iter().map(|vec| u64::from(vec.len)).sum()
    }
}

impl Split {
    /// `__bio_release_pages` of v6.12, dirtying, with the type looked at once: each kind of user
    /// memory is marked by its own function, a slab is left alone, and of the rest the pins are
    /// given back.
    #[inline(never)]
    fn bio_release_pages<'a>(&'a self, bio: &Bio<Page<'a>>) {
        if bio.no_page_ref {
            return;
        }
        self.for_each_unit(bio, |run| {
            match run.unit.typed() {
                Some(Typed::AnonMem(anon)) => anon.set_dirty_lock(),
                Some(Typed::FileMem(file)) => file.set_dirty_lock(),
                Some(Typed::Slab(_)) | None => return,
                Some(
                    Typed::PtDesc(_) | Typed::ZpDesc(_) | Typed::StackMem(_) | Typed::PipeMem(_),
                ) => {}
            }
            self.0.unpin(run.unit.0, run.pages());
        });
    }
}
