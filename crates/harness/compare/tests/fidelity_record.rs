//! The committed record of how close the models come to the real kernels: within the bounds
//! that the project sets itself, or on the list of what is known not to be, exactly.

use std::path::Path;

use compare::fidelity::Fidelity;
use results::{FidelityRecord, read_kernels};

const MISSES_FILE: &str = FidelityRecord::MISSES_FILE;

fn record() -> Fidelity {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../bench-results");
    let record = FidelityRecord::read(&results).unwrap_or_else(|error| panic!("{error}"));
    let kernels = read_kernels(&results).unwrap_or_else(|error| panic!("{error}"));
    Fidelity::of(&record, &kernels)
}

#[test]
fn whatever_is_out_of_bounds_is_on_the_list_with_its_cause() {
    let record = record();
    let unknown = record.unknown_misses();
    assert!(
        unknown.is_empty(),
        "out of bounds, and not in {MISSES_FILE}: {unknown:#?}"
    );
    let silent: Vec<_> = record
        .known
        .iter()
        .filter(|miss| miss.cause.trim().is_empty())
        .collect();
    assert!(silent.is_empty(), "without a cause: {silent:#?}");
}

#[test]
fn the_list_holds_nothing_that_is_within_bounds() {
    let record = record();
    let outdated = record.outdated_misses();
    assert!(
        outdated.is_empty(),
        "to be taken out of {MISSES_FILE}: {outdated:#?}"
    );
}

/// Each model under its own kernel's rules, at every order: none was forgotten in counting.
#[test]
fn the_record_holds_flat_against_5_10_and_folio_against_6_12() {
    let record = record();
    for (design, kernel) in [("flat", "5.10"), ("folio", "6.12")] {
        let rows = record
            .rows
            .iter()
            .filter(|row| row.design == design && row.kernel == kernel);
        let met: Vec<u8> = rows
            .filter(|row| row.primitive == "bio_for_each_segment")
            .map(|row| row.order)
            .collect();
        assert_eq!(met, [0, 2, 3, 4, 6, 9], "{design} against {kernel}");
    }
    assert!(record.rows.iter().all(|row| row.model > 0 && row.real > 0));
}

/// A state that only comes near to the one the model met is said to.
#[test]
fn a_stand_in_differs_only_in_what_happened_beside_it() {
    for row in record().rows {
        let Some(near) = row.near else { continue };
        assert_ne!(near, row.class, "{} {}", row.primitive, row.order);
        let main = |class: &str| class.split('+').next().map(str::to_owned);
        assert_eq!(main(&near), main(&row.class), "{}", row.primitive);
    }
}
