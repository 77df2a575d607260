//! Charging and uncharging: stock, counters, commit, batches.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use physmem::Kind;

use super::group::{CpuState, Group, MAX_CPUS, Memory};
use super::{OWNER_FLAGS, OWNER_KMEM, OWNER_SLAB, Stat, mod_lruvec_state};
use crate::rules::{Rules, Version};

/// All that type-agnostic accounting needs to know of a chunk of memory.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// The owner word in the chunk's descriptor (`memcg_data`).
    pub owner: &'a AtomicU64,
    /// Base pages.
    pub pages: u64,
    /// Kind of memory: chooses the statistic and whether it is kernel memory.
    pub kind: Kind,
}

impl Charge<'_> {
    /// The flag bits of the owner word that memory of this kind carries.
    #[inline]
    pub fn owner_flags(&self) -> u64 {
        match self.kind {
            Kind::Slab => OWNER_SLAB | OWNER_KMEM,
            Kind::PageTable | Kind::KernelStack | Kind::PipeBuffer | Kind::Zsmalloc => OWNER_KMEM,
            Kind::Anon | Kind::File | Kind::Free => 0,
        }
    }
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
pub fn try_charge<V: Rules>(
    memory: &Memory,
    cpu: usize,
    group: &Group,
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
fn charge_counters(memory: &Memory, group: &Group, pages: u64) -> bool {
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
fn uncharge_counters(memory: &Memory, group: &Group, pages: u64) {
    for level in memory.ancestry(group) {
        level.memory.cancel(pages);
    }
}

/// `consume_stock`: no atomics, only this CPU writes its stock.
#[inline]
fn consume_stock<V: Rules>(stock: &CpuState, group: &Group, pages: u64) -> bool {
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
fn refill_stock<V: Rules>(memory: &Memory, cpu: usize, group: &Group, pages: u32) {
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
fn drain_slot(memory: &Memory, cached: &AtomicU64, held: &std::sync::atomic::AtomicU32) {
    let word = cached.load(Relaxed);
    let pages = held.load(Relaxed);
    if word != 0 && pages != 0 {
        uncharge_counters(memory, memory.resolve(word), u64::from(pages));
    }
    held.store(0, Relaxed);
    cached.store(0, Relaxed);
}

fn drain_stock(memory: &Memory, stock: &CpuState) {
    for (cached, held) in stock.cached.iter().zip(&stock.pages) {
        drain_slot(memory, cached, held);
    }
}

/// Drains this CPU's stock and asks every other CPU to drain its own before it uses it
/// again (`drain_all_stock`; the kernel queues work on each CPU).
fn drain_all_stocks(memory: &Memory, cpu: usize) {
    drain_stock(memory, memory.cpu(cpu));
    for other in (0..MAX_CPUS).filter(|&other| other != cpu % MAX_CPUS) {
        // Release pairs with the Acquire of the swap in `refill_stock`.
        memory.cpu(other).drain.store(1, Release);
    }
}

/// Charges a chunk to a group: counters or stock, kernel memory's own counter, then the
/// owner word and one reference (`mem_cgroup_charge`, `obj_cgroup_charge_pages`).
/// Charges to the root group are not counted.
#[inline(never)]
pub fn charge<V: Rules>(
    memory: &Memory,
    cpu: usize,
    group: &Group,
    chunk: Charge<'_>,
) -> Result<(), OverLimit> {
    if memory.is_root(group) {
        return Ok(());
    }
    try_charge::<V>(memory, cpu, group, chunk.pages)?;
    let flags = chunk.owner_flags();
    if flags & OWNER_KMEM != 0 {
        for level in memory.ancestry(group) {
            level.kmem.try_add(chunk.pages);
        }
    }
    group.add_refs(cpu, 1);
    // Release pairs with the Acquire of those who follow the owner word to the group.
    chunk.owner.store(group.word() | flags, Release);
    if V::VERSION < Version::V6_12 {
        count_events(group, cpu, 1);
    }
    Ok(())
}

/// Page-in and page-out events (`mem_cgroup_charge_statistics`, `memcg_check_events`).
#[inline]
fn count_events(group: &Group, cpu: usize, n: u32) {
    let events = &group.on(cpu).events;
    events.store(events.load(Relaxed).wrapping_add(n), Relaxed);
}

/// What has been gathered of one owner (`struct uncharge_gather`).
#[derive(Default)]
struct Gather {
    owner: u64,
    pages: u64,
    kmem: u64,
    events: u32,
}

impl Gather {
    /// `uncharge_page`, `uncharge_folio`.
    #[inline]
    fn add(&mut self, memory: &Memory, cpu: usize, chunk: Charge<'_>) {
        // Acquire pairs with the Release of commit.
        let word = chunk.owner.load(Acquire);
        let owner = word & !OWNER_FLAGS;
        if owner == 0 {
            return;
        }
        if self.owner != owner {
            self.flush(memory, cpu);
            *self = Self {
                owner,
                ..Self::default()
            };
            memory.resolve(owner).add_refs(cpu, 1);
        }
        self.pages += chunk.pages;
        if word & OWNER_KMEM != 0 {
            self.kmem += chunk.pages;
        } else {
            self.events += 1;
        }
        chunk.owner.store(0, Relaxed);
        memory.resolve(owner).add_refs(cpu, -1);
    }

    /// `uncharge_batch`: one hierarchical uncharge, one reference put; the stock is not
    /// refilled.
    #[inline(never)]
    fn flush(&self, memory: &Memory, cpu: usize) {
        if self.owner == 0 {
            return;
        }
        let group = memory.resolve(self.owner);
        uncharge_counters(memory, group, self.pages);
        if self.kmem != 0 {
            for level in memory.ancestry(group) {
                level.kmem.cancel(self.kmem);
            }
        }
        count_events(group, cpu, self.events);
        group.add_refs(cpu, -1);
    }
}

/// Uncharges one chunk directly (`mem_cgroup_uncharge`).
#[inline(never)]
pub fn uncharge(memory: &Memory, cpu: usize, chunk: Charge<'_>) {
    let mut gather = Gather::default();
    gather.add(memory, cpu, chunk);
    gather.flush(memory, cpu);
}

/// Uncharges many, a run of the same owner at a time (`mem_cgroup_uncharge_list`,
/// `mem_cgroup_uncharge_folios`).
#[inline]
pub fn uncharge_batch<'a>(memory: &Memory, cpu: usize, chunks: impl Iterator<Item = Charge<'a>>) {
    let mut gather = Gather::default();
    for chunk in chunks {
        gather.add(memory, cpu, chunk);
    }
    gather.flush(memory, cpu);
}

/// Moves a chunk's charge, its statistic and its reference to another group
/// (`mem_cgroup_move_account`, until v6.13).
pub fn move_account(memory: &Memory, cpu: usize, chunk: Charge<'_>, to: &Group) {
    let Some(word) = super::lock::rebind(memory, chunk.owner, to) else {
        return;
    };
    let from = memory.resolve(word);
    let stat = Stat::of(chunk.kind);
    let pages = chunk.pages as i64;
    for (group, sign) in [(from, -1), (to, 1)] {
        mod_lruvec_state(memory, cpu, group, stat, sign * pages);
        group.add_refs(cpu, sign);
    }
    if charge_counters(memory, to, chunk.pages) {
        uncharge_counters(memory, from, chunk.pages);
    }
}

/// Takes the references that the parts of a split allocation of `pages` base pages hold,
/// beyond the one it had (`split_page_memcg`).
pub fn split_owner(memory: &Memory, owner: &AtomicU64, pages: u64) {
    if let Some(group) = super::owner(memory, owner) {
        group.add_refs(0, pages as i64 - 1);
    }
}

impl Memory {
    /// Empties every CPU's stock, objects' included; only while no CPU is charging.
    pub fn drain(&self) {
        for cpu in 0..MAX_CPUS {
            let stock = self.cpu(cpu);
            stock.drain.store(0, Relaxed);
            drain_stock(self, stock);
            self.drain_objects(stock);
        }
    }

    /// Charges bytes of a slab object (`obj_cgroup_charge`): from this CPU's byte stock,
    /// otherwise whole pages, the rest of the last one going into the byte stock.
    pub fn charge_object<V: Rules>(
        &self,
        cpu: usize,
        group: &Group,
        bytes: u32,
    ) -> Result<(), OverLimit> {
        let stock = self.cpu(cpu);
        let have = stock.object_bytes.load(Relaxed);
        if stock.cached_object.load(Relaxed) == group.word() && have >= bytes {
            stock.object_bytes.store(have - bytes, Relaxed);
            return Ok(());
        }
        let pages = u64::from(bytes.div_ceil(4096));
        try_charge::<V>(self, cpu, group, pages)?;
        for level in self.ancestry(group) {
            level.kmem.try_add(pages);
        }
        self.refill_objects(stock, group, (pages * 4096) as u32 - bytes);
        Ok(())
    }

    /// Returns bytes of a slab object to this CPU's byte stock (`obj_cgroup_uncharge`).
    pub fn uncharge_object(&self, cpu: usize, group: &Group, bytes: u32) {
        self.refill_objects(self.cpu(cpu), group, bytes);
    }

    /// `refill_obj_stock`: another group's bytes are drained first; what exceeds a page
    /// goes back to the counters.
    fn refill_objects(&self, stock: &CpuState, group: &Group, bytes: u32) {
        if stock.cached_object.load(Relaxed) != group.word() {
            self.drain_objects(stock);
            stock.cached_object.store(group.word(), Relaxed);
            // What an earlier drain left over of a page comes back into stock.
            let left = group.object_bytes.swap(0, Relaxed);
            stock.object_bytes.store(left as u32, Relaxed);
        }
        let total = stock.object_bytes.load(Relaxed) + bytes;
        stock.object_bytes.store(total % 4096, Relaxed);
        if total >= 4096 {
            self.uncharge_objects(group, u64::from(total / 4096));
        }
    }

    /// `drain_obj_stock`: whole pages to the counters, the rest waits in the group.
    fn drain_objects(&self, stock: &CpuState) {
        let word = stock.cached_object.swap(0, Relaxed);
        if word == 0 {
            return;
        }
        let group = self.resolve(word);
        let bytes = stock.object_bytes.swap(0, Relaxed);
        let total = group.object_bytes.fetch_add(i64::from(bytes), Relaxed) + i64::from(bytes);
        let pages = (total / 4096) as u64;
        if pages != 0 {
            group.object_bytes.fetch_sub(pages as i64 * 4096, Relaxed);
            self.uncharge_objects(group, pages);
        }
    }

    fn uncharge_objects(&self, group: &Group, pages: u64) {
        uncharge_counters(self, group, pages);
        for level in self.ancestry(group) {
            level.kmem.cancel(pages);
        }
    }
}
