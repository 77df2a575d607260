//! Errors that end a command early, and their exit codes.

use std::io;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Code {
    /// It did what was asked, and what it found is in order.
    Done,
    /// A measured or verified result is wrong, or the system refused something.
    Wrong,
    /// Arguments or input were bad, or there was nothing to judge by.
    Usage,
    /// A change lies beyond the threshold.
    Beyond,
    /// The user pressed Ctrl-C.
    Interrupted,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(match code {
            Code::Done => 0,
            Code::Wrong => 1,
            Code::Usage => 2,
            Code::Beyond => 3,
            Code::Interrupted => 130,
        })
    }
}

/// An error that ends a command. Its text says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Arguments or input that cannot be used, or a kernel that cannot be asked.
    #[error("{0}")]
    Usage(String),
    /// The system refused something, or a check failed.
    #[error("{0}")]
    Wrong(String),
    /// The reader of our output has closed the pipe.
    #[error("the output pipe is closed")]
    ClosedPipe,
}

impl Failure {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Usage(_) => Code::Usage,
            Self::Wrong(_) | Self::ClosedPipe => Code::Wrong,
        }
    }

    /// A file that was named as input and does not read, or is not there.
    pub(crate) fn input(error: results::RecordError) -> Self {
        Self::Usage(error.to_string())
    }

    /// A failure to write to standard output.
    pub(crate) fn printing(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ClosedPipe
        } else {
            Self::Wrong(format!("cannot write to standard output: {error}"))
        }
    }
}

impl From<results::RecordError> for Failure {
    fn from(error: results::RecordError) -> Self {
        match error {
            results::RecordError::Io { .. } | results::RecordError::Unwritable { .. } => {
                Self::Wrong(error.to_string())
            }
            // A record that cannot be read is bad input.
            error => Self::Usage(error.to_string()),
        }
    }
}

impl From<results::StoreError> for Failure {
    fn from(error: results::StoreError) -> Self {
        match error {
            results::StoreError::Record(error) => error.into(),
            error => Self::Usage(error.to_string()),
        }
    }
}

impl From<measure::plan::PlanError> for Failure {
    fn from(error: measure::plan::PlanError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<registry::Unknown> for Failure {
    fn from(error: registry::Unknown) -> Self {
        Self::Usage(error.to_string())
    }
}
