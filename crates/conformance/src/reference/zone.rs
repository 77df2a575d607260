//! Zone appends: what a bio takes, and whether it goes out.

use mm::block::ZoneLimits;
use mm::{KernelVersion, QueueLimits};

use crate::case::{Case, PAGE_SIZE, Refusal};

use super::bio::{Bio, Bvec, add_run};
use super::request::QueuedRequest;
use super::split::{Split, split_to_limits};
use super::{Kernel, gap_to_prev};

/// `bio_add_zone_append_page`, `bio_add_hw_page`: takes no more than a request of this queue can
/// hold, each vec one segment where it grew.
pub(super) fn add(
    case: &Case,
    (limits, zone): (&QueueLimits, &ZoneLimits),
    table: &mut Vec<Bvec>,
    mut run: Bvec,
) -> u32 {
    let size: u32 = table.iter().map(|vec| vec.len).sum();
    let most = u64::from(zone.max_add) * 512;
    if case.rules >= KernelVersion::V6_12 {
        // A piece is shortened to a segment and to the limit, but not to what is left of it.
        run.len = run.len.min(limits.max_segment_size).min(most as u32);
        if u64::from(size) + u64::from(run.len) > most {
            return 0;
        }
    } else if u64::from(size.wrapping_add(run.len)) / 512 > zone.max_add.into() {
        return 0;
    }
    let kernel = Kernel::from(case.rules);
    let segments = limits.max_segments.min(case.max_vecs);
    if let Some(&last) = table.last() {
        let mask = limits.seg_boundary_mask;
        let in_window = last.phys() | mask == (run.end() - 1) | mask;
        // A vec beyond a segment, which only a first piece makes, grows on.
        let room = limits.max_segment_size.wrapping_sub(last.len);
        if in_window && run.len <= room {
            let mut grown = vec![last];
            let taken = add_run(&mut grown, case.rules, 1, run);
            if taken > 0 && !overflows(size, run.len) {
                *table.last_mut().expect("it has one") = grown[0];
                return taken;
            }
        }
        if gap_to_prev(kernel, limits, last, run) {
            return 0;
        }
    }
    if table.len() >= segments.into() || overflows(size, run.len) {
        return 0;
    }
    table.push(run);
    run.len
}

/// Whether a bio's size would no longer fit into 32 bits.
fn overflows(size: u32, more: u32) -> bool {
    size.checked_add(more).is_none()
}

/// Submits zone appends: each is a request of its own (`REQ_NOMERGE`).
pub(super) fn submit(
    kernel: Kernel,
    limits: &QueueLimits,
    zone: &ZoneLimits,
    bios: Vec<Bio>,
) -> Result<Vec<QueuedRequest>, Refusal> {
    let request = |bio: Bio| {
        let segments = whole(kernel, limits, zone, &bio)?;
        Ok(QueuedRequest {
            bios: vec![bio],
            segments,
        })
    };
    bios.into_iter().map(request).collect()
}

/// `blk_check_zone_append`, and what becomes of an append that would have to be cut: up to 6.1 it
/// goes out as it is, with the segments counted; later it fails (`bio_split_zone_append`).
fn whole(
    kernel: Kernel,
    limits: &QueueLimits,
    zone: &ZoneLimits,
    bio: &Bio,
) -> Result<u32, Refusal> {
    let zone_bytes = u64::from(limits.chunk_sectors) * 512;
    let starts_a_zone = (bio.sector() * 512).is_multiple_of(zone_bytes);
    let fits = bio.size() / 512 * 512 <= zone_bytes.min(u64::from(zone.max_append) * 512);
    if !starts_a_zone || !fits {
        return Err(Refusal::Invalid);
    }
    let old = kernel.rules < KernelVersion::V6_12;
    let counted_by = if old {
        *limits
    } else {
        QueueLimits {
            max_sectors: zone.max_append,
            physical_block_size: 512,
            ..*limits
        }
    };
    match split_to_limits(kernel, &counted_by, bio) {
        Split::Whole { segments } => Ok(segments),
        Split::At { segments, .. } if old => Ok(segments),
        Split::At { .. } => Err(Refusal::Invalid),
        Split::Refused(refusal) => Err(refusal),
    }
}

/// The tables of a kernel whose vecs name allocations, as one that names pages writes them.
pub(super) fn by_page(vec: Bvec) -> Bvec {
    Bvec {
        pfn: vec.pfn + u64::from(vec.offset) / PAGE_SIZE,
        offset: vec.offset % PAGE_SIZE as u32,
        ..vec
    }
}
