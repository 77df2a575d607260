//! Lines of kernel source, for claims that are a matter of source.

use serde::{Deserialize, Serialize};

/// Lines of one kernel's source that have a pattern, as `scripts/count-source` counts them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceCount {
    /// The kernel, as `6.12`.
    pub kernel: String,
    /// The archive or tree.
    pub source: String,
    /// The name of the pattern, as `page-to-folio`.
    pub pattern: String,
    /// The text that a line must have.
    pub text: String,
    /// The number of lines.
    pub lines: u64,
    /// The number of files that they are in.
    pub files: u64,
}

impl SourceCount {
    /// The record of all kernels, below `bench-results`.
    pub const FILE: &str = "kernel/source/lines.jsonl";
}
