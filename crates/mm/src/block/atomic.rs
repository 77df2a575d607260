//! Writes that the device does whole or not at all (`REQ_ATOMIC`, v6.11 and later).

use super::bio::BioClone;
use super::split::{SplitError, may_need_split, uncut};
use crate::BlockIo;
use crate::rules::{KernelRules, KernelVersion, QueueLimits};

/// The limits of a queue that only atomic writes know; all 0 where the device has none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AtomicLimits {
    /// Sectors of a request (`atomic_write_max_sectors`).
    pub max_sectors: u32,
    /// No request crosses a multiple of this many sectors (`atomic_write_boundary_sectors`).
    pub boundary_sectors: u32,
    /// Bytes of the smallest bio; others are multiples (`atomic_write_unit_min`).
    pub unit_min: u32,
    /// Bytes of the largest bio (`atomic_write_unit_max`).
    pub unit_max: u32,
}

impl AtomicLimits {
    /// The limits of a queue as atomic writes are counted and merged by them (`get_max_io_size`,
    /// `blk_rq_get_max_sectors`): their own number of sectors, and their own boundary if there is one.
    pub fn of_requests(&self, limits: &QueueLimits) -> QueueLimits {
        QueueLimits {
            max_sectors: self.max_sectors,
            chunk_sectors: match self.boundary_sectors {
                0 => limits.chunk_sectors,
                boundary => boundary,
            },
            ..*limits
        }
    }

    /// Whether a bio may have this size (`blk_validate_atomic_write_op_size`).
    pub fn takes(&self, bytes: u32) -> bool {
        bytes <= self.unit_max && bytes.checked_rem(self.unit_min) == Some(0)
    }
}

/// Segments of a bio that is written atomically: it fits as it is, or fails.
///
/// # Errors
/// [`SplitError::Invalid`] where its size is not one, or it would have to be cut.
#[inline(never)]
pub fn atomic_write_segments<'d, V: KernelRules, D: BlockIo + 'd>(
    design: &'d D,
    limits: &QueueLimits,
    atomic: &AtomicLimits,
    bio: &BioClone<'_, D::BvPage<'d>>,
) -> Result<u32, SplitError> {
    // Kernels before v6.11 have no atomic writes, and no code for them either.
    if V::VERSION < KernelVersion::V6_12 || !atomic.takes(bio.iter.size) {
        return Err(SplitError::Invalid);
    }
    // The short cut looks at the queue's own boundary alone.
    if !may_need_split::<V, D>(limits, bio) {
        return Ok(1);
    }
    uncut::<V, D>(design, &atomic.of_requests(limits), bio)
}
