//! The kernel's own tests, in a kernel that was built with them (`--config kunit`): they run as
//! it boots, and it halts behind them.

use std::io::Read as _;
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::process::prepared;
use crate::{Console, Kernel, RunError, spawner};

/// The name of the options, and the label of kernels that have them.
pub const KUNIT: &str = "kunit";

/// The options of such a kernel beside ours.
pub(crate) const CONFIG: &str = include_str!("../../driver/kunit.config");

/// Memory of the kernel.
const MEMORY_KIB: u64 = 256 << 10;

/// The time that the console of a kernel which was killed has to end.
const END: Duration = Duration::from_secs(5);

/// The result of a suite.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// How many of its cases passed.
    pub passed: usize,
    /// The cases that it left out, for reasons of its own.
    pub skipped: usize,
    /// The cases that failed, by name.
    pub failed: Vec<String>,
}

impl Kernel {
    /// Whether it was built to run its own tests, and is no contender.
    pub fn runs_tests(&self) -> bool {
        self.label.as_deref() == Some(KUNIT)
    }

    /// Boots it and returns the results of its suites.
    ///
    /// # Errors
    /// [`RunError`] where the tests did not run to their end.
    pub fn run_tests(&self, limit: Duration) -> Result<Vec<Suite>, RunError> {
        let folder = tempfile::Builder::new()
            .prefix("folioscope-kernel.")
            .tempdir()
            .map_err(RunError::Folder)?;
        let mut command = prepared(&self.program, folder.path(), MEMORY_KIB);
        command
            // No frames: the driver lets it boot on.
            .arg(format!("folioscope=0,0,0,{}", std::process::id()))
            // allnoconfig leaves the tests off until they are asked for; 7.2 asks twice.
            .args(["loglevel=7", "kunit.enable=1", "kunit.autorun=1"])
            .arg("kunit_shutdown=halt")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = spawner::spawn(command).map_err(|error| RunError::Spawn {
            kernel: self.program.clone(),
            error,
        })?;
        let mut console = child.stderr.take().expect("it was asked for");
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = console.read_to_end(&mut bytes);
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        });
        let verb = KUNIT.to_owned();
        let Ok(text) = receiver.recv_timeout(limit) else {
            let _ = child.kill();
            let _ = child.wait();
            // Its end closes the console, unless a process of its own outlives it.
            let text = receiver.recv_timeout(END).unwrap_or_default();
            let console = end_of(&text);
            return Err(RunError::Hang {
                verb,
                limit,
                console,
            });
        };
        let status = child.wait();
        suites(&text).map_err(|why| RunError::Exit {
            verb,
            status: match status {
                Ok(status) => format!("{status}, {why}"),
                Err(error) => format!("{error}, {why}"),
            },
            console: end_of(&text),
        })
    }
}

/// The last lines.
fn end_of(text: &str) -> Console {
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(30);
    Console(lines[from..].join("\n"))
}

/// Reads KTAP: a plan `1..N`, a line per suite, and before it, indented by four, one per case.
/// Lines that are indented further belong to a case.
fn suites(console: &str) -> Result<Vec<Suite>, String> {
    let mut due = None;
    let mut found: Vec<Suite> = Vec::new();
    let empty = || Suite {
        name: String::new(),
        passed: 0,
        skipped: 0,
        failed: Vec::new(),
    };
    let mut open = empty();
    for line in console.lines() {
        if let Some(number) = line.strip_prefix("1..") {
            due = number.trim().parse::<usize>().ok();
        } else if let Some(result) = result(line) {
            let mut suite = std::mem::replace(&mut open, empty());
            result.name.clone_into(&mut suite.name);
            if !result.ok && suite.failed.is_empty() {
                suite.failed.push("the suite itself".to_owned());
            }
            found.push(suite);
        } else if let Some(case) = line.strip_prefix("    ").and_then(self::result) {
            match (case.ok, case.skipped) {
                (true, true) => open.skipped += 1,
                (true, false) => open.passed += 1,
                (false, _) => open.failed.push(case.name.to_owned()),
            }
        }
    }
    match due {
        None => Err("it ran no tests".to_owned()),
        Some(due) if due != found.len() => {
            Err(format!("{} of {due} suites came to an end", found.len()))
        }
        Some(_) => Ok(found),
    }
}

/// A line `ok 3 name # SKIP why`, with `not` in front where it failed.
struct Outcome<'a> {
    name: &'a str,
    ok: bool,
    skipped: bool,
}

fn result(line: &str) -> Option<Outcome<'_>> {
    let (ok, rest) = match line.strip_prefix("not ") {
        Some(rest) => (false, rest),
        None => (true, line),
    };
    let (number, rest) = rest.strip_prefix("ok ")?.split_once(' ')?;
    number.parse::<u32>().ok()?;
    let (name, remark) = rest.split_once(" # ").unwrap_or((rest, ""));
    Some(Outcome {
        name: name.trim_start_matches("- ").trim(),
        ok,
        skipped: remark.starts_with("SKIP"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Linux version 6.12\nKTAP version 1\n1..2\n    KTAP version 1\n    \
        # Subtest: iov_iter\n    # module: kunit_iov_iter\n    1..3\n    ok 1 copy_to\n        \
        KTAP version 1\n        # Subtest: sizes\n        not ok 1 a\n        ok 2 b\n    \
        not ok 2 sizes\n    ok 3 big # SKIP no memory\n# iov_iter: pass:1 fail:1 skip:1 total:3\n\
        not ok 1 iov_iter\n    KTAP version 1\n    # Subtest: usercopy\n    1..1\n    ok 1 valid\n\
        ok 2 usercopy\nreboot: System halted\n";

    #[test]
    fn suites_and_their_cases_are_counted() {
        let found = suites(SAID).unwrap();
        let names: Vec<&str> = found.iter().map(|suite| suite.name.as_str()).collect();
        assert_eq!(names, ["iov_iter", "usercopy"]);
        assert_eq!((found[0].passed, found[0].skipped), (1, 1));
        assert_eq!(found[0].failed, ["sizes"]);
        assert_eq!((found[1].passed, found[1].skipped), (1, 0));
    }

    #[test]
    fn tests_that_did_not_end_are_no_result() {
        let cut = SAID.split("ok 2 usercopy").next().unwrap();
        assert_eq!(suites(cut).unwrap_err(), "1 of 2 suites came to an end");
        assert_eq!(suites("Linux\n").unwrap_err(), "it ran no tests");
    }

    #[test]
    fn a_suite_that_fails_as_a_whole_has_a_failure() {
        let whole = suites("1..1\n    ok 1 a\nnot ok 1 s\n").unwrap();
        assert_eq!(whole[0].failed, ["the suite itself"]);
    }
}
