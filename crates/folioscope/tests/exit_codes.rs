//! The table of exit codes in `crates/CI.md`: each command gives the codes that it lists, and its
//! help lists the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::made::{folioscope, run};
use results::SAMPLES_FILE;
use serde_json::Value as Json;
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The codes above 1 that the table gives each command.
fn table() -> BTreeMap<String, BTreeSet<i32>> {
    let text = fs::read_to_string(root().join("crates/CI.md")).expect("the document");
    let (_, below) = text.split_once("## Exit codes").expect("the heading");
    let rows = below.lines().skip_while(|line| !line.starts_with("|---"));
    let rows = rows.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let codes = [(0, cells[2]), (2, cells[3]), (3, cells[4])];
        let codes = codes.iter().filter(|(_, when)| !when.is_empty());
        (
            cells[1].trim_matches('`').to_owned(),
            codes.map(|(code, _)| *code).collect(),
        )
    })
    .collect()
}

/// A record of a kernel's counts with the first one changed, or left out.
fn kernel(folder: &Path, name: &str, change: impl Fn(&mut Json) -> bool) -> String {
    let committed = root().join("bench-results/kernel/6.1.jsonl");
    let text = fs::read_to_string(committed).expect("a record");
    let mut lines: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let first = lines
        .iter()
        .position(|line| line.get("primitive").is_some());
    let first = first.expect("a count");
    if !change(&mut lines[first]) {
        lines.remove(first);
        let counts = lines[0]["counts"].as_u64().expect("a number");
        lines[0]["counts"] = (counts - 1).into();
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(folder.join(name), text).expect("written");
    name.to_owned()
}

#[test]
fn every_command_gives_the_codes_of_the_table() {
    let folder = TempDir::new().expect("a folder");
    let here = folder.path();
    let (one, day) = ("a/one", "2026-11-01T05:00:00Z");
    run(here, one, day, 5.0);
    run(here, "a/slower", "2026-11-02T05:00:00Z", 6.0);
    let lost = run(here, "b/lost", "2026-11-03T05:00:00Z", 5.0);
    let samples = lost.join(SAMPLES_FILE);
    let text = fs::read_to_string(&samples).expect("rows");
    let kept = text.lines().filter(|line| !line.contains("\"folio\""));
    fs::write(
        &samples,
        kept.map(|line| format!("{line}\n")).collect::<String>(),
    )
    .expect("written");
    let same = kernel(here, "same", |_| true);
    let grown = kernel(here, "grown", |count| {
        let most = count["max"].as_u64().expect("a number");
        count["min"] = (most * 2).into();
        count["max"] = (most * 2).into();
        true
    });
    let gone = kernel(here, "gone", |_| false);
    let sound = root().join("crates/conformance/cases/ledger.jsonl");
    let sound = sound.to_str().expect("UTF-8");
    fs::write(here.join("bad"), "{}\n").expect("written");

    let said: [(&str, i32, &[&str]); 20] = [
        ("diff", 0, &["diff", one, one, "--threshold", "5"]),
        ("diff", 0, &["diff", one, "a/slower"]),
        ("diff", 3, &["diff", one, "a/slower", "--threshold", "5"]),
        ("diff", 2, &["diff", one, "b/lost", "--threshold", "5"]),
        ("diff", 2, &["diff", one, "b/lost", "--json"]),
        ("diff", 2, &["diff", one, "b/lost", "--changed"]),
        (
            "kernel diff",
            0,
            &["kernel", "diff", &same, &same, "--threshold", "0"],
        ),
        ("kernel diff", 0, &["kernel", "diff", &same, &grown]),
        (
            "kernel diff",
            3,
            &["kernel", "diff", &same, &grown, "--threshold", "99"],
        ),
        (
            "kernel diff",
            3,
            &[
                "kernel",
                "diff",
                &same,
                &grown,
                "--threshold",
                "99",
                "--json",
            ],
        ),
        (
            "kernel diff",
            0,
            &[
                "kernel",
                "diff",
                &same,
                &grown,
                "--threshold",
                "100",
                "--markdown",
            ],
        ),
        ("kernel diff", 2, &["kernel", "diff", &same, &gone]),
        ("history", 0, &["history", "--store", "."]),
        (
            "history",
            0,
            &[
                "history",
                "--store",
                ".",
                "--machine",
                "a",
                "--threshold",
                "30",
            ],
        ),
        (
            "history",
            3,
            &[
                "history",
                "--store",
                ".",
                "--machine",
                "a",
                "--threshold",
                "10",
            ],
        ),
        (
            "history",
            2,
            &[
                "history",
                "--store",
                ".",
                "--machine",
                "b",
                "--threshold",
                "10",
            ],
        ),
        ("cases run", 0, &["cases", "run", sound]),
        ("cases run", 2, &["cases", "run", "bad"]),
        ("gate", 2, &["gate", "--workload", "merging/none"]),
        ("measure", 2, &["measure", "--workload", "merging/none"]),
    ];
    let table = table();
    for (command, expected, args) in said {
        let (code, stdout, stderr) = folioscope(here, args);
        assert_eq!(code, expected, "{args:?}: {stdout}{stderr}");
        assert!(
            table[command].contains(&code),
            "{command}: {code} is not in the table"
        );
    }
}

#[test]
fn help_lists_the_codes_of_the_table() {
    let folder = TempDir::new().expect("a folder");
    let limits = table().into_iter().filter(|(_, codes)| codes.contains(&3));
    let limits: BTreeMap<String, BTreeSet<i32>> = limits.collect();
    assert!(limits.len() >= 5, "{limits:?}");
    for (command, codes) in limits {
        let mut args: Vec<&str> = command
            .split(' ')
            .filter(|word| *word != "--check")
            .collect();
        args.push("--help");
        let (code, stdout, _) = folioscope(folder.path(), &args);
        assert_eq!(code, 0);
        let (_, listed) = stdout
            .split_once("Exit codes")
            .unwrap_or_else(|| panic!("{command}: its help lists no exit codes"));
        for code in codes {
            let listed = listed
                .split(|c: char| !c.is_ascii_digit())
                .any(|word| word == code.to_string());
            assert!(listed, "{command}: {code} is not in its help");
        }
    }
}
