//! The machine moved between two runs, or the code did, or nobody can say.

use compare::{Change, Drift};
use render::diff_mail;
use results::{Row, Run, Sample, Yardsticks};

use crate::diff::{between, scaled, stat};
use crate::synthetic;

#[test]
fn of_two_runs_of_one_code_at_most_2_percent_are_called_different() {
    for noise in [0.005, 0.02, 0.06] {
        let old = synthetic::run(1, noise);
        // The machine was slower the second time.
        let new = scaled(synthetic::run(2, noise), 1.07, |_| true);
        let diff = between(&old, &new);
        let times = diff
            .rows
            .iter()
            .filter(|change| change.quantity == "time")
            .count();
        assert!(times > 400, "{times} rows");
        let share = diff.different().count() as f64 / times as f64;
        assert!(share <= 0.02, "noise {noise}: {share} of {times}");
        // The record has no yardsticks, so everything may as well be the code's doing.
        let Drift::Assumed(moved) = diff.drift else {
            panic!("{:?}", diff.drift);
        };
        assert!((moved - 1.07).abs() < 0.01, "{moved}");
    }
}

/// A run with a yardstick of this many nanoseconds a word beside every sample.
pub fn with_yardstick(mut run: Run, walk_ns: f64) -> Run {
    for row in &mut run.rows {
        if let Row::Sample(sample) = row {
            let reading = vec![walk_ns; sample.rounds.len()];
            sample.yardsticks = Some(Yardsticks {
                chain_ns: reading.clone(),
                walk_ns: reading,
            });
        }
    }
    run
}

fn designs_only(sample: &Sample) -> bool {
    sample.design != "null"
}

#[test]
fn every_design_slower_at_once_is_the_codes_doing_where_the_yardstick_stands_still() {
    let old = with_yardstick(synthetic::run(1, 0.005), 0.5);
    let new = with_yardstick(scaled(synthetic::run(2, 0.005), 1.3, designs_only), 0.5);
    let diff = between(&old, &new);
    assert_eq!(diff.drift, Drift::Seen(1.0));
    assert!((diff.together - 1.3).abs() < 0.02, "{}", diff.together);
    let times = |change: &&Change| change.quantity == "time" && change.key.2 != "null";
    let all = diff.rows.iter().filter(times).count();
    let worse = diff.worse_by(0.05).filter(times).count();
    // Rows beyond the first cache whose reference moved as they did stay unjudged.
    assert!(worse * 2 > all, "{worse} of {all}");
    let text = diff_mail(&diff).replace('\n', " ");
    assert!(text.contains("as the yardsticks show"), "{text}");
}

#[test]
fn a_slower_machine_is_no_change_where_the_yardstick_shows_it() {
    let old = with_yardstick(synthetic::run(1, 0.005), 0.5);
    let new = with_yardstick(scaled(synthetic::run(2, 0.005), 1.3, |_| true), 0.65);
    let diff = between(&old, &new);
    assert_eq!(diff.drift, Drift::Seen(1.3));
    let times = diff
        .rows
        .iter()
        .filter(|row| row.quantity == "time")
        .count();
    let different = diff
        .different()
        .filter(|row| row.quantity == "time")
        .count();
    assert!(different * 50 <= times, "{different} of {times}");
    assert_eq!(diff.unjudged(), [""; 0]);
}

#[test]
fn a_row_that_follows_a_slower_machine_halfway_is_no_change() {
    let old = with_yardstick(synthetic::run(1, 0.005), 0.5);
    let new = scaled(synthetic::run(2, 0.005), 1.14, |_| true);
    let diff = between(&old, &with_yardstick(new, 0.65));
    assert_eq!(diff.drift, Drift::Seen(1.3));
    let times = |row: &&Change| row.quantity == "time";
    let all = diff.rows.iter().filter(times).count();
    let different = diff.different().filter(times).count();
    assert!(different * 50 <= all, "{different} of {all}");
    // What moved further than the machine did is the code's doing.
    let new = scaled(synthetic::run(2, 0.005), 1.6, designs_only);
    let diff = between(&old, &with_yardstick(new, 0.65));
    let worse = diff.worse_by(0.05).filter(times).count();
    assert!(worse * 2 > all, "{worse} of {all}");
}

#[test]
fn without_yardsticks_a_change_of_everything_is_not_judged() {
    let old = synthetic::run(1, 0.005);
    let new = scaled(synthetic::run(2, 0.005), 1.3, |_| true);
    let unjudged = between(&old, &new).unjudged();
    assert_eq!(unjudged.len(), 1, "{unjudged:?}");
    assert!(unjudged[0].contains("moved by +"), "{unjudged:?}");
    let alike = between(&old, &synthetic::run(2, 0.005));
    assert_eq!(alike.unjudged(), [""; 0]);
}

#[test]
fn a_reference_that_changed_is_no_witness_against_the_others() {
    let old = with_yardstick(stat(1, 0.005), 0.5);
    let slow = scaled(stat(2, 0.005), 1.3, |sample| sample.design == "flat");
    let diff = between(&old, &with_yardstick(slow, 0.5));
    let names: Vec<&str> = diff
        .different()
        .map(|change| change.key.2.as_str())
        .collect();
    assert_eq!(names, ["flat"; 4]);
}

#[test]
fn across_machines_only_ratios_are_compared() {
    let old = with_yardstick(stat(1, 0.005), 0.5);
    let mut new = scaled(stat(2, 0.005), 2.0, |_| true);
    new = with_yardstick(new, 0.5);
    new.env.caches[1].bytes *= 2;
    let diff = between(&old, &new);
    assert_eq!(diff.drift, Drift::Across);
    assert_eq!(diff.different().count(), 0);
    assert_eq!(diff.differences.len(), 1);
    assert_eq!(diff.differences[0].what, "machine");
    let slower = scaled(new, 1.3, |sample| sample.design == "memdesc");
    let diff = between(&old, &slower);
    let names: Vec<&str> = diff
        .different()
        .map(|change| change.key.2.as_str())
        .collect();
    assert_eq!(names, ["memdesc"; 4]);
    let text = diff_mail(&diff);
    assert!(text.contains("Other machine: "), "{text}");
}
