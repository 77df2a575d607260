//! Where a bio is cut to fit its queue.

use super::bio::{BioClone, Op};
use super::step::{
    Counted, PAGE, SECTOR_SHIFT, Step, Steps, bvec_split_segs, chunk_sectors_left, end_in_page,
    gap_to_prev, phys_mergeable,
};
use crate::rules::{KernelRules, QueueLimits};
use crate::{BlockIo, KernelVersion};

/// Why a bio cannot be cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SplitError {
    /// The bio ends with an error: a vec is not aligned for DMA, or nothing is left in
    /// front of the cut (v6.13 and later).
    #[error("EINVAL: the bio cannot be split into valid IO")]
    Invalid,
    /// `BUG_ON` in `bio_split`: nothing is left in front of the cut, up to v6.1.
    #[error("BUG: the kernel stops where nothing is left in front of the cut")]
    Bug,
}

/// The result of the walk over a bio.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// Bytes of the front part; `None` where the bio fits as it is.
    pub front: Option<u32>,
    /// Physical segments of the front part, or of the whole bio (`*segs`).
    pub segments: u32,
    /// See [`BioClone::gap_bit`].
    pub gap_bit: u8,
}

/// Maximum sectors of a bio that starts at `sector` (`get_max_io_size`).
#[inline]
fn max_io_sectors<V: KernelRules>(limits: &QueueLimits, sector: u64) -> u32 {
    let mut max = limits.max_sectors;
    if limits.chunk_sectors != 0 {
        max = max.min(chunk_sectors_left(limits.chunk_sectors, sector));
    }
    let logical = limits.logical_block_size >> SECTOR_SHIFT;
    if V::VERSION == KernelVersion::V5_0 {
        return max & !logical.wrapping_sub(1);
    }
    // The end is aligned to the physical block if anything is left then.
    let in_physical = (limits.physical_block_size >> SECTOR_SHIFT).wrapping_sub(1);
    let start = sector as u32 & in_physical;
    let end = start.wrapping_add(max) & !in_physical;
    if end > start {
        end - start
    } else {
        max & !logical.wrapping_sub(1)
    }
}

/// Finds where a read or write must be cut: `blk_bio_segment_split` in 5.0 and 5.10,
/// `bio_split_rw` in 6.1, `bio_split_rw_at` in 6.12, `bio_split_io_at` in 7.x. Not the
/// fast path: see [`may_need_split`].
///
/// # Errors
/// [`SplitError`], where the kernel ends the bio or stops.
#[inline]
pub fn split_front<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    bio: &BioClone<'_, D::BvPage<'d>>,
) -> Result<Cut, SplitError> {
    let mut bio = *bio;
    let mut segments = 0;
    let front = split_at::<V, D, false>(design, limits, &mut bio, &mut segments)?;
    Ok(Cut {
        front: (front != 0).then_some(front),
        segments,
        gap_bit: bio.gap_bit,
    })
}

/// Segments of a bio that must not be cut (`REQ_ATOMIC`). That is asked before a cut is rounded
/// down to a block, which may leave nothing of it.
///
/// # Errors
/// [`SplitError::Invalid`] where it would have to be.
pub(super) fn uncut<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    bio: &BioClone<'_, D::BvPage<'d>>,
) -> Result<u32, SplitError> {
    let (mut bio, mut segments) = (*bio, 0);
    split_at::<V, D, true>(design, limits, &mut bio, &mut segments)?;
    Ok(segments)
}

/// Bytes in front of the cut, 0 where there is none. The count of segments and the gaps
/// are handed out as the kernel does it.
#[inline(never)]
fn split_at<'d, V: KernelRules, D: BlockIo, const ATOMIC: bool>(
    design: &'d D,
    limits: &QueueLimits,
    bio: &mut BioClone<'_, D::BvPage<'d>>,
    segments: &mut u32,
) -> Result<u32, SplitError> {
    let max_sectors = max_io_sectors::<V>(limits, bio.iter.sector);
    if V::VERSION == KernelVersion::V5_0 {
        split_by_page::<V, D>(design, limits, bio, max_sectors, segments)
    } else {
        split_by_vec::<V, D, ATOMIC>(design, limits, bio, max_sectors, segments)
    }
}

#[inline]
fn split_by_vec<'d, V: KernelRules, D: BlockIo, const ATOMIC: bool>(
    design: &'d D,
    limits: &QueueLimits,
    bio: &mut BioClone<'_, D::BvPage<'d>>,
    max_sectors: u32,
    segments: &mut u32,
) -> Result<u32, SplitError> {
    let in_sectors = V::VERSION <= KernelVersion::V5_10;
    let most = Counted {
        segments: u32::from(limits.max_segments),
        amount: if in_sectors {
            max_sectors
        } else {
            max_sectors << SECTOR_SHIFT
        },
    };
    let fast = fast_segment_size::<V>(limits);
    let mut counted = Counted::default();
    let mut gaps = 0_u32;
    let mut prev_end = None;
    let mut fits = true;

    for step in Steps::<_, V>::over(bio) {
        if V::VERSION >= KernelVersion::V7_1 && (step.offset | step.len) & limits.dma_alignment != 0
        {
            return Err(SplitError::Invalid);
        }
        if let Some(prev_end) = prev_end {
            if gap_to_prev(limits, prev_end, step.offset) {
                fits = false;
                break;
            }
            if V::VERSION >= KernelVersion::V7_1 {
                gaps |= step.offset | prev_end;
            }
        }
        let whole = if in_sectors {
            step.len >> SECTOR_SHIFT
        } else {
            step.len
        };
        if counted.segments < most.segments
            && counted.amount.wrapping_add(whole) <= most.amount
            && end_in_page::<D>(step.offset, step.len) <= fast
        {
            counted.segments += 1;
            counted.amount += whole;
        } else if bvec_split_segs::<V>(
            limits,
            step.phys(design),
            step.offset,
            step.len,
            &mut counted,
            &most,
        ) {
            fits = false;
            break;
        }
        prev_end = Some(step.end());
    }

    *segments = counted.segments;
    if V::VERSION >= KernelVersion::V7_1 {
        // ffs: counted from 1, 0 for none.
        bio.gap_bit = if gaps == 0 {
            0
        } else {
            gaps.trailing_zeros() as u8 + 1
        };
    }
    if fits {
        return Ok(0);
    }
    if ATOMIC {
        return Err(SplitError::Invalid);
    }
    if in_sectors {
        return cut_at::<V>(counted.amount << SECTOR_SHIFT);
    }
    // Vecs may end inside a block: from 6.1 on the cut is rounded down to a whole one.
    let bytes = counted.amount & !limits.logical_block_size.wrapping_sub(1);
    cut_at::<V>(bytes >> SECTOR_SHIFT << SECTOR_SHIFT)
}

/// Before multi-page bvecs: pages join a segment or open one.
#[inline]
fn split_by_page<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    bio: &BioClone<'_, D::BvPage<'d>>,
    max_sectors: u32,
    segments: &mut u32,
) -> Result<u32, SplitError> {
    let max_segments = u32::from(limits.max_segments);
    let (mut count, mut sectors, mut segment_size) = (0_u32, 0_u32, 0_u32);
    let mut prev: Option<Step<D::BvPage<'d>>> = None;
    let mut fits = true;

    for step in Steps::<_, V>::over(bio) {
        if prev.is_some_and(|prev| gap_to_prev(limits, prev.end(), step.offset)) {
            fits = false;
            break;
        }
        if sectors.wrapping_add(step.len >> SECTOR_SHIFT) > max_sectors {
            // A cut inside this page counts its front as a segment of its own.
            if count < max_segments && sectors < max_sectors {
                count += 1;
                sectors = max_sectors;
            }
            fits = false;
            break;
        }
        let joins = prev.is_some_and(|prev| {
            segment_size.wrapping_add(step.len) <= limits.max_segment_size
                && phys_mergeable(
                    limits,
                    (prev.phys(design), prev.len),
                    (step.phys(design), step.len),
                )
        });
        if joins {
            segment_size += step.len;
        } else {
            if count == max_segments {
                fits = false;
                break;
            }
            count += 1;
            segment_size = step.len;
        }
        sectors += step.len >> SECTOR_SHIFT;
        prev = Some(step);
    }
    *segments = count;
    if fits {
        Ok(0)
    } else {
        cut_at::<V>(sectors << SECTOR_SHIFT)
    }
}

/// Each kernel's answer to a cut that leaves nothing in front of it.
#[inline]
fn cut_at<V: KernelRules>(bytes: u32) -> Result<u32, SplitError> {
    match V::VERSION {
        _ if bytes != 0 => Ok(bytes),
        KernelVersion::V5_0 | KernelVersion::V5_10 | KernelVersion::V6_1 => Err(SplitError::Bug),
        // The bio goes on whole, with the count that was reached.
        KernelVersion::V6_12 => Ok(0),
        KernelVersion::V7_1 | KernelVersion::V7_2 => Err(SplitError::Invalid),
    }
}

/// A vec up to this size, counted from its page's start, is one segment without a look
/// (`PAGE_SIZE`; `max_fast_segment_size` in 7.x).
#[inline]
fn fast_segment_size<V: KernelRules>(limits: &QueueLimits) -> u32 {
    if V::VERSION < KernelVersion::V7_1 {
        return PAGE;
    }
    let window = limits.seg_boundary_mask.min(u64::from(PAGE) - 1) as u32 + 1;
    limits.max_segment_size.min(window)
}

/// Whether a bio must be walked at all (`bio_may_exceed_limits` in 6.1,
/// `bio_may_need_split` later; the same test stood in `__blk_queue_split` in 5.10, and in
/// 5.0 there was none).
#[inline]
pub fn may_need_split<'d, V: KernelRules, D: BlockIo + 'd>(
    limits: &QueueLimits,
    bio: &BioClone<'_, D::BvPage<'d>>,
) -> bool {
    if V::VERSION == KernelVersion::V5_0 || limits.chunk_sectors != 0 {
        return true;
    }
    let vec = if V::VERSION < KernelVersion::V7_1 {
        if bio.vcnt != 1 {
            return true;
        }
        bio.table.first()
    } else {
        bio.table.get(bio.iter.idx as usize)
    };
    let Some(vec) = vec else { return true };
    if V::VERSION >= KernelVersion::V7_1 && bio.iter.size > vec.len.wrapping_sub(bio.iter.done) {
        return true;
    }
    if V::VERSION >= KernelVersion::V7_2 && (vec.offset | vec.len) & limits.dma_alignment != 0 {
        return true;
    }
    end_in_page::<D>(vec.offset, vec.len) > fast_segment_size::<V>(limits)
}

/// Cuts a bio until every part fits the queue, and hands each part with its number of
/// segments to `submit`, front first. Mirrors `blk_queue_split` (5.x) and
/// `bio_split_to_limits` with the resubmission of what is left.
///
/// # Errors
/// [`SplitError`]; the parts in front have been submitted by then, as in the kernel.
#[inline]
pub fn bio_split_to_limits<'d, 'b, V: KernelRules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    bio: BioClone<'b, D::BvPage<'d>>,
    mut submit: impl FnMut(BioClone<'b, D::BvPage<'d>>, u32),
) -> Result<(), SplitError> {
    // Only reads and writes are modelled; a discard has no vecs to look at, and the harness floor
    // has no block layer.
    if bio.op == Op::Discard || D::IS_FLOOR {
        submit(bio, 1);
        return Ok(());
    }
    if !may_need_split::<V, D>(limits, &bio) {
        submit(BioClone { gap_bit: 0, ..bio }, 1);
        return Ok(());
    }
    split_and_submit::<V, D>(design, limits, bio, &mut submit)
}

/// The slow path of [`bio_split_to_limits`]: apart, as it is in the kernel, so that a bio that
/// is let through stays in registers.
#[inline(never)]
fn split_and_submit<'d, 'b, V: KernelRules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    mut bio: BioClone<'b, D::BvPage<'d>>,
    submit: &mut impl FnMut(BioClone<'b, D::BvPage<'d>>, u32),
) -> Result<(), SplitError> {
    loop {
        let mut segments = 0;
        let bytes = split_at::<V, D, false>(design, limits, &mut bio, &mut segments)?;
        if bytes == 0 {
            submit(bio, segments);
            return Ok(());
        }
        // Only a bio that is not a whole number of sectors gets here.
        if bytes >> SECTOR_SHIFT >= bio.iter.size >> SECTOR_SHIFT {
            return Err(match V::VERSION {
                KernelVersion::V7_1 | KernelVersion::V7_2 => SplitError::Invalid,
                _ => SplitError::Bug,
            });
        }
        submit(bio.split_off(bytes), segments);
        if !may_need_split::<V, D>(limits, &bio) {
            bio.gap_bit = 0;
            submit(bio, 1);
            return Ok(());
        }
    }
}
