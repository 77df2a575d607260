//! Instructions, counted by valgrind's callgrind.
//!
//! A program that says on its standard output what each call of some functions was about, one
//! line a call, runs once under callgrind; after every such call callgrind writes down what it
//! has counted since the last one. So a whole group of calls costs one process, and each call
//! still has a count of its own, exact to the instruction.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::profile::{OPTIONS, Part, Profile};

/// An error of counting.
#[derive(Debug, thiserror::Error)]
pub enum NoCounts {
    /// No valgrind, or one that cannot start.
    #[error("valgrind cannot be started ({0}): run scripts/setup, or `apt-get install valgrind`")]
    NoValgrind(std::io::Error),
    /// The program or valgrind failed.
    #[error("under valgrind the program ended with {status}: {stderr}")]
    Failed {
        /// How it ended.
        status: std::process::ExitStatus,
        /// The end of what was said about it.
        stderr: String,
    },
    /// The calls that were announced are not those that were counted.
    #[error(
        "{said} calls were announced and {counted} were counted: is a counted function inlined?"
    )]
    Unmatched {
        /// Lines of the program's output.
        said: usize,
        /// Calls that callgrind counted.
        counted: usize,
    },
    /// Callgrind's file or the program's output cannot be read.
    #[error("callgrind's counts cannot be read: {0}")]
    Unreadable(String),
}

/// Functions that are counted.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// Names that these patterns fit (`*` and `?` as in a shell), demangled.
    Like(&'a [&'a str]),
    /// These symbols, mangled: a closure has its function's name in its own, and would be
    /// counted as another call of it by a pattern.
    Symbols(&'a [String]),
}

/// A call that was counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counted {
    /// The program's label for it.
    pub label: String,
    /// Instructions from the function's first to its return, callees included.
    pub instructions: u64,
}

/// All calls of a run: what was said of each stands at the place of its part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Calls {
    /// The labels that the program printed.
    pub labels: Vec<String>,
    /// Callgrind's counts, one part for each label.
    pub profile: Profile,
}

/// Runs `program` with `args` and counts each call of the functions that `patterns` name
/// (`*` and `?` as in a shell, over demangled names).
///
/// # Errors
/// [`NoCounts`].
pub fn count<S: AsRef<OsStr>>(
    program: &Path,
    args: &[S],
    patterns: &[&str],
) -> Result<Vec<Counted>, NoCounts> {
    let calls = run(program, args, Wanted::Like(patterns))?;
    let counts = calls.profile.parts.iter().map(|part| part.instructions);
    Ok(calls
        .labels
        .into_iter()
        .zip(counts)
        .map(|(label, instructions)| Counted {
            label,
            instructions,
        })
        .collect())
}

/// The same with all that callgrind knows of each call.
///
/// # Errors
/// [`NoCounts`].
pub fn run<S: AsRef<OsStr>>(
    program: &Path,
    args: &[S],
    wanted: Wanted<'_>,
) -> Result<Calls, NoCounts> {
    let unreadable = |e: std::io::Error| NoCounts::Unreadable(e.to_string());
    let dir = tempfile::tempdir().map_err(unreadable)?;
    let file = dir.path().join("callgrind.out");
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .args(OPTIONS)
        .arg(format!("--callgrind-out-file={}", file.display()));
    let names: Vec<&str> = match wanted {
        Wanted::Like(patterns) => patterns.to_vec(),
        Wanted::Symbols(symbols) => {
            command.arg("--demangle=no");
            symbols.iter().map(String::as_str).collect()
        }
    };
    for name in names {
        command.arg(format!("--toggle-collect={name}"));
        // The same name, spelled differently: valgrind 3.19 keeps one request per spelling.
        command.arg(format!("--dump-after=*{name}"));
    }
    let output = command
        .arg(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(NoCounts::NoValgrind)?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let tail = stderr.lines().rev().take(8).collect::<Vec<_>>();
        return Err(NoCounts::Failed {
            status: output.status,
            stderr: tail.into_iter().rev().collect::<Vec<_>>().join("\n"),
        });
    }
    let written = std::fs::read(&file).map_err(unreadable)?;
    // The path of a library may be anything.
    let profile = Profile::read(&String::from_utf8_lossy(&written))
        .map_err(|torn| NoCounts::Unreadable(format!("{}: {torn}", file.display())))?;
    pair(&String::from_utf8_lossy(&output.stdout), profile)
}

/// The version of the counter: `valgrind-3.19.0`.
///
/// # Errors
/// [`NoCounts::NoValgrind`].
pub fn version() -> Result<String, NoCounts> {
    let output = Command::new("valgrind").arg("--version").output();
    let output = output.map_err(NoCounts::NoValgrind)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Matches what was announced with what was counted.
fn pair(said: &str, mut profile: Profile) -> Result<Calls, NoCounts> {
    let of_call = |part: &Part| part.trigger.starts_with("--dump-after");
    profile.parts.retain(of_call);
    let labels: Vec<String> = said.lines().map(str::to_owned).collect();
    if labels.len() != profile.parts.len() {
        return Err(NoCounts::Unmatched {
            said: labels.len(),
            counted: profile.parts.len(),
        });
    }
    Ok(Calls { labels, profile })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(triggers: &[(&str, u64)]) -> Profile {
        let part = |&(trigger, instructions): &(&str, u64)| Part {
            trigger: trigger.to_owned(),
            instructions,
            costs: Vec::new(),
            calls: Vec::new(),
        };
        Profile {
            functions: Vec::new(),
            parts: triggers.iter().map(part).collect(),
        }
    }

    #[test]
    fn each_triggered_dump_is_the_count_of_the_call_told_of_at_its_place() {
        let profile = parts(&[
            ("--dump-after=op_a", 51),
            ("Client Request: x", 7),
            ("--dump-after=op_b", 92),
        ]);
        let calls = pair("a\nb\n", profile).unwrap();
        let counts: Vec<u64> = calls.profile.parts.iter().map(|p| p.instructions).collect();
        assert_eq!(
            (calls.labels, counts),
            (vec!["a".into(), "b".into()], vec![51, 92])
        );
    }

    #[test]
    fn a_call_that_was_inlined_away_is_noticed() {
        let profile = parts(&[("--dump-after=op_a", 51), ("--dump-after=op_b", 92)]);
        assert!(matches!(
            pair("a\nb\nc\n", profile),
            Err(NoCounts::Unmatched {
                said: 3,
                counted: 2
            })
        ));
    }
}
