//! Comparing runs: noise is not called a change, a change is, and nothing is lost.

use crate::synthetic;

use compare::{Change, Diff, FloorSource, Floors, Summary};
use render::{diff_changed, diff_json_lines, diff_mail};
use results::{Row, Run, Sample, Status};
use stats::Verdict;

pub fn scaled(mut run: Run, factor: f64, which: impl Fn(&Sample) -> bool) -> Run {
    for row in &mut run.rows {
        if let Row::Sample(sample) = row
            && which(sample)
        {
            sample.rounds.iter_mut().for_each(|round| *round *= factor);
        }
    }
    run
}

pub fn between(old: &Run, new: &Run) -> Diff {
    Diff::between(
        &Summary::from_run(old),
        &Summary::from_run(new),
        &Floors::default(),
    )
}

#[test]
fn a_slower_design_is_seen_whatever_the_machine_did() {
    let old = synthetic::run(1, 0.01);
    let new = scaled(synthetic::run(2, 0.01), 0.95, |_| true);
    let new = scaled(new, 1.12, |sample| {
        sample.design == "folio" && sample.workload == "iteration/bvecs"
    });
    let diff = between(&old, &new);
    let seen: Vec<_> = diff.worse_by(0.05).collect();
    assert!(seen.len() >= 7, "{} of 8 rows", seen.len());
    for change in seen {
        assert_eq!(
            (change.key.0.as_str(), change.key.2.as_str()),
            ("iteration/bvecs", "folio")
        );
    }
}

#[test]
fn a_slower_reference_is_called_by_its_name() {
    let old = synthetic::run(1, 0.005);
    let new = scaled(synthetic::run(2, 0.005), 1.2, |sample| {
        sample.design == "flat" && sample.workload == "accounting/stat"
    });
    let diff = between(&old, &new);
    let names: Vec<(&str, &str)> = diff
        .different()
        .map(|change| (change.key.0.as_str(), change.key.2.as_str()))
        .collect();
    assert_eq!(names, [("accounting/stat", "flat"); 4]);
}

#[test]
fn a_change_of_the_control_copy_alone_is_no_change_of_the_reference() {
    let old = synthetic::run(1, 0.005);
    let new = scaled(synthetic::run(2, 0.005), 1.2, |sample| {
        sample.is_control() && sample.workload == "accounting/stat"
    });
    let diff = between(&old, &new);
    assert_eq!(
        diff.different().count(),
        0,
        "{:?}",
        diff.different().collect::<Vec<_>>()
    );
}

#[test]
fn the_history_of_a_row_raises_its_floor() {
    // Five quiet runs, but one row jumps to and fro from run to run.
    let noisy = |sample: &Sample| {
        sample.workload == "accounting/stat"
            && sample.design == "memdesc"
            && sample.params["depth"] == 1.into()
    };
    let past: Vec<Summary> = (0..8_u32)
        .map(|index| {
            let factor = if index % 2 == 0 { 1.0 } else { 1.15 };
            let mut run = scaled(synthetic::run(u64::from(index) + 10, 0.005), factor, noisy);
            run.rows.retain(|row| row.workload() == "accounting/stat");
            if let Some(git) = &mut run.env.git {
                git.dirty = false;
            }
            Summary::from_run(&run)
        })
        .collect();
    let floors = Floors::learn(&past);
    let summary = |seed, factor| {
        let mut run = scaled(synthetic::run(seed, 0.005), factor, noisy);
        run.rows
            .retain(|row| row.workload().starts_with("accounting"));
        Summary::from_run(&run)
    };
    let old = summary(1, 1.0);
    let new = summary(2, 1.15);
    let untaught = Diff::between(&old, &new, &Floors::default());
    assert_eq!(
        untaught.different().count(),
        1,
        "without a past it looks like a change"
    );
    let key = untaught.different().next().unwrap().key.clone();
    let taught = Diff::between(&old, &new, &floors);
    assert!(floors.of(&key).unwrap() > 0.15, "{:?}", floors.of(&key));
    assert_eq!(taught.different().count(), 0);
    // A real change beyond the row's floor is still seen.
    let far = summary(2, 2.0);
    assert_eq!(Diff::between(&old, &far, &floors).different().count(), 1);
}

/// Past runs whose control copies stray by `noise`.
fn past(noise: f64) -> Floors {
    let runs: Vec<Summary> = (0..8_u32)
        .map(|index| {
            let mut run = synthetic::run(u64::from(index) + 20, noise);
            run.rows.retain(|row| row.workload() == "accounting/stat");
            Summary::from_run(&run)
        })
        .collect();
    Floors::learn(&runs)
}

pub fn stat(seed: u64, noise: f64) -> Run {
    let mut run = synthetic::run(seed, noise);
    run.rows.retain(|row| row.workload() == "accounting/stat");
    run
}

#[test]
fn a_quiet_past_gives_rows_floors_of_their_own() {
    let floors = past(0.03);
    // Quiet runs, but for one row whose control copy strays by 2 %: without a past all
    // rows are judged by that.
    let strayed = |run| {
        scaled(run, 1.02, |sample| {
            sample.is_control() && sample.params["depth"] == 1.into()
        })
    };
    let old = Summary::from_run(&strayed(stat(1, 0.001)));
    let new = Summary::from_run(&strayed(stat(2, 0.001)));
    let untaught = Diff::between(&old, &new, &Floors::default());
    let taught = Diff::between(&old, &new, &floors);
    for (before, after) in untaught.rows.iter().zip(&taught.rows) {
        assert_eq!(before.source, FloorSource::Runs);
        assert!(
            matches!(after.source, FloorSource::History(8..)),
            "{after:?}"
        );
        let learnt = floors.of(&after.key).unwrap();
        if after.key.1["depth"] == 1.into() {
            assert!(after.floor.unwrap() >= 0.017_f64.max(learnt), "{after:?}");
        } else {
            assert!((after.floor.unwrap() - learnt).abs() < 1e-9, "{after:?}");
        }
    }
}

#[test]
fn a_past_that_was_quieter_than_the_runs_is_not_believed() {
    let floors = past(0.001);
    let noisy = Diff::between(
        &Summary::from_run(&stat(1, 0.06)),
        &Summary::from_run(&stat(2, 0.06)),
        &floors,
    );
    for change in &noisy.rows {
        assert_eq!(change.source, FloorSource::Runs, "{change:?}");
        assert!(change.floor > floors.of(&change.key), "{change:?}");
    }
    let text = diff_mail(&noisy);
    assert!(text.contains("by the two runs' control copies"), "{text}");
}

#[test]
fn the_text_says_which_floor_was_used() {
    let floors = past(0.03);
    let old = Summary::from_run(&stat(1, 0.005));
    let new = Summary::from_run(&scaled(stat(2, 0.005), 1.5, |sample| {
        sample.design == "memdesc"
    }));
    let diff = Diff::between(&old, &new, &floors);
    let text = diff_mail(&diff).replace('\n', " ");
    assert!(
        text.contains("by their own past on this machine (median"),
        "{text}"
    );
    assert!(text.contains("% (own)"), "{text}");
    let line: serde_json::Value =
        serde_json::from_str(diff_json_lines(&diff).lines().next().unwrap()).unwrap();
    assert_eq!(line["floor_source"], "history");
    assert!(line["floor_changes"].as_u64().unwrap() >= 8);
    let changed = diff_changed(&diff);
    assert_eq!(changed.lines().count(), 4, "{changed}");
    assert!(changed.starts_with("slower x1."), "{changed}");
    assert!(
        changed.contains("accounting/stat memdesc depth=1"),
        "{changed}"
    );
}

#[test]
fn rows_that_vanish_appear_or_break_are_named() {
    let old = synthetic::run(1, 0.01);
    let mut new = old.clone();
    new.rows
        .retain(|row| row.workload() != "iteration/lru-scan");
    for row in &mut new.rows {
        if let Row::Sample(sample) = row
            && sample.workload == "accounting/stat"
            && sample.design == "memdesc"
        {
            sample.status = Status::Err("checksum differs".to_owned());
            sample.rounds.clear();
        }
    }
    let diff = between(&old, &new);
    assert_eq!(
        diff.only_old
            .iter()
            .filter(|key| key.0 == "iteration/lru-scan")
            .count(),
        28
    );
    assert_eq!(diff.newly_failed.len(), 4);
    let text = diff_mail(&diff);
    assert!(
        text.contains("accounting/stat memdesc depth=1: checksum differs"),
        "{text}"
    );
    let back = between(&new, &old);
    assert_eq!(back.only_new.len(), diff.only_old.len());
}

#[test]
fn exact_values_differ_as_soon_as_they_are_not_equal() {
    let old = synthetic::run(1, 0.01);
    let mut new = old.clone();
    for row in &mut new.rows {
        if let Row::Value(value) = row {
            if value.quantity == "code-bytes" && value.design == "folio" {
                value.value += 1.0;
            }
            if value.quantity == "read-bandwidth" {
                value.samples.iter_mut().for_each(|sample| *sample *= 0.5);
            }
        }
    }
    let diff = between(&old, &new);
    let slower = diff
        .different()
        .filter(|change| change.verdict == Verdict::Slower);
    let names: Vec<&str> = slower.map(|change| change.quantity.as_str()).collect();
    assert_eq!(names, ["code-bytes", "code-bytes", "read-bandwidth"]);
}

#[test]
fn half_the_bandwidth_is_worse() {
    let old = synthetic::run(1, 0.01);
    let mut new = old.clone();
    for row in &mut new.rows {
        if let Row::Value(value) = row
            && value.quantity == "read-bandwidth"
        {
            value.samples.iter_mut().for_each(|sample| *sample *= 0.5);
        }
    }
    let (diff, back) = (between(&old, &new), between(&new, &old));
    let worse: Vec<&Change> = diff.worse_by(0.5).collect();
    assert_eq!(worse.len(), 1, "{worse:?}");
    assert_eq!(worse[0].quantity, "read-bandwidth");
    assert_eq!(back.worse_by(0.05).count(), 0, "twice as much is no loss");
}

#[test]
fn the_harness_floor_is_never_judged() {
    let old = synthetic::run(1, 0.005);
    let new = scaled(synthetic::run(2, 0.005), 2.0, |sample| {
        sample.design == "null"
    });
    let diff = between(&old, &new);
    let moved = |change: &&Change| change.key.2 == "null" && change.ratio.value > 1.5;
    assert!(diff.rows.iter().filter(moved).count() > 10);
    assert!(
        diff.different()
            .all(|change| change.key.2 != "null" || change.quantity != "time")
    );
}

#[test]
fn the_text_fits_a_mail() {
    let old = synthetic::run(1, 0.02);
    let new = scaled(synthetic::run(2, 0.02), 1.5, |sample| {
        sample.design == "headpage-noassert" || sample.workload == "merging/add"
    });
    let mut diff = between(&old, &new);
    diff.only_new = diff.rows.iter().map(|change| change.key.clone()).collect();
    let text = diff_mail(&diff);
    for line in text.lines() {
        assert!(
            line.len() <= 72 && line.is_ascii() && !line.contains('\t'),
            "{line}"
        );
    }
    let json = diff_json_lines(&diff);
    assert_eq!(json.lines().count(), diff.rows.len());
    for line in json.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["kind"], "change");
    }
}

#[test]
fn text_of_a_diff() {
    let old = synthetic::run(1, 0.01);
    let new = scaled(synthetic::run(2, 0.01), 1.3, |sample| {
        sample.design == "headpage" && sample.workload == "merging/add"
    });
    insta::assert_snapshot!(diff_mail(&between(&old, &new)));
}
