//! The questions of a record, and asking them: what real kernels said, committed, so that
//! models are held to it where there is no QEMU. The file is `results::KernelRecord`.

use std::path::{Path, PathBuf};

use conformance::case::{Case, generate};
use mm::KernelVersion;
use results::KernelRecord;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::OracleError;
use crate::kernel::Series;
use crate::kernel_answer::KernelAnswer;
use crate::module::Parts;
use crate::oracle::Oracle;
use crate::traffic::{Traced, beside};
use results::TrafficRow;
use trace::NoTrace;

/// The random cases of a record: this many of [`RECORDED_SEED`].
pub const RECORDED_RANDOM: usize = 500;
/// The seed of a record's random cases.
pub const RECORDED_SEED: u64 = 2026;

/// The worked cases, one JSON object a line, without `rules`: each kernel's own apply.
const WORKED: &str = include_str!("../cases/worked.jsonl");

/// A case and a real kernel's answer to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The question.
    pub case: Case,
    /// The answer.
    pub heard: KernelAnswer,
}

/// All that is recorded of one kernel.
pub type Recorded = KernelRecord<Answered>;

/// The worked cases of the kernel facts under these rules. Cases that need a call which that
/// kernel lacks are left out.
pub fn worked_cases(rules: KernelVersion) -> Vec<Case> {
    WORKED
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let mut value: Value = serde_json::from_str(line).expect("the shipped cases are JSON");
            value["rules"] = Value::from(rules.name());
            serde_json::from_value::<Case>(value).unwrap_or_else(|error| panic!("{line}: {error}"))
        })
        .filter(|case| case.check().is_ok())
        .collect()
}

/// The questions of a record: the worked cases, then [`RECORDED_RANDOM`] random ones.
pub fn questions(rules: KernelVersion) -> Vec<Case> {
    let mut cases = worked_cases(rules);
    cases.extend(generate(RECORDED_SEED, RECORDED_RANDOM, rules));
    cases
}

/// Where the record of a series lives below a `bench-results` directory.
pub fn path(bench_results: &Path, series: Series) -> PathBuf {
    bench_results
        .join("kernel")
        .join(series.name())
        .with_added_extension("jsonl")
}

/// Returns where the traffic record of a series lives below a `bench-results` directory.
pub fn traffic_path(bench_results: &Path, series: Series) -> PathBuf {
    beside(&path(bench_results, series))
}

/// Asks a kernel for a whole record: one boot for the answers, one beside it for the counts,
/// whose memory traffic is traced where the emulator can.
///
/// # Errors
/// Any [`OracleError`] of the boots.
pub fn record(oracle: &Oracle) -> Result<(Recorded, Traffic), OracleError> {
    let cases = questions(oracle.kernel().rules);
    let (heard, traced) = rayon::join(|| oracle.ask(&cases), || oracle.trace(""));
    let Traced { counts, traffic } = traced?;
    let answers = cases
        .into_iter()
        .zip(heard?)
        .map(|(case, heard)| Answered { case, heard })
        .collect();
    let recorded = Recorded {
        identity: oracle.identity(Parts::All)?,
        answers,
        counts,
    };
    Ok((recorded, traffic))
}

/// The traffic beside a record, or the reason for none.
pub type Traffic = Result<Vec<TrafficRow>, NoTrace>;

#[cfg(test)]
#[path = "recorded_tests.rs"]
mod tests;
