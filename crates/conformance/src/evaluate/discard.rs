//! A discard, which no descriptor has a part in: the block layer's own answer.

use mm::QueueLimits;
use mm::block::discard_front;

use super::queue::is_aligned;
use crate::case::{Answer, Case, Refusal, Refused, Request, Taken};

/// Cuts a discard and writes the requests down.
pub(super) fn answer(case: &Case, limits: &QueueLimits) -> Answer {
    let refused = || {
        Answer::Refused(Refused {
            name: case.name.clone(),
            error: Refusal::Invalid,
        })
    };
    let Some(discard) = case.limits.discard(case.rules, limits) else {
        return refused();
    };
    let mut taken = Taken::nothing(&case.name);
    let (mut sector, mut left) = (case.start_sector, case.sectors);
    while left > 0 {
        if !is_aligned(case.rules, limits, sector, left << 9) {
            return refused();
        }
        let front = discard_front(&discard, sector, left).unwrap_or(left);
        taken.bios.push(Request {
            sector,
            bytes: front << 9,
            segments: 1,
            sg: vec![],
        });
        sector += u64::from(front);
        left -= front;
    }
    Answer::Taken(taken)
}
