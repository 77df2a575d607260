//! memcg, LRU and compaction's walk on folios: the head is there by type.

use std::sync::atomic::AtomicU64;

use mm::lru;
use mm::memcg::{self, Charge, LockStyle, MemcgTree};
use mm::memmap::Memmap;
use mm::{KernelRules, Lru, Memcg, PowerArray, Scan, Slot};
use physmem::Pfn;

use crate::{Folio, FolioForAll};

impl Memcg for FolioForAll {
    #[inline]
    fn groups(&self) -> &MemcgTree {
        &self.memory
    }

    #[inline]
    fn charge_of<'a>(&'a self, folio: Folio<'a>) -> Charge<'a> {
        Charge {
            owner: &folio.0.memcg_data,
            pages: self.map.nr_pages(folio.0),
            kind: Memmap::kind(folio.0),
        }
    }

    #[inline]
    fn uncharge<'a, V: KernelRules>(&'a self, cpu: usize, folio: Folio<'a>) {
        let (owner, pages) = self.owner_and_pages(folio);
        memcg::uncharge_word::<V>(&self.memory, cpu, owner, pages);
    }

    #[inline]
    fn uncharge_batch<'a, V: KernelRules>(&'a self, cpu: usize, units: &[Folio<'a>]) {
        let each = units.iter().map(|&folio| self.owner_and_pages(folio));
        memcg::uncharge_words::<V>(&self.memory, cpu, each);
    }

    #[inline]
    fn owner_word<'a>(&'a self, folio: Folio<'a>, _: LockStyle) -> &'a AtomicU64 {
        &folio.0.memcg_data
    }
}

impl FolioForAll {
    /// All that uncharging asks: what kind of memory it was, the owner word says.
    #[inline]
    fn owner_and_pages<'a>(&'a self, folio: Folio<'a>) -> (&'a AtomicU64, u64) {
        let head = folio.0;
        (&head.memcg_data, self.map.nr_pages(head))
    }
}

impl Lru for FolioForAll {
    #[inline]
    fn slots(&self) -> &PowerArray<Slot> {
        self.map.slots()
    }

    #[inline]
    fn slot_of<'a>(&'a self, folio: Folio<'a>) -> &'a Slot {
        folio.0
    }

    #[inline]
    fn unit_of<'a>(&'a self, slot: &'a Slot) -> Folio<'a> {
        Folio(slot)
    }

    #[inline]
    fn pfn_scan(&self, cpu: usize, start: Pfn, pfns: u64, isolate: bool) -> Scan {
        self.map.pfn_scan(start, pfns, |head| {
            isolate && lru::isolate_and_putback(self, cpu, Folio(head))
        })
    }
}
