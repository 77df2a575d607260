//! `Lru`: reclaim's lists and compaction's walk.

use std::sync::atomic::Ordering::Relaxed;

use physmem::{Extent, Kind, Pfn};

use super::memcg::Memcg;
use crate::memcg::MemCgroup;
use crate::memmap;
use crate::rules::KernelRules;
use crate::slot::{PowerArray, Slot};

/// Reclaim's lists and compaction's walk. The list machinery is [`crate::lru`]; a design
/// says which array the list words point into, and how a frame leads to a unit.
pub trait Lru: Memcg {
    /// The array that the units' list words point into. Its last slots, from
    /// [`lru::heads_start`](crate::lru::heads_start) on, are the lists' heads
    /// (`lruvec->lists`). Law: `lists_are_queues`.
    fn slots(&self) -> &PowerArray<Slot>;

    /// The unit whose flags and list words a slot holds (`lru_to_folio`); only asked of slots
    /// that were put on a list. Law: `lists_are_queues`.
    fn unit_of<'a>(&'a self, slot: &'a Slot) -> Self::Unit<'a>;

    /// Records that an extent of free frames is one free block, as a PFN walk meets it
    /// (`set_buddy_order`). Allocating frames of it takes the mark from those frames only:
    /// the caller marks again what is left of a block. Law: `a_pfn_walk_sees_what_is_there`.
    fn mark_free(&self, extent: Extent);

    /// Says that a driver knows how to move a unit (`__SetPageMovable`: zsmalloc, balloons).
    /// Law: `what_drivers_move_is_isolated_too`.
    #[inline]
    fn set_movable<'a>(&'a self, unit: Self::Unit<'a>) {
        let slot = self.slot_of(unit);
        slot.mapping.store(memmap::MAPPING_MOVABLE, Relaxed);
    }

    /// Compaction's walk over `pfns` frames from `start` (`isolate_migratepages_block`). With
    /// `isolate`, each movable allocation is taken off its list and put back.
    /// Law: `a_pfn_walk_sees_what_is_there`.
    ///
    /// How far the walk steps is the kernel's rule, whatever a descriptor would allow
    /// ([`KernelVersion::walks_small_compounds`](crate::KernelVersion)).
    /// Law: `a_walk_steps_as_its_kernel_does`.
    fn pfn_scan<V: KernelRules>(&self, cpu: usize, start: Pfn, pfns: u64, isolate: bool) -> Scan;

    /// Adds units to the heads of their lists ([`lru::add`](crate::lru::add)).
    #[inline]
    fn lru_add<'a>(&'a self, cpu: usize, units: &[Self::Unit<'a>]) {
        crate::lru::add(self, cpu, units);
    }

    /// Takes up to `want` units off the tail of a group's list, with a reference each
    /// ([`lru::isolate`](crate::lru::isolate)).
    #[inline]
    fn lru_isolate<'a>(
        &'a self,
        cpu: usize,
        group: &MemCgroup,
        kind: Kind,
        want: usize,
        out: &mut Vec<Self::Unit<'a>>,
    ) -> usize {
        crate::lru::isolate(self, cpu, group, kind, want, out)
    }

    /// Puts isolated units back and drops their references
    /// ([`lru::putback`](crate::lru::putback)).
    #[inline]
    fn lru_putback<'a>(&'a self, cpu: usize, units: &[Self::Unit<'a>]) {
        crate::lru::putback(self, cpu, units);
    }
}

/// The finds of a PFN walk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scan {
    /// Free frames skipped.
    pub free: u64,
    /// Allocations on an LRU list and movable.
    pub movable: u64,
    /// Base pages in them.
    pub movable_pages: u64,
    /// Allocations that are on no LRU list and moved by their driver.
    pub of_drivers: u64,
    /// Other allocations that are neither free nor on an LRU list.
    pub unmovable: u64,
    /// Allocations too large for compaction (the pageblock's order or more; on a list and before
    /// v6.9, more than a page).
    pub large: u64,
    /// Allocations taken off their list and put back, where asked.
    pub isolated: u64,
}
