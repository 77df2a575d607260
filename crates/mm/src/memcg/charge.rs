//! Charging and uncharging: stock, counters, commit, batches.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use physmem::Kind;

use super::events::{check_events, count_events};
use super::group::{CpuState, MAX_CPUS, MemCgroup, MemcgTree};
use super::{OWNER_FLAGS, OWNER_KMEM, Stat, mod_lruvec_state};
use crate::rules::{KernelRules, KernelVersion};

/// All that type-agnostic accounting needs to know about a unit of memory.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// The owner word in the unit's descriptor (`memcg_data`).
    pub owner: &'a AtomicU64,
    /// Base pages.
    pub pages: u64,
    /// Kind of memory: chooses the statistic.
    pub kind: Kind,
}

/// A charge beyond a group's limit, after every stock was drained. The kernel would
/// reclaim, then kill.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the charge is beyond a limit of the group or of one above it")]
pub struct OverLimit;

/// Charges `pages` to a group and all above it (`try_charge`): from this CPU's stock
/// where it holds enough, otherwise from the counters, a batch at a time, the surplus
/// going into stock.
#[inline(never)]
pub fn try_charge<V: KernelRules>(
    memory: &MemcgTree,
    cpu: usize,
    group: &MemCgroup,
    pages: u64,
) -> Result<(), OverLimit> {
    let stock = memory.cpu(cpu);
    if consume_stock::<V>(stock, group, pages) {
        return Ok(());
    }
    let mut batch = pages.max(u64::from(V::VERSION.charge_batch()));
    let mut drained = false;
    while !charge_counters(memory, group, batch) {
        if batch > pages {
            batch = pages;
        } else if !drained {
            drain_all_stocks(memory, cpu);
            drained = true;
        } else {
            return Err(OverLimit);
        }
    }
    if batch > pages {
        refill_stock::<V>(memory, cpu, group, (batch - pages) as u32);
    }
    // The kernel looks at every level's high mark on the way out; a task above it would
    // be throttled on its return to user space.
    for level in memory.ancestry(group) {
        if level.memory.read() as u64 > level.memory.high() {
            break;
        }
    }
    Ok(())
}

/// `page_counter_try_charge`: every level or none.
#[inline(never)]
fn charge_counters(memory: &MemcgTree, group: &MemCgroup, pages: u64) -> bool {
    for (depth, level) in memory.ancestry(group).enumerate() {
        if !level.memory.try_add(pages) {
            for below in memory.ancestry(group).take(depth) {
                below.memory.cancel(pages);
            }
            return false;
        }
    }
    true
}

/// `page_counter_uncharge`: every level.
#[inline(never)]
pub(super) fn uncharge_counters(memory: &MemcgTree, group: &MemCgroup, pages: u64) {
    for level in memory.ancestry(group) {
        level.memory.cancel(pages);
    }
}

/// `consume_stock`: no atomics, only this CPU writes its stock.
#[inline]
fn consume_stock<V: KernelRules>(stock: &CpuState, group: &MemCgroup, pages: u64) -> bool {
    if pages > u64::from(V::VERSION.charge_batch()) {
        return false;
    }
    if stock.drain.load(Relaxed) != 0 {
        return false;
    }
    let slots = V::VERSION.stock_slots();
    for (cached, held) in stock.cached.iter().zip(&stock.pages).take(slots) {
        if cached.load(Relaxed) == group.word() {
            let have = held.load(Relaxed);
            if u64::from(have) < pages {
                return false;
            }
            held.store(have - pages as u32, Relaxed);
            return true;
        }
    }
    false
}

/// `refill_stock`: into the group's slot, a free one, or in place of a victim; a slot
/// beyond the batch drains.
#[inline(never)]
pub(super) fn refill_stock<V: KernelRules>(
    memory: &MemcgTree,
    cpu: usize,
    group: &MemCgroup,
    pages: u32,
) {
    let stock = memory.cpu(cpu);
    if stock.drain.swap(0, Acquire) != 0 {
        drain_stock(memory, stock);
    }
    let slots = V::VERSION.stock_slots();
    let find = |word: u64| {
        stock
            .cached
            .iter()
            .zip(&stock.pages)
            .take(slots)
            .find(|(cached, _)| cached.load(Relaxed) == word)
    };
    let (cached, held) = match find(group.word()).or_else(|| find(0)) {
        Some(slot) => slot,
        None => {
            let victim = stock.next_victim.load(Relaxed) as usize % slots;
            stock.next_victim.store((victim + 1) as u32, Relaxed);
            let slot = (&stock.cached[victim % 7], &stock.pages[victim % 7]);
            drain_slot(memory, slot.0, slot.1);
            slot
        }
    };
    cached.store(group.word(), Relaxed);
    let total = held.load(Relaxed) + pages;
    held.store(total, Relaxed);
    if total > V::VERSION.charge_batch() {
        drain_slot(memory, cached, held);
    }
}

/// Returns one slot's pages to the counters (`drain_stock`).
#[inline(never)]
fn drain_slot(memory: &MemcgTree, cached: &AtomicU64, held: &std::sync::atomic::AtomicU32) {
    let word = cached.load(Relaxed);
    let pages = held.load(Relaxed);
    if word != 0 && pages != 0 {
        uncharge_counters(memory, memory.resolve(word), u64::from(pages));
    }
    held.store(0, Relaxed);
    cached.store(0, Relaxed);
}

pub(super) fn drain_stock(memory: &MemcgTree, stock: &CpuState) {
    for (cached, held) in stock.cached.iter().zip(&stock.pages) {
        drain_slot(memory, cached, held);
    }
}

/// Drains this CPU's stock and asks every other CPU to drain its own before it uses it
/// again (`drain_all_stock`; the kernel queues work on each CPU).
fn drain_all_stocks(memory: &MemcgTree, cpu: usize) {
    drain_stock(memory, memory.cpu(cpu));
    for other in (0..MAX_CPUS).filter(|&other| other != cpu % MAX_CPUS) {
        // Release pairs with the Acquire of the swap in `refill_stock`.
        memory.cpu(other).drain.store(1, Release);
    }
}

/// Charges a unit of user memory to a group: counters or stock, then the owner word and one
/// reference (`mem_cgroup_charge`).
/// Charges to the root group are not counted.
#[inline(never)]
pub fn charge<V: KernelRules>(
    memory: &MemcgTree,
    cpu: usize,
    group: &MemCgroup,
    unit: Charge<'_>,
) -> Result<(), OverLimit> {
    let state = memory.cpu(cpu);
    hold_group::<V>(state, cpu, group);
    let charged = charge_held::<V>(memory, cpu, group, unit);
    state.css_add::<V>(cpu, group, -1);
    charged
}

/// Keeps the group from going away under the charge (`get_mem_cgroup_from_mm`; whose group
/// it is, the caller has found).
#[inline(never)]
fn hold_group<V: KernelRules>(state: &CpuState, cpu: usize, group: &MemCgroup) {
    if V::VERSION >= KernelVersion::V6_1 {
        state.rcu_read_lock();
    }
    state.css_add::<V>(cpu, group, 1);
    if V::VERSION >= KernelVersion::V6_1 {
        state.rcu_read_unlock();
    }
}

/// `charge_memcg`, `commit_charge`.
#[inline]
fn charge_held<V: KernelRules>(
    memory: &MemcgTree,
    cpu: usize,
    group: &MemCgroup,
    unit: Charge<'_>,
) -> Result<(), OverLimit> {
    if memory.is_root(group) {
        return Ok(());
    }
    try_charge::<V>(memory, cpu, group, unit.pages)?;
    memory.cpu(cpu).css_add::<V>(cpu, group, 1);
    // Release pairs with the Acquire of those who follow the owner word to the group.
    unit.owner.store(group.word(), Release);
    if V::VERSION < KernelVersion::V6_12 {
        count_events(memory, group, cpu, 1, unit.pages);
        check_events(memory, group, cpu);
    }
    Ok(())
}

/// The charges gathered of one owner (`struct uncharge_gather`).
#[derive(Default)]
struct Gather {
    owner: u64,
    pages: u64,
    kmem: u64,
    events: u32,
}

impl Gather {
    /// `uncharge_page`, `uncharge_folio`: functions of their own in both kernels. 5.10's gets
    /// by with two saved registers, which ours would not, so there it is part of its caller.
    #[inline]
    fn add<V: KernelRules>(
        &mut self,
        memory: &MemcgTree,
        cpu: usize,
        owner_word: &AtomicU64,
        pages: u64,
    ) {
        if V::VERSION >= KernelVersion::V6_1 {
            self.uncharge_folio::<V>(memory, cpu, owner_word, pages);
        } else {
            self.uncharge::<V>(memory, cpu, owner_word, pages);
        }
    }

    #[inline(never)]
    fn uncharge_folio<V: KernelRules>(
        &mut self,
        memory: &MemcgTree,
        cpu: usize,
        owner_word: &AtomicU64,
        pages: u64,
    ) {
        self.uncharge::<V>(memory, cpu, owner_word, pages);
    }

    #[inline(always)]
    fn uncharge<V: KernelRules>(
        &mut self,
        memory: &MemcgTree,
        cpu: usize,
        owner_word: &AtomicU64,
        pages: u64,
    ) {
        // Acquire pairs with the Release of commit.
        let word = owner_word.load(Acquire);
        let owner = word & !OWNER_FLAGS;
        if owner == 0 {
            return;
        }
        let group = memory.resolve(owner);
        if self.owner != owner {
            self.flush::<V>(memory, cpu);
            *self = Self {
                owner,
                ..Self::default()
            };
            memory.cpu(cpu).css_add::<V>(cpu, group, 1);
        }
        self.pages += pages;
        owner_word.store(0, Relaxed);
        if word & OWNER_KMEM != 0 && V::VERSION >= KernelVersion::V6_1 {
            self.kmem += pages;
            group.objcg.add_refs::<V>(memory.cpu(cpu), cpu, -1);
        } else {
            self.events += 1;
            memory.cpu(cpu).css_add::<V>(cpu, group, -1);
        }
    }

    /// `uncharge_batch`: one hierarchical uncharge, one reference put; the stock is not
    /// refilled.
    #[inline(never)]
    fn flush<V: KernelRules>(&self, memory: &MemcgTree, cpu: usize) {
        if self.owner == 0 {
            return;
        }
        let group = memory.resolve(self.owner);
        uncharge_counters(memory, group, self.pages);
        if self.kmem != 0 {
            super::objects::account::<V>(memory, cpu, group, -(self.kmem as i64));
        }
        if V::VERSION < KernelVersion::V6_12 {
            count_events(memory, group, cpu, self.events, self.pages);
            check_events(memory, group, cpu);
        }
        memory.cpu(cpu).css_add::<V>(cpu, group, -1);
    }
}

/// Uncharges one unit directly (`mem_cgroup_uncharge`), of which it asks no more than the owner
/// word and the number of pages.
#[inline(never)]
pub fn uncharge_word<V: KernelRules>(
    memory: &MemcgTree,
    cpu: usize,
    owner: &AtomicU64,
    pages: u64,
) {
    let mut gather = Gather::default();
    gather.add::<V>(memory, cpu, owner, pages);
    gather.flush::<V>(memory, cpu);
}

/// Uncharges many, a run of the same owner at a time (`mem_cgroup_uncharge_list`,
/// `mem_cgroup_uncharge_folios`).
#[inline]
pub fn uncharge_words<'a, V: KernelRules>(
    memory: &MemcgTree,
    cpu: usize,
    units: impl Iterator<Item = (&'a AtomicU64, u64)>,
) {
    let mut gather = Gather::default();
    for (owner, pages) in units {
        gather.add::<V>(memory, cpu, owner, pages);
    }
    gather.flush::<V>(memory, cpu);
}

/// Moves a unit's charge, its statistic and its reference to another group
/// (`mem_cgroup_move_account`, until v6.13).
pub fn move_account(memory: &MemcgTree, cpu: usize, unit: Charge<'_>, to: &MemCgroup) {
    let Some(word) = super::lock::rebind(memory, unit.owner, to) else {
        return;
    };
    let from = memory.resolve(word);
    let stat = Stat::of(unit.kind);
    let pages = unit.pages as i64;
    for (group, sign) in [(from, -1), (to, 1)] {
        mod_lruvec_state(memory, cpu, group, stat, sign * pages);
        group.add_refs(cpu, sign);
    }
    if charge_counters(memory, to, unit.pages) {
        uncharge_counters(memory, from, unit.pages);
    }
}

/// Takes the references that the parts of a split allocation of `pages` base pages hold,
/// beyond the one it had (`split_page_memcg`).
pub fn split_owner(memory: &MemcgTree, owner: &AtomicU64, pages: u64) {
    if let Some(group) = super::owner(memory, owner) {
        group.add_refs(0, pages as i64 - 1);
    }
}
