//! Statistics of timings: pure functions, no clock, no files, the same numbers for the
//! same input and seed on every machine.
//!
//! A row has one value per process, the mean of the lowest third of its rounds
//! ([`RowValues`]); its estimate is their median, with an interval from a variance that
//! all rows of the run moderate ([`Moderated`], [`Prior`]). Rows are judged together
//! ([`judge_together`]), each against a floor of its own ([`row_floor`]).
//!
//! A difference that a machine shows between equal things is noise: of a run as a
//! whole ([`run_floor`]), of one row ([`row_floor`]), of a row's past ([`historic_floor`]).
#![forbid(unsafe_code)]

mod discovery;
mod estimate;
mod floor;
mod moderate;
mod order;
mod state;
mod student;
mod values;
mod verdict;

pub use discovery::{FALSE_CLAIMS, judge_together, q_values};
pub use estimate::Estimate;
pub use floor::{MIN_FLOOR, MIN_ROW_FLOOR, historic_floor, row_floor, run_floor};
pub use moderate::{Moderated, Prior};
pub use order::{geometric_mean, lowest_third, mad, median, quantile};
pub use state::FastState;
pub use student::{two_sided_quantile, two_sided_tail};
pub use values::RowValues;
pub use verdict::{Verdict, judge, judge_change, moved_together};
