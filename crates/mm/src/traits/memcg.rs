//! `Memcg`: charging memory to memory cgroups.

use std::sync::atomic::AtomicU64;

use super::design::Design;
use crate::memcg::{self, Charge, LockStyle, MemCgroup, MemcgTree, ObjectOwners, OverLimit, Stat};
use crate::rules::KernelRules;

/// Charging memory to memory cgroups.
///
/// The machinery is [`crate::memcg`], the same for every design. Designs differ in how they
/// find the owner word, the page count and the statistics index of a unit, and in how the
/// binding is locked.
pub trait Memcg: Design {
    /// The ways this design can lock the binding of a unit to its group.
    const LOCK_STYLES: &'static [LockStyle] = &[LockStyle::Native];
    /// A base page as it is found in a page table, head or tail (`vm_normal_page`).
    type MappedPage<'a>: Copy + Send + Sync
    where
        Self: 'a;

    /// The cgroup tree, its counters and per-CPU state (`root_mem_cgroup`).
    /// Law: `usage_is_the_sum_of_charges`.
    fn groups(&self) -> &MemcgTree;

    /// The owner word, page count and kind of a unit: all that type-agnostic code needs
    /// (`folio->memcg_data`, `folio_nr_pages`). Laws: `owners_are_kept`,
    /// `statistics_are_sums`.
    fn charge_of<'a>(&'a self, unit: Self::Unit<'a>) -> Charge<'a>;

    /// The owner word and page count of a unit: all that uncharging asks, for the owner word
    /// says itself whether it was kernel memory.
    #[inline]
    fn owner_and_pages<'a>(&'a self, unit: Self::Unit<'a>) -> (&'a AtomicU64, u64) {
        let charge = self.charge_of(unit);
        (charge.owner, charge.pages)
    }

    /// The owner word of a unit, as `style` finds it: the price that `lock_page_memcg` pays
    /// before it can look whether a move is under way.
    #[inline]
    fn owner_word<'a>(&'a self, unit: Self::Unit<'a>, _: LockStyle) -> &'a AtomicU64 {
        &self.slot_of(unit).memcg_data
    }

    /// Base page `n` of a unit as a page table leads to it.
    fn mapped_page<'a>(&'a self, unit: Self::Unit<'a>, n: u64) -> Self::MappedPage<'a>;

    /// Finds the unit of a mapped page, as a function that takes a page does first (`page_folio`); the
    /// page itself where units are pages. Law: `the_lock_keeps_the_owner`.
    fn unit_of_mapped<'a>(&'a self, page: Self::MappedPage<'a>) -> Self::Unit<'a>;

    /// Charges a unit to a group on a CPU (`mem_cgroup_charge`): counters or stock, then
    /// commit of the owner word.
    #[inline]
    fn charge<'a, V: KernelRules>(
        &'a self,
        cpu: usize,
        group: &MemCgroup,
        unit: Self::Unit<'a>,
    ) -> Result<(), OverLimit> {
        memcg::charge::<V>(self.groups(), cpu, group, self.charge_of(unit))
    }

    /// Charges a unit of kernel memory, whole: a page table, a stack, a pipe's buffer
    /// (`__memcg_kmem_charge_page`). Law: `usage_is_the_sum_of_charges`.
    #[inline]
    fn charge_kernel<'a, V: KernelRules>(
        &'a self,
        cpu: usize,
        group: &MemCgroup,
        unit: Self::Unit<'a>,
    ) -> Result<(), OverLimit> {
        memcg::charge_kernel::<V>(self.groups(), cpu, group, self.charge_of(unit))
    }

    /// Uncharges a unit of kernel memory (`__memcg_kmem_uncharge_page`).
    #[inline]
    fn uncharge_kernel<'a, V: KernelRules>(&'a self, cpu: usize, unit: Self::Unit<'a>) {
        let (owner, pages) = self.owner_and_pages(unit);
        memcg::uncharge_kernel::<V>(self.groups(), cpu, owner, pages);
    }

    /// Charges an object of a slab, given the page that it lies in (`virt_to_slab`): the bytes,
    /// then the slab's vector says whose it is (`__memcg_slab_post_alloc_hook`).
    /// Law: `objects_are_charged_by_bytes`.
    #[inline]
    fn charge_object<'a, V: KernelRules>(
        &'a self,
        (cpu, group): (usize, &MemCgroup),
        owners: &ObjectOwners,
        page: Self::MappedPage<'a>,
        (index, bytes): (u64, u32),
    ) -> Result<(), OverLimit> {
        let slab = self.owner_word(self.unit_of_mapped(page), LockStyle::Generic);
        owners.charge::<V>((self.groups(), cpu, group), (slab, index, bytes))
    }

    /// Uncharges it (`__memcg_slab_free_hook`).
    #[inline]
    fn uncharge_object<'a, V: KernelRules>(
        &'a self,
        cpu: usize,
        owners: &ObjectOwners,
        page: Self::MappedPage<'a>,
        (index, bytes): (u64, u32),
    ) {
        let slab = self.owner_word(self.unit_of_mapped(page), LockStyle::Generic);
        owners.uncharge::<V>((self.groups(), cpu), (slab, index, bytes));
    }

    /// Uncharges one unit directly (`mem_cgroup_uncharge`).
    #[inline]
    fn uncharge<'a, V: KernelRules>(&'a self, cpu: usize, unit: Self::Unit<'a>) {
        let (owner, pages) = self.owner_and_pages(unit);
        memcg::uncharge_word::<V>(self.groups(), cpu, owner, pages);
    }

    /// Uncharges many, a run of the same owner at a time (`mem_cgroup_uncharge_list`).
    #[inline]
    fn uncharge_batch<'a, V: KernelRules>(&'a self, cpu: usize, units: &[Self::Unit<'a>]) {
        let each = units.iter().map(|&unit| self.owner_and_pages(unit));
        memcg::uncharge_words::<V>(self.groups(), cpu, each);
    }

    /// Adds `pages` to the statistic of the unit's kind: its group's and its lruvec's where
    /// it has an owner, the root's otherwise (`mod_lruvec_page_state`).
    #[inline]
    fn mod_stat<'a>(&'a self, cpu: usize, unit: Self::Unit<'a>, pages: i64) {
        let charge = self.charge_of(unit);
        let group = memcg::group_of(self.groups(), charge.owner);
        memcg::mod_lruvec_state(self.groups(), cpu, group, Stat::of(charge.kind), pages);
    }

    /// The owner, if charged (`folio_memcg`).
    #[inline]
    fn owner<'a>(&'a self, unit: Self::Unit<'a>) -> Option<&'a MemCgroup> {
        memcg::owner(self.groups(), self.charge_of(unit).owner)
    }

    /// Runs `critical` with the binding of unit and owner locked against moves
    /// (`lock_page_memcg`, `folio_memcg_lock`, until v6.13). The unit is found by `unit`, once
    /// for the lock and once for the unlock, as `lock_page_memcg` and `unlock_page_memcg` do:
    /// where the caller has it, that is nothing. `style` is a constant at every call, so the
    /// choice costs nothing.
    #[inline]
    fn with_memcg_lock<'a, V: KernelRules, T>(
        &'a self,
        cpu: usize,
        unit: impl Fn() -> Self::Unit<'a>,
        style: LockStyle,
        critical: impl FnOnce() -> T,
    ) -> T {
        let owner = || self.owner_word(unit(), style);
        memcg::with_lock::<Self, V, _>(self.groups(), cpu, owner, critical)
    }

    /// Moves a unit's charge, statistic and reference to another group
    /// (`mem_cgroup_move_account`, until v6.13).
    fn move_charge<'a>(&'a self, cpu: usize, unit: Self::Unit<'a>, to: &MemCgroup) {
        memcg::move_account(self.groups(), cpu, self.charge_of(unit), to);
    }
}
