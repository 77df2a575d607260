//! `iteration/end-io`: what completion does to every page or unit of a bio.

use std::hint::black_box;

use mm::block::Bio;
use mm::{BlockIo, KernelRules, SlabIo};
use physmem::Kind;

use crate::checksum::Digest;
use crate::fixture::{ALLOCATED, Fixture};
use crate::job::{Prepared, Then};
use crate::params;
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "iteration/end-io",
    capability: mm::Capability::Block,
    asks: "what does it cost to pin memory for a read and to dirty, unlock and release it at the end?",
    analysis: "Direct IO takes a reference on everything that a read will fill and, when it is \
        done, locks it, marks it dirty, unlocks it, gives the reference back and frees with the \
        last one (bio_release_pages(bio, true)). Every design takes these steps. Up to 5.15 they \
        are taken for each base page, each behind compound_head(); folio, headpage and memdesc take \
        them for each run inside a unit, as 6.12 does, with its pins of large units counted apart, \
        its node's count of pins released and its test for the page of zeroes. Wilcox's point \
        about get_page(), 'should be one atomic but is test, branch and calls', is this loop. \
        memdesc looks at the type of each run.",
    favours: "designs that work by unit, at large orders: one lock, one mark and one drop of \
        references for a whole unit; flat at order 0, which counts no pins (5.10)",
    unfair: "pinning is inside the clock too, since a pin can only be dropped once; in the steady \
        state everything is dirty already, so marking is a test only; flat is of 5.10 and counts \
        neither pins nor those released, all others of 6.12",
    unit: "allocation",
    axis: "order",
    params: &[
        params::LAYOUT,
        ALLOCATED,
        params::ORDER,
        params::COUNT,
        params::KIND,
        params::FOOTPRINT,
        params::IO_BYTES,
        params::RULES,
    ],
    fixture: Some(Fixture::of),
    quantity: Quantity::Time(expected),
};

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    // All references are back to one, on every allocation, and every byte was released.
    let fixture = Fixture::shared(setup)?;
    Ok(settled(
        fixture.bytes(),
        fixture.extents.iter().map(|(extent, _)| (extent.head.0, 1)),
    ))
}

/// Bytes released, and head and references of allocations: of no more than can be looked at
/// after every sample in less time than the sample.
fn settled(bytes: u64, allocations: impl ExactSizeIterator<Item = (u64, u64)>) -> u64 {
    let mut digest = Digest::new();
    digest.add(bytes);
    let stride = allocations.len().div_ceil(1 << 12).max(1);
    for (head, references) in allocations.step_by(stride) {
        digest.add(head);
        digest.add(references);
    }
    digest.finish()
}

struct State<'d, D: BlockIo> {
    design: &'d D,
    bios: Vec<Bio<D::BvPage<'d>>>,
    units: Vec<D::Unit<'d>>,
}

/// Where the machine code of the loops is.
pub fn loops<D: BlockIo, V: KernelRules>() -> Vec<usize> {
    vec![entry::<D> as *const () as usize]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: BlockIo, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    let fixture = Fixture::shared(setup)?;
    let design: D = fixture.build(setup)?;
    let units = fixture.alloc(&design);
    let bios = fixture.bios::<D, V>(&design, &units)?;
    let elements = fixture.ranges();
    let state = State {
        design: &design,
        bios,
        units,
    };
    pinned(&state)?;
    then(&mut Prepared::new(
        &design,
        state,
        elements,
        |state, iters| entry(state.design, &state.bios, iters),
        |state, bytes| {
            let look = |&unit| {
                (
                    state.design.extent(unit).head.0,
                    u64::from(state.design.refcount(unit)),
                )
            };
            settled(bytes, state.units.iter().map(look))
        },
    ));
    Ok(())
}

/// A pin must show, or the loop would measure nothing; and what is timed finds everything
/// dirty already.
fn pinned<D: BlockIo>(state: &State<'_, D>) -> Result<(), SetupError> {
    if D::IS_FLOOR {
        return Ok(());
    }
    for bio in &state.bios {
        state.design.pin(bio);
    }
    let counts = |unit| D::SLAB_IO == SlabIo::Counted || state.design.kind(unit) != Kind::Slab;
    let all = state
        .units
        .iter()
        .all(|&unit| !counts(unit) || state.design.refcount(unit) > 1);
    for bio in &state.bios {
        state.design.end_io(bio);
    }
    if all {
        Ok(())
    } else {
        Err(SetupError::Wrong(
            "pinning a bio leaves an allocation without a pin".to_owned(),
        ))
    }
}

#[inline(never)]
fn entry<'d, D: BlockIo>(design: &'d D, bios: &[Bio<D::BvPage<'d>>], iters: u64) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut released = 0;
        for bio in black_box(bios) {
            design.pin(bio);
            released += design.end_io(bio);
        }
        result = black_box(released);
    }
    result
}
