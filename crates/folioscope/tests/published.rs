//! Nothing is dropped silently: every run that is committed, or ever was, is named in the document
//! of the store. And the run that is shown has a floor that is one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use compare::Summary;
use results::{ENV_FILE, LOCAL_DIR, Run, Tail, newest_with_kernels, run_folders};

fn store() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench-results")
}

/// The runs among these files: `MACHINE/RUN`.
fn runs_of<'a>(files: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    files
        .filter_map(|file| file.trim().strip_suffix(ENV_FILE)?.strip_suffix('/'))
        .filter(|run| run.split('/').count() == 2 && !run.starts_with(LOCAL_DIR))
        .map(str::to_owned)
        .collect()
}

/// Every run that a commit has added; none outside of a work tree, or in one without a past.
fn ever_committed() -> BTreeSet<String> {
    let log = [
        "log",
        "--format=",
        "--name-only",
        "--relative",
        "--",
        "*/*/env.json",
    ];
    let output = Command::new("git")
        .arg("-C")
        .arg(store())
        .args(log)
        .output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    runs_of(text.unwrap_or_default().lines())
}

/// Those that the document does not name.
fn unnamed(runs: &BTreeSet<String>, document: &str) -> Vec<String> {
    let named = |run: &&String| document.contains(&format!("`{run}`"));
    runs.iter().filter(|run| !named(run)).cloned().collect()
}

#[test]
fn every_run_of_the_store_is_named_in_its_document() {
    let store = store();
    let document = fs::read_to_string(store.join("README.md")).expect("the document");
    let kept = run_folders(&store).expect("a store");
    let kept: Vec<String> = kept
        .iter()
        .filter_map(|run| {
            Some(
                run.strip_prefix(&store)
                    .ok()?
                    .join(ENV_FILE)
                    .display()
                    .to_string(),
            )
        })
        .collect();
    let mut runs = runs_of(kept.iter().map(String::as_str));
    assert!(runs.len() >= 8, "{runs:?}");
    runs.extend(ever_committed());
    assert_eq!(
        unnamed(&runs, &document),
        Vec::<String>::new(),
        "say why they are there, or not"
    );
}

#[test]
fn a_run_that_is_not_named_is_found() {
    let files = [
        "vm/2026-11-26-a/env.json",
        "vm/2026-11-26-b/env.json",
        "local/mine/env.json",
    ];
    let runs = runs_of(files.into_iter());
    assert_eq!(runs.len(), 2, "one's own runs are nobody's business");
    assert_eq!(
        unnamed(&runs, "`vm/2026-11-26-b` was disturbed"),
        ["vm/2026-11-26-a"]
    );
    // A longer name is not the shorter one.
    assert_eq!(
        unnamed(&runs, "`vm/2026-11-26-a.2`, `vm/2026-11-26-b`"),
        ["vm/2026-11-26-a"]
    );
}

/// `null` has the loop and nothing else: a contender that takes less would skip the loop itself, or
/// the floor would do work.
#[test]
fn nobody_takes_less_than_the_floor_in_the_run_that_is_shown() {
    let newest = newest_with_kernels(&store(), true).expect("the store reads");
    let run = Run::load(&newest.expect("a run with kernels"), Tail::Refuse).expect("a record");
    let summary = Summary::from_run(&run);
    let mut compared = 0;
    for case in summary.cases() {
        let Some(floor) = case.time("null") else {
            continue;
        };
        for (name, time) in summary
            .designs
            .iter()
            .filter_map(|name| Some((name, case.time(name)?)))
            .filter(|(name, _)| *name != "null")
        {
            compared += 1;
            let below = time.value < floor.value;
            assert!(
                !below,
                "{name}: {time:?} below {floor:?} in {:?}",
                case.params
            );
        }
    }
    assert!(compared > 1000, "{compared}");
}
