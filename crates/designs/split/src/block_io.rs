//! Bios whose vecs name a unit of memory of any type, and a place in it by offset.

use mm::block::{self, Bio};
use mm::memmap;
use mm::{BlockIo, KernelRules, PowerArray, SlabIo};
use physmem::{Kind, PAGE_SHIFT, PAGE_SIZE, PhysAddr};

use crate::{Mem, Split};

impl BlockIo for Split {
    type BvPage<'a> = Mem<'a>;
    /// A slab has no user, so there is nobody to hold a reference for: whoever does IO to
    /// an object owns the object.
    const SLAB_IO: SlabIo = SlabIo::Uncounted;

    #[inline]
    fn bv_page<'a>(&'a self, mem: Mem<'a>, n: u64) -> Option<(Mem<'a>, u32)> {
        Some((mem, (n << PAGE_SHIFT) as u32))
    }

    #[inline]
    fn bv_page_word(mem: Mem<'_>) -> u64 {
        PowerArray::word_of(mem.0)
    }

    /// Kept in the descriptor: there is no arithmetic from a descriptor to its frames.
    #[inline]
    fn phys(&self, mem: Mem<'_>) -> PhysAddr {
        mem.pfn().phys()
    }

    #[inline]
    fn page_at<'a>(&'a self, mem: Mem<'a>, offset: u32) -> (Mem<'a>, u32) {
        (mem, offset)
    }

    /// Device memory would be a type; none is modelled, so the types are compared.
    #[inline]
    fn same_pgmap(&self, a: Mem<'_>, b: Mem<'_>) -> bool {
        (a.kind() == Kind::Free) == (b.kind() == Kind::Free)
    }

    /// No descriptor is reached by arithmetic from another, so nothing is asked of it.
    #[inline]
    fn memmap_contiguous(&self, _: Mem<'_>, _: u64, _: Mem<'_>, _: u32) -> bool {
        true
    }

    #[inline]
    fn note_workingset(&self, mem: Mem<'_>) -> bool {
        mem.0.flags.load(std::sync::atomic::Ordering::Relaxed) & memmap::PG_WORKINGSET != 0
    }

    #[inline]
    fn unit_at<'a>(&'a self, mem: Mem<'a>, offset: u32) -> (Mem<'a>, u64) {
        let mut mem = mem;
        let mut offset = u64::from(offset);
        loop {
            let bytes = self.unit_bytes(mem);
            if offset < bytes {
                return (mem, offset);
            }
            offset -= bytes;
            mem = self.next_unit(mem);
        }
    }

    #[inline]
    fn unit_bytes(&self, mem: Mem<'_>) -> u64 {
        mem.pages() * PAGE_SIZE
    }

    /// Through the word of the frame behind; the same unit again where that frame is free,
    /// which no vec reaches into.
    #[inline]
    fn next_unit<'a>(&'a self, mem: Mem<'a>) -> Mem<'a> {
        self.unit(mem.pfn() + mem.pages()).unwrap_or(mem)
    }

    #[inline]
    fn add_unit<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Mem<'a>>,
        mem: Mem<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        block::add_page::<V, Self>(self, bio, mem, len, offset)
    }

    fn pin<'a>(&'a self, bio: &Bio<Mem<'a>>) {
        self.for_each_unit(bio, |run| {
            if run.unit.kind() != Kind::Slab {
                memmap::page_ref_add(run.unit.0, run.pages());
            }
        });
    }

    /// A unit's run at a time; what dirtying and releasing mean depends on the type.
    #[inline]
    fn end_io<'a>(&'a self, bio: &Bio<Mem<'a>>) -> u64 {
        let mut bytes = 0;
        self.for_each_unit(bio, |run| {
            let kind = run.unit.kind();
            if kind.is_lru() {
                memmap::set_dirty_lock(run.unit.0);
            }
            if kind != Kind::Slab {
                memmap::page_ref_sub_and_test(run.unit.0, run.pages());
            }
            bytes += u64::from(run.len);
        });
        bytes
    }
}
