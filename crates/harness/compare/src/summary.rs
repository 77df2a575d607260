//! A run as numbers: the one source of every text and figure.

use std::collections::BTreeMap;

use results::{Environment, Params};
use stats::{Estimate, Moderated, Prior, RowValues, Verdict};

/// The parameter that names the kernel whose rules a row follows.
pub const RULES: &str = "rules";

/// Parameters with which a row asks another question than the row without: a request that does not
/// name them does not mean it.
pub const OTHER_QUESTIONS: [&str; 2] = [RULES, "merge"];

/// A run in numbers.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Where, when and how.
    pub env: Environment,
    /// The design that ratios are taken to.
    pub reference: String,
    /// All designs with times, in the order of their names.
    pub designs: Vec<String>,
    /// How far 95 of 100 A/A pairs of the rows on one thread stray; `None` without a pair.
    pub floor: Option<f64>,
    /// The floor that rows on several threads have at least.
    pub threaded_floor: Option<f64>,
    /// The share of samples that were taken in the machine's fast state; `None` where no
    /// yardstick stood beside them.
    pub fast_share: Option<f64>,
    /// Time of the yardstick, a walk over 4 KiB that no design can change, in the fast
    /// state, in nanoseconds a word.
    pub yardstick_ns: Option<f64>,
    /// The least and the median number of rounds of a process; `None` without times.
    pub rounds: Option<(usize, usize)>,
    /// How many A/A pairs the floor rests on.
    pub control_pairs: usize,
    /// The fewest processes behind an interval; below 3 it lacks their spread.
    pub fewest_processes: usize,
    /// Times, by family.
    pub families: Vec<Family>,
    /// Results that are not times.
    pub values: Vec<ValueCase>,
    /// Memory that the rows really lay on.
    pub memory: Vec<MemoryLine>,
}

/// All workloads of one family.
#[derive(Debug, Clone)]
pub struct Family {
    /// `iteration`, `merging`, …
    pub name: String,
    /// Its rows.
    pub cases: Vec<Case>,
    /// Geometric means of its ratios, per regime.
    pub means: Vec<Mean>,
}

/// One workload with one set of parameters: a row of the tables.
#[derive(Debug, Clone)]
pub struct Case {
    /// Stable id, `family/name`.
    pub workload: String,
    /// Its parameters.
    pub params: Params,
    /// The parameter it is plotted against; may be empty.
    pub axis: String,
    /// The unit of one element.
    pub unit: String,
    /// The floor of this row: as far as its own A/A pair strayed, and at least what its
    /// class of rows has.
    pub floor: Option<f64>,
    /// Ratio of the reference's control copy to the reference.
    pub control: Option<Estimate>,
    /// How the ratios of its class of rows scatter.
    pub scatter: Option<Prior>,
    /// Results by design.
    pub cells: BTreeMap<String, Cell>,
}

/// The result of one design in one case.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// It was measured.
    Time {
        /// Nanoseconds per element.
        ns: Estimate,
        /// Ratio to the reference, process by process; `None` for the reference and for the
        /// harness floor.
        ratio: Option<Estimate>,
        /// The verdict on the ratio; `None` without a ratio or a floor.
        verdict: Option<Verdict>,
        /// Instructions per element by a hardware counter, the median of the processes.
        instructions: Option<f64>,
        /// Whether the machine was slow all the time that this was measured, or that it
        /// could be compared with the reference.
        slow: bool,
        /// The rounds of each process in the machine's fast state, in nanoseconds per element.
        rounds: BTreeMap<u32, Vec<f64>>,
    },
    /// It went wrong, with the reason: `err`, never a time.
    Failed(String),
    /// The design lacks the capability, with the reason: a dash.
    Absent(String),
}

/// Geometric mean of a design's ratios over the cases of one workload or family that
/// share a regime. Regimes (cache footprints) are never mixed, and neither harness floor
/// nor failed rows take part.
#[derive(Debug, Clone, PartialEq)]
pub struct Mean {
    /// `family/name` of one workload; empty for the whole family.
    pub workload: String,
    /// The footprint of its cases; empty where the workload has none.
    pub regime: String,
    /// Cases of this workload (or family) in this regime that the reference measured.
    pub cases: usize,
    /// Per design.
    pub designs: BTreeMap<String, MeanRatio>,
}

/// The geometric mean of one design's ratios.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanRatio {
    /// The mean, with the interval that the errors of its rows give it.
    pub mean: Estimate,
    /// Over how many rows it goes.
    pub rows: usize,
    /// The least and the greatest mean that is left when one row is taken out; `None` of a
    /// single row.
    pub without_one: Option<(f64, f64)>,
}

/// A quantity that is not a time, for one set of parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueCase {
    /// Stable id, `family/name`.
    pub workload: String,
    /// Parameters that it depends on.
    pub params: Params,
    /// The parameter it is plotted against; may be empty.
    pub axis: String,
    /// The quantity.
    pub quantity: String,
    /// Its unit.
    pub unit: String,
    /// Whether less is better.
    pub less_is_better: bool,
    /// Per design; the empty name is the machine itself.
    pub cells: BTreeMap<String, ValueCell>,
}

/// One value of one design.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueCell {
    /// The value, with an interval where it was sampled.
    Value(Estimate),
    /// It went wrong.
    Failed(String),
    /// The design lacks the capability.
    Absent(String),
}

/// Backing of rows: what was requested and what the kernel gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryLine {
    /// The backing that was asked for.
    pub asked: String,
    /// The backing that was got.
    pub got: String,
    /// Page size in bytes.
    pub page_size: u64,
    /// Where the proof comes from.
    pub source: String,
    /// Why this one.
    pub reason: String,
    /// Rows that lay on it.
    pub rows: usize,
    /// Least and greatest share of a mapping that was on huge pages, in per cent.
    pub huge_percent: (u8, u8),
    /// Largest mapping in bytes.
    pub largest: u64,
}

impl Summary {
    /// Every row of times.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.families.iter().flat_map(|family| &family.cases)
    }

    /// The same with these contenders alone, for a figure that cannot hold all.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.designs.retain(|name| keep(name));
        for family in &mut self.families {
            for case in &mut family.cases {
                case.cells.retain(|name, _| keep(name));
            }
        }
        self
    }

    /// Rows that went wrong: case, design, reason.
    pub fn failures(&self) -> impl Iterator<Item = (&Case, &str, &str)> {
        self.cases().flat_map(|case| {
            case.cells
                .iter()
                .filter_map(move |(design, cell)| match cell {
                    Cell::Failed(reason) => Some((case, design.as_str(), reason.as_str())),
                    _ => None,
                })
        })
    }

    /// How often a design was faster, no different and slower than the reference.
    #[must_use]
    pub fn tally(&self, design: &str) -> (usize, usize, usize) {
        let mut tally = (0, 0, 0);
        for case in self.cases() {
            if let Some(Cell::Time {
                verdict: Some(verdict),
                ..
            }) = case.cells.get(design)
            {
                match verdict {
                    Verdict::Faster => tally.0 += 1,
                    Verdict::NoDifference => tally.1 += 1,
                    Verdict::Slower => tally.2 += 1,
                }
            }
        }
        tally
    }
}

impl Case {
    /// The cache regime: the `footprint` parameter, empty without one.
    #[must_use]
    pub fn regime(&self) -> String {
        self.params
            .get("footprint")
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// The kernel whose rules the row names; `None` where each contender follows its own.
    #[must_use]
    pub fn rules(&self) -> Option<String> {
        self.params.get(RULES).map(ToString::to_string)
    }

    /// The share of the reference's time that the harness takes, where both were measured:
    /// the time of the design that does nothing.
    #[must_use]
    pub fn overhead(&self, reference: &str) -> Option<f64> {
        let share = self.time(crate::NULL)?.value / self.time(reference)?.value;
        share.is_finite().then_some(share)
    }

    /// The ratio of a design, where it has one.
    #[must_use]
    pub fn ratio(&self, design: &str) -> Option<Estimate> {
        match self.cells.get(design) {
            Some(Cell::Time { ratio, .. }) => *ratio,
            _ => None,
        }
    }

    /// One contender's time over another's, in this row or in another one of the same run:
    /// from the two themselves, process by process. Through the ratios to the reference, what
    /// the reference did in that process would come into it twice.
    #[must_use]
    pub fn over(&self, design: &str, than: (&Self, &str)) -> Option<Estimate> {
        let (ours, theirs) = (self.rounds(design)?, than.0.rounds(than.1)?);
        let (ours, theirs): (Vec<_>, Vec<_>) = ours
            .iter()
            .filter_map(|(process, rounds)| Some((rounds.clone(), theirs.get(process)?.clone())))
            .unzip();
        match RowValues::of_ratios(&ours, &theirs) {
            Some(values) => Some(estimate(&values, self.scatter.as_ref())),
            // No process had both in one state of the machine.
            None => self.time(design)?.over(&than.0.time(than.1)?),
        }
    }

    fn rounds(&self, design: &str) -> Option<&BTreeMap<u32, Vec<f64>>> {
        match self.cells.get(design) {
            Some(Cell::Time { rounds, .. }) => Some(rounds),
            _ => None,
        }
    }

    /// Returns the verdict on the ratio of a design.
    #[must_use]
    pub fn verdict(&self, design: &str) -> Option<Verdict> {
        match self.cells.get(design) {
            Some(Cell::Time { verdict, .. }) => *verdict,
            _ => None,
        }
    }

    /// Nanoseconds per element of a design, where it has a time.
    #[must_use]
    pub fn time(&self, design: &str) -> Option<Estimate> {
        match self.cells.get(design) {
            Some(Cell::Time { ns, .. }) => Some(*ns),
            _ => None,
        }
    }
}

/// The estimate of a row; where nothing scatters, its value without an interval.
pub(crate) fn estimate(values: &RowValues, prior: Option<&Prior>) -> Estimate {
    Moderated::of(values, prior).map_or_else(
        || {
            let value = values.middle();
            Estimate {
                value,
                low: value,
                high: value,
                processes: values.processes(),
            }
        },
        |moderated| moderated.estimate(),
    )
}
