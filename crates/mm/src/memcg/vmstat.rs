//! Counting: the statistics of the node, of groups and of their lruvecs.

use std::sync::atomic::Ordering::Relaxed;

use physmem::Kind;

use super::group::{CpuStats, MAX_CPUS, MAX_NODES, MemCgroup, MemcgTree, add_on_cpu, list_of};
use super::stat::Stat;

/// The number of a group's pending changes from which on they go to its atomic
/// (`MEMCG_CHARGE_BATCH`).
const FLUSH_AT: u32 = 64;
/// A group with more pending updates than this is due for a flush and learns no more
/// (`memcg_vmstats_needs_flush`).
const FLUSHABLE: u64 = FLUSH_AT as u64 * MAX_CPUS as u64;

/// Adds to a statistic of the node, the group and the group's lruvec
/// (`__mod_lruvec_state`, v6.12).
#[inline(never)]
pub fn mod_lruvec_state(memory: &MemcgTree, cpu: usize, group: &MemCgroup, stat: Stat, pages: i64) {
    mod_node_state(memory, cpu, stat, pages);
    mod_memcg_lruvec_state(memory, cpu, group, stat, pages);
}

/// The node's part (`__mod_node_page_state`).
#[inline(never)]
fn mod_node_state(memory: &MemcgTree, cpu: usize, stat: Stat, pages: i64) {
    let index = stat as usize;
    let Some(diff) = memory.cpu(cpu).node.get(index) else {
        return;
    };
    let x = diff.load(Relaxed) + pages;
    if x.unsigned_abs() > u64::from(memory.cpu(cpu).stat_threshold.load(Relaxed)) {
        memory.node[index].fetch_add(x, Relaxed);
        diff.store(0, Relaxed);
    } else {
        diff.store(x, Relaxed);
    }
}

/// Adds to the zone's count of pages on one of its LRU lists (`__mod_zone_page_state` of
/// `NR_ZONE_LRU_BASE + lru`); the model has one zone.
#[inline(never)]
pub(crate) fn mod_zone_lru(memory: &MemcgTree, cpu: usize, list: usize, pages: i64) {
    let on = memory.cpu(cpu);
    let (Some(diff), Some(zone)) = (on.zone_lru.get(list), memory.zone_lru.get(list)) else {
        return;
    };
    let x = diff.load(Relaxed) + pages;
    if x.unsigned_abs() > u64::from(on.stat_threshold.load(Relaxed)) {
        zone.fetch_add(x, Relaxed);
        diff.store(0, Relaxed);
    } else {
        diff.store(x, Relaxed);
    }
}

/// The group's part (`__mod_memcg_lruvec_state`): two per-CPU counters, then every
/// ancestor learns how much is pending below it.
#[inline(never)]
fn mod_memcg_lruvec_state(
    memory: &MemcgTree,
    cpu: usize,
    group: &MemCgroup,
    stat: Stat,
    pages: i64,
) {
    let index = stat as usize;
    let on = memory.on(group, cpu);
    add_on_cpu(&on.state[index], pages);
    add_on_cpu(&on.lruvec[index], pages);
    rstat_updated(memory, on, pages.unsigned_abs() as u32);
}

/// Adds to a statistic that groups have and nodes have not (`__mod_memcg_state`).
#[inline(never)]
pub(super) fn mod_memcg_state(
    memory: &MemcgTree,
    cpu: usize,
    group: &MemCgroup,
    stat: Stat,
    pages: i64,
) {
    let on = memory.on(group, cpu);
    add_on_cpu(&on.state[stat as usize], pages);
    rstat_updated(memory, on, pages.unsigned_abs() as u32);
}

/// `memcg_rstat_updated`: cost grows with the depth of the tree.
#[inline(always)]
fn rstat_updated(memory: &MemcgTree, on: &CpuStats, change: u32) {
    for level in std::iter::successors(Some(on), |on| memory.above(on)) {
        let pending = level.updates.load(Relaxed) + change;
        if pending < FLUSH_AT {
            level.updates.store(pending, Relaxed);
            continue;
        }
        let told = &memory.resolve(level.group.load(Relaxed)).stats_updates;
        if told.load(Relaxed) <= FLUSHABLE {
            told.fetch_add(u64::from(pending), Relaxed);
        }
        level.updates.store(0, Relaxed);
    }
}

impl MemcgTree {
    /// Counts pins given back on a node (`mod_node_page_state` of `NR_FOLL_PIN_RELEASED`): the
    /// CPU's difference is changed in one step, since interrupts are on. The end of an IO does not
    /// say on which CPU it runs; the first one's difference stands for all.
    #[inline(never)]
    pub fn count_unpinned(&self, node: u64, pages: i64) {
        let (diff, threshold) = (&self.cpu(0).unpinned, &self.cpu(0).stat_threshold);
        let mut old = diff.load(Relaxed);
        loop {
            let sum = old + pages;
            let spills = sum.unsigned_abs() > u64::from(threshold.load(Relaxed));
            let (new, to_node) = if spills { (0, sum) } else { (sum, 0) };
            match diff.compare_exchange_weak(old, new, Relaxed, Relaxed) {
                Ok(_) => {
                    if to_node != 0 {
                        self.unpinned_on[node as usize % MAX_NODES].fetch_add(to_node, Relaxed);
                        self.unpinned.fetch_add(to_node, Relaxed);
                    }
                    return;
                }
                Err(now) => old = now,
            }
        }
    }

    /// Released pins in the counters of all nodes, without the difference that the CPU still holds.
    pub fn unpinned(&self) -> i64 {
        self.unpinned.load(Relaxed)
    }

    /// Pages that the zone has on the LRU lists for a kind: its atomic and every CPU's
    /// difference.
    pub fn zone_lru_pages(&self, kind: Kind) -> i64 {
        let list = list_of(kind);
        let cpus: i64 = (0..MAX_CPUS)
            .map(|cpu| self.cpu(cpu).zone_lru[list].load(Relaxed))
            .sum();
        cpus + self.zone_lru[list].load(Relaxed)
    }

    /// The part of a statistic that reached the node (`vm_node_stat`), without the CPUs' differences.
    pub fn node_told(&self, stat: Stat) -> i64 {
        self.node[stat as usize].load(Relaxed)
    }

    /// A statistic of the whole node: its atomic and every CPU's difference.
    pub fn node_stat(&self, stat: Stat) -> i64 {
        let index = stat as usize;
        let cpus: i64 = (0..MAX_CPUS)
            .map(|cpu| self.cpu(cpu).node[index].load(Relaxed))
            .sum();
        cpus + self.node[index].load(Relaxed)
    }
}
