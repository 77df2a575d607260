//! Conditions on every answer, whichever kernel or model gave it.

use std::fmt::Debug;

use mm::{KernelVersion, QueueLimits};

use super::{Answer, Case, CloneOf, Operation, PAGE_SIZE, Request, Taken};

/// Checks an answer against what must hold without knowing the answer: the same bytes go
/// through every table and walk, and no request or scatterlist entry breaks the limits.
///
/// # Errors
/// Returns the condition that does not hold, with the numbers.
pub fn invariants(case: &Case, answer: &Answer) -> Result<(), String> {
    equal("name", &answer.name(), &case.name.as_str())?;
    let Answer::Taken(taken) = answer else {
        return Ok(());
    };
    let limits = case
        .limits
        .effective(case.rules)
        .map_err(|error| format!("the limits are refused ({error:?}), yet there is an answer"))?;
    if case.op == Operation::Discard {
        return discarded(case, taken);
    }
    tables(case, taken)?;
    requests(case, taken)?;
    let mut limits = match case.atomic_limits(&limits) {
        Some(atomic) => atomic.of_requests(&limits),
        None => limits,
    };
    if let Some((_, zone)) = case.zone_limits() {
        limits.max_sectors = zone.max_append;
    }
    for request in &taken.bios {
        within(case, &limits, request)
            .map_err(|e| format!("request at sector {}: {e}", request.sector))?;
    }
    Ok(())
}

fn equal<T: PartialEq + Debug>(what: &str, is: &T, should: &T) -> Result<(), String> {
    holds(is == should, || {
        format!("{what}: {is:?}, should be {should:?}")
    })
}

fn holds(condition: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(otherwise()) }
}

/// Every sector of a discard is discarded once.
fn discarded(case: &Case, taken: &Taken) -> Result<(), String> {
    let mut sector = case.start_sector;
    for request in &taken.bios {
        equal("sector", &request.sector, &sector)?;
        holds(request.bytes > 0 && request.sg.is_empty(), || {
            format!("a discard of {} bytes, {:?}", request.bytes, request.sg)
        })?;
        sector += u64::from(request.bytes >> 9);
    }
    let end = case.start_sector + u64::from(case.sectors);
    equal("the sector after the last", &sector, &end)
}

fn tables(case: &Case, taken: &Taken) -> Result<(), String> {
    equal("adds answered", &taken.accepted.len(), &case.adds.len())?;
    for (i, (&got, add)) in taken.accepted.iter().zip(&case.adds).enumerate() {
        let in_part = case.op == Operation::ZoneAppend && case.rules == KernelVersion::V6_12;
        holds(
            got == 0 || got == add.len || in_part && got < add.len,
            || format!("adds[{i}]: {got} of {} bytes taken", add.len),
        )?;
    }
    let accepted: u64 = taken.accepted.iter().map(|&n| u64::from(n)).sum();
    equal(
        "bytes in vecs",
        &taken.vecs.iter().map(|v| u64::from(v.2)).sum(),
        &accepted,
    )?;

    // The vecs hold the accepted runs in order, byte for byte.
    let runs = case
        .adds
        .iter()
        .zip(&taken.accepted)
        .filter(|(_, got)| **got > 0);
    let wanted = joined(runs.map(|(a, got)| (a.pfn * PAGE_SIZE + u64::from(a.offset), *got)));
    equal(
        "memory in vecs",
        &joined(taken.vecs.iter().map(vec_run)),
        &wanted,
    )?;

    let pages =
        |(phys, len): (u64, u32)| (phys + u64::from(len) - 1) / PAGE_SIZE - phys / PAGE_SIZE + 1;
    let steps: u64 = submitted_runs(case, taken).into_iter().map(pages).sum();
    equal("sp_segments", &taken.sp_segments, &steps)?;
    equal(
        "whether it says what is held",
        &taken.held.is_some(),
        &case.held,
    )?;
    for &(pfn, left) in taken.held.iter().flatten() {
        let of = case.adds.iter().zip(&taken.accepted);
        let held: u64 = of
            .filter(|(add, got)| add.pfn == pfn && **got > 0)
            .map(|(add, &got)| pages((u64::from(add.offset), got)))
            .sum();
        holds(left <= held, || format!("{pfn:#x}: {left} held of {held}"))?;
    }
    let heads: u64 = taken
        .vecs
        .iter()
        .map(vec_run)
        .map(|run| allocations_in(case, run))
        .sum();
    equal("chunks", &taken.chunks, &heads)
}

/// The pieces of vecs that are submitted, in order: all vecs, or what clones see of them.
fn submitted_runs(case: &Case, taken: &Taken) -> Vec<(u64, u32)> {
    if case.clones.is_empty() {
        return taken.vecs.iter().map(vec_run).collect();
    }
    let mut runs = Vec::new();
    for clone in &case.clones {
        let from = bytes_before(case, taken, clone.bio) + clone.start_bytes();
        let to = from + clone.bytes();
        let mut at = 0;
        for (phys, len) in taken.vecs.iter().map(vec_run) {
            let (first, last) = (from.max(at), to.min(at + u64::from(len)));
            if first < last {
                runs.push((phys + (first - at), (last - first) as u32));
            }
            at += u64::from(len);
        }
    }
    runs
}

/// The bytes of all bios before this one.
fn bytes_before(case: &Case, taken: &Taken, bio: u16) -> u64 {
    let before = case.adds.iter().zip(&taken.accepted);
    before
        .filter(|(add, _)| add.bio < bio)
        .map(|(_, &got)| u64::from(got))
        .sum()
}

/// The sector that each byte submitted goes to: where runs of sectors begin, with their bytes.
fn submitted_sectors(case: &Case, taken: &Taken) -> Vec<(u64, u64)> {
    if let Some(zone) = case.zone_sectors() {
        let bios = 0..case.adds.last().map_or(0, |add| add.bio + 1);
        let size = |bio| bytes_before(case, taken, bio + 1) - bytes_before(case, taken, bio);
        let runs = bios.map(|bio| (case.start_sector + u64::from(bio) * zone, size(bio)));
        return runs.filter(|(_, bytes)| *bytes > 0).collect();
    }
    if case.clones.is_empty() {
        return vec![(case.start_sector, u64::MAX)];
    }
    let at = |clone: &CloneOf| {
        let size = |bio| bytes_before(case, taken, bio + 1) - bytes_before(case, taken, bio);
        let before: u64 = (0..clone.bio).map(|bio| size(bio) >> 9).sum();
        let skip = u64::from(clone.skip);
        (case.start_sector + before + skip, clone.bytes())
    };
    case.clones.iter().map(at).collect()
}

fn vec_run(&(pfn, offset, len): &(u64, u32, u32)) -> (u64, u32) {
    (pfn * PAGE_SIZE + u64::from(offset), len)
}

/// Allocations that a run touches. Allocations do not overlap, so counting those that meet
/// the run counts the steps of a folio walk.
fn allocations_in(case: &Case, (phys, len): (u64, u32)) -> u64 {
    let meets = |&(&pfn, &order): &(&u64, &u8)| {
        pfn * PAGE_SIZE < phys + u64::from(len) && phys < (pfn + (1 << order)) * PAGE_SIZE
    };
    case.allocations().iter().filter(meets).count() as u64
}

/// Runs with those that touch each other joined: what is left when tables are forgotten.
fn joined(runs: impl IntoIterator<Item = (u64, u32)>) -> Vec<(u64, u64)> {
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (phys, len) in runs {
        match joined.last_mut() {
            Some((at, n)) if *at + *n == phys => *n += u64::from(len),
            _ => joined.push((phys, len.into())),
        }
    }
    joined
}

fn requests(case: &Case, taken: &Taken) -> Result<(), String> {
    let memory = joined(submitted_runs(case, taken));
    let mapped = joined(taken.bios.iter().flat_map(|b| b.sg.iter().copied()));
    equal("memory in scatterlists", &mapped, &memory)?;
    let mut runs = submitted_sectors(case, taken).into_iter();
    let (mut sector, mut left) = runs.next().unwrap_or_default();
    for request in &taken.bios {
        while left == 0
            && let Some((next, bytes)) = runs.next()
        {
            (sector, left) = (next, bytes);
        }
        equal("sector", &request.sector, &sector)?;
        let sg: u64 = request.sg.iter().map(|e| u64::from(e.1)).sum();
        equal("bytes in scatterlist", &sg, &request.bytes.into())?;
        sector += u64::from(request.bytes >> 9);
        // A request may go on with clones that follow each other on the device.
        let mut bytes = u64::from(request.bytes);
        while bytes > left
            && let Some((_, more)) = runs.next()
        {
            bytes -= left;
            left = more;
        }
        left = left.saturating_sub(bytes);
    }
    Ok(())
}

fn within(case: &Case, limits: &QueueLimits, request: &Request) -> Result<(), String> {
    let Request {
        segments, bytes, ..
    } = *request;
    holds(segments <= limits.max_segments.into(), || {
        format!("{segments} segments")
    })?;

    // Up to 6.12 a piece of one page is never cut, however small a segment may be.
    let page_anyway = if case.rules <= KernelVersion::V6_12 {
        PAGE_SIZE as u32
    } else {
        0
    };
    for &(phys, len) in &request.sg {
        holds(len <= limits.max_segment_size.max(page_anyway), || {
            format!("{len} bytes in an entry")
        })?;
        let (first, last) = (phys, phys + u64::from(len) - 1);
        let mask = limits.seg_boundary_mask;
        holds(first | mask == last | mask, || {
            format!("{first:#x}..={last:#x} crosses a boundary")
        })?;
    }
    // Kernels that count sectors lose what is left of one in each vec, and 6.12 lets a bio
    // pass that it cannot cut at a block; vecs made of whole blocks leave neither way out.
    let block = limits.logical_block_size;
    let blocks = case
        .adds
        .iter()
        .all(|a| a.len.is_multiple_of(block) && a.offset.is_multiple_of(block));
    let cut = |clone: &CloneOf| clone.start_bytes() | clone.bytes();
    let blocks = blocks
        && case
            .clones
            .iter()
            .all(|c| cut(c).is_multiple_of(block.into()))
        && limits.chunk_sectors == 0
        && limits.max_segment_size >= block;
    if blocks || case.rules != KernelVersion::V6_12 {
        gaps(limits, request)?;
    }
    if blocks
        || matches!(
            case.rules,
            KernelVersion::V6_1 | KernelVersion::V7_1 | KernelVersion::V7_2
        )
    {
        // A zone append that would be cut is counted up to there, and goes out.
        let uncut = case.op == Operation::ZoneAppend && case.rules < KernelVersion::V6_12;
        holds(uncut || request.sg.len() <= segments as usize, || {
            format!("{} entries for {segments} segments", request.sg.len())
        })?;
        let most = u64::from(limits.max_sectors) << 9;
        holds(u64::from(bytes) <= most.max(PAGE_SIZE), || {
            format!("{bytes} bytes")
        })?;
        // The short cut past the split knows the queue's own chunks alone: an atomic write of a
        // page may cross its boundary (6.12, 7.2).
        let uncut = case.op == Operation::AtomicWrite && u64::from(bytes) <= PAGE_SIZE;
        if limits.chunk_sectors != 0 && !uncut {
            let chunk = u64::from(limits.chunk_sectors);
            let (first, last) = (request.sector, request.sector + u64::from((bytes - 1) >> 9));
            holds(first / chunk == last / chunk, || {
                format!("sectors {first}..={last} cross a chunk")
            })?;
        }
    }
    Ok(())
}

/// Entries meet at virtual boundaries. Beyond a page the kernel measures from the vec's page,
/// and a bound on segments may cut where the boundary would not.
fn gaps(limits: &QueueLimits, request: &Request) -> Result<(), String> {
    let mask = limits.virt_boundary_mask;
    if mask >= PAGE_SIZE || limits.max_segment_size != u32::MAX {
        return Ok(());
    }
    for pair in request.sg.windows(2) {
        let (end, next) = (pair[0].0 + u64::from(pair[0].1), pair[1].0);
        holds((end | next) & mask == 0, || {
            format!("entries meet at {end:#x} and {next:#x}")
        })?;
    }
    Ok(())
}
