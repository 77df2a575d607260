//! From results to findings. Nothing is measured and nothing is printed here.
//!
//! [`Summary::from_run`] is the one place where numbers are made from samples; text,
//! tables and figures all show what it holds, so that no two of them can disagree.
#![forbid(unsafe_code)]

pub mod alone;
mod build;
pub mod census;
pub mod claims;
mod diff;
pub mod fidelity;
pub mod gate;
mod history;
pub mod kernel_diff;
pub mod kernel_history;
pub mod line_orders;
pub mod lines;
pub mod lockstep;
mod matched;
mod means;
pub mod patched;
mod rows;
pub mod stepped;
mod summary;
pub mod time_fidelity;

pub use build::fnv1a;
pub use diff::{Change, Diff, Drift, FloorSource, Floors, RowKey};
pub use history::{Entry, History, HistoryError, HistoryRun, MachineHistory};
pub use summary::{
    Case, Cell, Family, Mean, MeanRatio, MemoryLine, OTHER_QUESTIONS, RULES, Summary, ValueCase,
    ValueCell,
};

/// The design that does nothing: the floor of the harness. No ratio is taken of it.
pub const NULL: &str = "null";
