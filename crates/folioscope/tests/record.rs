//! A small run from begin to end: measured, interrupted, resumed, damaged, reported.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use results::{Row, Run, SAMPLES_FILE, Tail};
use tempfile::TempDir;

fn folioscope(args: &[&str]) -> (i32, String, String) {
    let mut command =
        Command::cargo_bin("folioscope").expect("the binary was built with the tests");
    command.env("FOLIOSCOPE_ALLOW_DEBUG", "true");
    let output = command.args(args).output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().expect("no signal"),
        text(output.stdout),
        text(output.stderr),
    )
}

const SMALL: [&str; 9] = [
    "measure",
    "--quick",
    "--workload",
    "iteration/chunks",
    "--order",
    "0,9",
    "--design",
    "folio",
    "--backing",
];

/// A run of two cells and two processes.
fn measured(folder: &TempDir) -> PathBuf {
    let run = folder.path().join("run");
    let mut args = SMALL.to_vec();
    args.extend([
        "base",
        "--processes",
        "2",
        "--budget",
        "60",
        "--out",
        run.to_str().expect("UTF-8"),
    ]);
    let (code, _, stderr) = folioscope(&args);
    assert_eq!(code, 0, "{stderr}");
    run
}

fn load(run: &Path) -> Run {
    Run::load(run, Tail::Refuse).expect("a sound record")
}

#[test]
fn a_run_holds_what_was_asked_for_with_its_proofs() {
    let folder = TempDir::new().expect("a folder");
    let path = measured(&folder);
    let run = load(&path);
    assert!(run.env.finished);
    assert_eq!((run.env.processes, run.env.quick), (2, true));
    // Processes run one after the other, so they spend no more than the run took.
    let spent = run.env.spent.expect("a run says how it spent its time");
    assert!(spent.setup_s > 0.0 && spent.sampling_s > 0.0, "{spent:?}");
    assert!(
        spent.setup_s + spent.sampling_s <= run.env.elapsed_s,
        "{spent:?}"
    );
    assert!(
        !path.join("unfinished.json").exists(),
        "nothing is left to go on with"
    );
    let cells = run
        .samples()
        .filter(|sample| sample.process == 0 && sample.is_control())
        .count();
    assert!(cells >= 2, "both orders");
    for sample in run.samples() {
        assert!(sample.status.is_ok(), "{sample:?}");
        assert!(sample.rounds.len() >= 3);
        assert_eq!(sample.minor_faults, 0);
        let memory = sample.memory.as_ref().expect("a proof");
        assert_eq!((memory.asked.as_str(), memory.bytes_huge), ("base", 0));
        // Designs of one cell and process share their rounds.
        let control = run.samples().find(|other| {
            other.is_control() && other.params == sample.params && other.process == sample.process
        });
        assert_eq!(
            control.expect("a control").rounds.len(),
            sample.rounds.len()
        );
    }
    let designs: std::collections::BTreeSet<&str> =
        run.samples().map(|sample| sample.design.as_str()).collect();
    assert_eq!(
        designs.into_iter().collect::<Vec<_>>(),
        ["flat", "folio"],
        "the reference always takes part"
    );
}

#[test]
fn a_cut_off_run_goes_on_where_it_was_cut() {
    let folder = TempDir::new().expect("a folder");
    let path = measured(&folder);
    let whole = load(&path);
    // As a kill leaves it: half a cell, half a line, the note of what was asked for.
    let samples = path.join(SAMPLES_FILE);
    let text = fs::read_to_string(&samples).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    let kept = lines.len() - 2;
    fs::write(
        &samples,
        format!("{}\n{}", lines[..kept].join("\n"), &lines[kept][..40]),
    )
    .expect("written");
    let asked = r#"{"workload":["iteration/chunks"],"design":["folio"],"order":[0,9],"backing":["base"],"quick":true,"seed":1,"processes":2}"#;
    fs::write(path.join("unfinished.json"), asked).expect("written");

    let out = path.to_str().expect("UTF-8");
    let (code, _, stderr) = folioscope(&["measure", "--resume", "--out", out, "--budget", "60"]);
    assert_eq!(code, 0, "{stderr}");
    let resumed = load(&path);
    let identities = |run: &Run| {
        let mut all: Vec<_> = run.rows.iter().map(Row::identity).collect();
        all.sort();
        all
    };
    assert_eq!(identities(&resumed), identities(&whole));
    // What was whole is still what it was.
    assert_eq!(resumed.rows[0], whole.rows[0]);
    let (code, _, stderr) = folioscope(&["measure", "--resume", "--out", out]);
    assert_eq!(code, 2);
    assert!(stderr.contains("complete"), "{stderr}");
}

#[test]
fn a_run_that_is_written_is_left_alone_and_one_that_never_began_is_begun() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("run");
    fs::create_dir(&path).expect("a folder");
    let out = path.to_str().expect("UTF-8");
    let ours = format!("process {} writes this run", std::process::id());
    let lock = results::RunLock::take(&path).expect("free");
    fs::write(path.join("env.json"), "{}").expect("written");
    for more in [
        &["base", "--out", out][..],
        &["base", "--out", out, "--resume"],
    ] {
        let (code, _, stderr) = folioscope(&[&SMALL[..], more].concat());
        assert_eq!(code, 2);
        assert!(stderr.contains(&ours), "{stderr}");
    }
    drop(lock);
    // As a kill leaves it between the making of the rows' file and of the environment.
    fs::remove_file(path.join("env.json")).expect("removed");
    fs::write(path.join(SAMPLES_FILE), "").expect("written");
    fs::write(path.join("unfinished.json"), "{").expect("written");
    let (code, _, stderr) = folioscope(&["measure", "--resume", "--out", out]);
    assert_eq!(code, 2);
    assert!(stderr.contains("leave out --resume"), "{stderr}");
    let run = load(&measured(&folder));
    let sum = run.env.rows.expect("a finished run knows its rows");
    assert_eq!(sum.count as usize, run.rows.len());
}

#[test]
fn a_resumed_run_keeps_to_what_it_was_begun_with() {
    let folder = TempDir::new().expect("a folder");
    let path = measured(&folder);
    let asked = r#"{"workload":["iteration/chunks"],"design":["folio"],"order":[0,9],"backing":["base"],"quick":true,"seed":1,"processes":2}"#;
    fs::write(path.join("unfinished.json"), asked).expect("written");
    let out = path.to_str().expect("UTF-8");
    let (code, _, stderr) = folioscope(&["measure", "--resume", "--out", out, "--seed", "7"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--seed"), "{stderr}");
    let (code, _, stderr) = folioscope(&["measure", "--out", out]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("--resume"),
        "a run is never overwritten: {stderr}"
    );
}

#[test]
fn damage_is_refused_by_file_line_and_field() {
    let folder = TempDir::new().expect("a folder");
    let path = measured(&folder);
    let samples = path.join(SAMPLES_FILE);
    let text = fs::read_to_string(&samples).expect("text");
    let out = path.to_str().expect("UTF-8");
    for (from, to, named) in [
        (
            "\"process\":0",
            "\"process\":\"x\"",
            "samples.jsonl:1: field `process`",
        ),
        (
            "\"schema\":2",
            "\"schema\":99",
            "samples.jsonl:1: field `schema`",
        ),
        (
            "\"checksum\":\"0x",
            "\"checksum\":\"",
            "samples.jsonl:1: field `checksum`",
        ),
    ] {
        fs::write(&samples, text.replacen(from, to, 1)).expect("written");
        for command in [&["report", out][..], &["plot", out], &["diff", out, out]] {
            let (code, stdout, stderr) = folioscope(command);
            assert_eq!(code, 2, "{stderr}");
            assert!(stderr.contains(named), "{named}: {stderr}");
            assert_eq!(stdout, "");
        }
    }
    fs::write(&samples, &text[..text.len() - 30]).expect("written");
    let (code, _, stderr) = folioscope(&["report", out]);
    assert_eq!(code, 2);
    assert!(stderr.contains("cut off"), "{stderr}");
}

#[test]
fn report_and_diff_speak_json_and_a_pipe_gets_no_bar() {
    let folder = TempDir::new().expect("a folder");
    let run = folder.path().join("run");
    let out = run.to_str().expect("UTF-8");
    let mut args = SMALL.to_vec();
    args.extend([
        "auto",
        "--processes",
        "1",
        "--budget",
        "60",
        "--json",
        "--out",
        out,
    ]);
    let (code, stdout, stderr) = folioscope(&args);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        !stderr.contains('\r') && !stderr.contains('\u{1b}'),
        "{stderr:?}"
    );
    let objects = |text: &str| {
        text.lines()
            .filter(|line| {
                serde_json::from_str::<serde_json::Value>(line)
                    .expect("JSON")
                    .is_object()
            })
            .count()
    };
    assert!(objects(&stdout) >= 6, "two cells of three slots");
    let (code, stdout, stderr) = folioscope(&["report", out, "--json"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(objects(&stdout) >= 2);
    let (code, stdout, _) = folioscope(&["diff", out, out, "--json", "--threshold", "0"]);
    assert_eq!(code, 0, "a run does not differ from itself");
    assert!(objects(&stdout) >= 4);
    let (code, text, _) = folioscope(&["report", out, "--full"]);
    assert_eq!(code, 0);
    let report = run.join("report.txt");
    assert!(!report.exists(), "a report changes nothing");
    let (code, ..) = folioscope(&["report", out, "--write"]);
    assert_eq!(code, 0);
    assert!(
        text.lines().all(|line| line.chars().count() <= 72),
        "a mail has 72 columns"
    );
    assert_eq!(fs::read_to_string(report).expect("written"), text);
}

#[test]
fn a_slower_run_is_beyond_the_threshold() {
    let folder = TempDir::new().expect("a folder");
    let old = measured(&folder);
    let new = folder.path().join("slow");
    fs::create_dir(&new).expect("a folder");
    fs::copy(old.join("env.json"), new.join("env.json")).expect("copied");
    // Both with times that do not depend on what else runs here; in the second, one design
    // is three times as slow.
    let rows = load(&old).rows;
    for (folder, factor) in [(&old, 1.0), (&new, 3.0)] {
        let mut text = String::new();
        for row in &rows {
            let mut row = row.clone();
            if let Row::Sample(sample) = &mut row {
                let slow = sample.design == "folio"
                    && sample
                        .params
                        .get("order")
                        .is_some_and(|order| order.to_string() == "9");
                let factor = if slow { factor } else { 1.0 };
                for (at, round) in sample.rounds.iter_mut().enumerate() {
                    *round = (10.0 + 0.01 * (at % 3) as f64) * factor;
                }
            }
            text.push_str(&serde_json::to_string(&row).expect("JSON"));
            text.push('\n');
        }
        fs::write(folder.join(SAMPLES_FILE), text).expect("written");
        let env = folder.join("env.json");
        let doctored = results::Environment {
            rows: None,
            ..results::read_environment(&env).expect("a sound environment")
        };
        results::write_environment(&env, &doctored).expect("written");
    }
    let (old, new) = (old.to_str().expect("UTF-8"), new.to_str().expect("UTF-8"));
    let (code, table, stderr) = folioscope(&["diff", old, new, "--threshold", "50"]);
    assert_eq!(code, 3, "{table}{stderr}");
    assert!(
        table.contains("Slower") && stderr.contains("worse by more than 50 %"),
        "{table}{stderr}"
    );
    let (code, _, _) = folioscope(&["diff", new, old, "--threshold", "50"]);
    assert_eq!(code, 0, "faster is no failure");
}
