//! `accounting/uncharge`: giving charges back.

use std::hint::black_box;

use mm::{KernelRules, Memcg};
use physmem::Kind;

use super::{L1, Ledger, PATH, told, uncharge_kernel_each};
use crate::bodies::uncharge_each;
use crate::fixture::allocations;
use crate::job::{Extras, Prepared, Then};
use crate::params::{self, ParamSpec};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "accounting/uncharge",
    capability: mm::Capability::Memcg,
    asks: "what does it cost to uncharge, one at a time or in batches of one owner?",
    analysis: "An uncharge of user memory never refills the stock (one of kernel memory does): it \
        goes to every level of the hierarchy with an atomic. Kamezawa's batching gathers a run of the same owner and pays the levels once; \
        it nearly made up for the cost of having a group at all. The gathering is where the type \
        of the unit shows: owner word and page count are read for each, the rest once a batch.",
    favours: "folio; batch=gathered levels the designs",
    unfair: "with path=miss the owners alternate, which is a batch's worst case and rare in a \
        real free of many pages",
    unit: "allocation",
    axis: "order",
    params: &[
        params::ORDER,
        params::KIND,
        params::DEPTH,
        PATH,
        ParamSpec::words(
            "batch",
            "single: one at a time; gathered: runs of one owner",
            &["single", "gathered"],
        ),
        params::FOOTPRINT,
        params::RULES,
    ],
    fixture: Some(|setup| allocations(setup, L1)),
    quantity: Quantity::Time(expected),
};

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    allocations(setup, L1)?;
    Ok(told(0, 0, 0, 0))
}

/// Where the machine code of the loops is.
pub fn loops<D: Memcg, V: KernelRules>() -> Vec<usize> {
    vec![
        entry::<D, V> as *const () as usize,
        entry_batch::<D, V> as *const () as usize,
        entry_kernel::<D, V> as *const () as usize,
    ]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: Memcg, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    let fixture = allocations(setup, L1)?;
    let gathered = setup.word("batch")? == "gathered";
    if setup.kind()? == Kind::Slab {
        let why = "slab is charged by object, which accounting/charge asks";
        return Err(SetupError::Param(format!("kind=slab: {why}")));
    }
    let design: D = fixture.build(setup)?;
    let ledger = Ledger::new(setup, &design, fixture.alloc(&design))?;
    let elements = ledger.units.len() as u64;
    then(
        &mut Prepared::new(
            &design,
            ledger,
            elements,
            |ledger, _| {
                if gathered {
                    entry_batch::<D, V>(ledger)
                } else if ledger.is_kernel {
                    entry_kernel::<D, V>(ledger)
                } else {
                    entry::<D, V>(ledger)
                }
            },
            |ledger, gone| ledger.told::<V>() ^ (gone ^ ledger.units.len() as u64),
        )
        .with(Extras {
            rewind: Some(|ledger: &mut Ledger<'_, D>| {
                ledger.design.uncharge_batch::<V>(0, &ledger.units);
                ledger.charge_any::<V>();
            }),
            ..Extras::default()
        }),
    );
    Ok(())
}

#[inline(never)]
fn entry<D: Memcg, V: KernelRules>(ledger: &Ledger<'_, D>) -> u64 {
    let ledger = black_box(ledger);
    uncharge_each::<D, V>(ledger.design, 0, &ledger.units);
    black_box(ledger.units.len() as u64)
}

#[inline(never)]
fn entry_kernel<D: Memcg, V: KernelRules>(ledger: &Ledger<'_, D>) -> u64 {
    let ledger = black_box(ledger);
    uncharge_kernel_each::<D, V>(ledger.design, 0, &ledger.units);
    black_box(ledger.units.len() as u64)
}

#[inline(never)]
fn entry_batch<D: Memcg, V: KernelRules>(ledger: &Ledger<'_, D>) -> u64 {
    let ledger = black_box(ledger);
    ledger.design.uncharge_batch::<V>(0, &ledger.units);
    black_box(ledger.units.len() as u64)
}
