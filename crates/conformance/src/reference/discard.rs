//! Where a discard is cut.

use mm::QueueLimits;

use crate::case::{Case, Refusal, Request, Taken};

use super::checks_blocks;

/// The requests of a discard: as many whole units of the device as it takes at once, each ending
/// where a unit ends, and the rest. A device that takes less than a unit gets all at once.
pub(super) fn discard(case: &Case, limits: &QueueLimits) -> Result<Taken, Refusal> {
    let discard = case.limits.discard(case.rules, limits);
    let discard = discard.ok_or(Refusal::Invalid)?;
    let unit = u64::from(discard.granularity);
    let at_once = u64::from(discard.max_sectors) / unit * unit;
    let end = case.start_sector + u64::from(case.sectors);
    let block = u64::from(limits.logical_block_size >> 9);
    let mut cuts = vec![case.start_sector];
    loop {
        let from = *cuts.last().expect("it begins somewhere");
        // The kernel looks again at what is left.
        if checks_blocks(case.rules) && (from % block != 0 || !end.is_multiple_of(block)) {
            return Err(Refusal::Invalid);
        }
        if at_once == 0 || end - from <= at_once {
            break;
        }
        cuts.push((from + at_once) / unit * unit);
    }
    cuts.push(end);
    let request = |cut: &[u64]| Request {
        sector: cut[0],
        bytes: ((cut[1] - cut[0]) << 9) as u32,
        segments: 1,
        sg: vec![],
    };
    Ok(Taken {
        bios: cuts.windows(2).map(request).collect(),
        ..Taken::nothing(&case.name)
    })
}
