//! The gate as CI meets it: exit codes, what it names, and what it leaves alone.
//!
//! The binary under test is not optimised, so it has baselines of its own, made here. Where
//! there is no valgrind the gate must say so and not pass; the other tests then have nothing
//! to count and are passed over.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use assert_cmd::Command;
use tempfile::TempDir;

/// One workload, to be quick; it is one of those that must be steady.
const WORKLOAD: &str = "iteration/chunks";

fn folioscope() -> Command {
    let mut command =
        Command::cargo_bin("folioscope").expect("the binary was built with the tests");
    command.env_remove("RUST_BACKTRACE");
    command.env("FOLIOSCOPE_ALLOW_DEBUG", "true");
    command
}

/// Exit code, standard output, standard error, of instructions alone.
fn gate(baseline: &Path, args: &[&str]) -> (i32, String, String) {
    gate_on_both(baseline, &[args, &["--no-lines"]].concat())
}

/// The same of instructions and lines.
fn gate_on_both(baseline: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = folioscope();
    command
        .arg("gate")
        .arg("--baseline")
        .arg(baseline)
        .args(args);
    answer(&mut command)
}

fn answer(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    (output.status.code().expect("no signal"), stdout, stderr)
}

fn has_valgrind() -> bool {
    let valgrind = std::process::Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    valgrind.is_ok_and(|status| status.success())
}

/// A folder with a baseline that was just blessed; `None` without valgrind.
fn blessed() -> Option<(TempDir, PathBuf)> {
    if !has_valgrind() {
        eprintln!("passed over: no valgrind (scripts/setup)");
        return None;
    }
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("made/base.json");
    let (code, stdout, stderr) = gate(&path, &["--bless", "--workload", WORKLOAD]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(
        stdout.contains("not in the baseline"),
        "it says what changes: {stdout}"
    );
    Some((folder, path))
}

/// The baseline with one loop made cheaper: by `less` instructions of its costliest function.
fn cheaper(text: &str, design: &str, order: u64, less: u64) -> String {
    let changed = text.lines().map(|line| {
        let count = line.trim_end_matches(',');
        let Ok(mut count) = serde_json::from_str::<serde_json::Value>(count) else {
            return line.to_owned();
        };
        if count["loop"]["design"] != design || count["loop"]["params"]["order"] != order {
            return line.to_owned();
        }
        let functions = count["functions"].as_object_mut().expect("functions");
        let costliest = functions.values_mut().max_by_key(|n| n.as_u64());
        let costliest = costliest.expect("a function");
        *costliest = (costliest.as_u64().expect("a number") - less).into();
        let all = count["instructions"].as_u64().expect("a number");
        count["instructions"] = (all - less).into();
        let comma = if line.ends_with(',') { "," } else { "" };
        format!("{count}{comma}")
    });
    changed.map(|line| line + "\n").collect()
}

#[test]
fn counts_repeat_exactly_wherever_they_are_taken() {
    let Some((folder, path)) = blessed() else {
        return;
    };
    let mut elsewhere = folioscope();
    elsewhere
        .args([
            "gate",
            "--no-lines",
            "--workload",
            WORKLOAD,
            "--json",
            "--baseline",
        ])
        .arg(&path)
        .current_dir(folder.path())
        .env("SOMETHING_LONG", "x".repeat(5000));
    let (code, stdout, stderr) = answer(&mut elsewhere);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(!stdout.contains("\"type\":\"moved\""), "{stdout}");
    let summary = stdout.lines().last().expect("a summary");
    assert!(summary.contains("\"outcome\":\"within\""), "{summary}");
}

#[test]
fn a_slower_loop_is_caught_with_its_function_and_blessed_only_when_asked() {
    let Some((folder, path)) = blessed() else {
        return;
    };
    let honest = fs::read_to_string(&path).expect("a baseline");
    let lower = cheaper(&honest, "headpage", 9, 5);
    assert_ne!(lower, honest);
    fs::write(&path, &lower).expect("written");
    let flames = folder.path().join("flames");
    let (code, stdout, stderr) = gate(
        &path,
        &[
            "--workload",
            WORKLOAD,
            "--limit",
            "0",
            "--flamegraph",
            flames.to_str().expect("UTF-8"),
        ],
    );
    assert_eq!(code, 3, "{stdout}{stderr}");
    let row = stdout
        .lines()
        .find(|line| line.starts_with("! headpage 6.12"));
    let row = row.unwrap_or_else(|| panic!("no row for it: {stdout}"));
    assert!(row.split_whitespace().any(|word| word == "9"), "{row}");
    let below = stdout
        .split(row)
        .nth(1)
        .expect("more")
        .lines()
        .nth(1)
        .expect("a line");
    assert!(
        below.contains("+5  ") && below.contains(".rs "),
        "its function: {stdout}"
    );
    let svg = fs::read_to_string(flames.join("iteration-chunks-headpage-6.12-order9.svg"));
    assert!(
        svg.expect("a flame graph")
            .contains("workloads/iteration/chunks.rs entry")
    );
    assert_eq!(
        fs::read_dir(&flames).expect("a folder").count(),
        1,
        "of what moved"
    );
    assert_eq!(
        fs::read_to_string(&path).expect("still there"),
        lower,
        "a gate writes nothing"
    );

    let (_, table, _) = gate(&path, &["--workload", WORKLOAD, "--markdown"]);
    let row = |line: &str| line.starts_with("| ! headpage 6.12<br>") && line.contains(" | 9 | ");
    assert!(
        table.contains("| iteration/chunks | order | base |") && table.lines().any(row),
        "{table}"
    );
    let (code, _, _) = gate(&path, &["--workload", WORKLOAD, "--bless"]);
    assert_eq!(code, 0);
    assert_eq!(fs::read_to_string(&path).expect("still there"), honest);
}

#[test]
fn a_missing_entry_is_an_error_that_says_so() {
    let Some((_folder, path)) = blessed() else {
        return;
    };
    let all = fs::read_to_string(&path).expect("a baseline");
    let (head, counts) = all.split_once("{\"loop\"").expect("a count");
    let (_, rest) = counts.split_once('\n').expect("a line");
    let fewer = format!("{head}{rest}");
    fs::write(&path, &fewer).expect("written");
    let (code, _, stderr) = gate(&path, &["--workload", WORKLOAD]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("the record ends after"), "{stderr}");
    // Nor does a header that agrees with what is left make it whole.
    let all = counts.matches("\"instructions\"").count();
    let counted = |n: usize| format!("\"counts\":{n}}}");
    assert!(fewer.contains(&counted(all)), "{head}");
    fs::write(&path, fewer.replace(&counted(all), &counted(all - 1))).expect("written");
    let (code, stdout, stderr) = gate(&path, &["--workload", WORKLOAD]);
    assert_eq!(code, 2, "{stdout}");
    assert!(
        stdout.contains("not in the baseline") && stderr.contains("one side only"),
        "{stdout}{stderr}"
    );
}

#[test]
fn a_baseline_that_is_damaged_or_of_another_toolchain_is_refused_before_anything_is_counted() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("base.json");
    let good = r#"{"schema":1,"target":"other","rustc":"rustc 1.80.0 (x)","optimised":true,"valgrind":"v","counts":0}
"#;
    for (text, words) in [
        (good, &["another toolchain", "rustc 1.80.0", "--bless"][..]),
        (
            "{\n\"schema\":1,\n \"target\"",
            &["base.json:3", "field `.`", "no JSON"],
        ),
        (
            &good.replace(":0}", ":{}}"),
            &["base.json:1", "field `counts`"],
        ),
        (
            good.trim_end(),
            &["base.json:1", "the last line is cut off"],
        ),
    ] {
        fs::write(&path, text).expect("written");
        // No valgrind is needed to find that out.
        for args in [&["--workload", WORKLOAD][..], &["--bless"]] {
            let mut command = folioscope();
            command
                .env("PATH", "")
                .arg("gate")
                .arg("--baseline")
                .arg(&path)
                .args(args);
            let (code, stdout, stderr) = answer(&mut command);
            assert_eq!((code, stdout.as_str()), (2, ""), "{text}: {stderr}");
            assert!(
                words.iter().all(|word| stderr.contains(word)),
                "{words:?}: {stderr}"
            );
            assert_eq!(fs::read_to_string(&path).expect("still there"), text);
        }
    }
    let (code, _, stderr) = gate(&folder.path().join("none.json"), &[]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("none.json: there is no baseline") && stderr.contains("base.json"),
        "{stderr}"
    );
}

#[test]
fn without_valgrind_nothing_passes_and_nothing_is_blessed() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("base.json");
    let mut command = folioscope();
    command
        .env("PATH", "")
        .args(["gate", "--bless", "--baseline"])
        .arg(&path);
    let (code, stdout, stderr) = answer(&mut command);
    assert_eq!(code, 2, "{stdout}");
    assert!(stderr.contains("scripts/setup"), "{stderr}");
    assert!(!path.exists());
}

/// A `valgrind` that leaves half a file behind, as one that is killed does.
#[test]
fn a_half_written_callgrind_file_is_named_and_refused() {
    let folder = TempDir::new().expect("a folder");
    let fake = folder.path().join("valgrind");
    let script = "#!/bin/sh\nfor arg; do case $arg in --callgrind-out-file=*) out=${arg#*=};; esac; done\n\
        printf '# callgrind format\\nversion: 1\\npart: 1\\nsummary: 12' >\"$out\"\n";
    fs::write(&fake, script).expect("written");
    let runs = std::process::Command::new("chmod")
        .arg("+x")
        .arg(&fake)
        .status();
    assert!(runs.is_ok_and(|status| status.success()));
    let path = folder.path().join("base.json");
    let mut command = folioscope();
    command.env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()));
    command
        .args(["gate", "--no-lines", "--bless", "--baseline"])
        .arg(&path);
    let (code, _, stderr) = answer(&mut command);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("callgrind.out: line 4") && stderr.contains("cut off"),
        "{stderr}"
    );
    assert!(!path.exists());
}

#[test]
fn of_two_that_bless_at_once_one_is_refused_before_it_counts() {
    let folder = TempDir::new().expect("a folder");
    let baseline = folder.path().join("baseline.jsonl");
    let other = results::RunLock::take(folder.path()).expect("free");
    let (code, stdout, stderr) = gate(&baseline, &["--bless", "--workload", WORKLOAD]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    let by = format!("process {} blesses", std::process::id());
    assert!(stderr.contains(&by), "{stderr}");
    assert!(!baseline.exists());
    drop(other);
    if has_valgrind() {
        let (code, _, stderr) = gate(&baseline, &["--bless", "--workload", WORKLOAD]);
        assert_eq!(code, 0, "{stderr}");
        let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}

#[test]
fn a_gate_that_is_killed_leaves_the_baseline_as_it_was() {
    let Some((folder, path)) = blessed() else {
        return;
    };
    let before = fs::read_to_string(&path).expect("a baseline");
    // Lower than what will be counted, so that a blessing would be seen.
    let lower = cheaper(&before, "headpage", 9, 5);
    fs::write(&path, &lower).expect("written");
    // A valgrind that kills the gate which waits for it.
    let fake = folder.path().join("valgrind");
    fs::write(&fake, "#!/bin/sh\nkill -9 $PPID\n").expect("written");
    let runs = std::process::Command::new("chmod")
        .arg("+x")
        .arg(&fake)
        .status();
    assert!(runs.is_ok_and(|status| status.success()));
    let mut command = folioscope();
    command.env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()));
    command
        .args([
            "gate",
            "--no-lines",
            "--workload",
            WORKLOAD,
            "--bless",
            "--baseline",
        ])
        .arg(&path);
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), None, "it was killed");
    assert_eq!(fs::read_to_string(&path).expect("still there"), lower);
    let beside = fs::read_dir(path.parent().expect("a folder")).expect("a folder");
    let mut beside: Vec<_> = beside.map(|file| file.expect("it reads").path()).collect();
    // The kernel frees the lock, once a child that was just begun is gone too; its file stays.
    beside.retain(|file| !file.ends_with(".lock"));
    assert_eq!(beside, [path], "nothing half-written lies beside it");
}

#[test]
fn an_unoptimised_build_is_not_held_to_the_committed_counts() {
    if !cfg!(debug_assertions) {
        return;
    }
    // Allowed or not; without leave it measures nothing at all.
    let (code, _, stderr) = answer(folioscope().arg("gate"));
    assert_eq!(code, 2);
    assert!(stderr.contains("an unoptimised build"), "{stderr}");
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("base.json");
    for command in [
        &["gate", "--bless", "--baseline"][..],
        &["measure", "--out"],
    ] {
        let mut unasked = folioscope();
        unasked.env_remove("FOLIOSCOPE_ALLOW_DEBUG");
        let (code, _, stderr) = answer(unasked.args(command).arg(&path));
        assert_eq!(code, 2);
        assert!(stderr.contains("unoptimised"), "{stderr}");
        assert!(!path.exists(), "nothing was measured");
    }
}

#[path = "gate/lines.rs"]
mod lines;
