//! `code/dispatch`: static type, tag test, common prefix.

use std::hint::black_box;
use std::sync::atomic::Ordering::Relaxed;

use mm::memcg::LockStyle;
use mm::{KernelRules, Memcg};

use crate::accounting::lock::mixed;
use crate::checksum::Digest;
use crate::job::{Prepared, Then, Truth};
use crate::params::{self, ParamSpec};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "code/dispatch",
    capability: mm::Capability::Memcg,
    asks: "what does it cost to reach a field through a static type, a tag test or a common prefix?",
    analysis: "Against nesting it was said that hierarchies of types are a cost in themselves. \
        This is that cost alone: read the owner word of each unit. A static type is one load at \
        a known offset; a common prefix is the same if, and only if, all types keep the field at \
        one offset, as anon and file memory do; generic tests the tag first, since a slab keeps \
        its owners elsewhere: a load more, and a compare and a select. dispatch=kind asks every \
        design for the kind of a unit instead, which flat memory answers with the head's page \
        type and mapping.",
    favours: "static types and a common prefix; the tag test loses",
    unfair: "real callers test the tag once and then do more than one load with the answer",
    unit: "access",
    axis: "",
    params: &[
        ParamSpec::words(
            "dispatch",
            "the owner word in memdesc's three ways, which are one in other designs; kind: what is it?",
            &["generic", "per-type", "cast-to-common", "kind"],
        ),
        params::ORDER,
        ParamSpec::words(
            "kind",
            "mixed: anon and file at random",
            &["mixed", "anon", "file"],
        ),
        params::FOOTPRINT,
    ],
    fixture: Some(mixed),
    quantity: Quantity::Time(expected),
};

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    let kinds = mixed(setup)?.extents;
    Ok(told(
        kinds.iter().map(|(_, kind)| *kind as u64),
        kinds.len() as u64,
    ))
}

fn told(kinds: impl Iterator<Item = u64>, charged: u64) -> u64 {
    let mut digest = Digest::new();
    kinds.for_each(|kind| digest.add(kind));
    digest.add(charged);
    digest.finish()
}

/// Where the machine code of the loops is.
pub fn loops<D: Memcg, V: KernelRules>() -> Vec<usize> {
    vec![
        entry_native::<D> as *const () as usize,
        entry_per_type::<D> as *const () as usize,
        entry_common::<D> as *const () as usize,
        entry_generic::<D> as *const () as usize,
        entry_kind::<D> as *const () as usize,
    ]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: Memcg, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    let way = setup.word("dispatch")?;
    let style = match way.as_str() {
        "per-type" => LockStyle::PerType,
        "cast-to-common" => LockStyle::CastToCommon,
        _ => LockStyle::Generic,
    };
    let only = D::LOCK_STYLES == [LockStyle::Native];
    if way != "kind" && !only && !D::LOCK_STYLES.contains(&style) {
        return Err(SetupError::Absent(format!(
            "{} has no {way} access",
            D::NAME
        )));
    }
    let fixture = mixed(setup)?;
    let design: D = fixture.build(setup)?;
    let units = fixture.alloc(&design);
    drop(fixture);
    let group = design.groups().chain(1);
    for &unit in &units {
        let charged = design.charge::<V>(0, group, unit);
        charged.map_err(|e| SetupError::Wrong(e.to_string()))?;
    }
    let kinds: Vec<u64> = units.iter().map(|&unit| design.kind(unit) as u64).collect();
    let owned = units
        .iter()
        .filter(|&&unit| design.owner(unit).is_some())
        .count() as u64;
    let by_kind: u64 = kinds.iter().sum();
    let words: u64 = units
        .iter()
        .fold(0, |sum, _| sum.wrapping_add(group.word()));
    let raw = if way == "kind" { by_kind } else { words };
    let truth = Truth {
        checksum: told(kinds.into_iter(), owned),
        raw,
    };
    then(&mut Prepared::new(
        &design,
        (),
        units.len() as u64,
        |(), iters| match way.as_str() {
            "kind" => entry_kind(&design, &units, iters),
            _ if only => entry_native(&design, &units, iters),
            "per-type" => entry_per_type(&design, &units, iters),
            "cast-to-common" => entry_common(&design, &units, iters),
            _ => entry_generic(&design, &units, iters),
        },
        |(), raw| truth.of(raw),
    ));
    Ok(())
}

#[inline(always)]
fn owners<'d, D: Memcg>(design: &'d D, units: &[D::Unit<'d>], style: LockStyle, iters: u64) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut words = 0_u64;
        for &unit in black_box(units) {
            words = words.wrapping_add(design.owner_word(unit, style).load(Relaxed));
        }
        result = black_box(words);
    }
    result
}

macro_rules! entries {
    ($($name:ident = $style:ident),*) => {$(
        #[inline(never)]
        fn $name<'d, D: Memcg>(design: &'d D, units: &[D::Unit<'d>], iters: u64) -> u64 {
            owners(design, units, LockStyle::$style, iters)
        }
    )*};
}

entries!(
    entry_native = Native,
    entry_per_type = PerType,
    entry_common = CastToCommon,
    entry_generic = Generic
);

#[inline(never)]
fn entry_kind<'d, D: Memcg>(design: &'d D, units: &[D::Unit<'d>], iters: u64) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut kinds = 0_u64;
        for &unit in black_box(units) {
            kinds += design.kind(unit) as u64;
        }
        result = black_box(kinds);
    }
    result
}
