//! Statistics of timings: pure functions, no clock, no files, the same numbers for the
//! same input and seed on every machine.
//!
//! One *process* is one sample of memory layout and one *round* is one sample of
//! everything else, so samples come as rounds within processes and the spread between
//! processes is what an interval has to show ([`estimate`]). What a machine calls
//! different although it is the same is its noise floor ([`run_floor`],
//! [`historic_floor`]); nothing below it is claimed ([`judge`], [`judge_change`]).
#![forbid(unsafe_code)]

mod bootstrap;
mod floor;
mod order;
mod verdict;

pub use bootstrap::{Estimate, estimate, ratio_estimate};
pub use floor::{MIN_FLOOR, historic_floor, run_floor};
pub use order::{geometric_mean, mad, median, quantile};
pub use verdict::{Verdict, drift, judge, judge_change};
