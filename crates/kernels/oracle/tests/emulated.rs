//! The live check: real kernels in QEMU, where QEMU and fetched kernels are present.
//!
//! Without them it says so and passes; `FOLIOSCOPE_REQUIRE_KERNELS` (set by `ci/kernel-check`:
//! the series, as `5.10 6.1`, or 1 for all) makes that a failure, and adds the longer checks.

use std::path::Path;

use conformance::case::{Answer, Case, generate};
use conformance::reference::evaluate;
use oracle::campaign::Campaign;
use oracle::check::{Model, Turn, check};
use oracle::recorded::{Recorded, path, worked_cases};
use oracle::{Emulator, Kernel, Oracle, OracleError, Parts, Series, Store};
use results::KernelCount;

fn required(series: Series) -> bool {
    let Ok(wanted) = std::env::var("FOLIOSCOPE_REQUIRE_KERNELS") else {
        return false;
    };
    // A name that is misspelt must not pass for nothing to require.
    let named = |one: &str| {
        one.parse()
            .unwrap_or_else(|error: String| panic!("{error}"))
    };
    wanted == "1"
        || wanted
            .split(' ')
            .map(named)
            .any(|one: Series| one == series)
}

/// The oracle, or why this machine has none.
fn oracle(series: Series) -> Result<Oracle, OracleError> {
    let store = Store::found();
    Oracle::open(Kernel::fetched(&store, series)?, store, Emulator::default())
}

fn absent(error: &OracleError) -> bool {
    matches!(
        error,
        OracleError::NoQemu { .. }
            | OracleError::NoBusybox { .. }
            | OracleError::NoCompiler { .. }
            | OracleError::NotFetched { .. }
            | OracleError::NoChroot { .. }
    )
}

/// One test, so that only one emulator runs at a time: each takes a whole core.
#[test]
fn real_kernels_answer_as_the_reference_and_as_they_did_before() {
    for series in Series::ALL {
        let outcome = oracle(series).and_then(|oracle| one_boot(&oracle, series).map(|()| oracle));
        match outcome {
            Ok(oracle) if required(series) && series == Series::V6_1 => {
                a_wrong_model_is_caught(&oracle)
            }
            Ok(_) => {}
            // Unstable's kernel is a bonus: it moves, and wants a chroot.
            Err(error) if absent(&error) && (!required(series) || series == Series::V7) => {
                eprintln!("live check of {series} skipped: {error}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn one_boot(oracle: &Oracle, series: Series) -> Result<(), OracleError> {
    let mut cases = worked_cases(series.rules());
    let worked = cases.len();
    cases.extend(generate(7, 200, series.rules()));
    let heard = oracle.ask(&cases)?;
    for (case, heard) in cases.iter().zip(&heard) {
        assert_eq!(
            heard.differs(&evaluate(case)),
            None,
            "Linux {series}, case {}",
            line(case)
        );
    }
    let bench_results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../bench-results");
    let recorded =
        Recorded::read(&path(&bench_results, series)).unwrap_or_else(|error| panic!("{error}"));
    for (live, before) in heard[..worked].iter().zip(&recorded.answers) {
        assert_eq!(
            live, &before.heard,
            "Linux {series} changed its mind since its record"
        );
    }
    if required(series) {
        counts_are_as_recorded(oracle, &recorded)?;
    }
    Ok(())
}

/// The same kernel, emulator, compiler and module count the same in every state.
fn counts_are_as_recorded(oracle: &Oracle, recorded: &Recorded) -> Result<(), OracleError> {
    let identity = oracle.identity(Parts::All)?;
    if identity != recorded.identity {
        eprintln!(
            "counts not compared: recorded by {:?}, here {identity:?}",
            recorded.identity
        );
        return Ok(());
    }
    let counts = oracle.count("")?;
    let mut met = 0;
    for live in &counts.rows {
        let same = |row: &&KernelCount| {
            (&row.primitive, row.order, &row.state) == (&live.primitive, live.order, &live.state)
        };
        // How many samples meet a state, and whether a rare one occurs, is a matter of when
        // the guest's timers fire.
        if let Some(before) = recorded.counts.rows.iter().find(same) {
            assert_eq!(
                (live.min, live.max),
                (before.min, before.max),
                "{}: {live:?}",
                identity.release
            );
            met += 1;
        }
    }
    assert!(
        10 * met >= 9 * recorded.counts.rows.len(),
        "{}: only {met} of {} recorded states were met again",
        identity.release,
        recorded.counts.rows.len()
    );
    assert_eq!(counts.absent, recorded.counts.absent);
    assert_eq!(counts.overhead, recorded.counts.overhead);
    Ok(())
}

/// The check must be able to fail: a model that forgets the segment boundary is caught, and
/// what is left of its case fits on a line.
fn a_wrong_model_is_caught(oracle: &Oracle) {
    let forgetful = |case: &Case| -> Option<Answer> {
        let mut wrong = case.clone();
        wrong.limits.seg_boundary_mask = None;
        Some(evaluate(&wrong))
    };
    let model = Model {
        name: "forgetful",
        answer: &forgetful,
        turn: Turn::ALL,
    };
    let campaign = Campaign {
        seed: 3,
        cases: 200,
        most_mismatches: 1,
        ..Campaign::default()
    };
    let checked =
        check(oracle, &campaign, &[model], &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    let mismatch = checked
        .mismatches
        .first()
        .expect("a model without boundaries is wrong somewhere");
    assert!(
        mismatch.case.limits.seg_boundary_mask.is_some(),
        "{}",
        line(&mismatch.case)
    );
    assert!(
        mismatch.case.adds.len() <= 2,
        "not shrunk: {}",
        line(&mismatch.case)
    );
}

fn line(case: &Case) -> String {
    serde_json::to_string(case).expect("plain data")
}
