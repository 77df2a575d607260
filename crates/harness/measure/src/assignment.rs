//! Messages between a run and its worker processes, as JSON: cells, each one workload
//! with one set of parameters, and notes.

use hugemem::Backing;
use results::{Identity, Params, Sample};
use serde::{Deserialize, Serialize};

use crate::bandwidth::Speed;

/// One design in a cell. The reference stands twice in each: once as its own control.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Slot {
    /// Name of the design.
    pub design: String,
    /// Empty, or [`Sample::CONTROL`].
    pub label: String,
}

impl Slot {
    /// A design, not as its own control.
    pub(crate) fn of(design: &str) -> Self {
        Self {
            design: design.to_owned(),
            label: String::new(),
        }
    }
}

/// A quantity that is not a time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ValueKind {
    /// The quantity: `descriptor-bytes`.
    pub quantity: String,
    /// Its unit.
    pub unit: String,
    /// Whether less is better.
    pub less_is_better: bool,
}

/// One workload with one set of parameters: what is interleaved in rounds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// The workload's id, `family/name`.
    pub workload: String,
    /// Its parameters, as rows carry them.
    pub params: Params,
    /// The parameter that it is plotted against; empty for none.
    pub axis: String,
    /// The unit of one element.
    pub unit: String,
    /// The backing that its mappings are asked for.
    pub backing: Backing,
    /// Its quantity where that is not a time.
    pub value: Option<ValueKind>,
    /// Who takes part.
    pub slots: Vec<Slot>,
}

impl Cell {
    /// The part of the workload's id before the slash.
    #[must_use]
    pub fn family(&self) -> &str {
        self.workload.split('/').next().unwrap_or_default()
    }

    /// The identities of the rows that the cell yields in one process, one per slot.
    pub fn identities(&self, process: u32) -> impl Iterator<Item = Identity> + '_ {
        self.slots.iter().map(move |slot| Identity {
            workload: self.workload.clone(),
            design: slot.design.clone(),
            label: slot.label.clone(),
            params: self.params.clone(),
            quantity: self
                .value
                .as_ref()
                .map_or(String::new(), |value| value.quantity.clone()),
            process: self.value.is_none().then_some(process),
        })
    }

    /// The cell in words, for progress and lists: `merging/add order=9 layout=thp`.
    #[must_use]
    pub fn title(&self) -> String {
        let mut title = self.workload.clone();
        for (name, value) in &self.params {
            title.push_str(&format!(" {name}={value}"));
        }
        title
    }
}

/// The assignment of one worker process: one line of JSON on its standard input.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Assignment {
    /// Index of the process in the run.
    pub process: u32,
    /// Seed of the run; workers derive theirs from it and the process's index.
    pub seed: u64,
    /// The CPU to stay on; `None` lets it float.
    pub cpu: Option<usize>,
    /// The CPUs that workloads on several threads may use.
    pub cpus: Vec<usize>,
    /// Whether the run is a first look: small parameters, short samples.
    pub quick: bool,
    /// Time that all cells together should take, in nanoseconds.
    pub share_ns: u64,
    /// Time after which no further cell is begun, in nanoseconds.
    pub limit_ns: u64,
    /// The cells, in the order in which they are measured.
    pub cells: Vec<Cell>,
}

impl Assignment {
    /// One cell in this very process.
    pub(crate) fn only(cell: &Cell, seed: u64) -> Self {
        Self {
            process: 0,
            seed,
            cpu: None,
            cpus: Vec::new(),
            quick: true,
            share_ns: 0,
            limit_ns: u64::MAX,
            cells: vec![cell.clone()],
        }
    }
}

/// A message of a worker besides rows.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Note {
    /// The cell of this index has been begun.
    Begin(usize),
    /// How fast a slot's descriptors can be read; belongs to the cell that was begun.
    Speed {
        /// Index of the slot in the cell.
        slot: usize,
        /// The speeds.
        speed: Speed,
    },
    /// The time that the cell that was begun took.
    Spent {
        /// Setting up, checking, and tearing down, in nanoseconds.
        setup_ns: u64,
        /// Calibration and rounds, in nanoseconds.
        sampling_ns: u64,
    },
    /// All rows of the cell of this index have been sent.
    End(usize),
    /// Hardware counters could be opened, or not.
    Pmu(bool),
}

/// A line of a worker: a note, or a row as records hold it.
pub(crate) const ROW_PREFIX: &str = "{\"type\":";

/// The slots of a cell: every design once, and the reference once more as its control.
pub(crate) fn slots<'a>(designs: impl IntoIterator<Item = &'a str>, reference: &str) -> Vec<Slot> {
    let mut slots = Vec::new();
    for design in designs {
        slots.push(Slot::of(design));
        if design == reference {
            slots.push(Slot {
                design: design.to_owned(),
                label: Sample::CONTROL.to_owned(),
            });
        }
    }
    slots
}
