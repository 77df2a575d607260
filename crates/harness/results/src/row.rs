//! The lines of `samples.jsonl`: what was measured, of what, and how sure we are of it.

use std::fmt;

use params::Params;
use serde::{Deserialize, Serialize};

use crate::SCHEMA_VERSION;

/// One line of `samples.jsonl`; its `type` field gives the variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Row {
    /// Times of one design in one workload and one process.
    Sample(Sample),
    /// Something that is not a time: bytes, bandwidth, counts.
    Value(Value),
}

/// Times of one (workload, design, params) in one process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Schema version of the line.
    pub schema: u32,
    /// Stable id of the workload, `family/name`: `iteration/segments`.
    pub workload: String,
    /// The part of the id before the slash.
    pub family: String,
    /// Name of the design: `flat`.
    pub design: String,
    /// Empty, or `control` for the second copy of the reference design (A/A).
    pub label: String,
    /// Parameters of the workload.
    pub params: Params,
    /// The parameter that this workload is plotted against: `order`; empty for none.
    pub axis: String,
    /// Index of the fresh process that measured it.
    pub process: u32,
    /// Name of one element: `page`, `folio`, `bio`, `bvec`, `charge`, `byte`.
    pub unit: String,
    /// Elements that one call of the workload handles.
    pub elements: u64,
    /// Calls inside the clock per round.
    pub iters: u64,
    /// Nanoseconds per element, one per round, in the order they ran. Index *i* of
    /// every design of one (workload, params, process) belongs to the same
    /// interleaved round, so that ratios can be taken per round.
    pub rounds: Vec<f64>,
    /// Checksum of the result as `0x…`: equal over designs that did the same work;
    /// empty where the status is not ok, [`Sample::UNCHECKED`] where nobody compares answers.
    pub checksum: String,
    /// Minor page faults inside the clock, all rounds together; must be 0.
    pub minor_faults: u64,
    /// Voluntary and involuntary context switches inside the clock.
    pub context_switches: u64,
    /// Instructions per element by a hardware counter.
    pub instructions: Option<f64>,
    /// Data TLB misses per element by a hardware counter.
    pub dtlb_misses: Option<f64>,
    /// Yardsticks right before each round; absent in results from before that was done, and
    /// where nothing ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yardsticks: Option<Yardsticks>,
    /// The memory that the descriptors (and payload) lay on; absent when nothing ran.
    pub memory: Option<Memory>,
    /// Whether there is a time, and if not, why.
    pub status: Status,
}

/// Work that never changes, timed right before each round of a sample, so that a slow machine
/// is distinguished from slow code. One value per round, in the order of [`Sample::rounds`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Yardsticks {
    /// Nanoseconds per step of a chain of dependent multiplications: the clock frequency.
    pub chain_ns: Vec<f64>,
    /// Nanoseconds per word of a walk over memory in the first-level cache: the clock
    /// frequency, and whether another thread shares the core.
    pub walk_ns: Vec<f64>,
}

/// A result that is not a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// Schema version of the line.
    pub schema: u32,
    /// Stable id of the workload, `family/name`: `layout/footprint`.
    pub workload: String,
    /// The part of the id before the slash.
    pub family: String,
    /// Name of the design; empty for a property of the machine (bandwidth).
    pub design: String,
    /// As in [`Sample::label`].
    pub label: String,
    /// Parameters that the value depends on.
    pub params: Params,
    /// The parameter that this value is plotted against; empty for none.
    pub axis: String,
    /// The quantity: `descriptor-bytes`, `code-bytes`, `read-bandwidth`.
    pub quantity: String,
    /// Unit of the value: `byte/GiB`, `byte`, `GB/s`.
    pub unit: String,
    /// Whether less is better (bytes) or more (bandwidth).
    pub less_is_better: bool,
    /// The value; the median where `samples` is not empty.
    pub value: f64,
    /// Samples that the value is the median of; empty for an exact value.
    pub samples: Vec<f64>,
    /// The memory it was measured on, where that matters.
    pub memory: Option<Memory>,
    /// Whether there is a value, and if not, why.
    pub status: Status,
}

/// The memory that was asked for and that the kernel gave, for that very mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Backing that was asked for: `auto`, `base`, `thp`, `hugetlb-2m`, `hugetlb-1g`.
    pub asked: String,
    /// Backing that was got.
    pub got: String,
    /// Bytes of the mapping.
    pub bytes_total: u64,
    /// Bytes of the mapping that lie on huge pages, as `source` says.
    pub bytes_huge: u64,
    /// Page size of the backing in bytes.
    pub page_size: u64,
    /// Where `bytes_huge` comes from: `smaps`, `pagemap`, `none`.
    pub source: String,
    /// Why `auto` took this one, or why there is no proof; empty otherwise.
    pub reason: String,
}

/// Whether a row holds a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It was measured and its answer was right.
    Ok,
    /// It went wrong (wrong checksum, page faults, no memory): never a time.
    Err(String),
    /// The design lacks the capability: a dash in the tables, with the reason.
    Absent(String),
}

impl Status {
    /// Whether the row holds a result.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok)
    }
}

/// The identity of a row within a run; two rows with the same identity are refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Workload id.
    pub workload: String,
    /// Design name.
    pub design: String,
    /// Label of the copy, empty or `control`.
    pub label: String,
    /// Parameters.
    pub params: Params,
    /// Quantity of a value row; empty for times.
    pub quantity: String,
    /// Process of a sample row; `None` for values.
    pub process: Option<u32>,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.workload, self.design)?;
        if !self.label.is_empty() {
            write!(f, "#{}", self.label)?;
        }
        let params: Vec<String> = self
            .params
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        write!(f, " [{}]", params.join(" "))?;
        if !self.quantity.is_empty() {
            write!(f, " {}", self.quantity)?;
        }
        self.process
            .map_or(Ok(()), |process| write!(f, " process {process}"))
    }
}

impl Sample {
    /// The checksum of a sample that another program has made: its answer is not compared.
    pub const UNCHECKED: &'static str = "unchecked";

    /// Label of the reference design's second copy.
    pub const CONTROL: &'static str = "control";

    /// A row of times without times, which counts as measured: what the plan says of it, and
    /// nothing else.
    #[must_use]
    pub fn blank(workload: &str, design: &str, params: Params, unit: &str, process: u32) -> Self {
        let family = workload.split('/').next().unwrap_or_default();
        Self {
            schema: SCHEMA_VERSION,
            workload: workload.to_owned(),
            family: family.to_owned(),
            design: design.to_owned(),
            label: String::new(),
            params,
            axis: String::new(),
            process,
            unit: unit.to_owned(),
            elements: 0,
            iters: 0,
            rounds: Vec::new(),
            checksum: String::new(),
            minor_faults: 0,
            context_switches: 0,
            instructions: None,
            dtlb_misses: None,
            yardsticks: None,
            memory: None,
            status: Status::Ok,
        }
    }

    /// The identity of this sample.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            workload: self.workload.clone(),
            design: self.design.clone(),
            label: self.label.clone(),
            params: self.params.clone(),
            quantity: String::new(),
            process: Some(self.process),
        }
    }

    /// Whether this is the A/A copy of the reference design.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.label == Self::CONTROL
    }
}

impl Value {
    /// The identity of this value.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            workload: self.workload.clone(),
            design: self.design.clone(),
            label: self.label.clone(),
            params: self.params.clone(),
            quantity: self.quantity.clone(),
            process: None,
        }
    }
}

impl Row {
    /// The identity of this row.
    #[must_use]
    pub fn identity(&self) -> Identity {
        match self {
            Self::Sample(sample) => sample.identity(),
            Self::Value(value) => value.identity(),
        }
    }

    /// The workload's id.
    #[must_use]
    pub fn workload(&self) -> &str {
        match self {
            Self::Sample(sample) => &sample.workload,
            Self::Value(value) => &value.workload,
        }
    }
}
