//! Writes that are done whole or not at all (`REQ_ATOMIC`, v6.11 and later).

use mm::block::AtomicLimits;
use mm::{KernelVersion, QueueLimits, SECTOR_SIZE};
use serde::{Deserialize, Serialize};

use super::{BIO_MAX_VECS, Case, Impossible, Limits, PAGE_SIZE};

/// The operation of a case's bios.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// `REQ_OP_READ`.
    #[default]
    Read,
    /// `REQ_OP_WRITE | REQ_ATOMIC`.
    AtomicWrite,
    /// `REQ_OP_DISCARD`: one bio of [`Case::sectors`], without memory.
    Discard,
    /// `REQ_OP_ZONE_APPEND`, each bio to a zone of its own.
    ZoneAppend,
}

impl Operation {
    pub(super) fn is_read(&self) -> bool {
        *self == Self::Read
    }
}

impl Limits {
    /// The four that are about atomic writes, 0 where one is missing; `None` where all are.
    fn atomic_stated(&self) -> Option<[u32; 4]> {
        let stated = [
            self.atomic_write_max,
            self.atomic_write_unit_min,
            self.atomic_write_unit_max,
            self.atomic_write_boundary,
        ];
        stated
            .iter()
            .any(Option::is_some)
            .then(|| stated.map(|limit| limit.unwrap_or(0)))
    }

    /// Whether a driver may state them without a warning of one of the kernels: those of 7.2 and
    /// 6.12 together (`blk_validate_atomic_write_limits`).
    fn check_atomic(&self) -> Result<(), (&'static str, &'static str)> {
        let Some([max, min_unit, max_unit, boundary]) = self.atomic_stated() else {
            return Ok(());
        };
        if !min_unit.is_power_of_two() {
            return Err(("atomic_write_unit_min", "not a power of two"));
        }
        if !max_unit.is_power_of_two() || max_unit < min_unit {
            let why = "not a power of two from atomic_write_unit_min on";
            return Err(("atomic_write_unit_max", why));
        }
        if max < max_unit {
            return Err(("atomic_write_max", "below atomic_write_unit_max"));
        }
        if boundary != 0 && (!boundary.is_power_of_two() || boundary < max || boundary < 512) {
            let why = "not a power of two from atomic_write_max on";
            return Err(("atomic_write_boundary", why));
        }
        let chunk = self.chunk_sectors.unwrap_or(0);
        let multiple = boundary == 0 || chunk.is_multiple_of(boundary >> 9);
        if chunk != 0 && (max >> 9 > chunk || !multiple) {
            let why = "below atomic_write_max, or not a multiple of atomic_write_boundary";
            return Err(("chunk_sectors", why));
        }
        Ok(())
    }

    /// The limits of atomic writes in force beside `queue`, which are these limits in force; all 0
    /// where the driver states none (`blk_atomic_writes_update_limits`).
    pub fn atomic(&self, queue: &QueueLimits) -> AtomicLimits {
        let Some([max, min_unit, max_unit, boundary]) = self.atomic_stated() else {
            return AtomicLimits::default();
        };
        let hw = self.max_hw_sectors(queue.logical_block_size);
        // What any bio can hold (`blk_queue_max_guaranteed_bio`): a page in each segment but for
        // the first and the last, which hold at least a block.
        let segments = u32::from(queue.max_segments.min(BIO_MAX_VECS));
        let guaranteed = segments.min(2) * queue.logical_block_size
            + segments.saturating_sub(2) * PAGE_SIZE as u32;
        let largest = (hw << 9).min(guaranteed);
        let largest = 1 << largest.ilog2();
        AtomicLimits {
            max_sectors: (max >> 9).min(hw),
            boundary_sectors: boundary >> 9,
            unit_min: min_unit.min(largest),
            unit_max: max_unit.min(largest),
        }
    }
}

impl Case {
    /// Whether that kernel has the operation, and can be told its limits.
    pub(super) fn check_operation(&self) -> Result<(), Impossible> {
        let no = |field: &str, reason: String| {
            let field = field.to_owned();
            Err(Impossible { field, reason })
        };
        self.check_discard()?;
        self.check_zone_append()?;
        let asked = self.op == Operation::AtomicWrite;
        if self.rules < KernelVersion::V6_12 {
            let reason = format!("Linux {} has no atomic writes (v6.11)", self.rules);
            if asked {
                return no("op", reason);
            }
            if self.limits.atomic_stated().is_some() {
                return no("limits.atomic_write_max", reason);
            }
        }
        if asked && !self.clones.is_empty() {
            return no("clones", "an atomic write is never trimmed".into());
        }
        if let Err((field, why)) = self.limits.check_atomic() {
            return no(&format!("limits.{field}"), why.into());
        }
        Ok(())
    }

    /// The atomic limits in force, where the case writes so.
    pub(crate) fn atomic_limits(&self, queue: &QueueLimits) -> Option<AtomicLimits> {
        (self.op == Operation::AtomicWrite).then(|| self.limits.atomic(queue))
    }
}

/// Bytes of a random device's atomic writes: largest, smallest unit, largest unit, boundary.
pub(super) const PLAUSIBLE: [[u32; 4]; 5] = [
    [64 << 10, 4096, 64 << 10, 0],
    [64 << 10, SECTOR_SIZE as u32, 16 << 10, 128 << 10],
    [16 << 10, SECTOR_SIZE as u32, 16 << 10, 16 << 10],
    [1 << 20, 4096, 256 << 10, 1 << 20],
    [4096, 4096, 4096, 0],
];
