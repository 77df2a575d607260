//! `iteration/bvecs`: the walk by vec.

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
    id: "iteration/bvecs",
    capability: mm::Capability::Block,
    asks: "what does it cost to walk a bio a vec at a time (bio_for_each_bvec)?",
    analysis: "The walk that multi-page bvecs brought in 5.1: one step for each physically \
        contiguous run, however many pages it has. Ming Lei predicted that its cost follows the \
        number of runs and no longer the number of pages; single-page bvecs are the history that \
        it replaced. It looks at no descriptor at all, so all designs with multi-page bvecs \
        should cost the same: a difference between them is a warning about the harness.",
    favours: "none; flat-sp loses in proportion to the size of the allocation",
    unfair: "single-page bvecs never had this walk: theirs is the page walk under another name",
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
            walk.bvecs(design, bio);
        }
        result = black_box(walk.result());
    }
    result
}

fn met<'d, D: BlockIo>(design: &'d D, bios: &[Bio<D::BvPage<'d>>]) -> Truth {
    let (mut digest, mut sum, mut mix) = (Digest::new(), 0, 0);
    for bio in bios {
        design.for_each_bvec(bio, |vec| {
            digest.add_bytes(
                design.phys(vec.page) + u64::from(vec.offset),
                u64::from(vec.len),
            );
            sum += u64::from(vec.len);
            mix ^= vec.page.word() ^ u64::from(vec.offset);
        });
    }
    Truth {
        checksum: digest.finish(),
        raw: sum ^ mix,
    }
}
