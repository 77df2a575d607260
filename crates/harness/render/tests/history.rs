//! History: what it refuses, what it draws, and a page that needs nothing from elsewhere.

use crate::synthetic;

use compare::{Entry, History, HistoryError, HistoryRun, Summary};
use render::{history_figures, history_html, history_json_lines, history_text};
use results::Row;
use stats::{Estimate, Verdict};

fn run(day: u32, slower: f64) -> HistoryRun {
    let mut run = synthetic::run(u64::from(day), 0.005);
    run.env.date_utc = format!("2026-11-{day:02}T01:02:03Z");
    run.rows
        .retain(|row| ["accounting/stat", "layout/footprint"].contains(&row.workload()));
    for row in &mut run.rows {
        if let Row::Sample(sample) = row
            && sample.design == "memdesc"
        {
            sample.rounds.iter_mut().for_each(|round| *round *= slower);
        }
    }
    HistoryRun::from_summary("a machine", &format!("run-{day}"), &Summary::from_run(&run))
}

fn history() -> History {
    History::of(vec![run(1, 1.0), run(2, 1.0), run(5, 1.3)]).unwrap()
}

#[test]
fn a_row_that_became_slower_is_told_from_those_that_did_not() {
    let history = history();
    let machine = &history.machines[0];
    for entry in machine.entries() {
        let (change, verdict) = machine.change(entry).unwrap();
        let want = if entry.design == "memdesc" && entry.quantity == "time" {
            assert!((change.value - 1.3).abs() < 0.03, "{change:?}");
            Verdict::Slower
        } else {
            Verdict::NoDifference
        };
        assert_eq!(verdict, want, "{entry:?}: {change:?}");
    }
}

#[test]
fn a_clock_that_goes_backwards_is_refused_by_name() {
    let error = History::of(vec![run(3, 1.0), run(2, 1.0)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "run-2: its clock (2026-11-02T01:02:03Z) is behind that of run-3 \
         (2026-11-03T01:02:03Z), which comes first"
    );
    // Another machine has another clock.
    let mut other = run(2, 1.0);
    other.machine = "another".to_owned();
    assert_eq!(
        History::of(vec![run(3, 1.0), other])
            .unwrap()
            .machines
            .len(),
        2
    );
}

#[test]
fn two_runs_of_one_identity_and_broken_dates_are_refused_by_name() {
    let mut twin = run(3, 1.0);
    twin.name = "twin".to_owned();
    let error = History::of(vec![run(3, 1.0), twin]).unwrap_err();
    assert_eq!(
        error,
        HistoryError::Twice {
            name: "twin".into(),
            first: "run-3".into()
        }
    );
    let mut broken = run(3, 1.0);
    broken.date_utc = "yesterday".to_owned();
    let error = History::of(vec![broken]).unwrap_err();
    assert!(
        error.to_string().starts_with("run-3: date_utc `yesterday`"),
        "{error}"
    );
}

#[test]
fn exact_counts_change_without_a_floor() {
    let entry = Entry {
        workload: "iteration/segments".to_owned(),
        design: "flat".to_owned(),
        params: Default::default(),
        quantity: "instructions".to_owned(),
        unit: "1".to_owned(),
        less_is_better: true,
    };
    let mut runs = vec![run(1, 1.0), run(2, 1.0)];
    runs[0]
        .points
        .insert(entry.clone(), Estimate::exact(1000.0));
    runs[1]
        .points
        .insert(entry.clone(), Estimate::exact(1001.0));
    let history = History::of(runs).unwrap();
    let machine = &history.machines[0];
    let (_, verdict) = machine.change(&entry).unwrap();
    assert_eq!(verdict, Verdict::Slower);
    let worse = |threshold| machine.worse_by(threshold).count();
    assert_eq!((worse(0.0), worse(0.002)), (1, 0));
}

#[test]
fn the_text_has_a_sparkline_per_entry() {
    let history = history();
    let text = history_text(&history);
    let entries = history.machines[0].entries().len();
    let lines = text
        .lines()
        .filter(|line| line.contains('\u{2581}') || line.contains('\u{2585}'));
    assert_eq!(lines.count(), entries, "{text}");
    let memdesc = text
        .lines()
        .find(|line| line.contains("memdesc depth=1"))
        .unwrap();
    assert!(
        memdesc.contains(">+3") && memdesc.ends_with('\u{2588}'),
        "{memdesc}"
    );
}

#[test]
fn the_page_is_sound_and_fetches_nothing() {
    let html = history_html(&history()).unwrap();
    for word in [
        "src=",
        "url(",
        "@import",
        "<link",
        "fetch(",
        "XMLHttpRequest",
        "import(",
    ] {
        assert!(!html.contains(word), "{word}");
    }
    // What a reader needs is there without scripts.
    let rows = html.matches("<tr data-workload").count();
    assert_eq!(rows, history().machines[0].entries().len());
    assert_eq!(
        html.matches("<figure id").count(),
        history_figures(&history()).len()
    );
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("max-width: 40rem"));
    assert!(html.contains("<meta name=\"viewport\""));
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn a_single_run_is_a_history_without_changes() {
    let history = History::of(vec![run(1, 1.0)]).unwrap();
    let machine = &history.machines[0];
    assert!(
        machine
            .entries()
            .iter()
            .all(|entry| machine.change(entry).is_none())
    );
    assert!(history_figures(&history).is_empty());
    let html = history_html(&history).unwrap();
    assert!(html.contains(": 1 run</summary>") && html.contains("nothing to draw over time"));
    let text = history_text(&history);
    assert!(text.contains("a machine, 1 run\n"), "{text}");
}

#[test]
fn lines_of_json_hold_every_entry_with_its_gaps() {
    let mut gap = run(2, 1.0);
    gap.points.retain(|entry, _| entry.quantity != "time");
    let history = History::of(vec![run(1, 1.0), gap, run(5, 1.3)]).unwrap();
    let text = history_json_lines(&history);
    assert_eq!(text.lines().count(), history.machines[0].entries().len());
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let runs = line["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 3);
        assert_eq!(
            runs[1]["value"].is_null(),
            line["quantity"] == "time",
            "{line}"
        );
        let slower = line["design"] == "memdesc" && line["quantity"] == "time";
        assert_eq!(line["verdict"] == "higher", slower, "{line}");
    }
}

#[test]
fn words_of_a_record_cannot_become_markup() {
    let mut bad = run(1, 1.0);
    bad.name = "<script>alert(1)</script>".to_owned();
    bad.machine = "\"><img>".to_owned();
    let html = history_html(&History::of(vec![bad]).unwrap()).unwrap();
    assert!(!html.contains("<script>alert") && !html.contains("<img>"));
}

#[test]
fn an_empty_history_is_a_page_too() {
    let html = history_html(&History::default()).unwrap();
    assert!(html.contains("</html>"));
    assert!(history_figures(&History::default()).is_empty());
}

#[test]
fn less_of_what_more_is_better_of_is_worse() {
    let bandwidth = Entry {
        workload: "iteration/pfn-scan".to_owned(),
        design: "flat".to_owned(),
        params: Default::default(),
        quantity: "walk-bandwidth".to_owned(),
        unit: "GB/s".to_owned(),
        less_is_better: false,
    };
    for (first, last, worse) in [(10.0, 5.0, 1), (5.0, 10.0, 0)] {
        let mut runs = vec![run(1, 1.0), run(2, 1.0)];
        for (run, value) in runs.iter_mut().zip([first, last]) {
            run.points.insert(bandwidth.clone(), Estimate::exact(value));
        }
        let history = History::of(runs).unwrap();
        assert_eq!(history.machines[0].worse_by(0.05).count(), worse);
    }
}
