//! Zone appends: writes that the device places in a zone, and that nothing may cut.

use super::bio::{Bio, BioClone, Bvec};
use super::merge::{add_page, bio_try_merge_page, bvec_try_merge_page};
use super::split::{SplitError, split_front};
use super::step::{SECTOR_SHIFT, gap_to_prev};
use crate::rules::{KernelRules, QueueLimits};
use crate::{BlockIo, KernelVersion};

/// The limits of a queue that only zone appends know. The size of a zone is
/// [`QueueLimits::chunk_sectors`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ZoneLimits {
    /// Sectors of an append (`max_zone_append_sectors`).
    pub max_append: u32,
    /// Sectors up to which pieces are added to a bio (`queue_max_zone_append_sectors`).
    pub max_add: u32,
}

impl ZoneLimits {
    /// The limits that `bio_split_zone_append` counts segments by: not those of other requests.
    fn of_split(&self, limits: &QueueLimits) -> QueueLimits {
        QueueLimits {
            max_sectors: self.max_append,
            physical_block_size: 1 << SECTOR_SHIFT,
            ..*limits
        }
    }

    /// Whether a bio is an append to one zone (`blk_check_zone_append`).
    fn takes(&self, limits: &QueueLimits, sector: u64, size: u32) -> bool {
        let (zone, sectors) = (limits.chunk_sectors, size >> SECTOR_SHIFT);
        sector.checked_rem(u64::from(zone)) == Some(0)
            && sectors <= zone
            && sectors <= self.max_append
    }
}

/// Adds a piece to a zone append (`bio_add_zone_append_page`; 5.10's `__bio_iov_append_get_pages`
/// calls what it calls, `bio_add_hw_page`). As nothing may be cut later, the queue's limits count
/// here. Under 7.x rules they do not, and the piece is added like any other. Returns the bytes added:
/// under 6.12 rules no more than a segment may have.
#[inline(never)]
pub fn add_zone_append_page<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    zone: &ZoneLimits,
    bio: &mut Bio<D::BvPage<'d>>,
    page: D::BvPage<'d>,
    len: u32,
    offset: u32,
) -> u32 {
    if D::IS_FLOOR || V::VERSION >= KernelVersion::V7_1 {
        return add_page::<V, D>(design, bio, page, len, offset);
    }
    let cuts = V::VERSION >= KernelVersion::V6_12;
    let max_size = zone.max_add << SECTOR_SHIFT;
    let mut len = len;
    if cuts {
        len = len.min(max_size).min(limits.max_segment_size);
        if bio.cloned || len > max_size.wrapping_sub(bio.iter.size) {
            return 0;
        }
    } else if bio.cloned || bio.iter.size.wrapping_add(len) >> SECTOR_SHIFT > zone.max_add {
        return 0;
    }
    let most = usize::from(limits.max_segments).min(usize::from(bio.max_vecs()));
    let is_full = bio.vecs().len() >= most;
    if let Some(&last) = bio.vecs().last() {
        let mut same_page = false;
        if may_grow(design, limits, &last, page, len, offset)
            && if cuts {
                bvec_try_merge_page::<V, D>(design, bio, page, len, offset, &mut same_page)
            } else {
                bio_try_merge_page::<V, D>(design, bio, page, len, offset, &mut same_page)
            }
        {
            return len;
        }
        if is_full || gap_to_prev(limits, last.end() as u32, offset) {
            return 0;
        }
    }
    if is_full || !bio.add_vec(page, len, offset) {
        return 0;
    }
    len
}

/// Whether a vec is still one segment when it has grown (`bio_try_merge_hw_seg`, later
/// `bvec_try_merge_hw_page`). A vec that is too long to begin with has, in 32 bits, room without
/// end.
fn may_grow<'d, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    last: &Bvec<D::BvPage<'d>>,
    page: D::BvPage<'d>,
    len: u32,
    offset: u32,
) -> bool {
    let mask = limits.seg_boundary_mask;
    let first = design.phys(last.page) + u64::from(last.offset);
    let end = design.phys(page) + u64::from(offset) + u64::from(len) - 1;
    (first | mask) == (end | mask) && len <= limits.max_segment_size.wrapping_sub(last.len)
}

/// Segments of a bio that is appended to a zone: it is never cut. From 6.12 on a bio that would
/// have to be fails (`bio_split_zone_append`); before, `bio_split` refuses with a warning, and the
/// bio goes out whole with the segments that were counted up to there.
///
/// # Errors
/// [`SplitError::Invalid`] where it is no append to one zone, or too large;
/// [`SplitError::Bug`] where the kernel would stop.
#[inline(never)]
pub fn zone_append_segments<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    zone: &ZoneLimits,
    bio: &BioClone<'_, D::BvPage<'d>>,
) -> Result<u32, SplitError> {
    if !zone.takes(limits, bio.iter.sector, bio.iter.size) {
        return Err(SplitError::Invalid);
    }
    if V::VERSION < KernelVersion::V6_12 {
        return Ok(split_front::<V, D>(design, limits, bio)?.segments);
    }
    let cut = split_front::<V, D>(design, &zone.of_split(limits), bio)?;
    match cut.front {
        None => Ok(cut.segments),
        Some(_) => Err(SplitError::Invalid),
    }
}
