//! `accounting/lock`: the lock between a unit and its group.

use std::hint::black_box;

use mm::memcg::LockStyle;
use mm::{KernelRules, Memcg};
use physmem::Kind;

use super::L1;
use crate::fixture::{Fixture, allocations};
use crate::job::{Prepared, Then};
use crate::params::{self, Default, ParamSpec};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "accounting/lock",
    capability: mm::Capability::Memcg,
    asks: "what does lock_page_memcg cost as a function per type, as a cast to a common prefix, or generic?",
    analysis: "The open question of the thread: with anon and file memory as types of their own, \
        is it lock_anon_memcg() and lock_file_memcg(), a cast to what both begin with, or one \
        lock_<generic>_memcg() that looks at the tag? Unless a task is being moved the lock is \
        one load and one branch, so finding the owner word is most of it. Flat pages pay \
        compound_head() in lock and again in unlock, of a head as of a tail. From rmap \
        (from=pte) the caller has a page out of a page table: lock_page_memcg() and \
        unlock_page_memcg() each find what it belongs to, which costs a folio what it costs a \
        page, and a design with descriptors apart a look at the frame's word. per-type is called from where the type is \
        known; with kind=mixed, anon and file at random, the caller looks which of the two \
        functions it needs. generic looks at the tag in lock and again in unlock, for a slab \
        keeps its owners elsewhere.",
    favours: "callers that have a unit by type (writeback, buffer heads): folio, split and memdesc \
        then convert nothing. From rmap nobody is spared",
    unfair: "the lock died young: rmap took it until 6.2 for every page, 6.12 has it with \
        CONFIG_MEMCG_V1 only and v6.13 not at all, so rows without rules ask what no kernel does \
        any more; those of 5.10 and 6.1 stand beside the kernels that took it. The read section is \
        counted under 6.1, as Debian's preemptible kernel does, and free under 5.10. The critical \
        section is a single addition, and a mix that repeats every few hundred units \
        (footprint=l1) is one that a branch predictor learns by heart",
    unit: "lock",
    axis: "",
    params: &[
        params::ORDER,
        STYLE,
        KIND,
        ParamSpec::words(
            "moving",
            "no: nobody moves charges; yes: a task is being moved, so the spinlock is taken",
            &["no", "yes"],
        ),
        FROM,
        params::FOOTPRINT,
        params::RULES,
    ],
    fixture: Some(mixed),
    quantity: Quantity::Time(expected),
};

/// The way the owner word is found.
const STYLE: ParamSpec = ParamSpec::words(
    "style",
    "memdesc's three functions; a design with one function has that in every row",
    &["generic", "per-type", "cast-to-common"],
);

const KIND: ParamSpec = ParamSpec::words(
    "kind",
    "what is locked; mixed: anon and file at random",
    &["anon", "file", "mixed"],
);

/// The argument of the lock: a unit or a page. Unset for a unit, so that older rows keep their
/// names.
const FROM: ParamSpec = ParamSpec::words(
    "from",
    "pte: a page as a page table leads to it, the last of its unit, as rmap has; unset: a unit",
    &["pte"],
)
.or(Default::Unset);

/// Allocations, of both kinds in random order for `kind=mixed`.
pub(crate) fn mixed(setup: &Setup) -> Result<Fixture, SetupError> {
    if setup.word("kind")? != "mixed" {
        return allocations(setup, L1);
    }
    let mut params = setup.params.clone();
    params.insert("kind".to_owned(), "anon".into());
    let mut fixture = allocations(
        &Setup {
            params,
            ..setup.clone()
        },
        L1,
    )?;
    let mut state = setup.seed | 1;
    for (_, kind) in &mut fixture.extents {
        // A generator of its own: the draw must not depend on a library's version.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        if state >> 63 == 1 {
            *kind = Kind::File;
        }
    }
    Ok(fixture)
}

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    Ok(mixed(setup)?.extents.len() as u64)
}

/// A style known at compile time.
trait Style {
    const STYLE: LockStyle;
}

macro_rules! styles {
    ($($name:ident),*) => {$(
        struct $name;
        impl Style for $name {
            const STYLE: LockStyle = LockStyle::$name;
        }
    )*};
}

styles!(Native, PerType, WhichType, CastToCommon, Generic);

/// Where the machine code of the loops is.
pub fn loops<D: Memcg, V: KernelRules>() -> Vec<usize> {
    [
        of_style::<D, V, Native>(),
        of_style::<D, V, PerType>(),
        of_style::<D, V, WhichType>(),
        of_style::<D, V, CastToCommon>(),
        of_style::<D, V, Generic>(),
    ]
    .concat()
}

fn of_style<D: Memcg, V: KernelRules, S: Style>() -> [usize; 2] {
    [
        entry::<D, V, S> as *const () as usize,
        entry_mapped::<D, V, S> as *const () as usize,
    ]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: Memcg, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    match setup.word("style")?.as_str() {
        "per-type" if setup.word("kind")? == "mixed" => enter_style::<D, V, WhichType>(setup, then),
        "per-type" => enter_style::<D, V, PerType>(setup, then),
        "cast-to-common" => enter_style::<D, V, CastToCommon>(setup, then),
        _ => enter_style::<D, V, Generic>(setup, then),
    }
}

fn enter_style<D: Memcg, V: KernelRules, S: Style>(
    setup: &Setup,
    then: Then<'_>,
) -> Result<(), SetupError> {
    if D::LOCK_STYLES == [LockStyle::Native] && S::STYLE != LockStyle::Native {
        return enter_style::<D, V, Native>(setup, then);
    }
    if !D::LOCK_STYLES.contains(&S::STYLE) {
        return Err(SetupError::Absent(format!(
            "{} has no {} lock",
            D::NAME,
            S::STYLE.name()
        )));
    }
    let fixture = mixed(setup)?;
    let design: D = fixture.build(setup)?;
    let units = fixture.alloc(&design);
    drop(fixture);
    let group = design.groups().chain(2);
    for &unit in &units {
        let charged = design.charge::<V>(0, group, unit);
        charged.map_err(|e| SetupError::Wrong(e.to_string()))?;
    }
    if setup.word("moving")? == "yes" {
        group.begin_move();
    }
    let mapped: Vec<_> = match setup.word(FROM.name) {
        Ok(_) => units
            .iter()
            .map(|&unit| design.mapped_page(unit, design.extent(unit).order.pages() - 1))
            .collect(),
        Err(_) => Vec::new(),
    };
    then(&mut Prepared::new(
        &design,
        (),
        units.len() as u64,
        |(), iters| match mapped.as_slice() {
            [] => entry::<D, V, S>(&design, &units, iters),
            pages => entry_mapped::<D, V, S>(&design, pages, iters),
        },
        |(), raw| {
            let elsewhere = units.iter().filter(|&&unit| {
                !design
                    .owner(unit)
                    .is_some_and(|owner| std::ptr::eq(owner, group))
            });
            raw + elsewhere.count() as u64
        },
    ));
    Ok(())
}

#[inline(never)]
fn entry<'d, D: Memcg, V: KernelRules, S: Style>(
    design: &'d D,
    units: &[D::Unit<'d>],
    iters: u64,
) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut entered = 0_u64;
        for &unit in black_box(units) {
            design.with_memcg_lock::<V, _>(
                0,
                || unit,
                S::STYLE,
                || entered = black_box(entered + 1),
            );
        }
        result = black_box(entered);
    }
    result
}

/// The same of pages: lock and unlock each find the unit.
#[inline(never)]
fn entry_mapped<'d, D: Memcg, V: KernelRules, S: Style>(
    design: &'d D,
    pages: &[D::MappedPage<'d>],
    iters: u64,
) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut entered = 0_u64;
        for &page in black_box(pages) {
            design.with_memcg_lock::<V, _>(
                0,
                || design.unit_of_mapped(page),
                S::STYLE,
                || entered = black_box(entered + 1),
            );
        }
        result = black_box(entered);
    }
    result
}
