//! Two builds in lock-step at the command line: what is compared, what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use results::LockstepRecord;
use tempfile::TempDir;

/// One row and the fewest sets.
const SMALL: [&str; 10] = [
    "--workload",
    "iteration/chunks",
    "--order",
    "9",
    "--design",
    "folio",
    "--rows",
    "1",
    "--processes",
    "3",
];

fn tool() -> PathBuf {
    assert_cmd::cargo::cargo_bin("folioscope")
}

/// Exit code, standard output, standard error.
fn diff(args: &[&Path], more: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(tool());
    command.env("FOLIOSCOPE_ALLOW_DEBUG", "true");
    answer(command.arg("diff").args(args).args(more))
}

fn answer(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("no signal");
    (code, text(output.stdout), text(output.stderr))
}

/// A program that is a script.
fn script(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
    path
}

/// The greeting of a build.
fn hello(version: u32) -> String {
    format!(
        r#"echo '{{"lockstep":{version},"git":null,"rustc":"","target":"","profile":"optimised"}}'"#
    )
}

#[test]
fn a_build_is_compared_with_itself_and_the_record_reads() {
    let folder = TempDir::new().expect("a folder");
    let record = folder.path().join("record.jsonl");
    let file = record.to_str().expect("UTF-8");
    let more = [&SMALL[..], &["--budget", "60", "--json", "--out", file]].concat();
    let (code, stdout, stderr) = diff(&[&tool(), &tool()], &more);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let row: serde_json::Value = serde_json::from_str(stdout.trim()).expect("one object");
    assert_eq!(row["workload"], "iteration/chunks");
    assert!(row["can_see"].as_f64().expect("a number") > 0.0);
    let read = LockstepRecord::read(&record).expect("a sound record");
    assert_eq!((read.rows.len(), read.header.sets), (3, 3));
    for row in &read.rows {
        assert_eq!((row.memory.as_str(), row.periods.len()), ("tmpfs", 3));
    }
    let (code, table, _) = answer(Command::new(tool()).arg("resolution").arg(&record));
    assert_eq!(code, 0);
    assert!(table.contains("| the same | in turn | 1 | 1 |"), "{table}");
    let sum = "from old in 0 of 1 rows (0.0 %). 3 sets of processes, ";
    assert!(
        table.contains(sum) || table.contains("from old in 1 of 1 rows"),
        "{table}"
    );
    // Cut off at the end of a line it is not a record.
    let text = fs::read_to_string(&record).expect("text");
    let cut: String = text
        .lines()
        .take(3)
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&record, cut).expect("written");
    let (code, _, stderr) = answer(Command::new(tool()).arg("resolution").arg(&record));
    assert_eq!(code, 2, "{stderr}");
    // Whole, but with fewer sets than a verdict takes: a table of zeros would say nothing.
    let one_set: String = text
        .lines()
        .take(2)
        .map(|line| format!("{}\n", line.replace("\"rows\":3}", "\"rows\":1}")))
        .collect();
    fs::write(&record, one_set).expect("written");
    let (code, table, stderr) = answer(Command::new(tool()).arg("resolution").arg(&record));
    assert_eq!((code, table.as_str()), (2, ""), "{stderr}");
    assert!(stderr.contains("no row was judged"), "{stderr}");
}

#[test]
fn each_process_may_have_memory_of_its_own() {
    let more = [&SMALL[..], &["--budget", "60", "--own-memory", "base"]].concat();
    let (code, stdout, stderr) = diff(&[&tool(), &tool()], &more);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("each on memory of its own"), "{stdout}");
}

#[test]
fn what_takes_no_turns_is_refused_by_name() {
    let folder = TempDir::new().expect("a folder");
    let mute = script(&folder, "mute", "echo nothing of this kind >&2; exit 2");
    let later = script(&folder, "later", &hello(99));
    for (program, words) in [(&mute, "takes no turns"), (&later, "speaks version 99")] {
        let (code, stdout, stderr) = diff(&[&tool(), program], &SMALL);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        let name = program.file_name().expect("a name").to_string_lossy();
        assert!(
            stderr.contains(words) && stderr.contains(&*name),
            "{stderr}"
        );
    }
}

#[test]
fn a_process_that_dies_leaves_its_row_unjudged() {
    let folder = TempDir::new().expect("a folder");
    let dies = script(&folder, "dies", &format!("{}\nread line\nexit 7", hello(1)));
    let more = [&SMALL[..], &["--budget", "60", "--threshold", "5"]].concat();
    let (code, stdout, stderr) = diff(&[&tool(), &dies], &more);
    assert_eq!(code, 2, "{stdout}{stderr}");
    assert!(stdout.contains("exit status: 7"), "{stdout}");
    assert!(stderr.contains("1 rows could not be judged"), "{stderr}");
}

#[test]
fn a_budget_that_is_over_judges_nothing() {
    let more = [&SMALL[..], &["--budget", "0.000001"]].concat();
    let (code, _, stderr) = diff(&[&tool(), &tool()], &more);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("1 rows were not reached"), "{stderr}");
}

#[test]
fn arguments_that_do_not_fit_are_refused() {
    let folder = TempDir::new().expect("a folder");
    let (tool, none) = (tool(), folder.path().join("none"));
    let run = folder.path();
    for (args, more, words) in [
        (&[&*tool, run][..], &[][..], "is a folder"),
        (&[&*tool, &*none], &[], "none"),
        (&[&*tool], &[], "two programs are compared"),
        (&[], &[], "two runs are compared"),
        (&[&*tool, &*tool], &["--across"], "--across"),
        (&[], &["--against", "no-such-revision"], "no-such-revision"),
        (
            &[&*tool, &*tool],
            &["--workload", "merging/none"],
            "merging/none",
        ),
        (
            &[&*tool, &*tool],
            &["--against", "HEAD"],
            "name the new one only",
        ),
    ] {
        let (code, stdout, stderr) = diff(args, more);
        assert_eq!(
            (code, stdout.as_str()),
            (2, ""),
            "{args:?} {more:?}: {stderr}"
        );
        assert!(stderr.contains(words), "{args:?} {more:?}: {stderr}");
    }
    if cfg!(debug_assertions) {
        let mut unasked = Command::new(&tool);
        unasked.env_remove("FOLIOSCOPE_ALLOW_DEBUG").arg("diff");
        let (code, _, stderr) = answer(unasked.args([&tool, &tool]).args(SMALL));
        assert_eq!(code, 2);
        assert!(stderr.contains("an unoptimised build"), "{stderr}");
    }
}
