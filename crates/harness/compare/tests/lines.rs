//! Lines of descriptor: models beside kernels.

use std::path::Path;

use compare::lines::{LineReason, compare, load};
use results::{Class, Lines, Traffic, TrafficRecord, TrafficRow};

fn row(design: Option<&str>, class: &str, samples: u32, lines: (u32, u32)) -> TrafficRow {
    let (lines, written) = lines;
    TrafficRow {
        primitive: "lru_isolate".into(),
        design: design.map(str::to_owned),
        kernel: "5.10".into(),
        order: 9,
        class: class.into(),
        samples,
        alike: samples,
        traffic: Traffic {
            classes: [(Class::Descriptor, Lines { lines, written })].into(),
            ..Traffic::default()
        },
    }
}

fn kernel(rows: &[TrafficRow]) -> [TrafficRecord; 1] {
    [TrafficRecord::new("5.10.0-test", "QEMU 7", rows.to_vec())]
}

fn reason() -> LineReason {
    LineReason {
        primitive: "lru_isolate".into(),
        kernel: "5.10".into(),
        reason: "thp_nr_pages".into(),
    }
}

#[test]
fn the_state_that_most_samples_met_stands_beside_the_model() {
    let model = [row(Some("flat"), "held", 1, (2, 1))];
    let kernel = kernel(&[
        row(None, "held@90", 3, (9, 9)),
        row(None, "held", 30, (2, 1)),
        row(None, "held+spill1", 99, (8, 8)),
    ]);
    let found = compare(&model, &[], &kernel);
    assert_eq!((found.rows[0].real_lines, &found.rows[0].near), (2, &None));
    assert!(found.rows[0].is_equal());
    assert_eq!(found.unexplained().count(), 0);
}

#[test]
fn a_state_that_the_kernel_never_met_alone_is_said_to_be_near() {
    let model = [row(Some("flat"), "held", 1, (2, 1))];
    let found = compare(&model, &[], &kernel(&[row(None, "held+spill1", 9, (2, 1))]));
    assert_eq!(found.rows[0].near.as_deref(), Some("held"));
    let found = compare(&model, &[], &kernel(&[row(None, "free", 9, (2, 1))]));
    assert_eq!(found.unpaired, ["lru_isolate"]);
}

#[test]
fn a_difference_wants_a_reason_and_a_reason_a_difference() {
    let model = [row(Some("flat"), "all", 1, (2, 1))];
    let differs = kernel(&[row(None, "all", 9, (1, 1))]);
    assert_eq!(compare(&model, &[], &differs).unexplained().count(), 1);
    let explained = compare(&model, &[reason()], &differs);
    assert_eq!(explained.unexplained().count(), 0);
    assert_eq!(explained.rows[0].reason.as_deref(), Some("thp_nr_pages"));
    assert!(explained.outdated.is_empty());
    // As many lines, of which another number is written, is a difference too.
    let written = kernel(&[row(None, "all", 9, (2, 2))]);
    assert_eq!(compare(&model, &[], &written).unexplained().count(), 1);
    let equal = kernel(&[row(None, "all", 9, (2, 1))]);
    assert_eq!(compare(&model, &[reason()], &equal).outdated, [reason()]);
}

/// The committed records: every primitive that a model and its kernel have touches and writes
/// equally many descriptors in both, or it is known why not.
#[test]
fn models_touch_as_many_descriptors_as_their_kernels() {
    let bench_results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../bench-results");
    let found = load(&bench_results).unwrap_or_else(|error| panic!("{error}"));
    assert!(found.rows.len() > 500, "{} rows", found.rows.len());
    let unexplained: Vec<_> = found.unexplained().collect();
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    assert!(found.outdated.is_empty(), "{:#?}", found.outdated);
}
