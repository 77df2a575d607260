//! What a report tells and no result holds.

use serde::Serialize;

/// What the report needs to know and no record holds.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The workloads' own words, from their table.
    pub notes: Vec<WorkloadNote>,
    /// How close the model is to the real kernel, in one sentence; `None` when the
    /// kernels have not been asked.
    pub fidelity: Option<String>,
}

/// A workload's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkloadNote {
    /// Stable id, `family/name`.
    pub id: String,
    /// What it asks, in one line.
    pub question: String,
    /// Which design it favours and why.
    pub favours: String,
    /// Its known unfairness.
    pub unfair: String,
}
