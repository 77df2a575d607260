//! The tool of another revision, built in a work tree of its own.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::failure::Failure;
use crate::say::say;

/// Builds a revision as this tool was built, and returns where the program is. Builds are kept in
/// `target/against`.
///
/// # Errors
/// [`Failure::Usage`] for an unknown revision, or one that does not build.
pub(super) fn built(revision: &str) -> Result<PathBuf, Failure> {
    let top = PathBuf::from(git(Path::new("."), ["rev-parse", "--show-toplevel"])?);
    let named = format!("{revision}^{{commit}}");
    let commit = git(&top, ["rev-parse", "--verify", "--quiet", named.as_str()])
        .map_err(|_| Failure::Usage(format!("--against {revision}: git knows no such commit")))?;
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "bench"
    };
    let folder = top.join("target").join("against");
    let program = folder.join(format!("folioscope-{commit}-{profile}"));
    if program.is_file() {
        return Ok(program);
    }
    say!("folioscope: building {revision} ({commit}), which takes as long as any build");
    fs::create_dir_all(&folder).map_err(|error| refused(&folder, &error))?;
    let tree = folder.join(format!("tree-{commit}"));
    // What a build that was killed has left.
    let _ = git(&top, remove(&tree));
    git(
        &top,
        [
            OsStr::new("worktree"),
            "add".as_ref(),
            "--detach".as_ref(),
            tree.as_os_str(),
            commit.as_ref(),
        ],
    )?;
    let made = cargo(&tree, &folder.join("build"), profile);
    let _ = git(&top, remove(&tree));
    // Renamed into place: one that is there is whole.
    let part = program.with_extension("part");
    fs::copy(made?, &part)
        .and_then(|_| fs::rename(&part, &program))
        .map_err(|error| refused(&program, &error))?;
    Ok(program)
}

fn remove(tree: &Path) -> [&OsStr; 4] {
    [
        "worktree".as_ref(),
        "remove".as_ref(),
        "--force".as_ref(),
        tree.as_os_str(),
    ]
}

fn refused(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Wrong(format!("{}: {error}", path.display()))
}

/// Builds the tool of a work tree; returns where the program is.
fn cargo(tree: &Path, target: &Path, profile: &str) -> Result<PathBuf, Failure> {
    let output = Command::new("cargo")
        .args([
            "build",
            "--quiet",
            "--package",
            "folioscope",
            "--bin",
            "folioscope",
        ])
        .args(["--profile", profile, "--message-format=json"])
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", target)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::Usage(format!("cannot run cargo: {error}")))?;
    if !output.status.success() {
        return Err(Failure::Usage(
            "the old revision does not build here".to_owned(),
        ));
    }
    executable(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| Failure::Usage("cargo built no folioscope".to_owned()))
}

/// The program that cargo says it has made.
fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let mut programs =
        messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    programs.next_back()
}

fn git(
    folder: &Path,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<String, Failure> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(args)
        .output();
    let output = output.map_err(|error| Failure::Usage(format!("cannot run git: {error}")))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => {
            let words = String::from_utf8_lossy(&output.stderr);
            Err(Failure::Usage(format!("git: {}", words.trim())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_where_cargo_says() {
        let said = "{\"reason\":\"compiler-artifact\",\"executable\":null}\nwarning: x\n\
                    {\"reason\":\"compiler-artifact\",\"executable\":\"/t/bench/folioscope\"}\n";
        assert_eq!(executable(said), Some("/t/bench/folioscope".into()));
        assert_eq!(executable("{\"reason\":\"build-finished\"}\n"), None);
    }
}
