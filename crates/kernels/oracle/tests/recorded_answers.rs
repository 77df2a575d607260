//! The models held to what real kernels answered, without QEMU.

use std::path::{Path, PathBuf};

use conformance::case::{Answer, Case};
use conformance::reference::evaluate;
use oracle::Series;
use oracle::recorded::{Recorded, path, questions};

fn bench_results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../bench-results")
}

fn recorded(series: Series) -> Recorded {
    Recorded::read(&path(&bench_results(), series)).unwrap_or_else(|error| panic!("{error}"))
}

/// Holds a model to what was recorded; it must have an answer to most of it.
fn hold(name: &str, model: impl Fn(&Case) -> Option<Answer>) {
    for series in Series::ALL {
        let mut wrong = Vec::new();
        let answers = recorded(series).answers;
        let mut asked = 0;
        for answered in &answers {
            let Some(answer) = model(&answered.case) else {
                continue;
            };
            asked += 1;
            if let Some(difference) = answered.heard.differs(&answer) {
                wrong.push(format!("{}: {difference}", answered.case.name));
            }
        }
        assert!(
            asked > answers.len() * 9 / 10,
            "{name}: only {asked} of {} asked",
            answers.len()
        );
        assert!(
            wrong.is_empty(),
            "{name}, Linux {series} differs:\n{}",
            wrong.join("\n")
        );
    }
}

#[test]
fn the_reference_answers_as_every_recorded_kernel_did() {
    hold("reference", |case| Some(evaluate(case)));
}

#[test]
fn every_contender_answers_as_every_recorded_kernel_did() {
    let mut models = 0;
    for held in registry::held() {
        let Some(cases) = held.cases().filter(|cases| !cases.single_page_vecs) else {
            continue; // No kernel on record follows the rules of 5.0.
        };
        hold(held.name, cases.answer);
        models += 1;
    }
    assert!(models >= 5, "{models} models only");
}

/// A generator that changes, or a worked case that is added, needs a new record; else the
/// record would silently hold less than it says.
#[test]
fn records_hold_the_questions_of_today() {
    for series in Series::ALL {
        let asked: Vec<_> = recorded(series)
            .answers
            .into_iter()
            .map(|answered| answered.case)
            .collect();
        let today = questions(series.rules());
        for (asked, today) in asked.iter().zip(&today) {
            assert_eq!(
                asked, today,
                "{series}: record again with ci/kernel-check --record"
            );
        }
        assert_eq!(asked.len(), today.len(), "{series}");
    }
}

#[test]
fn records_say_who_answered() {
    for series in Series::ALL {
        let identity = recorded(series).identity;
        assert_eq!(identity.rules, series.rules().name());
        assert!(
            identity.release.starts_with(series.name()),
            "{}",
            identity.release
        );
        assert!(
            identity.package.is_some()
                && identity.qemu.contains("QEMU")
                && identity.compiler.contains("gcc")
        );
        assert_eq!(identity.module.len(), 64);
    }
}

/// Counts are exact: a state whose samples differ has no place in a record.
#[test]
fn recorded_counts_repeat_exactly() {
    for series in Series::ALL {
        let counts = recorded(series).counts;
        assert!(!counts.rows.is_empty(), "{series}: no counts");
        for row in &counts.rows {
            assert_eq!(
                row.min, row.max,
                "{series}: {} order {} {}",
                row.primitive, row.order, row.state
            );
        }
    }
}
