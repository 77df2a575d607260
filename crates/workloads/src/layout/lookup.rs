//! `layout/lookup`: from a frame number to the design's unit.

use std::hint::black_box;

use mm::{Design, KernelRules};
use physmem::Pfn;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::checksum::Digest;
use crate::fixture::{Fixture, allocations};
use crate::job::{Prepared, Then, Truth};
use crate::params::{self, ParamSpec};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "layout/lookup",
    capability: mm::Capability::Describe,
    asks: "what does it cost to find the unit that a frame belongs to?",
    analysis: "Page tables hold frame numbers, so fork, munmap and get_user_pages all begin here. \
        With a flat array the page is arithmetic, and the head one more load, dependent for a \
        tail. A typed design loads the frame's word and is then told by its tag what it points \
        at: 8 bytes per frame instead of 64 make more of them fit into the cache, but the \
        descriptor behind it is always a second, dependent load. Frames are drawn at random \
        from inside allocations; pattern=linear goes up instead.",
    favours: "flat at order 0; memdesc where the frames' words fit into the cache and lines do not",
    unfair: "callers that look up usually touch the descriptor next, and pay its miss here or there",
    unit: "lookup",
    axis: "order",
    params: &[
        params::ORDER,
        params::KIND,
        ParamSpec::words(
            "pattern",
            "frames at random, or in order of address",
            &["random", "linear"],
        ),
        params::FOOTPRINT,
    ],
    fixture: Some(fixture),
    quantity: Quantity::Time(expected),
};

const L1: u64 = 64;
/// Lookups of one call.
const LOOKUPS: u64 = 4096;

/// Frames to look up, and the heads that must be found.
fn frames(setup: &Setup, fixture: &Fixture) -> Result<Vec<(Pfn, Pfn)>, SetupError> {
    let mut rng = Pcg64::seed_from_u64(setup.seed);
    let extents = &fixture.extents;
    let stride = extents.len().div_ceil(LOOKUPS as usize).max(1);
    let mut frames: Vec<_> = extents
        .iter()
        .step_by(stride)
        .cycle()
        .take(LOOKUPS as usize)
        .map(|(extent, _)| {
            (
                extent.head + rng.random_range(0..extent.order.pages()),
                extent.head,
            )
        })
        .collect();
    if setup.word("pattern")? == "linear" {
        frames.sort_unstable();
    } else {
        frames.shuffle(&mut rng);
    }
    Ok(frames)
}

fn fixture(setup: &Setup) -> Result<Fixture, SetupError> {
    let fixture = allocations(setup, L1)?;
    let lookups = frames(setup, &fixture)?.into_iter().map(|(pfn, _)| pfn);
    Ok(Fixture {
        lookups: lookups.collect(),
        ..fixture
    })
}

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    let fixture = allocations(setup, L1)?;
    let mut digest = Digest::new();
    frames(setup, &fixture)?
        .iter()
        .for_each(|(_, head)| digest.add(head.0));
    Ok(digest.finish())
}

/// Where the machine code of the loops is.
pub fn loops<D: Design, V: KernelRules>() -> Vec<usize> {
    vec![entry::<D> as *const () as usize]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: Design, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    let mut fixture = fixture(setup)?;
    let design: D = fixture.build(setup)?;
    fixture.alloc(&design);
    let frames = std::mem::take(&mut fixture.lookups);
    drop(fixture);
    let mut digest = Digest::new();
    for &pfn in &frames {
        digest.add(
            design
                .lookup(pfn)
                .map_or(u64::MAX, |unit| design.extent(unit).head.0),
        );
    }
    let truth = Truth {
        checksum: digest.finish(),
        raw: LOOKUPS,
    };
    then(&mut Prepared::new(
        &design,
        (),
        LOOKUPS,
        |(), iters| entry(&design, &frames, iters),
        |(), raw| truth.of(raw),
    ));
    Ok(())
}

#[inline(never)]
fn entry<D: Design>(design: &D, frames: &[Pfn], iters: u64) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut found = 0_u64;
        for &pfn in black_box(frames) {
            found += u64::from(black_box(design.lookup(pfn)).is_some());
        }
        result = black_box(found);
    }
    result
}
