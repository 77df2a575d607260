//! `iteration/chunks`: the walk by the design's own unit.

use std::hint::black_box;

use mm::block::Bio;
use mm::{BlockIo, KernelRules, Pointer};

use crate::bodies::Walk;
use crate::checksum::Digest;
use crate::fixture::Fixture;
use crate::job::{Prepared, Then, Truth};
use crate::params;
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "iteration/chunks",
    capability: mm::Capability::Block,
    asks: "what does it cost to walk a bio by the design's own unit (bio_for_each_folio_all)?",
    analysis: "The claim at the heart of the thread: where compound units are kept together \
        above, iteration need not break bvecs into 4 KiB pages. Folio and typed memory look the \
        unit up once per vec and go on to its neighbour; head pages need no lookup at all, since \
        the vec says which unit it names. Flat pages have no larger unit, so each page is asked \
        for its head. The line of folio and of headpage must be level from order 0 to order 9; \
        that of flat doubles with each order.",
    favours: "headpage: the vec names the unit, so no test for tails and no offset from the head",
    unfair: "at order 0 the walk by page is cheaper than any of these, and what is saved is flat's \
        question for the head of each page; where flat code only needs bytes it would use \
        iteration/bvecs, which is cheaper than any of these",
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
    ],
    fixture: Some(Fixture::of),
    quantity: Quantity::Time(super::every_byte),
};

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
    let bios = fixture.bios::<D, V>(&design, &fixture.alloc(&design))?;
    let elements = fixture.ranges();
    let truth = met(&design, &bios);
    then(&mut Prepared::new(
        &design,
        (),
        elements,
        |(), iters| entry(&design, &bios, iters),
        |(), raw| truth.of(raw),
    ));
    Ok(())
}

#[inline(never)]
fn entry<'d, D: BlockIo>(design: &'d D, bios: &[Bio<D::BvPage<'d>>], iters: u64) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut walk = Walk::default();
        for bio in black_box(bios) {
            walk.units(design, bio);
        }
        result = black_box(walk.result());
    }
    result
}

fn met<'d, D: BlockIo>(design: &'d D, bios: &[Bio<D::BvPage<'d>>]) -> Truth {
    let (mut digest, mut sum, mut mix) = (Digest::new(), 0, 0);
    for bio in bios {
        design.for_each_unit(bio, |run| {
            let start = design.extent(run.unit).head.phys();
            digest.add_bytes(start + run.offset, u64::from(run.len));
            sum += u64::from(run.len);
            mix ^= run.unit.word() ^ run.offset;
        });
    }
    Truth {
        checksum: digest.finish(),
        raw: sum ^ mix,
    }
}
