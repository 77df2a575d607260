//! Why a reader or writer refused. Every refusal names the file; one about a line also
//! names the line and, where one is to blame, the field.

use std::path::{Path, PathBuf};

/// Refusal of a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// File that was read or written.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The line is not a JSON object of this schema.
    #[error("{}:{line}: field `{field}`: {reason}", path.display())]
    Field {
        /// File.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Path of the field, `memory.page_size`; `.` for the line as a whole.
        field: String,
        /// The fault.
        reason: String,
    },
    /// The line was written by a newer tool.
    #[error(
        "{}:{line}: field `schema`: version {found} is newer than {known}; \
         read it with the tool that wrote it, or a later one",
        path.display()
    )]
    Newer {
        /// File.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// The version that was found.
        found: u64,
        /// The newest version that is read.
        known: u32,
    },
    /// The last line has no end: its writer was killed.
    #[error(
        "{}:{line}: the last line is cut off (no newline); resume the run, or delete the line",
        path.display()
    )]
    Truncated {
        /// File.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
    },
    /// Another process writes here.
    #[error(
        "{}: process {process} writes this run; wait until it ends, or name another folder",
        path.display()
    )]
    Busy {
        /// Folder.
        path: PathBuf,
        /// The process.
        process: String,
    },
    /// Two rows claim to be the same result.
    #[error("{}:{line}: same identity as line {first}: {identity}", path.display())]
    Duplicate {
        /// File.
        path: PathBuf,
        /// Second line, counted from 1.
        line: usize,
        /// First line, counted from 1.
        first: usize,
        /// The result.
        identity: String,
    },
    /// A writer was handed a row that no reader would take.
    #[error("{}: refused to write {identity}: field `{field}`: {reason}", path.display())]
    Unwritable {
        /// File.
        path: PathBuf,
        /// The row.
        identity: String,
        /// Field to blame.
        field: String,
        /// The fault.
        reason: String,
    },
}

impl Error {
    /// Turns an I/O error into one that names the file.
    pub fn io(path: &Path, source: impl Into<std::io::Error>) -> Self {
        Self::Io {
            path: path.to_owned(),
            source: source.into(),
        }
    }
}
