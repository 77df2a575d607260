//! memcg, LRU and compaction's walk on pages: each finds the head first.

use std::sync::atomic::AtomicU64;

use design::lru;
use design::memcg::{Charge, LockStyle, Memory};
use design::memmap::Memmap;
use design::{Lru, Memcg, PowerArray, Scan, Slot};
use physmem::Pfn;

use crate::{Flat, Page};

impl Memcg for Flat {
    #[inline]
    fn groups(&self) -> &Memory {
        &self.memory
    }

    #[inline]
    fn charge_of<'a>(&'a self, page: Page<'a>) -> Charge<'a> {
        let head = self.compound_head(page);
        Charge {
            owner: &head.memcg_data,
            pages: self.map.nr_pages(head),
            kind: Memmap::kind(head),
        }
    }

    /// Paid in lock and again in unlock.
    #[inline]
    fn owner_word<'a>(&'a self, page: Page<'a>, _: LockStyle) -> &'a AtomicU64 {
        &self.compound_head(page).memcg_data
    }
}

impl Lru for Flat {
    #[inline]
    fn slots(&self) -> &PowerArray<Slot> {
        self.map.slots()
    }

    #[inline]
    fn slot_of<'a>(&'a self, page: Page<'a>) -> &'a Slot {
        self.compound_head(page)
    }

    #[inline]
    fn chunk_of<'a>(&'a self, slot: &'a Slot) -> Page<'a> {
        Page(slot)
    }

    #[inline]
    fn pfn_scan(&self, cpu: usize, start: Pfn, pfns: u64, isolate: bool) -> Scan {
        self.map.pfn_scan(start, pfns, |head| {
            isolate && lru::isolate_and_putback(self, cpu, Page(head))
        })
    }
}
