//! # Nothing: the harness floor
//!
//! A design whose every operation does nothing. The cost of a workload with it is that of
//! the harness itself: a line in every plot, below which no other design can honestly be.
//! Its answers are never checked.

#![forbid(unsafe_code)]

use std::sync::atomic::AtomicU64;

use mm::block::{Bio, Segment, UnitRange};
use mm::memcg::{Charge, LockStyle, MemCgroup, MemcgTree, ObjectOwners, OverLimit};
use mm::{
    BlockIo, BuildError, BvPages, Descriptor, DescriptorArray, Design, KernelRules, Lru, Memcg,
    NoMemory, Plan, PowerArray, Scan, SlabIo, Slot,
};
use physmem::{Extent, Kind, PAGE_SIZE, Pfn, PhysAddr};

/// The floor.
#[derive(Debug)]
pub struct Null {
    /// Only so that references to something can be handed out.
    slots: PowerArray<Slot>,
    memory: MemcgTree,
}

impl Design for Null {
    const NAME: &'static str = "null";
    const IDEA: &'static str = "does nothing: what the harness itself costs";
    const IS_FLOOR: bool = true;
    const DESCRIPTORS: &'static [Descriptor] = &[];
    type Unit<'a> = Pfn;

    fn build(plan: &Plan) -> Result<Self, BuildError> {
        Ok(Self {
            slots: PowerArray::map(1, plan.backing)?,
            memory: MemcgTree::new()?,
        })
    }

    fn alloc(&self, extent: Extent, _: Kind) -> Pfn {
        extent.head
    }

    fn free(&self, _: Pfn) {}

    fn split(&self, _: Pfn) -> Result<(), NoMemory> {
        Ok(())
    }

    #[inline]
    fn lookup(&self, pfn: Pfn) -> Option<Pfn> {
        Some(pfn)
    }

    fn extent(&self, head: Pfn) -> Extent {
        Extent {
            head,
            order: physmem::Order::BASE,
        }
    }

    #[inline]
    fn kind(&self, _: Pfn) -> Kind {
        Kind::Anon
    }

    fn slot_of(&self, _: Pfn) -> &Slot {
        self.slots.at(0)
    }

    fn memory(&self) -> Vec<DescriptorArray<'_>> {
        vec![DescriptorArray {
            bytes: 0,
            mapping: self.slots.mapping(),
        }]
    }

    #[inline]
    fn get(&self, _: Pfn) {}

    #[inline]
    fn try_get(&self, _: Pfn) -> bool {
        true
    }

    #[inline]
    fn put(&self, _: Pfn) -> bool {
        false
    }

    fn refcount(&self, _: Pfn) -> u32 {
        1
    }

    fn is_dirty(&self, _: Pfn) -> bool {
        false
    }
}

impl BvPages for Null {
    type BvPage<'a> = Pfn;
    type UserPage<'a> = Pfn;
    const NAMES_UNITS: bool = false;

    fn user_page(&self, head: Pfn, _: u64) -> Option<Pfn> {
        Some(head)
    }

    #[inline]
    fn name_user_page(&self, page: Pfn) -> Option<(Pfn, u32)> {
        Some((page, 0))
    }

    fn bv_page(&self, head: Pfn) -> Option<Pfn> {
        Some(head)
    }

    fn phys(&self, page: Pfn) -> PhysAddr {
        page.phys()
    }
}

impl BlockIo for Null {
    const SLAB_IO: SlabIo = SlabIo::Uncounted;

    fn unit_at(&self, page: Pfn, offset: u32) -> (Pfn, u64) {
        (page, u64::from(offset))
    }

    fn unit_bytes(&self, _: Pfn) -> u64 {
        PAGE_SIZE
    }

    fn next_unit(&self, unit: Pfn) -> Pfn {
        unit
    }

    #[inline]
    fn add_unit<V: KernelRules>(&self, _: &mut Bio<Pfn>, _: Pfn, len: u32, _: u32) -> u32 {
        len
    }

    #[inline]
    fn for_each_segment<'a>(&'a self, _: &Bio<Pfn>, _: impl FnMut(Segment<Self::BvPage<'a>>)) {}

    #[inline]
    fn for_each_bvec<'a>(&'a self, _: &Bio<Pfn>, _: impl FnMut(Segment<Self::BvPage<'a>>)) {}

    #[inline]
    fn for_each_unit<'a>(&'a self, _: &Bio<Pfn>, _: impl FnMut(UnitRange<Self::Unit<'a>>)) {}

    fn pin(&self, _: &Bio<Pfn>) {}

    #[inline]
    fn end_io(&self, _: &Bio<Pfn>) -> u64 {
        0
    }
}

impl Memcg for Null {
    type MappedPage<'a> = Pfn;

    fn groups(&self) -> &MemcgTree {
        &self.memory
    }

    fn charge_of(&self, _: Pfn) -> Charge<'_> {
        Charge {
            owner: &self.slots.at(0).memcg_data,
            pages: 0,
            kind: Kind::Anon,
        }
    }

    fn owner_word(&self, _: Pfn, _: LockStyle) -> &AtomicU64 {
        &self.slots.at(0).memcg_data
    }

    #[inline]
    fn charge<V: KernelRules>(&self, _: usize, _: &MemCgroup, _: Pfn) -> Result<(), OverLimit> {
        Ok(())
    }

    #[inline]
    fn charge_kernel<V: KernelRules>(
        &self,
        _: usize,
        _: &MemCgroup,
        _: Pfn,
    ) -> Result<(), OverLimit> {
        Ok(())
    }

    #[inline]
    fn uncharge_kernel<V: KernelRules>(&self, _: usize, _: Pfn) {}

    #[inline]
    fn charge_object<V: KernelRules>(
        &self,
        _: (usize, &MemCgroup),
        _: &ObjectOwners,
        _: Pfn,
        _: (u64, u32),
    ) -> Result<(), OverLimit> {
        Ok(())
    }

    #[inline]
    fn uncharge_object<V: KernelRules>(&self, _: usize, _: &ObjectOwners, _: Pfn, _: (u64, u32)) {}

    #[inline]
    fn uncharge<V: KernelRules>(&self, _: usize, _: Pfn) {}

    #[inline]
    fn uncharge_batch<V: KernelRules>(&self, _: usize, _: &[Pfn]) {}

    #[inline]
    fn mod_stat(&self, _: usize, _: Pfn, _: i64) {}

    fn owner(&self, _: Pfn) -> Option<&MemCgroup> {
        None
    }

    #[inline]
    fn mapped_page(&self, _: Pfn, _: u64) -> Pfn {
        Pfn(0)
    }

    #[inline]
    fn unit_of_mapped(&self, _: Pfn) -> Pfn {
        Pfn(0)
    }

    #[inline]
    fn with_memcg_lock<'a, V: KernelRules, T>(
        &'a self,
        _: usize,
        _: impl Fn() -> Self::Unit<'a>,
        _: LockStyle,
        critical: impl FnOnce() -> T,
    ) -> T {
        critical()
    }

    fn move_charge(&self, _: usize, _: Pfn, _: &MemCgroup) {}
}

impl Lru for Null {
    fn slots(&self) -> &PowerArray<Slot> {
        &self.slots
    }

    fn mark_free(&self, _: Extent) {}

    fn unit_of(&self, _: &Slot) -> Pfn {
        Pfn(0)
    }

    fn lru_add(&self, _: usize, _: &[Pfn]) {}

    fn lru_isolate(&self, _: usize, _: &MemCgroup, _: Kind, _: usize, _: &mut Vec<Pfn>) -> usize {
        0
    }

    fn lru_putback(&self, _: usize, _: &[Pfn]) {}

    #[inline]
    fn pfn_scan<V: KernelRules>(&self, _: usize, _: Pfn, _: u64, _: bool) -> Scan {
        Scan::default()
    }
}
