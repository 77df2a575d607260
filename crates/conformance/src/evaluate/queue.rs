//! Bios on their way through a queue: submitted, merged into requests, mapped.

use mm::block::{BioClone, Plug, Request, SgEntry, SplitError};
use mm::{BlockIo, KernelVersion, QueueLimits};

use crate::case::{self, Case, Refusal};
use crate::under::Under;

/// Submits bios in order under one plug; the requests by sector.
#[inline(never)]
pub(super) fn submit<'d, 'b, D: BlockIo>(
    design: &'d D,
    under: Under,
    case: &Case,
    limits: &QueueLimits,
    bios: &[BioClone<'b, D::BvPage<'d>>],
) -> Result<Vec<Request<'b, D::BvPage<'d>>>, Refusal> {
    let refusal = |error| match error {
        SplitError::Invalid => Refusal::Invalid,
        SplitError::Bug => Refusal::Bug,
    };
    let atomic = case.atomic_limits(limits);
    let zone = case.zone_limits();
    let mut plug = Plug::default();
    for &bio in bios.iter().filter(|bio| bio.iter.size != 0) {
        if !is_aligned(case.rules, limits, bio.iter.sector, bio.iter.size) {
            return Err(Refusal::Invalid);
        }
        if let Some((_, zone)) = &zone {
            let segments = under.zone_append_segments(design, (limits, zone), &bio);
            let mut append = bio;
            // No answer shows it: requests end with their zone, and no two bios share one.
            append.nomerge = true;
            under.queue(
                design,
                &mut plug,
                limits,
                append,
                segments.map_err(refusal)?,
            );
        } else if let Some(atomic) = &atomic {
            let segments = under.atomic_write_segments(design, (limits, atomic), &bio);
            let segments = segments.map_err(refusal)?;
            under.queue(
                design,
                &mut plug,
                &atomic.of_requests(limits),
                bio,
                segments,
            );
        } else {
            let submitted = under.submit(design, &mut plug, limits, bio);
            submitted.map_err(refusal)?;
        }
    }
    let mut requests = plug.finish();
    requests.sort_by_key(Request::sector);
    Ok(requests)
}

/// Whether a bio is whole blocks (`bio_unaligned`, v6.11 and later). Older kernels leave
/// it to their callers; case files are held to whole sectors.
pub(super) fn is_aligned(
    rules: KernelVersion,
    limits: &QueueLimits,
    sector: u64,
    size: u32,
) -> bool {
    if rules < KernelVersion::V6_12 {
        return size.is_multiple_of(512);
    }
    let mask = u64::from(limits.logical_block_size) - 1;
    ((sector << 9) | u64::from(size)) & mask == 0
}

/// Maps a request and writes it down.
#[inline(never)]
pub(super) fn describe<'d, D: BlockIo>(
    design: &'d D,
    under: Under,
    limits: &QueueLimits,
    request: &Request<'_, D::BvPage<'d>>,
) -> case::Request {
    // 6.12 may send a bio on with a count that is too small, so the count is no bound.
    let mut table = vec![SgEntry::default(); request.segments() as usize + 16];
    let used = loop {
        match under.blk_rq_map_sg(design, limits, request.bios(), &mut table) {
            Ok(used) => break used,
            Err(_) => table = vec![SgEntry::default(); table.len() * 2],
        }
    };
    case::Request {
        sector: request.sector(),
        bytes: request.bytes(),
        segments: request.segments(),
        sg: written(&table[..used as usize]),
    }
}

/// The entries of a scatterlist: physical address and length.
fn written(table: &[SgEntry]) -> Vec<(u64, u32)> {
    let pair = |entry: &SgEntry| (entry.phys(), entry.length());
    table.iter().map(pair).collect()
}
