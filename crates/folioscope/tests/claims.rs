//! `claims` and `post` as a user meets them, on the committed results.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn run_in(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("folioscope")
        .expect("the binary was built with the tests")
        .args(args)
        .current_dir(folder)
        .output()
        .expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().expect("no signal"),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn every_claim_is_an_object_with_verdict_and_command() {
    let (code, stdout, stderr) = run_in(&root(), &["claims", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let claims: Vec<serde_json::Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(claims.len(), 16);
    for (at, claim) in claims.iter().enumerate() {
        assert_eq!(claim["id"], at + 1);
        assert_eq!(claim["verdict"], claim["expected"], "claim {}", at + 1);
        assert!(
            claim["repeat"]
                .as_str()
                .is_some_and(|text| text.contains("--check"))
        );
    }
}

#[test]
fn the_first_screen_of_the_committed_run_fits() {
    let (_, json, _) = run_in(&root(), &["claims", "--markdown"]);
    assert!(json.starts_with("| "), "{json}");
    let (code, mail, stderr) = run_in(&root(), &["post"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        mail.lines().count() <= 60 && mail.lines().all(|line| line.len() <= 72),
        "{mail}"
    );
    let (code, _, stderr) = run_in(&root(), &["post", "--claims", "3,99"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("no claim 99; there are 1 to 16"),
        "{stderr}"
    );
}

#[test]
fn a_claim_that_cannot_be_judged_is_no_success() {
    for (id, why) in [("99", "there are 1 to 16"), ("14", "not measurable here")] {
        let (code, stdout, stderr) = run_in(&root(), &["claims", "--check", id]);
        assert_eq!(code, 2, "{stdout}{stderr}");
        assert!((stdout + &stderr).contains(why), "{id}");
    }
}

/// A store with one claim, which rests on recorded counts alone.
fn store_with(expected: &str) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let store = folder.path().join("bench-results");
    for part in ["kernel", "kernel/lines", "kernel/source", "fidelity"] {
        std::fs::create_dir_all(store.join(part)).expect("a folder");
        let from = root().join("bench-results").join(part);
        for entry in std::fs::read_dir(from).expect("committed") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|ending| ending == "jsonl") {
                let name = path.file_name().expect("a file has a name");
                std::fs::copy(&path, store.join(part).join(name)).expect("copied");
            }
        }
    }
    let count = |order| format!("count bio_for_each_segment order={order} linux-6.12");
    let header = serde_json::json!({"schema": 1, "claims": 1, "screen":
        {"contenders": [], "hidden": [], "orders": [], "rows": [], "kernels": []}});
    let claim = serde_json::json!({"id": 1, "who": "Nobody", "short": "walks grow",
        "claim": "A walk by page grows with the order.", "because": "It does.",
        "unfair": "Nothing.", "expected": expected,
        "numbers": [{"key": "grows", "says": "order 9 over 0", "of": count(9), "over": count(0),
            "at_least": 100.0}],
        "rule": [{"verdict": "holds", "if": ["grows"]},
            {"verdict": "does not hold", "if": ["!grows"]}]});
    std::fs::write(store.join("claims.jsonl"), format!("{header}\n{claim}\n")).expect("written");
    folder
}

#[test]
fn a_verdict_that_does_not_stand_is_exit_3() {
    for (expected, wanted) in [("holds", 0), ("does not hold", 3), ("not measured", 0)] {
        let folder = store_with(expected);
        let (code, stdout, stderr) = run_in(folder.path(), &["claims", "--check", "1"]);
        assert_eq!(code, wanted, "{expected}: {stdout}{stderr}");
        assert!(stdout.contains("HOLDS."), "{stdout}");
    }
}

#[test]
fn a_claim_that_names_no_number_is_refused_with_its_line() {
    let folder = store_with("holds");
    let file = folder.path().join("bench-results/claims.jsonl");
    let text = std::fs::read_to_string(&file).expect("written");
    std::fs::write(&file, text.replace("\"!grows\"", "\"!shrinks\"")).expect("written");
    let (code, _, stderr) = run_in(folder.path(), &["claims", "--check", "1"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("claims.jsonl:2: field `rule`: `shrinks` is not a number"),
        "{stderr}"
    );
}

#[test]
fn outside_of_a_checkout_it_says_what_is_missing() {
    let empty = TempDir::new().expect("a folder");
    for command in [&["claims"][..], &["post"]] {
        let (code, stdout, stderr) = run_in(empty.path(), command);
        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(stderr.contains("bench-results"), "{stderr}");
    }
}
