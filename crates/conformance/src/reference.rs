//! The reference model: what each kernel makes of a [`Case`], written to be obvious, not fast.
//!
//! A bio here is a vec table plus the byte range of it that is still to do; every walk is a
//! list rebuilt from these two. Nothing is cached, nothing is advanced in place. Each
//! function says which kernel function it stands for; where kernels differ, it says at which
//! version and how. The real kernels are the judges: the crate `oracle` runs the same
//! cases inside them.

use mm::{KernelVersion, QueueLimits};

use crate::case::{Answer, Case, Operation, Refusal, Refused, Taken};

mod bio;
mod change;
mod discard;
mod held;
mod request;
mod sg;
mod split;
mod zone;

pub use bio::{Bio, Built, Bvec, build, build_by_unit};
pub use change::{Change, Kernel};
pub use request::{QueuedRequest, submit, submit_atomic};
pub use sg::map_sg;
pub use split::{Split, split_to_limits};

/// The answer of the kernel whose rules the case names.
///
/// # Panics
/// If the case does not pass [`Case::check`]; cases from [`crate::case::parse_lines`] do.
pub fn evaluate(case: &Case) -> Answer {
    evaluate_in(case, None)
}

/// The same for that kernel with a patch of ours; the tables are written down as that kernel has
/// them.
///
/// # Panics
/// As [`evaluate`].
pub fn evaluate_in(case: &Case, change: Option<Change>) -> Answer {
    let kernel = Kernel {
        rules: case.rules,
        change,
    };
    let built = build_in(case, change);
    answer(case, kernel, &built, built.submitted(case))
}

/// Makes all calls of a case in a kernel with a patch of ours. Limits play no part.
pub fn build_in(case: &Case, change: Option<Change>) -> Built {
    change.map_or_else(|| build(case), |change| change.build(case))
}

/// The same in a kernel whose vecs name whole allocations ([`Change::HeadPages`]): its rules see
/// offsets from there, which matters at a virtual boundary wider than a page. The tables are
/// written down as in the kernel that the case names.
///
/// # Panics
/// As [`evaluate`].
pub fn evaluate_by_unit(case: &Case) -> Answer {
    let kernel = Kernel {
        rules: case.rules,
        change: Some(Change::HeadPages),
    };
    let built = build_by_unit(case);
    let submitted = built.submitted(case);
    // What a zone append takes depends on what vecs name, too.
    let written = if case.op == Operation::ZoneAppend {
        built.by_page(case)
    } else {
        build(case)
    };
    answer(case, kernel, &written, submitted)
}

/// Whether the answer depends on what vecs name, pages or allocations: a design of one sort must
/// not be judged by the answer of the other. It can depend even without a large allocation, since a
/// vec over neighbours of order 0 has offsets beyond a page too.
///
/// # Panics
/// As [`evaluate`].
pub fn depends_on_names(case: &Case) -> bool {
    evaluate(case) != evaluate_by_unit(case)
}

/// The bios of `built` are written down, `submitted` are those that the rules see.
fn answer(case: &Case, kernel: Kernel, built: &Built, submitted: Vec<Bio>) -> Answer {
    match try_evaluate(case, kernel, built, submitted) {
        Ok(taken) => Answer::Taken(taken),
        Err(error) => Answer::Refused(Refused {
            name: case.name.clone(),
            error,
        }),
    }
}

fn try_evaluate(
    case: &Case,
    kernel: Kernel,
    built: &Built,
    submitted: Vec<Bio>,
) -> Result<Taken, Refusal> {
    let limits = case.limits.effective(case.rules)?;
    if case.op == Operation::Discard {
        return discard::discard(case, &limits);
    }
    let bios = &built.bios;
    let allocations = case.allocations();
    let sp_segments = submitted
        .iter()
        .map(|bio| bio.segments().len() as u64)
        .sum();
    let chunks = bios
        .iter()
        .map(|bio| bio.folios(&allocations).len() as u64)
        .sum();
    let vecs = bios
        .iter()
        .flat_map(|bio| bio.table().iter().map(|v| (v.pfn, v.offset, v.len)))
        .collect();
    let requests = match (case.atomic_limits(&limits), case.zone_limits()) {
        (Some(atomic), _) => submit_atomic(kernel, &limits, &atomic, submitted)?,
        (None, Some((_, zone))) => zone::submit(kernel, &limits, &zone, submitted)?,
        (None, None) => submit(kernel, &limits, submitted)?,
    };
    let bios = requests
        .iter()
        .map(|request| crate::case::Request {
            sector: request.sector(),
            bytes: request.bytes(),
            segments: request.segments,
            sg: map_sg(kernel, &limits, request),
        })
        .collect();
    Ok(Taken {
        name: case.name.clone(),
        accepted: built.accepted.clone(),
        vecs,
        bios,
        sp_segments,
        chunks,
        held: case.held.then(|| held::held(case, built)),
    })
}

/// Sectors from `sector` to the next unit boundary (`blk_chunk_sectors_left`), capped by the
/// largest request.
pub(crate) fn max_sectors_at(limits: &QueueLimits, sector: u64) -> u32 {
    match limits.chunk_sectors {
        0 => limits.max_sectors,
        unit => limits
            .max_sectors
            .min(unit - (sector % u64::from(unit)) as u32),
    }
}

/// Bytes that one segment may have from `phys` on (`get_max_segment_size`).
pub(crate) fn segment_room(limits: &QueueLimits, phys: u64) -> u64 {
    let mask = limits.seg_boundary_mask;
    let most = u64::from(limits.max_segment_size);
    // A mask of all ones leaves 2^64 bytes at address 0: no bound.
    (mask - (mask & phys))
        .checked_add(1)
        .map_or(most, |room| room.min(most))
}

/// Whether two pieces may share one segment as far as their memory goes (`biovec_phys_mergeable`):
/// adjacent, from the first byte to the last inside one boundary window, and where that kernel asks
/// of one page map.
pub(crate) fn phys_mergeable(
    kernel: Kernel,
    limits: &QueueLimits,
    first: Bvec,
    second: Bvec,
) -> bool {
    let mask = limits.seg_boundary_mask;
    let apart = asks_pgmap(kernel.rules) && first.pgmap != second.pgmap;
    first.end() == second.phys() && (first.phys() | mask) == ((second.end() - 1) | mask) && !apart
}

/// Whether that kernel asks which page map a page belongs to.
fn asks_pgmap(rules: KernelVersion) -> bool {
    rules >= KernelVersion::V6_12
}

/// Whether a virtual boundary forbids `next` to follow `prev` (`bvec_gap_to_prev`). A
/// released kernel counts from the vec's page, not from address 0.
fn gap_to_prev(kernel: Kernel, limits: &QueueLimits, prev: Bvec, next: Bvec) -> bool {
    let prev_end = kernel.place(prev) + u64::from(prev.len);
    (prev_end | kernel.place(next)) & limits.virt_boundary_mask != 0
}

/// Whether that kernel checks a bio against the logical block size (`bio_unaligned`).
pub(crate) fn checks_blocks(rules: KernelVersion) -> bool {
    rules >= KernelVersion::V6_12
}
