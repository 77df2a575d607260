//! Native kernels as witnesses: random cases agree, a wrong model is found and made small;
//! charges, statistics, lists and references in random sequences come to plain sums.
//!
//! Without a built kernel a test says so and passes; `FOLIOSCOPE_REQUIRE_KERNELS=1` makes that
//! a failure.

use conformance::case::{Answer, Case};
use native::{Cache, current};
use oracle::NativeWitness;
use oracle::campaign::Campaign;
use oracle::check::{Model, Turn, Witness as _, check};
use oracle::ledger::{self, LedgerCase};

fn witnesses() -> Vec<NativeWitness> {
    let kernels = current(&Cache::found()).unwrap_or_else(|error| panic!("{error}"));
    if kernels.is_empty() {
        assert!(
            std::env::var_os("FOLIOSCOPE_REQUIRE_KERNELS").is_none(),
            "no kernel is built"
        );
        eprintln!("native witnesses skipped: no kernel is built");
    }
    let witness = |kernel| NativeWitness::of(kernel).unwrap_or_else(|error| panic!("{error}"));
    kernels.into_iter().map(witness).collect()
}

fn campaign(cases: u64) -> Campaign {
    Campaign {
        seed: 20_261_125,
        cases,
        per_boot: 500,
        shrink_rounds: 100,
        most_mismatches: 1,
        ..Campaign::default()
    }
}

#[test]
fn the_reference_answers_as_native_kernels_do() {
    for witness in witnesses() {
        let reference = |case: &Case| Some(witness.reference(case));
        let model = Model {
            name: "reference",
            answer: &reference,
            turn: Turn::ALL,
        };
        let checked = check(&witness, &campaign(2000), &[model], &mut |_| {})
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(checked.cases, 2000);
        assert!(checked.mismatches.is_empty(), "{:?}", checked.mismatches);
    }
}

#[test]
fn a_model_that_forgets_boundaries_is_found_and_its_case_made_small() {
    for witness in witnesses() {
        let forgetful = |case: &Case| -> Option<Answer> {
            let mut wrong = case.clone();
            wrong.limits.seg_boundary_mask = None;
            Some(witness.reference(&wrong))
        };
        let model = Model {
            name: "forgetful",
            answer: &forgetful,
            turn: Turn { at: 1, of: 2 },
        };
        let checked = check(&witness, &campaign(2000), &[model], &mut |_| {})
            .unwrap_or_else(|error| panic!("{error}"));
        let Some(mismatch) = checked.mismatches.first() else {
            panic!("{}: nothing was found", witness.kernel().name());
        };
        assert!(mismatch.case.limits.seg_boundary_mask.is_some());
        assert!(mismatch.case.adds.len() <= 2, "{:?}", mismatch.case);
    }
}

#[test]
fn random_ledgers_add_up_in_every_kernel() {
    let campaign = Campaign {
        per_boot: 150,
        ..campaign(600)
    };
    for witness in witnesses() {
        let ask = |cases: &[LedgerCase]| witness.ledgers(cases);
        let checked = ledger::check(&ask, witness.rules(), &campaign, &mut |_| ())
            .unwrap_or_else(|error| panic!("{}: {error}", witness.release()));
        assert_eq!(checked.cases, 600);
        assert_eq!(checked.mismatches, [], "{}", witness.release());
    }
}
