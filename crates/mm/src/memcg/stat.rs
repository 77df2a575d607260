//! The statistics that there are, and the one that each kind of memory is counted under.

use physmem::Kind;

/// A statistic per group and per lruvec (`enum node_stat_item`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Stat {
    /// Pages of anonymous memory.
    AnonMapped = 0,
    /// Pages of page cache.
    FilePages,
    /// Pages of slabs.
    Slab,
    /// Pages of page tables.
    PageTables,
    /// Pages of kernel stacks.
    KernelStack,
    /// Pages of other kernel memory.
    Kernel,
    /// Pages on the anonymous LRU list.
    LruAnon,
    /// Pages on the file LRU list.
    LruFile,
    /// Kernel memory of any kind, of groups only (`MEMCG_KMEM`).
    Kmem,
}

/// Number of statistics.
pub(super) const STATS: usize = 9;

impl Stat {
    /// Every statistic.
    pub const ALL: [Self; STATS] = [
        Self::AnonMapped,
        Self::FilePages,
        Self::Slab,
        Self::PageTables,
        Self::KernelStack,
        Self::Kernel,
        Self::LruAnon,
        Self::LruFile,
        Self::Kmem,
    ];

    /// The statistic that memory of a kind is counted under.
    #[inline]
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Anon => Self::AnonMapped,
            Kind::File => Self::FilePages,
            Kind::Slab => Self::Slab,
            Kind::PageTable => Self::PageTables,
            Kind::KernelStack => Self::KernelStack,
            Kind::PipeBuffer | Kind::Zsmalloc | Kind::Free => Self::Kernel,
        }
    }

    /// The statistic of the LRU list that memory of a kind is on.
    #[inline]
    pub const fn of_lru(kind: Kind) -> Self {
        match kind {
            Kind::Anon => Self::LruAnon,
            _ => Self::LruFile,
        }
    }
}

/// A per-CPU node counter goes to the node's atomic beyond this (`stat_threshold`).
pub(super) const NODE_THRESHOLD: u32 = 125;
