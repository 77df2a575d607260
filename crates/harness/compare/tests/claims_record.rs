//! The verdicts that the claims file states follow from the committed results, and other
//! results give other verdicts.

use std::path::{Path, PathBuf};

use compare::Summary;
use compare::claims::{Judged, Met, Records};
use results::{
    CLAIMS_FILE, Claims, ENV_FILE, Params, Row, Ruling, Run, SAMPLES_FILE, Tail,
    newest_with_kernels, parse_row,
};

fn results_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../bench-results")
}

fn records() -> Records {
    Records::read(&results_folder()).unwrap_or_else(|error| panic!("{error}"))
}

fn committed() -> Run {
    let newest = newest_with_kernels(&results_folder(), true);
    let folder = newest.unwrap_or_else(|error| panic!("{error}"));
    let folder = folder.expect("a committed run has kernels");
    Run::load(&folder, Tail::Refuse).unwrap_or_else(|error| panic!("{error}"))
}

fn judged(run: &Run) -> Vec<Judged> {
    records().judge(Some(&Summary::from_run(run)))
}

fn claim(judged: &[Judged], id: u32) -> &Judged {
    judged.iter().find(|claim| claim.id == id).expect("a claim")
}

#[test]
fn the_stated_verdicts_follow_from_the_committed_results() {
    let wrong: Vec<String> = judged(&committed())
        .iter()
        .filter(|claim| !claim.stands())
        .map(|claim| {
            let numbers: Vec<_> = claim.numbers.iter().map(|n| (&n.key, n.met)).collect();
            let (id, is, said) = (claim.id, claim.verdict, claim.expected);
            format!(
                "claim {id}: {is}, the file says {said}: {numbers:?} {:?}",
                claim.missing
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Two to four numbers each, but for what no measurement answers; a claim that is answered
/// has every number that its rule rests on.
#[test]
fn an_answered_claim_has_its_numbers() {
    for claim in judged(&committed()) {
        assert!(claim.numbers.len() <= 4, "claim {}", claim.id);
        if claim.verdict.is_answer() {
            assert!(claim.numbers.len() >= 2, "claim {}", claim.id);
        }
        assert!(!claim.unfair.is_empty() && !claim.because.is_empty());
        assert!(
            claim.short.len() <= 40 && claim.short.is_ascii(),
            "{}",
            claim.short
        );
    }
}

/// A number that matches several rows would be published as missing.
#[test]
fn every_number_names_one_row() {
    for claim in judged(&committed()) {
        let doubtful: Vec<&String> = claim
            .missing
            .iter()
            .filter(|why| why.contains("several rows"))
            .collect();
        assert!(doubtful.is_empty(), "claim {}: {doubtful:?}", claim.id);
    }
}

/// A row that no run has would leave its line out of the first screen, or a dash in it.
#[test]
fn the_rows_of_the_first_screen_are_in_the_run() {
    let file = results_folder().join(CLAIMS_FILE);
    let screen = Claims::read(&file).unwrap_or_else(|e| panic!("{e}")).screen;
    let summary = Summary::from_run(&committed());
    let native = screen.native.iter();
    let native = native.flat_map(|row| [row.pages.clone(), row.folio.clone()]);
    let rows = screen.rows.iter().map(|row| row.row.clone()).chain(native);
    for row in rows {
        let (_, what, params) = parse_row(&row).unwrap_or_else(|e| panic!("{row}: {e}"));
        let has = |of: &Params| {
            params
                .iter()
                .all(|(name, value)| of.get(name) == Some(value))
        };
        let mut cases = summary.cases();
        let mut values = summary.values.iter();
        let found = cases.any(|case| case.workload == what && has(&case.params))
            || values.any(|case| case.workload == what && has(&case.params));
        assert!(found, "{row}");
    }
}

/// Divides the times of a contender in the rows of a workload.
fn doctored(divide: f64, workload: &str, contender: &str) -> Run {
    let mut run = committed();
    let mut rows = 0;
    for row in &mut run.rows {
        if let Row::Sample(sample) = row
            && (sample.workload.as_str(), sample.design.as_str()) == (workload, contender)
        {
            sample.rounds.iter_mut().for_each(|ns| *ns /= divide);
            rows += 1;
        }
    }
    assert!(rows > 0, "{workload} {contender}");
    run
}

#[test]
fn other_times_give_another_verdict() {
    let before = judged(&committed());
    // A walk by page of the kernel that costs a 2000th is no dearer than that by folio.
    let run = doctored(2000.0, "iteration/segments", "linux-6.12");
    let after = judged(&run);
    assert_eq!(claim(&before, 3).verdict, Ruling::LargeOnly);
    assert_eq!(
        claim(&after, 3).verdict,
        Ruling::Undecided,
        "time contradicts counts"
    );
    // Half the time of a charge: no claim rests on more than its own rows.
    let run = doctored(2.0, "accounting/charge", "memdesc");
    assert_eq!(claim(&judged(&run), 10).verdict, Ruling::DoesNotHold);
    // The scatter of all rows moderates each, so that the last digits of an interval may move.
    let seen = |judged: &[Judged]| {
        let claim = claim(judged, 3);
        let numbers = claim.numbers.iter();
        let values = numbers.map(|n| (n.met, n.value.map(|value| format!("{:.6}", value.value))));
        (claim.verdict, values.collect::<Vec<_>>())
    };
    assert_eq!(seen(&judged(&run)), seen(&before));
}

#[test]
fn a_missing_row_is_said_and_judges_nothing() {
    let mut run = committed();
    run.rows.retain(|row| match row {
        Row::Sample(sample) => sample.design != "linux-6.12",
        Row::Value(_) => true,
    });
    let judged = judged(&run);
    let third = claim(&judged, 3);
    assert_eq!(third.verdict, Ruling::NotMeasured);
    assert_eq!(third.missing, ["linux-6.12 is not in the run"]);
    // Counts are of the records, whatever the run.
    assert!(third.numbers.iter().any(|number| number.met == Met::Yes));
}

/// Whether the rule of a claim needs a time.
fn needs_times(claim: &Judged) -> bool {
    let mut numbers = claim.numbers.iter();
    numbers.any(|number| !number.bound.is_empty() && number.quantity == "time")
}

#[test]
fn without_a_run_only_records_judge() {
    let judged = records().judge(None);
    assert!(judged.iter().any(needs_times));
    for claim in judged.iter().filter(|claim| needs_times(claim)) {
        assert!(!claim.verdict.is_answer(), "claim {}", claim.id);
    }
    // Source lines are of the record.
    assert_eq!(claim(&judged, 15).verdict, Ruling::HalfTrue);
}

/// Without a second copy of the reference no row has a floor, and nothing is claimed.
#[test]
fn rows_without_a_verdict_prove_nothing() {
    let mut run = committed();
    run.rows.retain(|row| match row {
        Row::Sample(sample) => !sample.is_control(),
        Row::Value(_) => true,
    });
    for claim in judged(&run) {
        let times = claim
            .numbers
            .iter()
            .filter(|number| number.quantity == "time");
        for number in times.filter(|number| !number.bound.is_empty()) {
            let met = number.met;
            assert!(
                matches!(met, Met::Undecided | Met::Missing),
                "{}: {met:?}",
                number.key
            );
        }
    }
}

#[test]
fn times_of_a_debug_build_prove_nothing() {
    let mut run = committed();
    run.env.profile = Some(results::Environment::DEBUG.to_owned());
    let judged = judged(&run);
    assert_eq!(claim(&judged, 3).verdict, Ruling::Undecided);
    let mut timed = judged.iter().filter(|claim| needs_times(claim));
    assert!(timed.all(|claim| !claim.verdict.is_answer()));
}

#[test]
fn the_rows_of_another_machine_are_refused() {
    let store = results_folder();
    let newest = committed();
    let folders = results::run_folders(&store).unwrap_or_else(|error| panic!("{error}"));
    let other = folders
        .iter()
        .map(|folder| Run::load(folder, Tail::Drop).unwrap_or_else(|error| panic!("{error}")))
        .find(|run| run.env.rows.is_some() && run.env.machine() != newest.env.machine())
        .expect("runs of two machines are committed");
    let mixed = tempfile::tempdir().expect("a folder");
    for (from, file) in [(&newest.dir, ENV_FILE), (&other.dir, SAMPLES_FILE)] {
        std::fs::copy(from.join(file), mixed.path().join(file)).expect("copied");
    }
    let error = Run::load(mixed.path(), Tail::Refuse).expect_err("rows of another machine");
    assert!(error.to_string().contains(ENV_FILE), "{error}");
}

/// A claim that rests on a run has a verdict of every other run that measured it; one that
/// rests on recorded counts has none, and none is taken from a run that lacks its rows.
#[test]
fn other_runs_are_asked_what_they_measured() {
    let run = committed();
    let without = |contender: &str| {
        let mut run = run.clone();
        run.rows.retain(|row| match row {
            Row::Sample(sample) => sample.design != contender,
            _ => true,
        });
        Summary::from_run(&run)
    };
    let summary = Summary::from_run(&run);
    let others = [
        ("again".to_owned(), summary.clone()),
        ("without".to_owned(), without("flat-sp")),
    ];
    let judged = records().judge_beside(&summary, &others);
    let runs = |id| -> Vec<(&str, Ruling)> {
        let elsewhere = claim(&judged, id).elsewhere.iter();
        elsewhere
            .map(|one| (one.run.as_str(), one.verdict))
            .collect()
    };
    let verdict = claim(&judged, 1).verdict;
    assert_eq!(runs(1), [("again", verdict)], "flat-sp is one of its rows");
    assert_eq!(runs(7).len(), 2);
    assert_eq!(runs(15), [], "lines of source are the same in every run");
}
