//! Runs whose processes are killed, stopped or hung up on, and a standard error that is full.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use results::{Row, Run, Status, Tail};
use tempfile::TempDir;

/// Starts a run of two cells and two processes; `before` is shell text that runs first.
fn begin(before: &str, out: &Path, budget: &str) -> Child {
    let tool = assert_cmd::cargo::cargo_bin("folioscope");
    // Whoever runs the tests may ignore the hangup, which a shell cannot take back.
    Command::new("env")
        .env("FOLIOSCOPE_ALLOW_DEBUG", "true")
        .args(["--default-signal=HUP", "sh", "-c"])
        .arg(format!(
            "{before} exec \"$0\" measure --quick --workload iteration/chunks --order 0,9 \
             --design folio --backing base --processes 2 --budget {budget} --out \"$1\""
        ))
        .arg(tool)
        .arg(out)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// The run's first worker process, as soon as there is one.
fn worker_of(run: &Child) -> String {
    let children = format!("/proc/{0}/task/{0}/children", run.id());
    loop {
        let there = fs::read_to_string(&children).expect("the run has not ended");
        if let Some(worker) = there.split_whitespace().next() {
            return worker.to_owned();
        }
        thread::yield_now();
    }
}

fn send(signal: &str, process: &str) {
    let sent = Command::new("kill").args([signal, process]).status();
    assert!(sent.expect("kill runs").success(), "{signal} {process}");
}

/// The exit status and what was written to standard error.
fn end(mut run: Child) -> (Option<i32>, String) {
    let mut words = String::new();
    let mut stderr = run.stderr.take().expect("it is piped");
    stderr.read_to_string(&mut words).expect("UTF-8");
    (run.wait().expect("it ends").code(), words)
}

/// How many rows are there, and how many of them are errors.
fn rows(folder: &Path) -> (usize, usize) {
    let run = Run::load(folder, Tail::Refuse).expect("a sound record");
    let is_err = |row: &&Row| match row {
        Row::Sample(sample) => matches!(sample.status, Status::Err(_)),
        Row::Value(value) => matches!(value.status, Status::Err(_)),
    };
    (run.rows.len(), run.rows.iter().filter(is_err).count())
}

#[test]
fn a_worker_that_is_killed_is_an_error_that_resume_tries_again() {
    let folder = TempDir::new().expect("a folder");
    let out = folder.path().join("run");
    let run = begin("", &out, "60");
    send("-KILL", &worker_of(&run));
    let (code, words) = end(run);
    assert_eq!(code, Some(1), "{words}");
    assert!(
        words.contains("the worker process died: signal: 9"),
        "{words}"
    );
    assert!(words.contains("--resume"), "{words}");
    let (_, errors) = rows(&out);
    assert!(errors > 0, "the gap is a row");

    let resumed = Command::new(assert_cmd::cargo::cargo_bin("folioscope"))
        .env("FOLIOSCOPE_ALLOW_DEBUG", "true")
        .args(["measure", "--resume", "--budget", "60", "--out"])
        .arg(&out)
        .output()
        .expect("it starts");
    assert_eq!(resumed.status.code(), Some(0), "{resumed:?}");
    let (all, errors) = rows(&out);
    assert!(all > 0);
    assert_eq!(errors, 0);
    assert!(!out.join("unfinished.json").exists(), "it is complete");
}

#[test]
fn a_stopped_worker_takes_its_own_share_of_the_budget_only() {
    let folder = TempDir::new().expect("a folder");
    let out = folder.path().join("run");
    let run = begin("", &out, "6");
    send("-STOP", &worker_of(&run));
    let (code, words) = end(run);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("the worker process died"), "{words}");
    assert!(!words.contains("ran out with"), "{words}");
    let (all, errors) = rows(&out);
    assert!(errors < all, "the others were measured");
}

#[test]
fn a_worker_dies_with_its_parent_even_where_it_cannot_speak() {
    let folder = TempDir::new().expect("a folder");
    let mut run = begin("", &folder.path().join("run"), "60");
    let worker = worker_of(&run);
    // The kernel is told once the worker runs, which is when it has counters or a cell open.
    let status = format!("/proc/{worker}/status");
    let caught = |text: String| text.contains("SigCgt:\t0000000000000000");
    while fs::read_to_string(&status).is_ok_and(caught) {
        thread::yield_now();
    }
    run.kill().expect("it runs");
    run.wait().expect("it ends");
    // A reaper may be slow: a zombie is dead, too.
    while fs::read_to_string(&status).is_ok_and(|text| !text.contains("State:\tZ")) {
        thread::yield_now();
    }
}

#[test]
fn an_ignored_hangup_stays_ignored_and_another_interrupts() {
    let folder = TempDir::new().expect("a folder");
    for (before, name, expected) in [("trap '' HUP;", "nohup", 0), ("", "hup", 130)] {
        let out = folder.path().join(name);
        let run = begin(before, &out, "60");
        // The worker is started after the handler is installed.
        worker_of(&run);
        send("-HUP", &run.id().to_string());
        let (code, words) = end(run);
        assert_eq!(code, Some(expected), "{name}: {words}");
    }
}

#[test]
fn words_that_cannot_be_written_change_no_exit_status() {
    let full = fs::File::options().write(true).open("/dev/full");
    let status = Command::new(assert_cmd::cargo::cargo_bin("folioscope"))
        .args(["report", "/nowhere/at/all"])
        .stderr(full.expect("/dev/full"))
        .status()
        .expect("it starts");
    assert_eq!(status.code(), Some(2));
}

#[test]
fn a_plan_that_is_a_pipe_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let plan = folder.path().join("unfinished.json");
    for file in ["env.json", "samples.jsonl"] {
        fs::write(folder.path().join(file), "").expect("written");
    }
    let made = Command::new("mkfifo").arg(&plan).status();
    assert!(made.expect("mkfifo runs").success());
    let output = Command::new(assert_cmd::cargo::cargo_bin("folioscope"))
        .args(["measure", "--allow-debug", "--resume", "--out"])
        .arg(folder.path())
        .output()
        .expect("it starts");
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(
        words.contains("unfinished.json: not a regular file"),
        "{words}"
    );
}
