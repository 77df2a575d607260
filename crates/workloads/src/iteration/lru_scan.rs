//! `iteration/lru-scan`: reclaim's isolate and put back.

use std::hint::black_box;

use mm::memcg::MemCgroup;
use mm::{KernelRules, Lru};
use physmem::Kind;

use crate::checksum::Digest;
use crate::fixture::ALLOCATED;
use crate::fixture::allocations;
use crate::job::{Prepared, Then};
use crate::params::{self, Default, ParamSpec};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "iteration/lru-scan",
    capability: mm::Capability::Lru,
    asks: "what does it cost to isolate a batch from an LRU list and put it back?",
    analysis: "Reclaim takes 32 units off the tail of a list under the lruvec's lock and puts \
        back what it does not free. The list runs through the descriptors, so a unit costs a \
        few lines wherever it lies; fewer and larger units mean less of it per byte, in every \
        design. Weiner's typed memory knows by its type which list it belongs to; flat pages \
        ask the head and its flags. With layout=scattered the list jumps through the array, \
        and the cost is cache misses: of descriptors allocated apart too, for the order in which \
        they were allocated is a third one (allocated).",
    favours: "no design by type, since only heads are on lists; the arrays of struct page where \
        the list is in the order of frames, which descriptors from a slab cache are not",
    unfair: "one thread, so the lruvec's lock is never contended; a real list is written to by \
        every CPU",
    unit: "allocation",
    axis: "order",
    params: &[
        params::ORDER,
        params::KIND,
        params::DEPTH,
        ParamSpec::words(
            "layout",
            "the list's order: by address or at random",
            &["contiguous", "scattered"],
        ),
        ParamSpec::number(
            "batch",
            "units isolated at once (SWAP_CLUSTER_MAX)",
            32,
            (1, 64),
        ),
        ALLOCATED,
        params::FOOTPRINT.or(Default::Word("l2")),
    ],
    fixture: Some(|setup| allocations(setup, L1)),
    quantity: Quantity::Time(expected),
};

const L1: u64 = 128;

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    let list = allocations(setup, L1)?.extents.len() as u64;
    let batch = setup.number("batch")?;
    Ok(settled(batch, list, list))
}

/// Units of the last batch, units on the list, and units that kept their one reference.
fn settled(batch: u64, units: u64, with_one_reference: u64) -> u64 {
    Digest::of(&[batch, units, with_one_reference])
}

/// Where the machine code of the loops is.
pub fn loops<D: Lru, V: KernelRules>() -> Vec<usize> {
    vec![entry::<D> as *const () as usize]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: Lru, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    let fixture = allocations(setup, L1)?;
    let kind = setup.kind()?;
    if !kind.is_lru() {
        return Err(SetupError::Param(format!(
            "kind={kind}: only anon and file are on a list"
        )));
    }
    let batch = setup.number("batch")? as usize;
    let design: D = fixture.build(setup)?;
    let units = fixture.alloc(&design);
    drop(fixture);
    let group = design.groups().chain(setup.number("depth")? as usize);
    for &unit in &units {
        let charged = design.charge::<V>(0, group, unit);
        charged.map_err(|e| SetupError::Wrong(e.to_string()))?;
    }
    for full in units.chunks(31) {
        design.lru_add(0, full);
    }
    let mut isolated = Vec::with_capacity(batch);
    then(&mut Prepared::new(
        &design,
        (),
        batch as u64,
        |(), iters| entry(&design, group, kind, batch, &mut isolated, iters),
        |(), raw| {
            let stride = units.len().div_ceil(1 << 12).max(1);
            let looked_at = units.iter().step_by(stride);
            let wrong = looked_at
                .filter(|&&unit| design.refcount(unit) != 1)
                .count() as u64;
            settled(raw, group.lru_units(kind), units.len() as u64 - wrong)
        },
    ));
    Ok(())
}

#[inline(never)]
fn entry<'d, D: Lru>(
    design: &'d D,
    group: &MemCgroup,
    kind: Kind,
    batch: usize,
    isolated: &mut Vec<D::Unit<'d>>,
    iters: u64,
) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        isolated.clear();
        let taken = design.lru_isolate(0, black_box(group), kind, batch, isolated);
        design.lru_putback(0, isolated);
        result = black_box(taken as u64);
    }
    result
}
