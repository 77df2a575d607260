//! Classifies a finished boot: its output, or why it failed.

use std::time::Duration;

use crate::error::OracleError;
use crate::wire::{Batch, batches};

/// The output and the exit state of a boot.
#[derive(Debug)]
pub(crate) struct Remains {
    /// Not ended when the time was up.
    pub(crate) late: bool,
    /// QEMU's exit status where that is not success.
    pub(crate) failed: Option<String>,
    /// The output of the serial console.
    pub(crate) console: String,
    /// The output of QEMU itself.
    pub(crate) stderr: String,
    /// Output of the data port.
    pub(crate) data: Vec<u8>,
}

/// Returns the output of a boot, or why it failed.
pub(crate) fn judge(
    kernel: &str,
    limit: Duration,
    remains: Remains,
) -> Result<Vec<Batch>, OracleError> {
    let kernel = kernel.to_owned();
    let console = remains.console;
    // A panic is the cause even where the guest then hung or QEMU fell over.
    if let Some(at) = fault(&console) {
        return Err(OracleError::Panic {
            kernel,
            tail: tail(&console[at..], 40, true),
        });
    }
    let tail = tail(&console, 20, false);
    if remains.late {
        return Err(OracleError::TimeLimit {
            kernel,
            limit,
            tail,
        });
    }
    if let Some(status) = remains.failed {
        return Err(OracleError::Qemu {
            status,
            stderr: remains.stderr,
        });
    }
    // Its exit status is success then.
    if remains.stderr.contains("terminating on signal") {
        return Err(OracleError::Qemu {
            status: "ended by somebody else".into(),
            stderr: remains.stderr,
        });
    }
    let mut batches = match batches(&remains.data) {
        Ok(batches) => batches,
        Err(source) => return Err(OracleError::Wire { kernel, source }),
    };
    if let Some(reason) = refusal(&batches, &console) {
        return Err(OracleError::ModuleRefused {
            kernel,
            reason,
            tail,
        });
    }
    if batches.is_empty() || batches[0].name != "hello" {
        return Err(OracleError::Silent { kernel, tail });
    }
    if let Some(failure) = batches.iter().find(|batch| batch.name == "failure") {
        let words = failure.lines.first().cloned().unwrap_or_default();
        let (part, errno) = words.split_once(' ').unwrap_or((&words, "?"));
        // The part's own last line says where it stopped.
        let at = batches
            .iter()
            .find(|batch| batch.name == part)
            .and_then(|batch| batch.lines.last());
        let what = format!(
            "errno {errno}{}",
            at.map(|line| format!(", at `{line}`")).unwrap_or_default()
        );
        return Err(OracleError::Part {
            kernel,
            part: part.into(),
            what,
        });
    }
    batches.remove(0);
    Ok(batches)
}

/// Where in the console a kernel's fault begins.
fn fault(console: &str) -> Option<usize> {
    [
        "kernel BUG at",
        "BUG: ",
        "Oops: ",
        "general protection fault",
        "Kernel panic",
    ]
    .iter()
    .filter_map(|sign| console.find(sign))
    .min()
    .map(|at| console[..at].rfind('\n').map_or(0, |newline| newline + 1))
}

/// Why the module did not start, if that is what happened.
fn refusal(batches: &[Batch], console: &str) -> Option<String> {
    let arena = batches
        .first()
        .filter(|batch| batch.name == "hello")
        .and_then(|hello| {
            hello
                .lines
                .iter()
                .find_map(|line| line.strip_prefix("arena "))
        });
    match arena {
        Some("0") => None,
        Some("-38") => Some(
            "it lacks alloc_contig_range or prep_compound_page: CONFIG_CONTIG_ALLOC=y is needed"
                .into(),
        ),
        Some(errno) => Some(format!(
            "the contiguous pages around 8 GiB are not available (errno {errno}); memmap= and movablecore= must be honoured"
        )),
        None if console.contains("folioscope: insmod failed") => Some(
            "insmod failed; do the headers (--kdir) belong to this very image (--bzimage)?".into(),
        ),
        None => None,
    }
}

/// The first or last lines of the console.
fn tail(console: &str, lines: usize, from_start: bool) -> String {
    let all: Vec<&str> = console
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    let part = if from_start {
        &all[..all.len().min(lines)]
    } else {
        &all[all.len().saturating_sub(lines)..]
    };
    if part.is_empty() {
        return "  (the console stayed empty)".into();
    }
    part.iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
