//! memcg, agnostic of the type, and the walks that meet every type.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed},
};

use mm::lru::{self, PG_LRU};
use mm::memcg::{self, Charge, LockStyle, MemcgTree};
use mm::memmap::{self, PAGEBLOCK_PAGES};
use mm::{Design, KernelRules, Lru, Memcg, PowerArray, Scan, Slot};
use physmem::{Extent, Kind, Pfn};

use crate::{Mem, MemDesc, types, words};

impl Memcg for MemDesc {
    const LOCK_STYLES: &'static [LockStyle] = &[
        LockStyle::PerType,
        LockStyle::WhichType,
        LockStyle::CastToCommon,
        LockStyle::Generic,
    ];
    /// A frame has no descriptor of its own: what a page table leads to is its number.
    type MappedPage<'a> = Pfn;

    #[inline]
    fn mapped_page<'a>(&'a self, mem: Mem<'a>, n: u64) -> Pfn {
        self.pfn(mem) + n
    }

    /// Through the frame's word, which is there: the frame is mapped.
    #[inline]
    fn unit_of_mapped(&self, pfn: Pfn) -> Mem<'_> {
        Mem(self.store.slots().resolve(self.words.at(pfn).load(Acquire)))
    }

    #[inline]
    fn groups(&self) -> &MemcgTree {
        &self.memory
    }

    #[inline]
    fn charge_of<'a>(&'a self, mem: Mem<'a>) -> Charge<'a> {
        Charge {
            owner: types::owner_word(mem.0),
            pages: mem.pages(),
            kind: mem.kind(),
        }
    }

    #[inline]
    fn owner_word<'a>(&'a self, mem: Mem<'a>, style: LockStyle) -> &'a AtomicU64 {
        match style {
            // Both types have their owner at one offset, so that they can be cast to what
            // they have in common. A slab has none there: it is not bound to any group then.
            LockStyle::PerType | LockStyle::WhichType | LockStyle::CastToCommon => {
                &mem.0.memcg_data
            }
            LockStyle::Generic | LockStyle::Native => types::owner_word(mem.0),
        }
    }

    #[inline]
    fn with_memcg_lock<'a, V: KernelRules, T>(
        &'a self,
        cpu: usize,
        unit: impl Fn() -> Mem<'a>,
        style: LockStyle,
        critical: impl FnOnce() -> T,
    ) -> T {
        if style != LockStyle::WhichType {
            let owner = || self.owner_word(unit(), style);
            return memcg::with_lock::<Self, V, _>(&self.memory, cpu, owner, critical);
        }
        // A caller that looked at the type has the unit, and hands it to lock and to unlock.
        let mem = unit();
        let owner = || self.owner_word(mem, style);
        if mem.kind() == Kind::File {
            memcg::with_lock::<FileMem, V, _>(&self.memory, cpu, owner, critical)
        } else {
            memcg::with_lock::<AnonMem, V, _>(&self.memory, cpu, owner, critical)
        }
    }
}

/// The owner of the function `lock_anon_memcg()`. It does the same as `lock_file_memcg()`, so a
/// compiler may fold them into one; the look at the type that chooses between them stays.
struct AnonMem;

/// The owner of the function `lock_file_memcg()`.
struct FileMem;

impl Lru for MemDesc {
    #[inline]
    fn slots(&self) -> &PowerArray<Slot> {
        self.store.slots()
    }

    #[inline]
    fn unit_of<'a>(&'a self, slot: &'a Slot) -> Mem<'a> {
        Mem(slot)
    }

    fn mark_free(&self, extent: Extent) {
        self.words.mark_free(extent);
    }

    /// Reads a word per step; only a frame in use leads to a descriptor. Every frame of an allocation
    /// leads to its size, but the walk makes the kernel's steps.
    #[inline]
    fn pfn_scan<V: KernelRules>(&self, cpu: usize, start: Pfn, pfns: u64, isolate: bool) -> Scan {
        let mut scan = Scan::default();
        let end = start + pfns;
        let mut pfn = start;
        while pfn < end {
            let word = self.words.at(pfn).load(Acquire);
            if words::is_free(word) {
                let pages = words::free_pages(word);
                scan.free += pages.min(end - pfn);
                pfn = pfn + pages;
                continue;
            }
            let mem = Mem(self.store.slots().resolve(word));
            let flags = mem.0.flags.load(Relaxed);
            let head = self.words.base() + types::frame(flags);
            let pages = 1 << types::order(flags);
            let mut next = head + pages;
            if head != pfn {
                // An allocation that began before this frame: nothing to take.
                if pages < PAGEBLOCK_PAGES {
                    next = behind::<V>(pfn, (head + pages) - pfn);
                }
            } else if pages >= PAGEBLOCK_PAGES
                || flags & PG_LRU != 0 && pages >= V::VERSION.compacts_below(PAGEBLOCK_PAGES)
            {
                scan.large += 1;
            } else if flags & PG_LRU != 0 {
                scan.movable += 1;
                scan.movable_pages += pages;
                let isolated =
                    isolate && lru::isolate_and_putback(self, cpu, mem, || self.leads_to(pfn, mem));
                scan.isolated += u64::from(isolated);
            } else if memmap::is_movable(mem.0) {
                next = behind::<V>(pfn, pages);
                scan.of_drivers += 1;
                let isolated = isolate
                    && mm::movable::isolate_movable_and_putback(self, mem, || {
                        self.leads_to(pfn, mem)
                    });
                scan.isolated += u64::from(isolated);
            } else {
                next = behind::<V>(pfn, pages);
                scan.unmovable += 1;
            }
            pfn = next;
        }
        scan
    }
}

/// The frame at which the walk goes on where `pages` of a small allocation are not to be taken.
#[inline]
fn behind<V: KernelRules>(pfn: Pfn, pages: u64) -> Pfn {
    if V::VERSION.walks_small_compounds() {
        pfn + 1
    } else {
        pfn + pages
    }
}
