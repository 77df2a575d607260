//! `merging/split`: cutting bios to the queue's limits.

use std::hint::black_box;

use mm::block::{Bio, bio_split_to_limits};
use mm::{BlockIo, KernelRules, QueueLimits};

use super::{LIMITS, MERGE, bios, limits};
use crate::fixture::Fixture;
use crate::job::{Prepared, Then};
use crate::params::{self, Default};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "merging/split",
    capability: mm::Capability::Block,
    asks: "what does it cost to find where a bio must be cut, and to cut it?",
    analysis: "Every bio that is submitted is walked once to see whether it fits the queue. With \
        one vec per physical run that is one step and some arithmetic per run; with one vec per \
        page it is a step per page. The covers of the multi-page series promised cheaper splits \
        without a number: this is the number. Designs differ in what a vec's address costs, and \
        in nothing else. With merge=no there is a vec for each thing that was added.",
    favours: "any design with multi-page bvecs; flat-sp loses",
    unfair: "the bio for the front part, which a kernel allocates, is a copy on the stack here",
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
        LIMITS.or(Default::Word("small")),
        MERGE,
    ],
    fixture: Some(Fixture::of),
    quantity: Quantity::Time(expected),
};

fn expected(setup: &Setup) -> Result<u64, SetupError> {
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
    fits::<D, V>(&design, &limits, &bios)?;
    then(&mut Prepared::new(
        &design,
        (),
        elements,
        |(), iters| entry::<D, V>(&design, &limits, &bios, iters),
        |(), bytes| bytes,
    ));
    Ok(())
}

/// Every part must keep the limits it was cut for.
fn fits<'d, D: BlockIo, V: KernelRules>(
    design: &'d D,
    limits: &QueueLimits,
    bios: &[Bio<D::BvPage<'d>>],
) -> Result<(), SetupError> {
    let mut beyond = 0;
    for bio in bios {
        let cut = bio_split_to_limits::<V, D>(design, limits, bio.part(), |part, segments| {
            let sectors = part.iter.size >> 9;
            beyond += u32::from(
                sectors > limits.max_sectors || segments > u32::from(limits.max_segments),
            );
        });
        cut.map_err(|e| SetupError::Wrong(e.to_string()))?;
    }
    if beyond == 0 {
        Ok(())
    } else {
        Err(SetupError::Wrong(format!(
            "{beyond} parts are beyond a limit"
        )))
    }
}

#[inline(never)]
fn entry<'d, D: BlockIo, V: KernelRules>(
    design: &'d D,
    limits: &QueueLimits,
    bios: &[Bio<D::BvPage<'d>>],
    iters: u64,
) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut bytes = 0_u64;
        for bio in black_box(bios) {
            let cut = bio_split_to_limits::<V, D>(design, limits, bio.part(), |part, segments| {
                bytes += u64::from(part.iter.size);
                black_box(segments);
            });
            // A refusal must not pass for fast work.
            bytes += u64::from(cut.is_err());
        }
        result = black_box(bytes);
    }
    result
}
