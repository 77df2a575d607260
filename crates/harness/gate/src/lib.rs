//! Exact counts of instructions against a baseline: what moved, where that came from, and
//! whether it is within the limits.
//!
//! Counts have no noise, so nothing here is statistical: one instruction more is one
//! instruction more. There are two kinds of limit. A loop may grow by a few percent of what
//! it was, so that work on other things is not stopped for a trifle; and what must not
//! depend on the order of the allocation may not, whatever the baseline says.
#![forbid(unsafe_code)]

mod compare;
mod lines;
mod markdown;
mod order_invariant;
mod text;

pub use compare::{Findings, Limits, Moved, Outcome, Shift};
pub use lines::{Line, lines};
pub use markdown::markdown;
pub use order_invariant::{Steady, WORKLOADS as STEADY_WORKLOADS};
pub use text::text;
