//! memcg, LRU and compaction's walk on head pages: asserted, not looked for.

use std::sync::atomic::AtomicU64;

use mm::lru;
use mm::memcg::{Charge, LockStyle, MemcgTree};
use mm::memmap::{Memmap, Page};
use mm::{Lru, Memcg, PowerArray, Scan, Slot};
use physmem::Pfn;

use crate::HeadPageDesign;

impl<const CHECK: bool> Memcg for HeadPageDesign<CHECK> {
    #[inline]
    fn groups(&self) -> &MemcgTree {
        &self.memory
    }

    #[inline]
    fn charge_of<'a>(&'a self, head: Page<'a>) -> Charge<'a> {
        self.assert_head(head);
        Charge {
            owner: &head.0.memcg_data,
            pages: self.map.nr_pages(head.0),
            kind: Memmap::kind(head.0),
        }
    }

    #[inline]
    fn owner_word<'a>(&'a self, head: Page<'a>, _: LockStyle) -> &'a AtomicU64 {
        self.assert_head(head);
        &head.0.memcg_data
    }
}

impl<const CHECK: bool> Lru for HeadPageDesign<CHECK> {
    #[inline]
    fn slots(&self) -> &PowerArray<Slot> {
        self.map.slots()
    }

    #[inline]
    fn slot_of<'a>(&'a self, head: Page<'a>) -> &'a Slot {
        self.assert_head(head);
        head.0
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
