//! Records of several runs at the command line: history, export, merge, diff --changed.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use results::{
    ENV_FILE, Environment, Git, Params, Row, RowWriter, SAMPLES_FILE, Sample, Status,
    write_environment,
};
use tempfile::TempDir;

/// Exit code, standard output, standard error.
fn folioscope(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command =
        Command::cargo_bin("folioscope").expect("the binary was built with the tests");
    let output = command
        .current_dir(folder)
        .args(args)
        .output()
        .expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().expect("no signal"),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Writes a run of `flat`, its control, `memdesc`, and `folio`, which takes `ns`. Of three
/// designs one may change without being taken for the machine's drift.
fn run(root: &Path, place: &str, date: &str, ns: f64) -> PathBuf {
    let dir = root.join(place);
    fs::create_dir_all(&dir).expect("a folder");
    let env = Environment {
        date_utc: date.to_owned(),
        elapsed_s: 60.0,
        finished: true,
        git: Some(Git {
            revision: "0123456789".to_owned(),
            dirty: false,
        }),
        ..Environment::unknown()
    };
    write_environment(&dir.join(ENV_FILE), &env).expect("written");
    let mut rows = RowWriter::create(&dir.join(SAMPLES_FILE)).expect("a file");
    for process in 0..3 {
        for (design, label, ns) in [
            ("flat", "", 10.0),
            ("flat", "control", 10.0),
            ("folio", "", ns),
            ("memdesc", "", 8.0),
        ] {
            let sample = Sample {
                schema: 1,
                workload: "merging/add".to_owned(),
                family: "merging".to_owned(),
                design: design.to_owned(),
                label: label.to_owned(),
                params: Params::from([("order".to_owned(), 9.into())]),
                axis: String::new(),
                process,
                unit: "page".to_owned(),
                elements: 1,
                iters: 1,
                rounds: vec![ns; 5],
                checksum: "0x1".to_owned(),
                minor_faults: 0,
                context_switches: 0,
                instructions: None,
                dtlb_misses: None,
                yardsticks: None,
                memory: None,
                status: Status::Ok,
            };
            rows.append(&Row::Sample(sample)).expect("a row");
        }
    }
    dir
}

#[test]
fn an_empty_store_is_bad_input_and_says_what_to_do() {
    let folder = TempDir::new().expect("a folder");
    for args in [
        &["history"][..],
        &["history", "--store", "nowhere"],
        &["export", "nowhere", "--format", "csv"],
        &["merge", ".", "--out", "all"],
    ] {
        let (code, stdout, stderr) = folioscope(folder.path(), args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(stderr.contains("folioscope compare"), "{args:?}: {stderr}");
    }
    assert!(!folder.path().join("all").exists());
}

#[test]
fn history_draws_a_page_and_figures_and_knows_its_machines() {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path();
    run(root, "bench-results/a/one", "2026-11-01T05:00:00Z", 5.0);
    let (code, stdout, stderr) = folioscope(root, &["history"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.contains("a: unknown, 1 CPUs, unknown, 1 run\n"),
        "{stdout}"
    );
    run(root, "bench-results/a/two", "2026-11-02T05:00:00Z", 6.0);
    run(
        root,
        "bench-results/b/one",
        "2026-11-01T05:00:00.5Z".replace(".5", "").as_str(),
        9.0,
    );
    // The same second on another machine is another run only if something else differs.
    let (code, _, stderr) = folioscope(root, &["history"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("bench-results/a/one and bench-results/b/one"),
        "{stderr}"
    );
    fs::remove_dir_all(root.join("bench-results/b")).expect("removed");
    run(root, "bench-results/b/one", "2026-11-01T06:00:00Z", 9.0);

    let (code, stdout, stderr) = folioscope(root, &["history", "--out", "page"]);
    assert_eq!(code, 0, "{stderr}");
    let folio = stdout
        .lines()
        .find(|line| line.trim_start().starts_with("folio "));
    assert!(
        folio.is_some_and(|line| line.contains(">+20.0%")),
        "{stdout}"
    );
    for file in [
        "index.html",
        "history-1-merging-time.svg",
        "history-1-merging-time.png",
    ] {
        assert!(root.join("page").join(file).is_file(), "{file}");
    }
    let (code, stdout, _) = folioscope(root, &["history", "--machine", "b", "--json"]);
    assert_eq!(code, 0);
    assert_eq!(stdout.lines().count(), 3, "{stdout}");
    let (code, _, stderr) = folioscope(root, &["history", "--machine", "c"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("there is a, b"), "{stderr}");
}

#[test]
fn clocks_and_damage_end_with_the_culprit() {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path();
    run(
        root,
        "bench-results/a/2026-11-02-x",
        "2026-11-01T05:00:00Z",
        5.0,
    );
    let (code, _, stderr) = folioscope(root, &["history"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("2026-11-02-x: its name says 2026-11-02"),
        "{stderr}"
    );
    fs::remove_dir_all(root.join("bench-results/a")).expect("removed");
    let dir = run(root, "bench-results/a/one", "2026-11-01T05:00:00Z", 5.0);
    let path = dir.join(SAMPLES_FILE);
    let text = fs::read_to_string(&path).expect("readable");
    fs::write(&path, &text[..text.len() - 1]).expect("written");
    for args in [
        &["history"][..],
        &["export", "bench-results", "--format", "json"],
    ] {
        let (code, stdout, stderr) = folioscope(root, args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}");
        assert!(
            stderr.contains("samples.jsonl:12: the last line is cut off"),
            "{stderr}"
        );
    }
}

#[test]
fn merging_refuses_before_it_writes_and_then_copies_all() {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path();
    run(root, "laptop/a/one", "2026-11-01T05:00:00Z", 5.0);
    run(root, "laptop/a/two", "2026-11-02T05:00:00Z", 5.0);
    run(root, "server/b/one", "2026-11-01T05:30:00Z", 5.0);
    let (code, stdout, stderr) =
        folioscope(root, &["merge", "laptop", "server/b/one", "--out", "all"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stdout, "all/a/one\nall/a/two\nall/b/one\n");
    // Once more is twice.
    let (code, _, stderr) = folioscope(root, &["merge", "laptop/a/two", "--out", "all"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("all/a/two and laptop/a/two: two records of one identity"),
        "{stderr}"
    );
    // The second of these is refused, so the first is not written either.
    run(root, "late/a/three", "2026-11-03T05:00:00Z", 5.0);
    run(root, "late/a/four", "2026-11-02T05:00:30Z", 5.0);
    let (code, _, stderr) = folioscope(root, &["merge", "late", "--out", "all"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("late/a/four: began at"), "{stderr}");
    assert!(!root.join("all/a/three").exists());
    // The same as of another machine.
    let (code, stdout, _) = folioscope(
        root,
        &["merge", "late/a/four", "--machine", "c", "--out", "all"],
    );
    assert_eq!((code, stdout.as_str()), (0, "all/c/four\n"));
}

#[test]
fn formats_of_trackers_hold_one_run() {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path();
    run(root, "a/one", "2026-11-01T05:00:00Z", 5.0);
    run(root, "a/two", "2026-11-02T05:00:00Z", 5.0);
    for format in ["bencher", "github-action-benchmark"] {
        let (code, stdout, _) = folioscope(root, &["export", "a/one", "--format", format]);
        assert_eq!(code, 0);
        assert!(
            serde_json::from_str::<serde_json::Value>(&stdout).is_ok(),
            "{stdout}"
        );
        let (code, _, stderr) = folioscope(root, &["export", "a/one", "a/two", "--format", format]);
        assert_eq!(code, 2);
        assert!(stderr.contains("holds one run and 2 are given"), "{stderr}");
    }
    let (code, stdout, _) = folioscope(root, &["export", "a/one", "a/two", "--format", "csv"]);
    assert_eq!((code, stdout.lines().count()), (0, 7));
    let (code, stdout, _) = folioscope(
        root,
        &["export", ".", "--format", "json", "--out", "x.jsonl"],
    );
    assert_eq!((code, stdout.as_str()), (0, ""));
    let lines = fs::read_to_string(root.join("x.jsonl")).expect("written");
    assert_eq!(lines.lines().count(), 6);
}

#[test]
fn a_diff_learns_from_the_store_and_prints_what_changed() {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path();
    for day in 1..=6 {
        let date = format!("2026-11-0{day}T05:00:00Z");
        run(root, &format!("bench-results/a/run-{day}"), &date, 5.0);
    }
    let (old, new) = ("bench-results/a/run-6", "bench-results/a/run-7");
    run(root, new, "2026-11-07T05:00:00Z", 7.0);
    let (code, stdout, stderr) = folioscope(root, &["diff", old, new, "--changed", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let line: serde_json::Value = serde_json::from_str(stdout.trim()).expect("one line of JSON");
    assert_eq!(
        (line["design"].as_str(), line["verdict"].as_str()),
        (Some("folio"), Some("slower"))
    );
    // Five runs with a control pair each, and four times a row beside itself.
    assert_eq!(
        (
            line["floor_source"].as_str(),
            line["floor_changes"].as_u64()
        ),
        (Some("history"), Some(9))
    );
    let (code, stdout, _) = folioscope(root, &["diff", old, new, "--changed"]);
    assert_eq!((code, stdout.lines().count()), (0, 1), "{stdout}");
    // Of another machine there is no past; where it was asked for, that is an error.
    fs::create_dir(root.join("empty")).expect("a folder");
    let (code, _, stderr) = folioscope(root, &["diff", old, new, "--history", "empty"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("no other run of this machine"), "{stderr}");
}

#[test]
fn times_of_two_machines_are_compared_only_when_told() {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path();
    run(root, "a/one", "2026-11-01T05:00:00Z", 10.0);
    let other = run(root, "b/one", "2026-11-02T05:00:00Z", 10.0);
    let file = other.join(ENV_FILE);
    let mut env = results::read_environment(&file).expect("it was written");
    env.caches = vec![results::Cache {
        level: 2,
        kind: "unified".to_owned(),
        bytes: 1 << 20,
    }];
    write_environment(&file, &env).expect("written");
    let (code, stdout, stderr) = folioscope(root, &["diff", "a/one", "b/one"]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(
        stderr.contains("L2 1 MiB") && stderr.contains("--across"),
        "{stderr}"
    );
    let (code, stdout, stderr) = folioscope(root, &["diff", "a/one", "b/one", "--across"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("Other machine:"), "{stdout}");
}

#[test]
fn a_row_that_is_lost_is_not_judged_in_any_form() {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path();
    run(root, "a/one", "2026-11-01T05:00:00Z", 10.0);
    let short = run(root, "a/two", "2026-11-02T05:00:00Z", 10.0);
    let file = short.join(SAMPLES_FILE);
    let rows = fs::read_to_string(&file).expect("rows");
    let kept: Vec<&str> = rows
        .lines()
        .filter(|line| !line.contains("\"folio\""))
        .collect();
    fs::write(&file, kept.join("\n") + "\n").expect("written");
    for form in [&[][..], &["--json"], &["--changed"], &["--threshold", "5"]] {
        let args = [&["diff", "a/one", "a/two"], form].concat();
        let (code, _, stderr) = folioscope(root, &args);
        assert_eq!(code, 2, "{form:?}: {stderr}");
        assert!(stderr.contains("lacks 1 of the first run's"), "{stderr}");
    }
}
