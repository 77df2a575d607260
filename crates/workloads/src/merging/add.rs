//! `merging/add`: building a bio.

use std::hint::black_box;

use mm::block::{Bio, add_page};
use mm::{BlockIo, KernelRules, NoMerge};
use physmem::PAGE_SIZE;

use super::{MERGE, is_unmerged};
use crate::checksum::Digest;
use crate::fixture::{Added, Fixture, fill, fill_by_page};
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
        each order is what the interface is worth. unit=user is the page array that get_user_pages \
        fills, heads and tails alike: a design whose vecs name heads, folios or addresses turns \
        each page into such a name within the clock, and unit=page is the same design where the \
        caller had the name already. merge=no leaves the neighbour unasked, as __bio_add_page \
        does, and leaves more vecs to merging/split and merging/map-sg: the three rows together \
        say whether merging at add pays. Single-page bvecs have a full table after \
        1 MiB and start another bio. headpage's assertion reads the descriptor, which nothing \
        else in this loop does: over scattered base pages that can be a cache miss for each.",
    favours: "folio and headpage with unit=native; flat with scattered base pages, where one \
        short test fails and nothing is gained by a larger unit",
    unfair: "a bio is filled again and again, so its table is warm; allocating it is not in the \
        clock. In unit=page a design that names units is handed names, not pages: from user memory \
        it would have pages (unit=user). get_user_pages itself, which pins, is not in the clock",
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
            "native: the design's largest step; page: 4 KiB at a time, by the names that vecs \
             hold; user: 4 KiB at a time, by pages as get_user_pages hands them out",
            &["native", "page", "user"],
        ),
        MERGE,
    ],
    fixture: Some(Fixture::of),
    quantity: Quantity::Time(expected),
};

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    let fixture = Fixture::shared(setup)?;
    Ok(told(fixture.bytes(), fixture.digest()))
}

fn told(accepted: u64, digest: u64) -> u64 {
    Digest::of(&[accepted, digest])
}

/// A bio and what is added to it.
struct Filling<'d, D: BlockIo + 'd> {
    bio: Bio<D::BvPage<'d>>,
    adds: Vec<Added<D::Unit<'d>>>,
    /// The same by base page: a name, bytes, and an offset.
    pages: Vec<(D::BvPage<'d>, u32, u32)>,
    /// The same as a submitter of user memory holds it.
    user_pages: Vec<D::UserPage<'d>>,
}

/// Where the machine code of the loops is that every design has had since the first record: the
/// other two are these loops once more.
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
    if is_unmerged(setup) {
        enter_as::<D, NoMerge<V>>(setup, then)
    } else {
        enter_as::<D, V>(setup, then)
    }
}

fn enter_as<D: BlockIo, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    let fixture = Fixture::shared(setup)?;
    let design: D = fixture.build(setup)?;
    let units = fixture.alloc(&design);
    let unit = setup.word("unit")?;
    // A vec for each page: bios are full at other places than where units are added.
    let fill = if unit == "native" || V::MERGES_ON_ADD || D::IS_FLOOR {
        fill::<D, V>
    } else {
        fill_by_page::<D, V>
    };
    let mut fillings: Vec<Filling<'_, D>> = Vec::new();
    for io in &fixture.ios {
        let (bios, added) = fill(&design, &units, io)?;
        for (index, bio) in bios.into_iter().enumerate() {
            let of_bio = added.iter().filter(|add| add.bio == index);
            let mut filling = Filling {
                bio,
                adds: of_bio.copied().collect(),
                pages: Vec::new(),
                user_pages: Vec::new(),
            };
            match unit.as_str() {
                "page" => filling.pages = pages_of::<D>(&design, &filling.adds)?,
                "user" => filling.user_pages = user_pages_of::<D>(&design, &filling.adds)?,
                _ => {}
            }
            fillings.push(filling);
        }
    }
    let elements = fixture.ranges();
    let entry = match unit.as_str() {
        "page" => entry_page::<D, V>,
        "user" => entry_user::<D, V>,
        _ => entry_native::<D, V>,
    };
    then(&mut Prepared::new(
        &design,
        fillings,
        elements,
        |fillings, iters| entry(&design, fillings, iters),
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

/// The base pages of what is added, by unit and number.
fn base_pages<'u, C: Copy>(adds: &'u [Added<C>]) -> impl Iterator<Item = (C, u64)> + 'u {
    adds.iter().flat_map(|add| {
        let first = u64::from(add.offset) / PAGE_SIZE;
        (first..first + u64::from(add.len) / PAGE_SIZE).map(|page| (add.unit, page))
    })
}

fn no_name<D: BlockIo>() -> SetupError {
    SetupError::Absent(format!("{} cannot name a page of it", D::NAME))
}

/// The base pages of what is added, as vecs name them.
fn pages_of<'d, D: BlockIo>(
    design: &'d D,
    adds: &[Added<D::Unit<'d>>],
) -> Result<Vec<(D::BvPage<'d>, u32, u32)>, SetupError> {
    base_pages(adds)
        .map(|(unit, n)| {
            let (page, offset) = design.nth_page(unit, n).ok_or_else(no_name::<D>)?;
            Ok((page, PAGE_SIZE as u32, offset))
        })
        .collect()
}

/// The base pages of what is added, as `get_user_pages` hands them out.
fn user_pages_of<'d, D: BlockIo>(
    design: &'d D,
    adds: &[Added<D::Unit<'d>>],
) -> Result<Vec<D::UserPage<'d>>, SetupError> {
    base_pages(adds)
        .map(|(unit, n)| design.user_page(unit, n).ok_or_else(no_name::<D>))
        .collect()
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

/// From pages of user memory: each is turned into what vecs name, then added.
#[inline(never)]
fn entry_user<'d, D: BlockIo, V: KernelRules>(
    design: &'d D,
    fillings: &mut [Filling<'d, D>],
    iters: u64,
) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut accepted = 0;
        for filling in &mut *black_box(&mut *fillings) {
            filling.bio.reset(0);
            for &page in &filling.user_pages {
                let Some((page, offset)) = design.name_user_page(page) else {
                    continue;
                };
                accepted += u64::from(add_page::<V, D>(
                    design,
                    &mut filling.bio,
                    page,
                    PAGE_SIZE as u32,
                    offset,
                ));
            }
        }
        result = black_box(accepted);
    }
    result
}
