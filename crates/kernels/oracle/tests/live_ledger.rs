//! Native kernels that are built on this machine: charges, statistics, lists and references in
//! random sequences come to plain sums.
//!
//! Without a kernel the test says so and passes; `FOLIOSCOPE_REQUIRE_KERNELS=1` makes that a
//! failure.

use native::{Cache, Kernel, list};
use oracle::NativeWitness;
use oracle::check::{Campaign, Witness as _};
use oracle::ledger::{LedgerCase, check};

#[test]
fn random_ledgers_add_up_in_every_kernel() {
    let mut kernels = list(&Cache::found()).unwrap_or_else(|error| panic!("{error}"));
    kernels.retain(Kernel::is_current);
    assert!(
        !kernels.is_empty() || std::env::var_os("FOLIOSCOPE_REQUIRE_KERNELS").is_none(),
        "no kernel is built"
    );
    if kernels.is_empty() {
        eprintln!("live check of ledgers skipped: no kernel is built");
    }
    for kernel in kernels {
        let witness = NativeWitness::of(kernel).unwrap_or_else(|error| panic!("{error}"));
        let campaign = Campaign {
            seed: 20_261_125,
            cases: 600,
            per_boot: 150,
            shrink_rounds: 100,
            ..Campaign::default()
        };
        let ask = |cases: &[LedgerCase]| witness.ledgers(cases);
        let checked = check(&ask, witness.rules(), &campaign, &mut |_| ())
            .unwrap_or_else(|error| panic!("{}: {error}", witness.release()));
        assert_eq!(checked.cases, 600);
        assert_eq!(checked.mismatches, [], "{}", witness.release());
    }
}
