//! Errors between a kernel's source and its answer.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a kernel was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Programs or headers that a kernel's build needs.
    #[error(
        "a kernel's build needs {}, not found here; on Debian: apt-get install {}",
        missing.join(", "), packages.join(" ")
    )]
    Tools {
        /// The missing tools.
        missing: Vec<String>,
        /// The packages that have it.
        packages: Vec<String>,
    },
    /// No series of this name.
    #[error(
        "no source is known for `{0}`: one of 5.10, 6.1, 6.12, 7.2, or a tree of your own with --source DIR"
    )]
    UnknownVersion(String),
    /// The source did not come.
    #[error("the source of Linux {version} was not fetched: {}", log.trim())]
    Fetch {
        /// As `6.12`.
        version: String,
        /// The words of the script.
        log: String,
    },
    /// A folder that is not a kernel source.
    #[error("{} is not a kernel's source tree: it has no {missing}", tree.display())]
    NotASource {
        /// The folder.
        tree: PathBuf,
        /// A file that every tree has.
        missing: String,
    },
    /// A patch that does not apply.
    #[error("{} does not apply to {tree}; nothing was built:\n{}", patch.display(), log.trim_end())]
    Patch {
        /// The patch.
        patch: PathBuf,
        /// The tree.
        tree: String,
        /// Output of `patch`, with the hunk.
        log: String,
    },
    /// Neither a file nor a patch that is carried.
    #[error(
        "there is no patch `{name}`, neither a file nor one that is carried{}; folioscope kernel build --list-patches",
        said(near)
    )]
    UnknownPatch {
        /// The name that was asked for.
        name: String,
        /// Names that may have been meant.
        near: Vec<&'static str>,
    },
    /// A patch that is carried, but not for this kernel.
    #[error("`{name}` is carried for {}, not for {series}", known.join(" and "))]
    PatchOfOthers {
        /// The patch.
        name: String,
        /// The kernel's series.
        series: String,
        /// The series it is there for.
        known: Vec<&'static str>,
    },
    /// A patch that changes what another one brings, without that one before it.
    #[error("`{name}` goes on top of `{base}`: --patch {base} --patch {name}")]
    PatchWithoutBase {
        /// The patch.
        name: &'static str,
        /// The patch below it.
        base: &'static str,
    },
    /// A patch that names no file.
    #[error("{} is not a patch: it has no line that begins with +++", .0.display())]
    NotAPatch(PathBuf),
    /// An edit of ours that found nothing to change.
    #[error("{tree} is not as this version of the tool expects: {file} has no line `{line}`")]
    Edit {
        /// The tree.
        tree: String,
        /// The file.
        file: String,
        /// The line.
        line: String,
    },
    /// The tree did not take the configuration.
    #[error("{tree} does not configure: {}", .options.join(", "))]
    Config {
        /// The tree.
        tree: String,
        /// Options that were asked for and are not set, or what kconfig said.
        options: Vec<String>,
    },
    /// The compiler or the linker refused.
    #[error("{tree} does not build:\n{}\nthe whole log is in {}", .lines.join("\n"), log.display())]
    Make {
        /// The tree.
        tree: String,
        /// The lines with the errors.
        lines: Vec<String>,
        /// The whole log.
        log: PathBuf,
    },
    /// No room.
    #[error("the disk of {} is full; a kernel's tree takes 400 MB: make room, or set XDG_CACHE_HOME to a folder elsewhere", .0.display())]
    DiskFull(PathBuf),
    /// Anything the operating system refused.
    #[error("{what}: {error}")]
    Io {
        /// The step that failed.
        what: String,
        /// The system's answer.
        error: std::io::Error,
    },
    /// A record of a build that does not read.
    #[error("{}: {reason}; remove the folder and rebuild", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The fault.
        reason: String,
    },
}

/// Similar names, as the rest of a sentence.
fn said(near: &[&str]) -> String {
    match near {
        [] => String::new(),
        near => format!("; did you mean `{}`?", near.join("` or `")),
    }
}

/// Turns an I/O error into one that names the operation, and says so if the disk is full.
pub(crate) fn io(
    what: impl Into<String>,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> BuildError {
    let (what, path) = (what.into(), path.to_owned());
    move |error| match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            BuildError::DiskFull(path)
        }
        _ => BuildError::Io {
            what: format!("{what} {}", path.display()),
            error,
        },
    }
}

/// Why a running kernel gave no answer. No variant carries a number that could be believed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The program did not start.
    #[error("{} did not start: {error}", kernel.display())]
    Spawn {
        /// The program.
        kernel: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The kernel ended while an answer was due.
    #[error("the kernel ended ({status}) before it answered `{verb}`{console}")]
    Exit {
        /// The command.
        verb: String,
        /// Its exit status.
        status: String,
        /// The end of its console.
        console: Console,
    },
    /// It panicked.
    #[error("the kernel panicked at `{verb}`: {message}{console}")]
    Panic {
        /// The command.
        verb: String,
        /// The line that says so.
        message: String,
        /// The end of its console.
        console: Console,
    },
    /// `BUG`, or an oops.
    #[error("the kernel hit a bug at `{verb}`: {message}{console}")]
    Bug {
        /// The command.
        verb: String,
        /// The line that says so.
        message: String,
        /// The end of its console.
        console: Console,
    },
    /// `WARN`.
    #[error("the kernel warned at `{verb}`, so its answer is not used: {message}{console}")]
    Warn {
        /// The command.
        verb: String,
        /// The line that says so.
        message: String,
        /// The end of its console.
        console: Console,
    },
    /// No answer in time.
    #[error("the kernel did not answer `{verb}` within {limit:?} and was ended{console}")]
    Hang {
        /// The command.
        verb: String,
        /// The limit.
        limit: Duration,
        /// The end of its console.
        console: Console,
    },
    /// The answer stops in the middle.
    #[error("the answer to `{verb}` stops after {came} of {said} bytes{console}")]
    Truncated {
        /// The command.
        verb: String,
        /// Bytes that its head promises.
        said: u64,
        /// Bytes that came.
        came: u64,
        /// The end of its console.
        console: Console,
    },
    /// The answer is not what it says it is.
    #[error("the answer to `{verb}` is garbled: {reason}{console}")]
    Garbled {
        /// The command.
        verb: String,
        /// The fault.
        reason: String,
        /// The end of its console.
        console: Console,
    },
    /// A loop that could not be counted.
    #[error(transparent)]
    Step(#[from] crate::StepError),
    /// The driver refused the command.
    #[error("the kernel refuses `{verb}`: {reason}")]
    Refused {
        /// The command.
        verb: String,
        /// Why.
        reason: String,
    },
    /// This kernel lacks the operation: a dash, not an error.
    #[error("{0}")]
    Absent(String),
    /// A layout that does not fit.
    #[error("a layout of {frames} frames does not fit a kernel with {arena}")]
    Layout {
        /// Frames that it needs.
        frames: u64,
        /// Frames of the arena.
        arena: u64,
    },
    /// The memory of the process could not be looked at.
    #[error("reading the memory map of the kernel's process: {0}")]
    Smaps(String),
    /// A folder for its memory could not be made.
    #[error("making a folder for the kernel: {0}")]
    Folder(std::io::Error),
}

/// The last lines of a kernel's console, after an error.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Console(pub String);

impl std::fmt::Display for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.trim().is_empty() {
            return f.write_str("; its console is empty");
        }
        f.write_str("; the end of its console:")?;
        for line in self.0.lines() {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}
