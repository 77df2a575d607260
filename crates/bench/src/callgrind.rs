//! Instructions, counted by valgrind's callgrind.
//!
//! A program that says on its standard output what each call of some functions was about, one
//! line a call, runs once under callgrind; after every such call callgrind writes down what it
//! has counted since the last one. So a whole group of calls costs one process, and each call
//! still has a count of its own, exact to the instruction.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Why there are no counts.
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
    /// The calls that were told of are not those that were counted.
    #[error("{said} calls were told of and {counted} were counted: is a counted function inlined?")]
    Unmatched {
        /// Lines of the program's output.
        said: usize,
        /// Calls that callgrind met.
        counted: usize,
    },
    /// Callgrind's file or the program's output cannot be read.
    #[error("callgrind's counts cannot be read: {0}")]
    Unreadable(String),
}

/// A call that was counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counted {
    /// What the program said of it.
    pub label: String,
    /// Instructions from the function's first to its return, callees included.
    pub instructions: u64,
}

/// Runs `program` with `args` and counts each call of the functions that `patterns` name
/// (`*` and `?` as in a shell, over demangled names).
///
/// # Errors
/// [`NoCounts`].
pub fn count<S: AsRef<OsStr>>(
    program: &std::path::Path,
    args: &[S],
    patterns: &[&str],
) -> Result<Vec<Counted>, NoCounts> {
    let unreadable = |e: std::io::Error| NoCounts::Unreadable(e.to_string());
    let dir = tempfile::tempdir().map_err(unreadable)?;
    let file = dir.path().join("callgrind.out");
    let mut command = Command::new("valgrind");
    command.args([
        "--tool=callgrind",
        "--combine-dumps=yes",
        "--collect-atstart=no",
    ]);
    command.arg(format!("--callgrind-out-file={}", file.display()));
    for pattern in patterns {
        command.arg(format!("--toggle-collect={pattern}"));
        // The same pattern, spelled differently: valgrind 3.19 keeps one wish per spelling.
        command.arg(format!("--dump-after=*{pattern}"));
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
    let said = String::from_utf8_lossy(&output.stdout);
    pair(&said, &read_all(&file)?)
}

/// Several dumps in one file, or one file each, as valgrind's version has it.
fn read_all(file: &PathBuf) -> Result<String, NoCounts> {
    std::fs::read_to_string(file).map_err(|e| NoCounts::Unreadable(e.to_string()))
}

/// Totals of the dumps that a call triggered, in order.
fn pair(said: &str, dumps: &str) -> Result<Vec<Counted>, NoCounts> {
    let mut counts = Vec::new();
    let mut triggered = false;
    for line in dumps.lines() {
        if let Some(trigger) = line.strip_prefix("desc: Trigger: ") {
            triggered = trigger.starts_with("--dump-after");
        } else if let Some(total) = line.strip_prefix("totals: ").filter(|_| triggered) {
            let total = total.trim().parse();
            counts.push(total.map_err(|_| NoCounts::Unreadable(line.into()))?);
            triggered = false;
        }
    }
    let labels: Vec<&str> = said.lines().collect();
    if labels.len() != counts.len() {
        return Err(NoCounts::Unmatched {
            said: labels.len(),
            counted: counts.len(),
        });
    }
    Ok(labels
        .into_iter()
        .zip(counts)
        .map(|(label, instructions)| Counted {
            label: label.into(),
            instructions,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMPS: &str = "\
part: 1
desc: Trigger: --dump-after=*op_a
totals: 51
part: 2
desc: Trigger: --dump-after=*op_b
totals: 92
part: 3
desc: Trigger: Program termination
totals: 7
";

    #[test]
    fn each_triggered_dump_is_the_count_of_the_call_told_of_at_its_place() {
        let counted = pair("a\nb\n", DUMPS).unwrap();
        let pairs: Vec<_> = counted
            .iter()
            .map(|c| (c.label.as_str(), c.instructions))
            .collect();
        assert_eq!(pairs, [("a", 51), ("b", 92)]);
    }

    #[test]
    fn a_call_that_was_inlined_away_is_noticed() {
        let unmatched = pair("a\nb\nc\n", DUMPS);
        assert!(matches!(
            unmatched,
            Err(NoCounts::Unmatched {
                said: 3,
                counted: 2
            })
        ));
    }

    #[test]
    fn a_total_that_is_no_number_is_refused() {
        let torn = DUMPS.replace("totals: 92", "totals: 9x");
        assert!(matches!(
            pair("a\nb\n", &torn),
            Err(NoCounts::Unreadable(_))
        ));
    }
}
