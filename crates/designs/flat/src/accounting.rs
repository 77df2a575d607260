//! memcg, LRU and compaction's walk on pages: each finds the head first.

use std::sync::atomic::AtomicU64;

use mm::lru;
use mm::memcg::{self, Charge, LockStyle, MemcgTree};
use mm::memmap::Memmap;
use mm::{KernelRules, Lru, Memcg, PowerArray, Scan, Slot};
use physmem::Pfn;

use crate::{Flat, Page};

impl Memcg for Flat {
    #[inline]
    fn groups(&self) -> &MemcgTree {
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

    #[inline]
    fn uncharge<'a, V: KernelRules>(&'a self, cpu: usize, page: Page<'a>) {
        let (owner, pages) = self.owner_and_pages(page);
        memcg::uncharge_word::<V>(&self.memory, cpu, owner, pages);
    }

    #[inline]
    fn uncharge_batch<'a, V: KernelRules>(&'a self, cpu: usize, units: &[Page<'a>]) {
        let each = units.iter().map(|&page| self.owner_and_pages(page));
        memcg::uncharge_words::<V>(&self.memory, cpu, each);
    }

    /// Paid in lock and again in unlock.
    #[inline]
    fn owner_word<'a>(&'a self, page: Page<'a>, _: LockStyle) -> &'a AtomicU64 {
        &self.compound_head(page).memcg_data
    }
}

impl Flat {
    /// All that uncharging asks: what kind of memory it was, the owner word says.
    #[inline]
    fn owner_and_pages<'a>(&'a self, page: Page<'a>) -> (&'a AtomicU64, u64) {
        let head = self.compound_head(page);
        (&head.memcg_data, self.map.nr_pages(head))
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
    fn unit_of<'a>(&'a self, slot: &'a Slot) -> Page<'a> {
        Page(slot)
    }

    #[inline]
    fn pfn_scan(&self, cpu: usize, start: Pfn, pfns: u64, isolate: bool) -> Scan {
        self.map.pfn_scan(start, pfns, |head| {
            isolate && lru::isolate_and_putback(self, cpu, Page(head))
        })
    }
}
