//! `layout/compose`: making and unmaking an allocation.

use std::hint::black_box;

use mm::{Design, KernelRules};
use physmem::{Extent, Kind};

use crate::checksum::Digest;
use crate::fixture::allocations;
use crate::job::{Extras, Prepared, Then};
use crate::params::{self, ParamSpec};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "layout/compose",
    capability: mm::Capability::Describe,
    asks: "what does it cost to make and unmake an allocation, and to split a large one?",
    analysis: "A compound page writes every one of its tails, twice: 512 lines for a THP, which \
        is why vmemmap optimisation exists. A descriptor per allocation is allocated and written \
        once, but the frames must still learn where it is: 8 bytes each. mode=shatter also \
        splits each allocation into base pages, where a typed design must make a descriptor for \
        each one, and one line of 64 bytes in an array is the cheapest there is.",
    favours: "memdesc and every design with a word per frame, at large orders; flat at order 0 \
        and when a large page is split",
    unfair: "the buddy allocator itself is not in the clock, nor is zeroing the memory, which \
        dwarfs all of this for large pages",
    unit: "allocation",
    axis: "order",
    params: &[
        params::ORDER,
        params::KIND,
        ParamSpec::words(
            "mode",
            "make: make and unmake; shatter: split into base pages in between; free: unmake what \
             was made outside the clock",
            &["make", "shatter", "free"],
        ),
        params::FOOTPRINT,
    ],
    fixture: Some(|setup| allocations(setup, L1)),
    quantity: Quantity::Time(expected),
};

const L1: u64 = 16;

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    let fixture = allocations(setup, L1)?;
    let found = made(&fixture.extents, |extent| Some(extent.head.phys()));
    Ok(told(found, fixture.extents.len() as u64, 0))
}

/// The digest of the lookups while each allocation existed, how many were made and unmade,
/// and how many frames are still in use afterwards.
fn told(found: u64, made: u64, in_use: u64) -> u64 {
    Digest::of(&[found, made, in_use])
}

/// Looks from the last frame of each allocation.
fn made(extents: &[(Extent, Kind)], head: impl Fn(Extent) -> Option<u64>) -> u64 {
    let mut digest = Digest::new();
    extents
        .iter()
        .for_each(|(extent, _)| digest.add(head(*extent).unwrap_or(u64::MAX)));
    digest.finish()
}

/// Where the machine code of the loops is.
pub fn loops<D: Design, V: KernelRules>() -> Vec<usize> {
    vec![
        entry::<D> as *const () as usize,
        entry_shatter::<D> as *const () as usize,
        entry_free::<D> as *const () as usize,
    ]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: Design, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    let extents = allocations(setup, L1)?.extents;
    let design: D = allocations(setup, L1)?.build(setup)?;
    let mode = setup.word("mode")?;
    let look = |extent: Extent| {
        let last = design.lookup(physmem::Pfn(extent.end().0 - 1))?;
        Some(design.extent(last).head.phys())
    };
    let units: Vec<_> = extents
        .iter()
        .map(|&(extent, kind)| design.alloc(extent, kind))
        .collect();
    let found = made(&extents, look);
    units.iter().for_each(|&unit| design.free(unit));
    drop(units);
    if mode == "free" {
        let check = |_: &mut Made<'_, D>, raw| {
            let in_use = extents.iter().filter(|(extent, _)| look(*extent).is_some());
            told(found, raw, in_use.count() as u64)
        };
        let made = Made {
            design: &design,
            extents: &extents,
            units: Vec::new(),
        };
        let elements = extents.len() as u64;
        then(
            &mut Prepared::new(&design, made, elements, |made, _| entry_free(made), check).with(
                Extras {
                    rewind: Some(Made::make),
                    ..Extras::default()
                },
            ),
        );
        return Ok(());
    }
    let shatter = mode == "shatter";
    then(&mut Prepared::new(
        &design,
        (),
        extents.len() as u64,
        |(), iters| {
            if shatter {
                entry_shatter(&design, &extents, iters)
            } else {
                entry(&design, &extents, iters)
            }
        },
        |(), raw| {
            let in_use = extents
                .iter()
                .filter(|(extent, _)| look(*extent).is_some())
                .count();
            told(found, raw, in_use as u64)
        },
    ));
    Ok(())
}

/// Allocations that are there to be unmade.
struct Made<'d, D: Design> {
    design: &'d D,
    extents: &'d [(Extent, Kind)],
    units: Vec<D::Unit<'d>>,
}

impl<D: Design> Made<'_, D> {
    fn make(&mut self) {
        let Self {
            design, extents, ..
        } = *self;
        // Those of a call that was prepared for and did not come.
        self.units.drain(..).for_each(|unit| design.free(unit));
        let make = |&(extent, kind): &(Extent, Kind)| design.alloc(extent, kind);
        self.units.extend(extents.iter().map(make));
    }
}

#[inline(never)]
fn entry_free<D: Design>(made: &mut Made<'_, D>) -> u64 {
    let made = black_box(made);
    let many = made.units.len() as u64;
    for unit in made.units.drain(..) {
        made.design.free(unit);
    }
    black_box(many)
}

#[inline(never)]
fn entry<D: Design>(design: &D, extents: &[(Extent, Kind)], iters: u64) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut made = 0;
        for &(extent, kind) in black_box(extents) {
            let unit = black_box(design.alloc(extent, kind));
            design.free(unit);
            made += 1;
        }
        result = black_box(made);
    }
    result
}

#[inline(never)]
fn entry_shatter<D: Design>(design: &D, extents: &[(Extent, Kind)], iters: u64) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut made = 0;
        for &(extent, kind) in black_box(extents) {
            let unit = black_box(design.alloc(extent, kind));
            if design.split(unit).is_err() {
                // Not counted as made, so that verification sees it.
                design.free(unit);
                continue;
            }
            for n in 0..extent.order.pages() {
                if let Some(page) = design.lookup(extent.head + n) {
                    design.free(page);
                }
            }
            made += 1;
        }
        result = black_box(made);
    }
    result
}
