//! The limits that a driver states of its queue, and those that each kernel derives from them.

use mm::{KernelVersion, QueueLimits};
use serde::{Deserialize, Serialize};

use super::{PAGE_SIZE, Refusal};

/// The limits a driver states; a missing one takes that kernel's default.
///
/// Up to 6.1 each is one call of a setter, which raises what is too small and complains in the
/// log: `blk_queue_logical_block_size`, `_physical_block_size`, `_max_hw_sectors`,
/// `_chunk_sectors`, `_max_segments`, `_segment_boundary`, `_virt_boundary`,
/// `_max_segment_size`, in this order. From 6.12 on they come in one `struct queue_limits`
/// (missing ones 0), and what does not fit is refused (`blk_validate_limits`).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Maximum segments of a request. 0 becomes 1 up to 6.1, and the default later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_segments: Option<u16>,
    /// Maximum bytes of a segment, at least a page; if unset, a virtual boundary means no
    /// bound (from v5.2 on).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_segment_size: Option<u32>,
    /// No segment crosses a multiple of this mask + 1; at least a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seg_boundary_mask: Option<u64>,
    /// Segments meet only at multiples of this mask + 1; 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virt_boundary_mask: Option<u64>,
    /// Maximum 512-byte sectors of a request: the driver states it as `max_hw_sectors`, and the
    /// administrator has raised `max_sectors` to it. Missing: the driver states a very large
    /// `max_hw_sectors` and the kernel's own cap holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_sectors: Option<u32>,
    /// No request crosses a multiple of this many sectors; 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk_sectors: Option<u32>,
    /// Bytes of the smallest unit the device addresses: a power of two from 512 to a page,
    /// to 64 KiB in 7.x. Before 6.12 it is the drivers that check it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical_block_size: Option<u32>,
    /// Bytes of the unit that the device writes without reading first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_block_size: Option<u32>,
    /// Mask of the alignment of offsets and lengths. Nothing before 7.1 looks at it on the
    /// way from a bio to a scatterlist, and 7.1 does not where a bio is one vec within a
    /// page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dma_alignment: Option<u32>,
    /// Bytes that the device writes whole or not at all, units merged together included (from
    /// 6.12 on, as the three that follow: `atomic_write_hw_max`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub atomic_write_max: Option<u32>,
    /// Bytes of its smallest atomic write: a power of two (`atomic_write_hw_unit_min`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub atomic_write_unit_min: Option<u32>,
    /// Bytes of its largest atomic write of one submitter: a power of two
    /// (`atomic_write_hw_unit_max`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub atomic_write_unit_max: Option<u32>,
    /// No atomic write crosses a multiple of this many bytes; 0 for none
    /// (`atomic_write_hw_boundary`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub atomic_write_boundary: Option<u32>,
    /// Maximum sectors of a discard; missing, the device takes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_discard_sectors: Option<u32>,
    /// Bytes of the unit that the device frees; from 6.12 on at least a physical block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discard_granularity: Option<u32>,
    /// Maximum sectors of a zone append; `chunk_sectors` is the size of a zone then. In force is at
    /// most a zone, and what the device takes at once (`max_hw_zone_append_sectors` in 7.x).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_zone_append_sectors: Option<u32>,
}

/// Stated by a driver that has no bound of its own (`UINT_MAX` bytes in sectors).
pub(super) const MAX_HW_SECTORS: u32 = u32::MAX >> 9;
/// Sectors in a page: every device must take a page at once.
const PAGE_SECTORS: u32 = (PAGE_SIZE >> 9) as u32;
/// `BLK_SAFE_MAX_SECTORS`: what 6.12 assumes of a driver that states 0.
const SAFE_MAX_SECTORS: u32 = 255;

impl Limits {
    /// The limits in force after that kernel has set them.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] where the kernel (before 6.12: the driver) refuses them,
    /// [`Refusal::Bug`] where it stops.
    pub fn effective(&self, rules: KernelVersion) -> Result<QueueLimits, Refusal> {
        let block_max = if rules < KernelVersion::V7_1 {
            PAGE_SIZE as u32
        } else {
            64 << 10
        };
        // Up to 6.1 only a missing number means "no call"; later 0 is what a driver leaves.
        let block = match self.logical_block_size {
            Some(0) if rules >= KernelVersion::V6_12 => 512,
            given => given.unwrap_or(512),
        };
        if !block.is_power_of_two() || !(512..=block_max).contains(&block) {
            return Err(Refusal::Invalid);
        }
        if rules <= KernelVersion::V6_1 {
            self.by_setters(rules, block)
        } else {
            self.validated(rules, block)
        }
    }

    fn by_setters(&self, rules: KernelVersion, block: u32) -> Result<QueueLimits, Refusal> {
        let mut q = QueueLimits::defaults(rules);
        q.logical_block_size = block;
        q.physical_block_size = self.physical_block_size.unwrap_or(512).max(block);
        q.max_sectors = match self.max_sectors {
            // The setter compares bytes in 32 bits.
            Some(sectors) if sectors << 9 < PAGE_SIZE as u32 => PAGE_SECTORS,
            Some(sectors) => sectors,
            None => q.max_sectors,
        };
        if rules == KernelVersion::V6_1 {
            q.max_sectors -= q.max_sectors % (block >> 9);
        }
        q.chunk_sectors = self.chunk_sectors.unwrap_or(0);
        if rules == KernelVersion::V5_0
            && q.chunk_sectors != 0
            && !q.chunk_sectors.is_power_of_two()
        {
            return Err(Refusal::Bug);
        }
        q.max_segments = self.max_segments.unwrap_or(q.max_segments).max(1);
        q.seg_boundary_mask = self
            .seg_boundary_mask
            .unwrap_or(q.seg_boundary_mask)
            .max(PAGE_SIZE - 1);
        q.virt_boundary_mask = self.virt_boundary_mask.unwrap_or(0);
        // v5.2 took the bound away from devices with a virtual boundary.
        if q.virt_boundary_mask != 0 && rules >= KernelVersion::V5_10 {
            q.max_segment_size = u32::MAX;
        }
        q.max_segment_size = self
            .max_segment_size
            .unwrap_or(q.max_segment_size)
            .max(PAGE_SIZE as u32);
        q.dma_alignment = self.dma_alignment.unwrap_or(q.dma_alignment);
        Ok(q)
    }

    /// `max_hw_sectors` in 6.12 before it is rounded.
    fn stated_hw_sectors(&self) -> u32 {
        match self.max_sectors {
            None => MAX_HW_SECTORS,
            Some(0) => SAFE_MAX_SECTORS,
            Some(sectors) => sectors,
        }
    }

    /// `max_hw_sectors` in force in a kernel that validates limits, whole blocks of them.
    pub(super) fn max_hw_sectors(&self, block: u32) -> u32 {
        let hw = self.stated_hw_sectors();
        hw - hw % (block >> 9)
    }

    fn validated(&self, rules: KernelVersion, block: u32) -> Result<QueueLimits, Refusal> {
        let mut q = QueueLimits::defaults(rules);
        q.logical_block_size = block;
        q.physical_block_size = self.physical_block_size.unwrap_or(0).max(block);
        if rules >= KernelVersion::V7_1 && !q.physical_block_size.is_power_of_two() {
            return Err(Refusal::Invalid);
        }

        let hw = self.stated_hw_sectors();
        if hw < PAGE_SECTORS || block >> 9 > hw {
            return Err(Refusal::Invalid);
        }
        let hw = self.max_hw_sectors(block);
        // The smallest IO worth issuing is a physical block; one above the cap lifts the cap.
        let cap = q.max_sectors;
        q.max_sectors = match self.max_sectors {
            Some(sectors) if sectors != 0 => hw.min(sectors),
            _ if q.physical_block_size > cap << 9 => hw.min(q.physical_block_size >> 9),
            _ => hw.min(cap),
        };
        q.max_sectors -= q.max_sectors % (block >> 9);

        let given = |n: u16| (n != 0).then_some(n);
        q.max_segments = self.max_segments.and_then(given).unwrap_or(q.max_segments);
        q.seg_boundary_mask = match self.seg_boundary_mask {
            None | Some(0) => q.seg_boundary_mask,
            Some(mask) if mask < PAGE_SIZE - 1 => return Err(Refusal::Invalid),
            Some(mask) => mask,
        };
        q.virt_boundary_mask = self.virt_boundary_mask.unwrap_or(0);
        q.max_segment_size = match self.max_segment_size {
            None | Some(0) if q.virt_boundary_mask != 0 => u32::MAX,
            None | Some(0) => q.max_segment_size,
            // Only devices without a virtual boundary must take at least a page.
            Some(size) if size < PAGE_SIZE as u32 && q.virt_boundary_mask == 0 => {
                return Err(Refusal::Invalid);
            }
            Some(size) => size,
        };
        q.dma_alignment = match self.dma_alignment {
            None | Some(0) => q.dma_alignment,
            Some(mask) if u64::from(mask) > PAGE_SIZE => return Err(Refusal::Invalid),
            Some(mask) => mask,
        };
        q.chunk_sectors = self.chunk_sectors.unwrap_or(0);
        Ok(q)
    }
}
