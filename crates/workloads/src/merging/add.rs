//! `merging/add`: building a bio.

use std::hint::black_box;

use mm::block::{Bio, add_page};
use mm::{BlockIo, KernelRules};
use physmem::PAGE_SIZE;

use crate::checksum::Digest;
use crate::fixture::{Added, Fixture, fill};
use crate::job::{Prepared, Then};
use crate::params::{self, ParamSpec};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "merging/add",
    capability: mm::Capability::Block,
    asks: "what does it cost to build a bio from a layout, in the design's own unit or page by page?",
    analysis: "Multi-page bvecs moved merging into bio_add_page(): every page asks whether it is \
        the neighbour of the last vec's end. Whoever keeps compound units together above the \
        block layer, as folios and head pages can, hands over a whole unit in one call and has \
        no merging left to do; Kundan Kumar measured 5 % of a CPU vanish that way. unit=native \
        is each design's largest step, unit=page what filesystems did before: their ratio at \
        each order is what the interface is worth. Single-page bvecs have a full table after \
        1 MiB and start another bio. headpage's assertion reads the descriptor, which nothing \
        else in this loop does: over scattered base pages that can be a cache miss for each.",
    favours: "folio and headpage with unit=native; flat with scattered base pages, where one \
        short test fails and nothing is gained by a larger unit",
    unfair: "a bio is filled again and again, so its table is warm; allocating it is not in the \
        clock. In unit=page a design that names units still takes pages: it would not in practice",
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
        ParamSpec::words(
            "unit",
            "native: the design's largest step; page: 4 KiB at a time",
            &["native", "page"],
        ),
    ],
    fixture: Some(Fixture::of),
    quantity: Quantity::Time(expected),
};

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    let fixture = Fixture::of(setup)?;
    Ok(told(fixture.bytes(), fixture.digest()))
}

fn told(accepted: u64, digest: u64) -> u64 {
    Digest::of(&[accepted, digest])
}

/// A bio and what is added to it.
struct Filling<'d, D: BlockIo + 'd> {
    bio: Bio<D::BvPage<'d>>,
    adds: Vec<Added<D::Unit<'d>>>,
    /// The same, by base page: what a submitter with an array of pages holds.
    pages: Vec<(D::BvPage<'d>, u32, u32)>,
}

/// Where the machine code of the loops is.
pub fn loops<D: BlockIo, V: KernelRules>() -> Vec<usize> {
    vec![
        entry_native::<D, V> as *const () as usize,
        entry_page::<D, V> as *const () as usize,
    ]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: BlockIo, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    let fixture = Fixture::of(setup)?;
    let design: D = fixture.build(setup)?;
    let units = fixture.alloc(&design);
    let by_page = setup.word("unit")? == "page";
    let mut fillings: Vec<Filling<'_, D>> = Vec::new();
    for io in &fixture.ios {
        let (bios, added) = fill::<D, V>(&design, &units, io)?;
        for (index, bio) in bios.into_iter().enumerate() {
            let adds: Vec<_> = added
                .iter()
                .filter(|add| add.bio == index)
                .copied()
                .collect();
            let pages = if by_page {
                pages_of::<D>(&design, &adds)?
            } else {
                Vec::new()
            };
            fillings.push(Filling { bio, adds, pages });
        }
    }
    let elements = fixture.ranges();
    drop(fixture);
    then(&mut Prepared::new(
        &design,
        fillings,
        elements,
        |fillings, iters| {
            if by_page {
                entry_page::<D, V>(&design, fillings, iters)
            } else {
                entry_native::<D, V>(&design, fillings, iters)
            }
        },
        |fillings, accepted| told(accepted, met(&design, fillings)),
    ));
    Ok(())
}

/// The digest of the bytes that the bios hold.
fn met<'d, D: BlockIo>(design: &'d D, fillings: &[Filling<'d, D>]) -> u64 {
    let mut digest = Digest::new();
    for filling in fillings {
        design.for_each_bvec(&filling.bio, |vec| {
            digest.add_bytes(
                design.phys(vec.page) + u64::from(vec.offset),
                u64::from(vec.len),
            );
        });
    }
    digest.finish()
}

/// The base pages of what is added, as references.
fn pages_of<'d, D: BlockIo>(
    design: &'d D,
    adds: &[Added<D::Unit<'d>>],
) -> Result<Vec<(D::BvPage<'d>, u32, u32)>, SetupError> {
    let mut pages = Vec::new();
    for add in adds {
        let first = u64::from(add.offset) / PAGE_SIZE;
        for page in first..first + u64::from(add.len) / PAGE_SIZE {
            let Some((reference, offset)) = design.nth_page(add.unit, page) else {
                return Err(SetupError::Absent(format!(
                    "{} cannot name a page of it",
                    D::NAME
                )));
            };
            pages.push((reference, PAGE_SIZE as u32, offset));
        }
    }
    Ok(pages)
}

#[inline(never)]
fn entry_native<'d, D: BlockIo, V: KernelRules>(
    design: &'d D,
    fillings: &mut [Filling<'d, D>],
    iters: u64,
) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut accepted = 0;
        for filling in &mut *black_box(&mut *fillings) {
            filling.bio.reset(0);
            for add in &filling.adds {
                accepted += u64::from(design.add_unit::<V>(
                    &mut filling.bio,
                    add.unit,
                    add.len,
                    add.offset,
                ));
            }
        }
        result = black_box(accepted);
    }
    result
}

#[inline(never)]
fn entry_page<'d, D: BlockIo, V: KernelRules>(
    design: &'d D,
    fillings: &mut [Filling<'d, D>],
    iters: u64,
) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut accepted = 0;
        for filling in &mut *black_box(&mut *fillings) {
            filling.bio.reset(0);
            for &(page, len, offset) in &filling.pages {
                accepted += u64::from(add_page::<V, D>(
                    design,
                    &mut filling.bio,
                    page,
                    len,
                    offset,
                ));
            }
        }
        result = black_box(accepted);
    }
    result
}
