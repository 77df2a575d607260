//! The block-layer rules of each kernel, and a queue's limits.

use std::fmt;

/// The kernel whose merge, split and mapping rules apply.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum KernelVersion {
    /// v5.0: a bio_vec holds at most one page; segments are counted page by page.
    V5_0,
    /// v5.10: multi-page bio_vecs.
    V5_10,
    /// v6.1: bio_add_folio exists and is a thin cover over pages.
    V6_1,
    /// v6.12: user buffers are added a folio's run at a time.
    V6_12,
    /// v7.1: whole-vec absorption when mapping to a scatterlist.
    V7_1,
    /// v7.2: a bio of one vec that is not aligned for DMA no longer slips by the split.
    V7_2,
}

impl KernelVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 6] = [
        Self::V5_0,
        Self::V5_10,
        Self::V6_1,
        Self::V6_12,
        Self::V7_1,
        Self::V7_2,
    ];

    /// The version as case files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V5_0 => "5.0",
            Self::V5_10 => "5.10",
            Self::V6_1 => "6.1",
            Self::V6_12 => "6.12",
            Self::V7_1 => "7.1",
            Self::V7_2 => "7.2",
        }
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for KernelVersion {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|v| v.name() == s)
            .ok_or_else(|| format!("unknown rules `{s}`: one of 5.0, 5.10, 6.1, 6.12, 7.1, 7.2"))
    }
}

/// The limits of a request queue that decide where a bio is cut and how it maps
/// to a scatterlist (`struct queue_limits`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct QueueLimits {
    /// Maximum segments of one bio after the split.
    pub max_segments: u16,
    /// Maximum bytes of one segment.
    pub max_segment_size: u32,
    /// A segment may not cross a multiple of this mask + 1.
    pub seg_boundary_mask: u64,
    /// Segments may only meet at multiples of this mask + 1 (NVMe PRP); 0 means none.
    pub virt_boundary_mask: u64,
    /// Maximum 512-byte sectors of one bio after the split.
    pub max_sectors: u32,
    /// A bio may not cross a multiple of this many sectors; 0 means none.
    pub chunk_sectors: u32,
    /// The smallest unit the device addresses, in bytes.
    pub logical_block_size: u32,
    /// The smallest unit the device writes without read-modify-write, in bytes.
    pub physical_block_size: u32,
    /// Offsets and lengths of vecs must be multiples of this mask + 1.
    pub dma_alignment: u32,
}

/// Bytes in a sector.
pub const SECTOR_SIZE: u64 = 512;

impl QueueLimits {
    /// The limits that the kernel of that version sets for a device that states nothing but a
    /// very large `max_hw_sectors`: `BLK_DEF_MAX_SECTORS` was 1280 KiB until it became 4 MiB.
    pub const fn defaults(version: KernelVersion) -> Self {
        Self {
            max_segments: 128,
            max_segment_size: 64 << 10,
            seg_boundary_mask: 0xffff_ffff,
            virt_boundary_mask: 0,
            max_sectors: match version {
                KernelVersion::V7_1 | KernelVersion::V7_2 => 8192,
                _ => 2560,
            },
            chunk_sectors: 0,
            logical_block_size: 512,
            physical_block_size: 512,
            dma_alignment: 511,
        }
    }
}

impl KernelVersion {
    /// Pages a CPU takes from the counters at once when its stock is empty
    /// (`MEMCG_CHARGE_BATCH`): 32 until v5.16, then 64.
    pub const fn charge_batch(self) -> u32 {
        match self {
            Self::V5_0 | Self::V5_10 => 32,
            _ => 64,
        }
    }

    /// Memory cgroups a CPU's stock can hold at once (`NR_MEMCG_STOCK`): one until v6.15.
    pub const fn stock_slots(self) -> usize {
        match self {
            Self::V7_1 | Self::V7_2 => 7,
            _ => 1,
        }
    }

    /// Whether compaction looks at every frame of a small allocation that it cannot take (v6.9 and
    /// later). It steps over compound pages from its target's order on
    /// (`skip_isolation_on_order`), and isolates smaller ones where they are on a list. Before, it
    /// neither isolated a compound page nor looked behind its first frame.
    pub const fn walks_small_compounds(self) -> bool {
        matches!(self, Self::V6_12 | Self::V7_1 | Self::V7_2)
    }

    /// The pages that an allocation must have fewer of to be isolated by compaction for a target
    /// of `pageblock` pages.
    pub const fn compacts_below(self, pageblock: u64) -> u64 {
        if self.walks_small_compounds() {
            pageblock
        } else {
            2
        }
    }

    /// Entries of a per-CPU LRU batch (`PAGEVEC_SIZE`): 15 until v6.10, then 31.
    pub const fn lru_batch(self) -> usize {
        match self {
            Self::V6_12 | Self::V7_1 | Self::V7_2 => 31,
            _ => 15,
        }
    }
}

/// A version known at compile time, so that a timed loop carries no test for it.
pub trait KernelRules: 'static {
    /// The kernel.
    const VERSION: KernelVersion;
    /// Whether a piece that is added asks for a place in the last vec.
    const MERGES_ON_ADD: bool = true;
    /// Whether everything that a kernel asks about device memory is asked: see [`DeviceMemory`].
    const ASKS_PGMAP: bool = false;
}

/// The rules of `V` for memory that may be a device's (`ZONE_DEVICE`, `CONFIG_PCI_P2PDMA`): which
/// page map a page belongs to is asked wherever that kernel asks it. Nothing changes up to v6.1,
/// which does not ask at all. The rules without it ask once, when a piece is merged into a vec, so
/// that what is timed and counted on ordinary memory stays what it was.
#[derive(Clone, Copy, Debug)]
pub struct DeviceMemory<V>(std::marker::PhantomData<V>);

impl<V: KernelRules> KernelRules for DeviceMemory<V> {
    const VERSION: KernelVersion = V::VERSION;
    const MERGES_ON_ADD: bool = V::MERGES_ON_ADD;
    const ASKS_PGMAP: bool = matches!(
        V::VERSION,
        KernelVersion::V6_12 | KernelVersion::V7_1 | KernelVersion::V7_2
    );
}

/// A kernel whose `bio_add_page` never merges: every piece gets a vec of its own, as
/// `__bio_add_page` gives it. What such a kernel saves where a bio is built it pays where the
/// bio is cut and mapped.
#[derive(Clone, Copy, Debug)]
pub struct NoMerge<V>(std::marker::PhantomData<V>);

impl<V: KernelRules> KernelRules for NoMerge<V> {
    const VERSION: KernelVersion = V::VERSION;
    const MERGES_ON_ADD: bool = false;
}

macro_rules! rules_type {
    ($($name:ident = $version:ident),*) => {$(
        #[doc = concat!("KernelRules of Linux ", stringify!($version), " at compile time.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl KernelRules for $name {
            const VERSION: KernelVersion = KernelVersion::$version;
        }
    )*};
}

rules_type!(
    Linux5_0 = V5_0,
    Linux5_10 = V5_10,
    Linux6_1 = V6_1,
    Linux6_12 = V6_12,
    Linux7_1 = V7_1,
    Linux7_2 = V7_2
);

/// Calls a generic function with the rules type that belongs to a [`KernelVersion`]
/// known only at run time: `with_rules!(version, V => evaluate::<V>(case))`.
#[macro_export]
macro_rules! with_rules {
    ($version:expr, $v:ident => $body:expr) => {
        match $version {
            $crate::KernelVersion::V5_0 => {
                type $v = $crate::Linux5_0;
                $body
            }
            $crate::KernelVersion::V5_10 => {
                type $v = $crate::Linux5_10;
                $body
            }
            $crate::KernelVersion::V6_1 => {
                type $v = $crate::Linux6_1;
                $body
            }
            $crate::KernelVersion::V6_12 => {
                type $v = $crate::Linux6_12;
                $body
            }
            $crate::KernelVersion::V7_1 => {
                type $v = $crate::Linux7_1;
                $body
            }
            $crate::KernelVersion::V7_2 => {
                type $v = $crate::Linux7_2;
                $body
            }
        }
    };
}
