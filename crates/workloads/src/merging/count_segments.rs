//! `merging/count-segments`: the recount that multi-page bvecs made cheap.

use std::hint::black_box;

use mm::block::{Request, SgEntry, blk_rq_map_sg};
use mm::{BlockIo, KernelRules, KernelVersion, QueueLimits};

use super::{LIMITS, MERGE, bios, limits, requests};
use crate::bodies::recount;
use crate::fixture::Fixture;
use crate::job::{Prepared, Then, Truth};
use crate::params;
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "merging/count-segments",
    capability: mm::Capability::Block,
    asks: "what does it cost to count a request's segments anew?",
    analysis: "Before 5.1 a request's segments were counted by walking all its pages, and cached \
        because that was dear. Ming Lei's series removed the cache and most of the callers: with \
        multi-page bvecs the count is one division per vec. This is the price of the work that \
        was removed, next to what is left of it.",
    favours: "any design with multi-page bvecs; flat-sp loses",
    unfair: "kernels since 5.1 recount only after a request was cut, so today's cost is rarely paid",
    unit: "allocation",
    axis: "order",
    params: &[
        params::LAYOUT,
        params::ORDER,
        params::COUNT,
        params::KIND,
        params::FOOTPRINT,
        params::IO_BYTES,
        params::RULES,
        LIMITS,
        MERGE,
    ],
    fixture: Some(Fixture::of),
    quantity: Quantity::Time(expected),
};

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    // Segments depend on the rules; what may not is that the requests hold every byte, and
    // that the recount equals what the split had counted.
    Ok(Fixture::shared(setup)?.bytes())
}

/// Where the machine code of the loops is.
pub fn loops<D: BlockIo, V: KernelRules>() -> Vec<usize> {
    vec![entry::<D, V> as *const () as usize]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: BlockIo, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    let fixture = Fixture::shared(setup)?;
    let design: D = fixture.build(setup)?;
    let bios = bios::<D, V>(setup, &fixture, &design)?;
    let elements = fixture.ranges();
    let limits = limits::<V>(setup)?;
    let requests = requests::<D, V>(&design, &limits, &bios)?;
    let counted = counted::<D, V>(&design, &limits, &requests)?;
    let truth = Truth {
        checksum: requests.iter().map(|r| u64::from(r.bytes())).sum(),
        raw: counted,
    };
    then(&mut Prepared::new(
        &design,
        (),
        elements,
        |(), iters| entry::<D, V>(&design, &limits, &requests, iters),
        |(), raw| truth.of(raw),
    ));
    Ok(())
}

/// The true count, from another place: the split counts by the same rule since 5.1;
/// before, joins across bios are counted, which only the mapping makes as well.
fn counted<'d, D: BlockIo, V: KernelRules>(
    design: &'d D,
    limits: &QueueLimits,
    requests: &[Request<'_, D::BvPage<'d>>],
) -> Result<u64, SetupError> {
    if V::VERSION != KernelVersion::V5_0 {
        return Ok(requests.iter().map(|r| u64::from(r.segments())).sum());
    }
    let mut entries = 0;
    for request in requests {
        let mut table = vec![SgEntry::default(); request.bytes() as usize / 4096 + 1];
        let used = blk_rq_map_sg::<V, D>(design, limits, request.bios(), &mut table);
        entries += u64::from(used.map_err(|e| SetupError::Wrong(e.to_string()))?);
    }
    Ok(entries)
}

#[inline(never)]
fn entry<'d, D: BlockIo, V: KernelRules>(
    design: &'d D,
    limits: &QueueLimits,
    requests: &[Request<'_, D::BvPage<'d>>],
    iters: u64,
) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut segments = 0;
        for request in black_box(requests) {
            segments += recount::<D, V>(design, limits, request.bios());
        }
        result = black_box(segments);
    }
    result
}
