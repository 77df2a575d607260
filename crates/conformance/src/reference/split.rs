//! Where a bio is cut so that the device can take it.

use mm::block::AtomicLimits;
use mm::{KernelVersion, QueueLimits, SECTOR_SIZE};

use crate::case::{PAGE_SIZE, Refusal};

use super::bio::{Bio, Bvec};
use super::{
    Change, Kernel, checks_blocks, gap_to_prev, max_sectors_at, phys_mergeable, segment_room,
};

/// The fate of a bio that meets the limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Split {
    /// It fits.
    Whole {
        /// Its physical segments.
        segments: u32,
    },
    /// It is cut.
    At {
        /// The segments counted for the first part; rounding down may have left fewer.
        segments: u32,
        /// Bytes of the first part.
        bytes: u64,
    },
    /// The kernel refuses it.
    Refused(Refusal),
}

/// How far a walk over a bio came before a limit stopped it.
struct Tally {
    segments: u32,
    bytes: u64,
    stopped: bool,
}

/// Cuts a bio to the limits: `blk_queue_split` (5.0), `__blk_queue_split` (5.10),
/// `__bio_split_to_limits` (6.1 and later), with the checks that `blk_mq_submit_bio` makes
/// before it.
pub fn split_to_limits(kernel: impl Into<Kernel>, limits: &QueueLimits, bio: &Bio) -> Split {
    let kernel = kernel.into();
    let rules = kernel.rules;
    let block = u64::from(limits.logical_block_size);
    let unit = if checks_blocks(rules) {
        block
    } else {
        SECTOR_SIZE
    };
    // Before 6.12 a bio may start anywhere.
    if !bio.size.is_multiple_of(unit) || !bio.sector.is_multiple_of(unit / SECTOR_SIZE) {
        return Split::Refused(Refusal::Invalid);
    }
    if fits_unseen(kernel, limits, bio) {
        return Split::Whole { segments: 1 };
    }
    let by_page = rules == KernelVersion::V5_0 || kernel.change == Some(Change::SinglePage);
    let tally = if by_page {
        page_by_page(kernel, limits, bio)
    } else {
        match vec_by_vec(kernel, limits, bio) {
            Ok(tally) => tally,
            Err(refusal) => return Split::Refused(refusal),
        }
    };
    let segments = tally.segments;
    if !tally.stopped {
        return Split::Whole { segments };
    }
    let bytes = match rules {
        KernelVersion::V5_0 | KernelVersion::V5_10 => tally.bytes,
        // From 5.11 on the first part ends on a logical block.
        _ => tally.bytes - tally.bytes % block,
    };
    match (bytes, rules) {
        (0, KernelVersion::V7_1 | KernelVersion::V7_2) => Split::Refused(Refusal::Invalid),
        // A cut at 0 means "no cut": the bio goes out as it is, limits or not.
        (0, KernelVersion::V6_12) => Split::Whole { segments },
        (0, _) => Split::Refused(Refusal::Bug),
        _ => Split::At { segments, bytes },
    }
}

/// The same for an atomic write: it fits as it is, or fails (`blk_validate_atomic_write_op_size`
/// when it is submitted, `bio_split_rw_at` and `bio_split_io_at` where it would be cut).
pub(super) fn atomic_to_limits(
    kernel: Kernel,
    limits: &QueueLimits,
    atomic: &AtomicLimits,
    bio: &Bio,
) -> Split {
    let refused = Split::Refused(Refusal::Invalid);
    let block = u64::from(limits.logical_block_size);
    if bio.size > u64::from(atomic.unit_max)
        || !bio.size.is_multiple_of(atomic.unit_min.into())
        || !bio.size.is_multiple_of(block)
        || !bio.sector.is_multiple_of(block / SECTOR_SIZE)
    {
        return refused;
    }
    if fits_unseen(kernel, limits, bio) {
        return Split::Whole { segments: 1 };
    }
    match vec_by_vec(kernel, &in_requests(limits, atomic), bio) {
        Ok(tally) if !tally.stopped => Split::Whole {
            segments: tally.segments,
        },
        _ => refused,
    }
}

/// The limits that requests of atomic writes are held to: in place of the queue's sectors and
/// boundary their own, the latter if there is one.
pub(super) fn in_requests(limits: &QueueLimits, atomic: &AtomicLimits) -> QueueLimits {
    let mut limits = *limits;
    limits.max_sectors = atomic.max_sectors;
    if atomic.boundary_sectors != 0 {
        limits.chunk_sectors = atomic.boundary_sectors;
    }
    limits
}

/// The short cut: one small run needs no walk.
fn fits_unseen(kernel: Kernel, limits: &QueueLimits, bio: &Bio) -> bool {
    let rules = kernel.rules;
    if limits.chunk_sectors != 0 {
        return false;
    }
    match rules {
        KernelVersion::V5_0 => false,
        // It asks how many vecs the table has, even when a part of it is left; a clone does not
        // know.
        KernelVersion::V5_10 | KernelVersion::V6_1 | KernelVersion::V6_12 => {
            !bio.cloned && bio.table().len() == 1 && kernel.end_in_page(bio.table()[0]) <= PAGE_SIZE
        }
        KernelVersion::V7_1 | KernelVersion::V7_2 => {
            let (vec, done) = bio.current();
            // 7.1 lets a vec through that is not aligned for DMA.
            let aligned = rules == KernelVersion::V7_1 || is_aligned(kernel, limits, vec);
            aligned
                && bio.size <= u64::from(vec.len) - done
                && kernel.end_in_page(vec) <= fast_segment(rules, limits)
        }
    }
}

/// Whether the device may reach the vec by DMA as it lies.
fn is_aligned(kernel: Kernel, limits: &QueueLimits, vec: Bvec) -> bool {
    (kernel.place(vec) | u64::from(vec.len)) & u64::from(limits.dma_alignment) == 0
}

/// A run that ends this early in its page is one segment whatever the limits.
fn fast_segment(rules: KernelVersion, limits: &QueueLimits) -> u64 {
    if rules < KernelVersion::V7_1 {
        return PAGE_SIZE;
    }
    // `max_fast_segment_size`
    segment_room(limits, 0).min(PAGE_SIZE)
}

/// Sectors that one request may have from here on (`get_max_io_size`): end on a physical
/// block if one ends within reach, else on a logical one. 5.0 knows only the latter.
fn max_io_sectors(rules: KernelVersion, limits: &QueueLimits, bio: &Bio) -> u32 {
    let sectors = max_sectors_at(limits, bio.sector);
    let (pbs, lbs) = (
        limits.physical_block_size >> 9,
        limits.logical_block_size >> 9,
    );
    if rules > KernelVersion::V5_0 {
        let start = bio.sector as u32 & (pbs - 1);
        let end = start.wrapping_add(sectors) & !(pbs - 1);
        if end > start {
            return end - start;
        }
    }
    sectors & !(lbs - 1)
}

/// 5.0: `blk_bio_segment_split`. Segments grow page by page; a page joins as a whole or not.
fn page_by_page(kernel: Kernel, limits: &QueueLimits, bio: &Bio) -> Tally {
    let max_sectors = max_io_sectors(kernel.rules, limits, bio);
    let max_segments = u32::from(limits.max_segments);
    let (mut segments, mut sectors, mut segment_size) = (0, 0, 0_u64);
    let mut prev: Option<Bvec> = None;
    let tally = |segments, sectors: u32, stopped| Tally {
        segments,
        bytes: u64::from(sectors) << 9,
        stopped,
    };
    for piece in bio.segments() {
        let len = u64::from(piece.len);
        if prev.is_some_and(|p| gap_to_prev(kernel, limits, p, piece)) {
            return tally(segments, sectors, true);
        }
        if sectors + (piece.len >> 9) > max_sectors {
            // The part of this page that fits counts as a segment of its own.
            if segments < max_segments && sectors < max_sectors {
                return tally(segments + 1, max_sectors, true);
            }
            return tally(segments, sectors, true);
        }
        let joins = prev.is_some_and(|p| {
            segment_size + len <= u64::from(limits.max_segment_size)
                && phys_mergeable(kernel, limits, p, piece)
        });
        if joins {
            segment_size += len;
        } else {
            if segments == max_segments {
                return tally(segments, sectors, true);
            }
            segments += 1;
            segment_size = len;
        }
        sectors += piece.len >> 9;
        prev = Some(piece);
    }
    tally(segments, sectors, false)
}

/// 5.10 and later: `blk_bio_segment_split`, `bio_split_rw`, `bio_split_rw_at`,
/// `bio_split_io_at`. Adjacent vecs are counted apart.
fn vec_by_vec(kernel: Kernel, limits: &QueueLimits, bio: &Bio) -> Result<Tally, Refusal> {
    let rules = kernel.rules;
    let max_sectors = max_io_sectors(rules, limits, bio);
    // 5.10 counts sectors and drops what is left of a sector in each vec; later kernels
    // count bytes in 32 bits.
    let (max_bytes, grain) = match rules {
        KernelVersion::V5_10 => (u64::from(max_sectors) << 9, 512),
        _ => (u64::from(max_sectors << 9), 1),
    };
    let counted = |bytes: u64| bytes - bytes % grain;
    let max_segments = u32::from(limits.max_segments);
    let mut tally = Tally {
        segments: 0,
        bytes: 0,
        stopped: true,
    };
    let mut prev: Option<Bvec> = None;
    for vec in bio.bvecs() {
        if rules >= KernelVersion::V7_1 && !is_aligned(kernel, limits, vec) {
            return Err(Refusal::Invalid);
        }
        if prev.is_some_and(|p| gap_to_prev(kernel, limits, p, vec)) {
            return Ok(tally);
        }
        let len = u64::from(vec.len);
        let small = kernel.end_in_page(vec) <= fast_segment(rules, limits);
        if small && tally.segments < max_segments && tally.bytes + counted(len) <= max_bytes {
            tally.segments += 1;
            tally.bytes += counted(len);
        } else {
            let room = max_bytes.min(counted(u32::MAX.into())) - tally.bytes;
            let taken = chop(
                kernel,
                limits,
                vec,
                len.min(room),
                max_segments,
                &mut tally.segments,
            );
            tally.bytes += counted(taken);
            if taken < len {
                return Ok(tally);
            }
        }
        prev = Some(vec);
    }
    tally.stopped = false;
    Ok(tally)
}

/// `bvec_split_segs`: cuts the first `len` bytes of a vec into segments until they or the
/// segments run out. Returns the bytes that found a segment.
fn chop(
    kernel: Kernel,
    limits: &QueueLimits,
    vec: Bvec,
    len: u64,
    max_segments: u32,
    segments: &mut u32,
) -> u64 {
    let mut done = 0;
    while done < len && *segments < max_segments {
        done += segment_room(limits, vec.phys() + done).min(len - done);
        *segments += 1;
        // The next segment could not start here.
        if (kernel.place(vec) + done) & limits.virt_boundary_mask != 0 {
            break;
        }
    }
    done
}
