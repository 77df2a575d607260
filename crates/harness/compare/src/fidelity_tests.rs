//! Fidelity: what is compared with what.

use super::*;
use results::{KernelCounts, KernelIdentity, MissOf};

fn count(primitive: &str, order: u8, class: &str, samples: u32, n: u64) -> KernelCount {
    KernelCount {
        primitive: primitive.into(),
        order,
        state: class.parse().unwrap(),
        samples,
        min: n,
        max: n,
    }
}

fn kernel(rows: Vec<KernelCount>) -> CountedKernel {
    CountedKernel {
        identity: KernelIdentity {
            release: "6.12.0".into(),
            rules: "6.12".into(),
            package: None,
            qemu: String::new(),
            compiler: String::new(),
            module: String::new(),
        },
        answers: Vec::new(),
        counts: KernelCounts {
            rows,
            ..KernelCounts::default()
        },
    }
}

fn compare(models: &[ModelCount], reasons: &[Reason], kernels: &[CountedKernel]) -> Fidelity {
    let record = FidelityRecord {
        models: models.to_vec(),
        reasons: reasons.to_vec(),
        known: Vec::new(),
    };
    Fidelity::of(&record, kernels)
}

fn model(primitive: &str, order: u8, class: &str, instructions: u64) -> ModelCount {
    ModelCount {
        primitive: primitive.into(),
        design: "folio".into(),
        kernel: "6.12".into(),
        order,
        state: class.parse().unwrap(),
        instructions,
    }
}

#[test]
fn the_most_frequent_value_of_the_same_state_is_compared() {
    let real = kernel(vec![
        count("charge", 0, "hit@100", 30, 100),
        count("charge", 0, "hit@110", 10, 110),
        count("charge", 0, "miss", 50, 400),
    ]);
    let found = compare(&[model("charge", 0, "hit", 90)], &[], &[real]);
    assert_eq!(found.rows.len(), 1);
    assert_eq!(found.rows[0].real, 100);
    assert!((found.rows[0].ratio - 0.9).abs() < 1e-9);
}

#[test]
fn pairs_compare_ratios_not_counts() {
    let real = kernel(vec![
        count("bio_for_each_segment", 9, "all", 40, 1000),
        count("bio_for_each_folio_all", 9, "all", 40, 100),
    ]);
    let models = [
        model("bio_for_each_segment", 9, "all", 500),
        model("bio_for_each_folio_all", 9, "all", 100),
    ];
    let found = compare(&models, &[], &[real]);
    let pair = &found.pairs[0];
    assert_eq!((pair.model_ratio, pair.real_ratio), (5.0, 10.0));
    assert!((pair.apart() - 2.0).abs() < 1e-9);
    assert_eq!(found.apart().count(), 1);
    assert_eq!(found.unexplained().count(), 1, "0.5 without a reason");
    let reason = Reason {
        primitive: "bio_for_each_segment".into(),
        kernel: None,
        reason: "x".into(),
    };
    let real = kernel(vec![count("bio_for_each_segment", 9, "all", 40, 1000)]);
    assert_eq!(
        compare(&models, &[reason], &[real]).unexplained().count(),
        0
    );
}

#[test]
fn what_no_model_has_is_named() {
    let found = compare(
        &[],
        &[],
        &[kernel(vec![count("split_page", 0, "all", 40, 9)])],
    );
    assert_eq!(found.unmodelled, ["split_page"]);
}

#[test]
fn a_state_that_the_kernel_never_met_is_stood_in_for_and_named() {
    let real = kernel(vec![
        count("release", 4, "held+spill1", 40, 162),
        count("release", 4, "clean", 80, 100),
    ]);
    let models = [
        model("release", 4, "held", 144),
        model("release", 4, "held+spill1", 148),
    ];
    let rows = compare(&models, &[], &[real]).rows;
    let met: Vec<_> = rows
        .iter()
        .map(|row| (row.class.as_str(), row.near.as_deref(), row.real))
        .collect();
    assert_eq!(
        met,
        [
            ("held+spill1", Some("held"), 162),
            ("held+spill1", None, 162)
        ]
    );
}

#[test]
fn a_pair_takes_what_both_sides_have_met_before_a_stand_in() {
    let walk = "bio_for_each_segment";
    let real = kernel(vec![
        count(walk, 0, "held+spill1", 40, 200),
        count("bio_for_each_folio_all", 0, "all", 40, 100),
    ]);
    let models = [
        model(walk, 0, "held", 900),
        model(walk, 0, "held+spill1", 200),
        model("bio_for_each_folio_all", 0, "all", 100),
    ];
    let found = compare(&models, &[], &[real]);
    assert_eq!(found.pairs[0].model_ratio, 2.0);
}

#[test]
fn what_no_kernel_counted_is_named() {
    let found = compare(&[model("undo", 2, "all", 9)], &[], &[kernel(Vec::new())]);
    assert!(found.rows.is_empty());
    assert_eq!(found.uncounted, ["undo"]);
}

#[test]
fn misses_are_held_against_the_list_by_place_and_not_by_cause() {
    let real = kernel(vec![
        count("get", 0, "all", 40, 6),
        count("get", 2, "all", 40, 6),
    ]);
    let models = [model("get", 0, "all", 7), model("get", 2, "all", 6)];
    let known = |order| Miss {
        miss: MissOf::Above("get".into()),
        kernel: "6.12".into(),
        order,
        class: "all".into(),
        cause: "a copy of the word".into(),
    };
    let mut found = compare(&models, &[], &[real]);
    assert_eq!(found.unknown_misses().len(), 1);
    found.known = vec![known(0)];
    assert!(found.unknown_misses().is_empty() && found.outdated_misses().is_empty());
    found.known = vec![known(0), known(2)];
    assert_eq!(found.outdated_misses(), [&known(2)]);
    found.known = vec![known(9)];
    assert_eq!(found.unknown_misses().len(), 1);
}

#[test]
fn a_miss_reads_as_it_is_written() {
    let line =
        r#"{"miss":{"apart":"map with recount : without"},"kernel":"5.10","order":9,"cause":"x"}"#;
    let miss: Miss = serde_json::from_str(line).unwrap();
    assert_eq!(serde_json::to_string(&miss).unwrap(), line);
    assert_eq!(
        miss.to_string(),
        "map with recount : without order 9, 5.10: ratios too far apart: x"
    );
}
