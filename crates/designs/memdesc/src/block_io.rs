//! Bios whose vecs name a unit of memory of any type, and a place in it by offset.

use std::sync::atomic::Ordering::Relaxed;

use mm::block::{Bio, Pgmap};
use mm::memmap;
use mm::{BlockIo, BvPages, Design, SlabIo};
use physmem::{Kind, PAGE_SIZE, PhysAddr};

use crate::{Mem, MemDesc, types};

impl BvPages for MemDesc {
    type BvPage<'a> = Mem<'a>;
    /// A frame has a word and no descriptor: what there is to hand out is the unit and a place.
    type UserPage<'a> = (Mem<'a>, u32);
    const NAMES_UNITS: bool = true;

    #[inline]
    fn user_page<'a>(&'a self, mem: Mem<'a>, n: u64) -> Option<(Mem<'a>, u32)> {
        self.nth_page(mem, n)
    }

    #[inline]
    fn name_user_page<'a>(&'a self, page: (Mem<'a>, u32)) -> Option<(Mem<'a>, u32)> {
        Some(page)
    }

    #[inline]
    fn bv_page<'a>(&'a self, mem: Mem<'a>) -> Option<Mem<'a>> {
        Some(mem)
    }

    /// Kept in the descriptor: there is no arithmetic from a descriptor to its frames, nor
    /// from one descriptor to another.
    #[inline]
    fn phys(&self, mem: Mem<'_>) -> PhysAddr {
        self.pfn(mem).phys()
    }

    /// Device memory would be a type. The timed rules ask whether either is of it, so types are
    /// compared; which page map it is [`Self::pgmap`] says.
    #[inline]
    fn same_pgmap(&self, a: Mem<'_>, b: Mem<'_>) -> bool {
        (a.kind() == Kind::Free) == (b.kind() == Kind::Free)
    }

    /// A page map would be what the descriptor of device memory holds in place of a file.
    #[inline]
    fn pgmap(&self, mem: Mem<'_>) -> Option<Pgmap> {
        let is_device = mem.0.flags.load(Relaxed) & types::DEVICE != 0;
        is_device.then(|| Pgmap::from_word(mem.0.mapping.load(Relaxed)))
    }

    fn set_pgmap<'a>(&'a self, mem: Mem<'a>, pgmap: Option<Pgmap>) -> bool {
        mem.0.flags.fetch_and(!types::DEVICE, Relaxed);
        if pgmap.is_some() {
            mem.0.flags.fetch_or(types::DEVICE, Relaxed);
        }
        mem.0.mapping.store(pgmap.map_or(0, Pgmap::word), Relaxed);
        true
    }

    #[inline]
    fn note_workingset(&self, mem: Mem<'_>) -> bool {
        mem.0.flags.load(Relaxed) & memmap::PG_WORKINGSET != 0
    }
}

impl BlockIo for MemDesc {
    /// A slab has no user, so there is nobody to hold a reference for: an object's owner does
    /// the IO to it (slabs without a reference count, v6.15 and later).
    const SLAB_IO: SlabIo = SlabIo::Uncounted;

    #[inline]
    fn unit_at<'a>(&'a self, mem: Mem<'a>, offset: u32) -> (Mem<'a>, u64) {
        (mem, u64::from(offset))
    }

    #[inline]
    fn unit_bytes(&self, mem: Mem<'_>) -> u64 {
        mem.pages() * PAGE_SIZE
    }

    /// Through the word of the next frame; the same unit again where that frame is free,
    /// which no vec reaches into.
    #[inline]
    fn next_unit<'a>(&'a self, mem: Mem<'a>) -> Mem<'a> {
        self.unit(self.pfn(mem) + mem.pages()).unwrap_or(mem)
    }

    /// References, and for a large unit pins apart, as folios count them.
    fn pin<'a>(&'a self, bio: &Bio<Mem<'a>>) {
        self.for_each_unit(bio, |run| {
            if run.unit.kind() == Kind::Slab {
                return;
            }
            memmap::page_ref_add(run.unit.0, run.pages());
            if run.unit.pages() > 1 {
                types::pincount(run.unit.0).fetch_add(u64::from(run.pages()), Relaxed);
            }
        });
    }

    #[inline]
    fn end_io<'a>(&'a self, bio: &Bio<Mem<'a>>) -> u64 {
        self.bio_release_pages(bio);
        bio.vecs().iter().map(|vec| u64::from(vec.len)).sum()
    }
}

impl MemDesc {
    /// `__bio_release_pages` of v6.12, dirtying: a unit's run at a time. Marking memory dirty and
    /// giving a pin back mean something for types that are mapped to user space only.
    #[inline(never)]
    fn bio_release_pages<'a>(&'a self, bio: &Bio<Mem<'a>>) {
        if bio.no_page_ref {
            return;
        }
        self.for_each_unit(bio, |run| {
            let kind = run.unit.kind();
            if kind.is_lru() {
                memmap::set_dirty_lock(run.unit.0);
            }
            if kind != Kind::Slab {
                self.unpin(run.unit, run.pages());
            }
        });
    }

    /// Gives pins back, and frees the unit with its last reference (`unpin_user_folio`).
    #[inline(never)]
    fn unpin(&self, mem: Mem<'_>, pages: u32) {
        if self.is_zero_page(mem) {
            return;
        }
        // All memory of the model is on node 0.
        self.memory.count_unpinned(0, i64::from(pages));
        if mem.pages() > 1 {
            types::pincount(mem.0).fetch_sub(u64::from(pages), Relaxed);
        }
        if memmap::page_ref_sub_and_test(mem.0, pages) {
            self.free(mem);
        }
    }
}
