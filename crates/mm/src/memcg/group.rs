//! `struct mem_cgroup`, the tree of them, and what each CPU keeps.

use std::sync::atomic::{
    AtomicI64, AtomicU32, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use hugemem::Backing;
use physmem::Kind;

use super::counter::PageCounter;
use super::objects::ObjCgroup;
use super::spin::SpinLock;
use super::stat::{NODE_THRESHOLD, STATS, Stat};
use crate::slot::PowerArray;

/// CPUs that per-CPU state exists for.
pub const MAX_CPUS: usize = 8;
/// Nodes that memory can be on; a power of two.
pub(super) const MAX_NODES: usize = 8;
/// Groups of one tree.
pub const MAX_GROUPS: usize = 128;
/// LRU lists of a group: anonymous and file memory.
pub(crate) const LISTS: usize = 2;

/// A group's statistics on one CPU (`struct memcg_vmstats_percpu` and the lruvec's).
#[repr(C, align(256))]
#[derive(Debug, Default)]
pub struct CpuStats {
    /// memcg state by statistic.
    pub(super) state: [AtomicI64; STATS],
    /// lruvec state by statistic.
    pub(super) lruvec: [AtomicI64; STATS],
    /// Updates not yet flushed to the group's atomic (`stats_updates`).
    pub(super) updates: AtomicU32,
    /// Page-in and page-out events not yet flushed to the ancestors (`events`).
    pub(super) events: AtomicU32,
    /// The word of the parent's on this CPU (`parent`); 0 for the root.
    pub(super) parent: AtomicU64,
    /// The word of the group, for its atomic (`vmstats`).
    pub(super) group: AtomicU64,
    /// Page-ins and page-outs since the beginning (`nr_page_events`, up to v5.10 in view).
    pub(super) page_events: AtomicU64,
    /// The number of them at which thresholds are looked at again (`targets`).
    pub(super) next_look: AtomicU64,
}

/// One CPU's part of a group's reference count (`percpu_ref`).
#[repr(C, align(64))]
#[derive(Debug, Default)]
pub(super) struct CpuRefs(pub(super) AtomicI64);

/// How a group's references are counted.
#[derive(Debug, Default)]
pub struct RefMode {
    /// The low bits of `percpu_count_ptr`.
    pub(super) mode: AtomicU32,
    /// `CSS_NO_REF`: the root, which is never freed.
    pub(super) no_ref: AtomicU32,
    /// The one count for all CPUs.
    pub(super) count: AtomicI64,
}

/// A memory cgroup.
#[repr(C, align(4096))]
#[derive(Debug, Default)]
pub struct MemCgroup {
    /// All memory, in pages.
    pub memory: PageCounter,
    /// The word of the parent; 0 for the root.
    pub(super) parent: AtomicU64,
    /// Changes per statistic that CPUs have flushed up here.
    pub(super) stats_updates: AtomicU64,
    /// Page-ins and page-outs that CPUs have flushed to this group.
    pub(super) events: AtomicU64,
    /// Tasks whose memory is being moved (`moving_account`).
    pub(super) moving: AtomicU32,
    /// See [`super::refs`].
    pub(super) refs: RefMode,
    /// Serialises moves with those who change the binding (`move_lock`).
    pub(super) move_lock: SpinLock,
    /// The holder of `move_lock` (`move_lock_task`).
    pub(super) move_lock_task: AtomicU32,
    /// The lruvec's lock.
    pub(crate) lru_lock: SpinLock,
    /// Units on each list.
    pub(crate) lru_size: [AtomicU64; LISTS],
    /// The word of its statistics on the first CPU (`vmstats_percpu`).
    pub(super) stats: AtomicU64,
    /// Each CPU's part of its references.
    pub(super) cpu_refs: [CpuRefs; MAX_CPUS],
    /// The `obj_cgroup` that its kernel memory is charged to.
    pub(super) objcg: ObjCgroup,
}

const _: () = assert!(size_of::<MemCgroup>() == 4096);

/// The state that one CPU keeps for all groups: the stock and the node's statistics.
#[repr(C, align(512))]
#[derive(Debug, Default)]
pub struct CpuState {
    /// Groups whose pages are in stock (`memcg_stock_pcp.cached`), 0 for none.
    pub(super) cached: [AtomicU64; 7],
    /// Pages in stock for each.
    pub(super) pages: [AtomicU32; 7],
    /// Where the next victim is looked for.
    pub(super) next_victim: AtomicU32,
    /// The group whose bytes are in stock, and the bytes (`obj_stock`).
    pub(super) cached_object: AtomicU64,
    pub(super) object_bytes: AtomicU32,
    /// Set while another CPU wants the stock drained (`FLUSHING_CACHED_CHARGE`).
    pub(super) drain: AtomicU32,
    /// The node's per-CPU differences (`per_cpu_nodestats`).
    pub(super) node: [AtomicI64; STATS],
    /// The zone's per-CPU differences of its LRU lists (`per_cpu_zonestats`).
    pub(super) zone_lru: [AtomicI64; LISTS],
    /// Released pins not yet flushed to the node (`NR_FOLL_PIN_RELEASED`).
    pub(super) unpinned: AtomicI64,
    /// A difference beyond this goes to the node (`stat_threshold`).
    pub(super) stat_threshold: AtomicU32,
    /// Read sections that this CPU is in (`rcu_read_lock_nesting`).
    pub(super) rcu_nesting: AtomicU32,
    /// Set while a grace period waits for this CPU to leave them (`rcu_read_unlock_special`).
    pub(super) rcu_special: AtomicU32,
}

const _: () = assert!(size_of::<CpuState>() == 512);

/// The tree of groups, every CPU's state and the node's counters.
#[derive(Debug)]
pub struct MemcgTree {
    groups: PowerArray<MemCgroup>,
    cpus: PowerArray<CpuState>,
    /// All groups' of the first CPU, then all of the next, as `alloc_percpu` places them: a
    /// chain of groups has them side by side and not at one place of as many pages, which
    /// would be one set of the L1 cache.
    stats: PowerArray<CpuStats>,
    /// Groups in use.
    used: AtomicUsize,
    /// The node's counters (`pgdat->vm_stat`).
    pub(super) node: [AtomicI64; STATS],
    /// Pages on the zone's LRU lists (`NR_ZONE_LRU_BASE` in `zone->vm_stat`).
    pub(super) zone_lru: [AtomicI64; LISTS],
    /// Pins given back, by node (`NR_FOLL_PIN_RELEASED` in `pgdat->vm_stat`) ...
    pub(super) unpinned_on: [AtomicI64; MAX_NODES],
    /// ... and on all (`vm_node_stat`).
    pub(super) unpinned: AtomicI64,
}

impl MemcgTree {
    /// A tree with only its root.
    pub fn new() -> Result<Self, hugemem::Error> {
        let groups = PowerArray::<MemCgroup>::map_default(MAX_GROUPS as u64, Backing::Base)?;
        groups.at(0).refs.no_ref.store(1, Relaxed);
        let stats =
            PowerArray::<CpuStats>::map_default((MAX_CPUS * MAX_GROUPS) as u64, Backing::Base)?;
        let cpus = PowerArray::<CpuState>::map_default(MAX_CPUS as u64, Backing::Base)?;
        for cpu in 0..MAX_CPUS as u64 {
            cpus.at(cpu).stat_threshold.store(NODE_THRESHOLD, Relaxed);
        }
        let tree = Self {
            groups,
            cpus,
            stats,
            used: AtomicUsize::new(1),
            node: Default::default(),
            zone_lru: Default::default(),
            unpinned_on: Default::default(),
            unpinned: AtomicI64::new(0),
        };
        tree.place_stats(tree.root(), None);
        Ok(tree)
    }

    /// Links a group to its statistics, and those to the group.
    fn place_stats(&self, group: &MemCgroup, parent: Option<&MemCgroup>) {
        let first = self.stats.at(self.index_of(group));
        group.stats.store(PowerArray::word_of(first), Relaxed);
        group.objcg.memcg.store(group.word(), Relaxed);
        for cpu in 0..MAX_CPUS {
            let on = self.on(group, cpu);
            on.group.store(group.word(), Relaxed);
            if let Some(parent) = parent {
                let above = PowerArray::word_of(self.on(parent, cpu));
                on.parent.store(above, Relaxed);
            }
        }
    }

    /// The root group. Memory charged to it is not counted.
    pub fn root(&self) -> &MemCgroup {
        self.groups.at(0)
    }

    /// A new group below `parent`; `None` when [`MAX_GROUPS`] exist.
    pub fn create(&self, parent: &MemCgroup) -> Option<&MemCgroup> {
        let index = self
            .used
            .fetch_update(Relaxed, Relaxed, |n| (n < MAX_GROUPS).then_some(n + 1))
            .ok()?;
        let group = self.groups.at(index as u64);
        self.place_stats(group, Some(parent));
        // Release pairs with the Acquire in `parent`, so that a reader of the parent sees
        // its counters too.
        group.parent.store(PowerArray::word_of(parent), Release);
        Some(group)
    }

    /// A chain of groups `depth` levels below the root, the deepest last; shorter where
    /// [`MAX_GROUPS`] is reached.
    pub fn chain(&self, depth: usize) -> &MemCgroup {
        (0..depth).fold(self.root(), |parent, _| {
            self.create(parent).unwrap_or(parent)
        })
    }

    /// Groups in use, the root among them.
    pub fn groups(&self) -> impl Iterator<Item = &MemCgroup> {
        (0..self.used.load(Relaxed)).map(|i| self.groups.at(i as u64))
    }

    /// The group's number, the root's being 0.
    #[inline]
    pub fn index_of(&self, group: &MemCgroup) -> u64 {
        self.groups.index_of(group)
    }

    /// The group that an owner word names; its flag bits are ignored.
    #[inline]
    pub fn resolve(&self, owner: u64) -> &MemCgroup {
        self.groups.resolve(owner)
    }

    /// The group above; `None` for the root (`parent_mem_cgroup`).
    #[inline]
    pub fn parent(&self, group: &MemCgroup) -> Option<&MemCgroup> {
        let parent = group.parent.load(Acquire);
        (parent != 0).then(|| self.groups.resolve(parent))
    }

    /// The group and those above it.
    #[inline]
    pub(super) fn ancestry<'a>(
        &'a self,
        group: &'a MemCgroup,
    ) -> impl Iterator<Item = &'a MemCgroup> {
        std::iter::successors(Some(group), |g| self.parent(g))
    }

    /// Whether charges to this group are counted: not in the root.
    #[inline]
    pub fn is_root(&self, group: &MemCgroup) -> bool {
        group.parent.load(Relaxed) == 0
    }

    /// State of a CPU; the index counts modulo [`MAX_CPUS`].
    #[inline]
    pub(super) fn cpu(&self, cpu: usize) -> &CpuState {
        self.cpus
            .resolve(((cpu % MAX_CPUS) * size_of::<CpuState>()) as u64)
    }

    /// A group's statistics on a CPU; the index counts modulo [`MAX_CPUS`].
    #[inline]
    pub(super) fn on(&self, group: &MemCgroup, cpu: usize) -> &CpuStats {
        let distance = (cpu % MAX_CPUS) * MAX_GROUPS * size_of::<CpuStats>();
        self.stats
            .resolve(group.stats.load(Relaxed).wrapping_add(distance as u64))
    }

    /// The same CPU's statistics of the group above; `None` for the root's.
    #[inline]
    pub(super) fn above(&self, on: &CpuStats) -> Option<&CpuStats> {
        let parent = on.parent.load(Relaxed);
        (parent != 0).then(|| self.stats.resolve(parent))
    }

    /// A statistic of a group, summed over CPUs: what `memory.stat` shows for this group alone.
    pub fn stat(&self, group: &MemCgroup, stat: Stat) -> i64 {
        (0..MAX_CPUS)
            .map(|cpu| self.on(group, cpu).state[stat as usize].load(Relaxed))
            .sum()
    }

    /// The same statistic of the group's lruvec.
    pub fn lruvec_stat(&self, group: &MemCgroup, stat: Stat) -> i64 {
        (0..MAX_CPUS)
            .map(|cpu| self.on(group, cpu).lruvec[stat as usize].load(Relaxed))
            .sum()
    }

    /// Page events that a CPU keeps to itself, and the number of all its page events at which
    /// it looks at thresholds again.
    pub fn events_on(&self, group: &MemCgroup, cpu: usize) -> (u32, u64) {
        let on = self.on(group, cpu);
        (on.events.load(Relaxed), on.next_look.load(Relaxed))
    }

    /// Pages in every CPU's stock for a group.
    pub fn stocked(&self, group: &MemCgroup) -> u64 {
        let word = PowerArray::word_of(group);
        let of_cpu = |cpu: &CpuState| {
            cpu.cached
                .iter()
                .zip(&cpu.pages)
                .filter(|(c, _)| c.load(Relaxed) == word)
                .map(|(_, p)| u64::from(p.load(Relaxed)))
                .sum::<u64>()
        };
        (0..MAX_CPUS).map(|cpu| of_cpu(self.cpu(cpu))).sum()
    }
}

impl MemCgroup {
    /// The word that names this group in an owner word.
    #[inline]
    pub fn word(&self) -> u64 {
        PowerArray::word_of(self)
    }

    /// Returns the updates that CPUs have flushed to this group (`stats_updates`).
    pub fn stats_updates(&self) -> u64 {
        self.stats_updates.load(Relaxed)
    }

    /// Units on the LRU list for a kind.
    pub fn lru_units(&self, kind: Kind) -> u64 {
        self.lru_size[list_of(kind)].load(Relaxed)
    }
}

/// The LRU list of a kind.
#[inline]
pub(crate) fn list_of(kind: Kind) -> usize {
    usize::from(kind != Kind::Anon)
}

/// Adds to a counter that only this CPU writes (`this_cpu_add`: one plain instruction,
/// not a locked one).
#[inline]
pub(super) fn add_on_cpu(counter: &AtomicI64, n: i64) {
    counter.store(counter.load(Relaxed).wrapping_add(n), Relaxed);
}
