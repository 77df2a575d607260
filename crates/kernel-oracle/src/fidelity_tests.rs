//! Fidelity: what is compared with what.

use super::*;
use crate::count::Counts;
use crate::oracle::Identity;

fn count(primitive: &str, order: u8, class: &str, samples: u32, n: u64) -> Count {
    Count {
        primitive: primitive.into(),
        order,
        class: class.into(),
        samples,
        min: n,
        max: n,
    }
}

fn kernel(rows: Vec<Count>) -> Recorded {
    Recorded {
        identity: Identity {
            release: "6.12.0".into(),
            rules: "6.12".into(),
            package: None,
            qemu: String::new(),
            compiler: String::new(),
            module: String::new(),
        },
        answers: Vec::new(),
        counts: Counts {
            rows,
            ..Counts::default()
        },
    }
}

fn model(primitive: &str, order: u8, class: &str, instructions: u64) -> ModelCount {
    ModelCount {
        primitive: primitive.into(),
        design: "folio".into(),
        kernel: "6.12".into(),
        order,
        class: class.into(),
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
    assert_eq!(found.in_a_line(), None);
}
