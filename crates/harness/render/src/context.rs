//! The parts of a report that do not come from its run.

use compare::claims::Judged;
use compare::kernel_history::Line;
use results::Screen;
use serde::Serialize;

/// Facts that the report needs and no record holds.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The workloads' own words, from their table.
    pub notes: Vec<WorkloadNote>,
    /// How close the model is to the real kernel, in one sentence; `None` when the
    /// kernels have not been asked.
    pub fidelity: Option<String>,
    /// The claims of the thread, judged; empty outside of a checkout.
    pub claims: Vec<Judged>,
    /// The table of the first screen.
    pub screen: Screen,
    /// The recorded kernels, oldest first: `6.12`.
    pub kernels: Vec<String>,
    /// The cost of 2 MiB in each of them.
    pub history: Vec<Line>,
}

/// A workload's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkloadNote {
    /// Stable id, `family/name`.
    pub id: String,
    /// Its question, in one line.
    pub question: String,
    /// Which design it favours and why.
    pub favours: String,
    /// Its known unfairness.
    pub unfair: String,
}
