//! Tells the tool what it was built from: revision, compiler, target. Outside a git work
//! tree, or without git, the revision stays unknown.

use std::path::Path;
use std::process::Command;

/// The paths whose changes make another tool: not results, not documents.
const SOURCES: [&str; 5] = [
    "crates",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    ".cargo",
];

fn main() {
    println!(
        "cargo::rustc-env=FOLIOSCOPE_TARGET={}",
        std::env::var("TARGET").unwrap_or_default()
    );
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = answer(Command::new(rustc).arg("--version")).unwrap_or_default();
    println!("cargo::rustc-env=FOLIOSCOPE_RUSTC={version}");

    let root = Path::new("../..");
    let git = |args: &[&str]| answer(Command::new("git").arg("-C").arg(root).args(args));
    let revision = git(&["rev-parse", "HEAD"]).unwrap_or_default();
    let mut status = vec!["status", "--porcelain", "--"];
    status.extend(SOURCES);
    let dirty = git(&status).is_some_and(|changes| !changes.is_empty());
    println!("cargo::rustc-env=FOLIOSCOPE_REVISION={revision}");
    println!("cargo::rustc-env=FOLIOSCOPE_DIRTY={dirty}");

    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    // Every commit, checkout and reset is written there.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        let log = root.join(log);
        if log.exists() {
            println!("cargo::rerun-if-changed={}", log.display());
        }
    }
}

/// The trimmed output of a command; `None` if it fails.
fn answer(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
