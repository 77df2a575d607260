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

#[test]
fn outside_of_a_checkout_it_says_what_is_missing() {
    let empty = TempDir::new().expect("a folder");
    for command in [&["claims"][..], &["post"]] {
        let (code, stdout, stderr) = run_in(empty.path(), command);
        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(stderr.contains("bench-results"), "{stderr}");
    }
}
