//! Statistics of timings: pure functions, no clock, no files, the same numbers for the
//! same input and seed on every machine.
//!
//! A row has one value per process, the mean of the lowest third of its rounds
//! ([`RowValues`]); its estimate is their median, with an interval from a variance that
//! all rows of the run moderate ([`Moderated`], [`Prior`]). Rows are judged together
//! ([`judge_together`]), each against a floor of its own ([`row_floor`]).
//!
//! Reports still use the older way: samples come as rounds within processes and the
//! spread between processes is what an interval has to show ([`estimate`]). What a machine
//! calls different although it is the same is its noise floor ([`run_floor`],
//! [`historic_floor`]); nothing below it is claimed ([`judge`], [`judge_change`]).
#![forbid(unsafe_code)]

mod bootstrap;
mod discovery;
mod floor;
mod moderate;
mod order;
mod state;
mod student;
mod values;
mod verdict;

pub use bootstrap::{Estimate, estimate, ratio_estimate};
pub use discovery::{FALSE_CLAIMS, judge_together, q_values};
pub use floor::{MIN_FLOOR, MIN_ROW_FLOOR, historic_floor, row_floor, run_floor};
pub use moderate::{Moderated, Prior};
pub use order::{geometric_mean, lowest_third, mad, median, quantile};
pub use state::FastState;
pub use student::{two_sided_quantile, two_sided_tail};
pub use values::RowValues;
pub use verdict::{Verdict, drift, judge, judge_change};
