//! What the sensitivity study found: false alarms and missed slowdowns of `diff`, beside
//! those of Criterion.

use serde::{Deserialize, Serialize};

/// Verdicts on rows that should all get the same one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Rows that were compared.
    pub rows: usize,
    /// Rows that were called slower.
    pub slower: usize,
    /// Rows that were called faster.
    pub faster: usize,
}

/// One injected slowdown, or none: a line of the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// 1.
    pub schema: u32,
    /// When the study began, RFC 3339 in UTC.
    pub date_utc: String,
    /// CPU, count of CPUs and target.
    pub machine: String,
    /// Kernel release.
    pub kernel: String,
    /// The compiler.
    pub rustc: String,
    /// Seconds that the whole study took.
    pub seconds: f64,
    /// Past runs that rows' own floors were learnt from.
    pub past_runs: usize,
    /// Fresh processes per run.
    pub processes: u32,
    /// Percent that were to be injected; 0 compares what is the same.
    pub percent: f64,
    /// Percent that were injected, as measured: 5th percentile, median, 95th percentile
    /// over the rows; `None` where nothing was.
    pub injected: Option<[f64; 3]>,
    /// `folioscope diff` without a past.
    pub diff: Tally,
    /// `folioscope diff` with the past runs.
    pub diff_with_past: Tally,
    /// Criterion on the same pairs.
    pub criterion: Tally,
}
