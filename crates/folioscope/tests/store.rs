//! Records of several runs at the command line: history, export, merge, diff --changed.

use std::fs;

use crate::made::{folioscope, run};
use results::{ENV_FILE, SAMPLES_FILE, write_environment};
use tempfile::TempDir;

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
        stdout.contains("a: unknown, 1 CPUs, unknown, Linux unknown, 1 run\n"),
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
    for (threshold, expected) in [("30", 0), ("10", 3)] {
        let args = ["history", "--machine", "a", "--threshold", threshold];
        let (code, _, stderr) = folioscope(root, &args);
        assert_eq!(code, expected, "{stderr}");
        assert_eq!(
            stderr.contains("merging/add folio time: +20.0 %"),
            code == 3
        );
    }
    let (code, stdout, _) = folioscope(root, &["history", "--machine", "b", "--json"]);
    assert_eq!(code, 0);
    assert_eq!(stdout.lines().count(), 3, "{stdout}");
    let (code, _, stderr) = folioscope(root, &["history", "--machine", "b", "--threshold", "5"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("no machine has two runs"), "{stderr}");
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
        stderr.contains("all/a/two and laptop/a/two: two records with the same identity"),
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
        assert!(
            stderr.contains("holds one run, but 2 were given"),
            "{stderr}"
        );
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

#[test]
fn two_machines_are_not_merged_under_one_name() {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path();
    run(root, "laptop/vm/one", "2026-11-01T05:00:00Z", 5.0);
    let other = run(root, "server/vm/two", "2026-11-02T05:00:00Z", 5.0);
    let path = other.join(ENV_FILE);
    let mut env = results::read_environment(&path).expect("an environment");
    env.caches.push(results::Cache {
        level: 2,
        kind: "unified".to_owned(),
        bytes: 1 << 20,
    });
    write_environment(&path, &env).expect("written");
    let (code, _, stderr) = folioscope(root, &["merge", "laptop", "server", "--out", "all"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("both would be called vm"), "{stderr}");
    assert!(!root.join("all").exists(), "nothing is written");
    let (code, ..) = folioscope(root, &["merge", "laptop", "--out", "all"]);
    assert_eq!(code, 0);
    let named = ["merge", "server", "--machine", "vm-l2-1m", "--out", "all"];
    let (code, stdout, stderr) = folioscope(root, &named);
    assert_eq!(
        (code, stdout.as_str()),
        (0, "all/vm-l2-1m/two\n"),
        "{stderr}"
    );
}

#[test]
fn what_is_left_out_of_an_export_is_said_and_nothing_is_no_export() {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path();
    let dir = run(root, "a/one", "2026-11-01T05:00:00Z", 5.0);
    let path = dir.join(SAMPLES_FILE);
    let text = fs::read_to_string(&path).expect("rows");
    let wrong = |line: &str| {
        let mut row: serde_json::Value = serde_json::from_str(line).expect("a row");
        row["rounds"] = serde_json::json!([]);
        row["checksum"] = "".into();
        row["status"] = serde_json::json!({ "err": "wrong answer" });
        format!("{row}\n")
    };
    let folio_fails: String = text
        .lines()
        .map(|line| match line.contains("\"folio\"") {
            true => wrong(line),
            false => format!("{line}\n"),
        })
        .collect();
    fs::write(&path, folio_fails).expect("written");
    let (code, stdout, stderr) = folioscope(root, &["export", "a/one", "--format", "csv"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("a/one: 1 rows went wrong"), "{stderr}");
    assert_eq!(stdout.lines().count(), 3, "{stdout}");
    let low = stdout
        .lines()
        .next()
        .expect("a header")
        .split(',')
        .position(|name| name == "low");
    for line in stdout.lines().skip(1) {
        let low = line.split(',').nth(low.expect("a column")).expect("a cell");
        assert!(low.parse::<f64>().expect("a number") > 0.0, "{line}");
    }
    let all_fail: String = text.lines().map(wrong).collect();
    fs::write(&path, all_fail).expect("written");
    let (code, stdout, stderr) = folioscope(root, &["export", "a/one", "--format", "csv"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("nothing to export"), "{stderr}");
}
