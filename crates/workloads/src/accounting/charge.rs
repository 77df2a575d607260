//! `accounting/charge`: charging memory to a group.

use std::hint::black_box;

use mm::{KernelRules, Memcg};

use physmem::Kind;

use super::{L1, Ledger, PATH, all_charged, objects};
use crate::fixture::allocations;
use crate::job::{Extras, Prepared, Then};
use crate::params;
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "accounting/charge",
    capability: mm::Capability::Memcg,
    asks: "what does it cost to charge an allocation to a memory cgroup?",
    analysis: "The code that charges is the same for every design and asks two things of a unit \
        of memory: the owner word and the pages. Weiner's \
        point is that this needs no common type, only a common place to look. Flat pages pay \
        compound_head() for each; typed memory pays a look at the tag where the caller does not \
        know the type. Kernel memory takes the way of cgroup v2: page tables, stacks and pipe \
        buffers are charged whole to an obj_cgroup that leads to the group \
        (__memcg_kmem_charge_page; straight to the group under 5.10), slab by object \
        (kind=slab, 512 bytes each): bytes from a stock of bytes, then the slab is found from the \
        object's page and its vector told whose the object is. What dominates is the counter: a page from this CPU's stock costs no \
        atomic, a THP bypasses the stock and charges every level at once, which is one call \
        where base pages take 512.",
    favours: "no design by much: one compound_head() is all that flat pays more. Objects favour \
        designs whose page leads to its slab in one load; large allocations are cheap in all",
    unfair: "a slab's pages are not charged and its vector is there already (alloc_slab_obj_exts \
        is not in the clock), nor are the bytes of slab statistics counted (mod_objcg_state); no \
        kernel answers rows of objects. For other kernel memory a kernel first looks up who pays \
        (current_obj_cgroup; here the task's active_memcg), which the models are told. The owner \
        word of each unit is in the cache for l1; heads of order 9 lie 32 KiB apart in a flat \
        array and share few cache sets, as they do in vmemmap. With path=hit one \
        charge in 64 still misses, as in a kernel",
    unit: "allocation",
    axis: "order",
    params: &[
        params::ORDER,
        params::KIND,
        params::DEPTH,
        PATH,
        params::FOOTPRINT,
        params::RULES,
    ],
    fixture: Some(|setup| allocations(setup, L1)),
    quantity: Quantity::Time(expected),
};

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    let fixture = allocations(setup, L1)?;
    if setup.kind()? == Kind::Slab {
        return Ok(objects::all_charged(&fixture.extents));
    }
    Ok(all_charged(&fixture.extents))
}

/// Where the machine code of the loops is.
pub fn loops<D: Memcg, V: KernelRules>() -> Vec<usize> {
    vec![
        entry::<D, V> as *const () as usize,
        entry_kernel::<D, V> as *const () as usize,
        objects::entry::<D, V> as *const () as usize,
    ]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: Memcg, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    if setup.kind()? == Kind::Slab {
        return objects::enter::<D, V>(setup, then);
    }
    let fixture = allocations(setup, L1)?;
    let design: D = fixture.build(setup)?;
    let ledger = Ledger::new(setup, &design, fixture.alloc(&design))?;
    let elements = ledger.units.len() as u64;
    then(
        &mut Prepared::new(
            &design,
            ledger,
            elements,
            |ledger, _| {
                if ledger.is_kernel {
                    entry_kernel::<D, V>(ledger)
                } else {
                    entry::<D, V>(ledger)
                }
            },
            |ledger, charged| ledger.told::<V>() ^ (charged ^ ledger.units.len() as u64),
        )
        .with(Extras {
            rewind: Some(|ledger: &mut Ledger<'_, D>| {
                ledger.design.uncharge_batch::<V>(0, &ledger.units)
            }),
            ..Extras::default()
        }),
    );
    Ok(())
}

#[inline(never)]
fn entry<D: Memcg, V: KernelRules>(ledger: &Ledger<'_, D>) -> u64 {
    black_box(black_box(ledger).charge::<V>(0))
}

#[inline(never)]
fn entry_kernel<D: Memcg, V: KernelRules>(ledger: &Ledger<'_, D>) -> u64 {
    black_box(black_box(ledger).charge_kernel::<V>(0))
}
