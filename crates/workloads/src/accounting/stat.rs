//! `accounting/stat`: lruvec and memcg statistics.

use std::hint::black_box;

use mm::memcg::{MemCgroup, Stat};
use mm::{KernelRules, Memcg};

use super::L1;
use crate::checksum::Digest;
use crate::fixture::allocations;
use crate::job::{Prepared, Then};
use crate::params;
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "accounting/stat",
    capability: mm::Capability::Memcg,
    asks: "what does it cost to count a change of state of a unit (mod_lruvec_page_state)?",
    analysis: "Every mapping, dirtying and writeback changes a statistic of the node, the group \
        and the group's lruvec, and each ancestor learns how much is pending below it: the cost \
        grows with the depth of the tree. Which statistic it is depends on anon or file, and \
        that is the only thing accounting needs the type for. Flat pages find the head first, \
        typed memory knows its index.",
    favours: "no design by much: flat pays one compound_head() more; at depth 8 nobody, the tree \
        dominates",
    unfair: "counters of one CPU only, always in the cache",
    unit: "update",
    axis: "depth",
    params: &[
        params::ORDER,
        params::KIND,
        params::DEPTH,
        params::FOOTPRINT,
    ],
    fixture: Some(|setup| allocations(setup, L1)),
    quantity: Quantity::Time(expected),
};

pub(crate) fn expected(setup: &Setup) -> Result<u64, SetupError> {
    let fixture = allocations(setup, L1)?;
    let pages: u64 = fixture
        .extents
        .iter()
        .map(|(extent, _)| extent.order.pages())
        .sum();
    Ok(told(pages as i64, pages as i64, 0))
}

/// The statistic of group and lruvec after everything was counted, and after it was taken
/// back again.
fn told(group: i64, lruvec: i64, after: i64) -> u64 {
    Digest::of(&[group as u64, lruvec as u64, after as u64])
}

/// Where the machine code of the loops is.
pub fn loops<D: Memcg, V: KernelRules>() -> Vec<usize> {
    vec![entry::<D> as *const () as usize]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: Memcg, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    let fixture = allocations(setup, L1)?;
    let pages = setup.order()?.pages() as i64;
    let stat = Stat::of(setup.kind()?);
    let design: D = fixture.build(setup)?;
    let units = fixture.alloc(&design);
    drop(fixture);
    let group = design.groups().chain(setup.number("depth")? as usize);
    for &unit in &units {
        let charged = design.charge::<V>(0, group, unit);
        charged.map_err(|e| SetupError::Wrong(e.to_string()))?;
    }
    count(&design, &units, pages);
    let tree = design.groups();
    let (counted, of_lruvec) = (tree.stat(group, stat), tree.lruvec_stat(group, stat));
    count(&design, &units, -pages);
    let now = |group: &MemCgroup| tree.stat(group, stat).abs() + tree.node_stat(stat).abs();
    then(&mut Prepared::new(
        &design,
        (),
        2 * units.len() as u64,
        |(), iters| entry(&design, &units, pages, iters),
        |(), _| told(counted, of_lruvec, now(group)),
    ));
    Ok(())
}

#[inline]
fn count<'d, D: Memcg>(design: &'d D, units: &[D::Unit<'d>], pages: i64) {
    for &unit in units {
        design.mod_stat(0, unit, pages);
    }
}

#[inline(never)]
fn entry<'d, D: Memcg>(design: &'d D, units: &[D::Unit<'d>], pages: i64, iters: u64) -> u64 {
    for _ in 0..iters {
        count(design, black_box(units), pages);
        count(design, black_box(units), -pages);
    }
    iters
}
