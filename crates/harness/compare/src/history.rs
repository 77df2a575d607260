//! The same rows over many runs, machine by machine.

use std::collections::{BTreeMap, BTreeSet};

use results::{Baseline, LoopCount, Params};
use stats::{Estimate, Verdict, judge};

use crate::diff::floor_between;
use crate::summary::{Summary, ValueCell};

/// A row that is followed over time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// Stable id, `family/name`.
    pub workload: String,
    /// The design; empty for the machine itself.
    pub design: String,
    /// Parameters.
    pub params: Params,
    /// `time`, `instructions`, `descriptor-bytes`, …
    pub quantity: String,
    /// Its unit.
    pub unit: String,
    /// Whether less is better: times and bytes, not bandwidth.
    pub less_is_better: bool,
}

/// One run, with its values of the entries that it measured.
#[derive(Debug, Clone)]
pub struct HistoryRun {
    /// Where it lies, to name it in refusals: `epyc-vm/2026-11-23-1d0aed6`.
    pub name: String,
    /// The machine: the store's name for it, and what it is.
    pub machine: String,
    /// When it began, RFC 3339 in UTC.
    pub date_utc: String,
    /// Short revision, with `+` where the work tree was changed.
    pub revision: String,
    /// Its noise floor.
    pub floor: Option<f64>,
    /// Its values. Values from outside the run, such as instruction counts, may be added.
    pub points: BTreeMap<Entry, Estimate>,
}

impl HistoryRun {
    /// All times and values of a run on a machine.
    #[must_use]
    pub fn from_summary(machine: &str, name: &str, summary: &Summary) -> Self {
        let env = &summary.env;
        let mut points = BTreeMap::new();
        for case in summary.cases() {
            for design in case.cells.keys() {
                if let Some(ns) = case.time(design) {
                    points.insert(
                        Entry {
                            workload: case.workload.clone(),
                            design: design.clone(),
                            params: case.params.clone(),
                            quantity: "time".to_owned(),
                            unit: format!("ns/{}", case.unit),
                            less_is_better: true,
                        },
                        ns,
                    );
                }
            }
        }
        for case in &summary.values {
            for (design, cell) in &case.cells {
                if let ValueCell::Value(value) = cell {
                    points.insert(
                        Entry {
                            workload: case.workload.clone(),
                            design: design.clone(),
                            params: case.params.clone(),
                            quantity: case.quantity.clone(),
                            unit: case.unit.clone(),
                            less_is_better: case.less_is_better,
                        },
                        *value,
                    );
                }
            }
        }
        Self {
            name: name.to_owned(),
            machine: machine.to_owned(),
            date_utc: env.date_utc.clone(),
            revision: env.short_revision(),
            floor: summary.floor,
            points,
        }
    }

    /// The counts that a commit made the baseline.
    #[must_use]
    pub fn from_baseline(name: &str, commit: &str, date_utc: &str, baseline: &Baseline) -> Self {
        let point = |count: &LoopCount| {
            let mut params = count.of.params.clone();
            params.insert("rules".to_owned(), count.of.rules.as_str().into());
            let entry = Entry {
                workload: count.of.workload.clone(),
                design: count.of.design.clone(),
                params,
                quantity: "instructions".to_owned(),
                unit: "per call".to_owned(),
                less_is_better: true,
            };
            (entry, Estimate::exact(count.instructions as f64))
        };
        Self {
            name: name.to_owned(),
            machine: format!("counts: {}, {}", baseline.target, baseline.rustc),
            date_utc: date_utc.to_owned(),
            revision: commit.chars().take(7).collect(),
            floor: None,
            points: baseline.counts.iter().map(point).collect(),
        }
    }

    /// Day and revision, for an axis.
    #[must_use]
    pub fn label(&self) -> String {
        let day = self.date_utc.get(5..10).unwrap_or(&self.date_utc);
        format!("{day} {}", self.revision)
    }
}

/// Why runs do not make a history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// A date that cannot be put into order.
    #[error("{name}: date_utc `{date}` is not a UTC time such as 2026-11-23T01:02:03Z")]
    Date {
        /// The run.
        name: String,
        /// The quantity in words.
        date: String,
    },
    /// A run that claims to be older than the one before it.
    #[error(
        "{name}: its clock ({date}) is behind that of {before} ({date_before}), which comes first"
    )]
    Backwards {
        /// The run.
        name: String,
        /// Its date.
        date: String,
        /// The run before it.
        before: String,
        /// Its date.
        date_before: String,
    },
    /// Two runs that claim to be the same.
    #[error("{name}: same machine, date and revision as {first}")]
    Twice {
        /// The second run.
        name: String,
        /// The first run.
        first: String,
    },
}

/// The runs of one machine and what they say, entry by entry.
#[derive(Debug, Clone)]
pub struct MachineHistory {
    /// The machine.
    pub machine: String,
    /// Its runs, oldest first.
    pub runs: Vec<HistoryRun>,
}

/// All machines' histories, in the order of their names.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// One per machine.
    pub machines: Vec<MachineHistory>,
}

impl History {
    /// Puts runs side by side, in the order they are given in (the order of the store),
    /// which their clocks must not contradict.
    ///
    /// # Errors
    ///
    /// [`HistoryError`], with the name of the culprit.
    pub fn of(runs: Vec<HistoryRun>) -> Result<Self, HistoryError> {
        let mut machines: Vec<MachineHistory> = Vec::new();
        for run in runs {
            if !is_utc(&run.date_utc) {
                return Err(HistoryError::Date {
                    name: run.name,
                    date: run.date_utc,
                });
            }
            let machine = match machines
                .iter_mut()
                .find(|known| known.machine == run.machine)
            {
                Some(known) => known,
                None => {
                    machines.push(MachineHistory {
                        machine: run.machine.clone(),
                        runs: vec![],
                    });
                    machines.last_mut().expect("a machine was just added")
                }
            };
            let twin = machine
                .runs
                .iter()
                .find(|known| known.date_utc == run.date_utc && known.revision == run.revision);
            if let Some(twin) = twin {
                return Err(HistoryError::Twice {
                    name: run.name,
                    first: twin.name.clone(),
                });
            }
            // Same form and zone: order of text is order of time.
            if let Some(last) = machine
                .runs
                .last()
                .filter(|last| last.date_utc > run.date_utc)
            {
                return Err(HistoryError::Backwards {
                    name: run.name,
                    date: run.date_utc,
                    before: last.name.clone(),
                    date_before: last.date_utc.clone(),
                });
            }
            machine.runs.push(run);
        }
        machines.sort_by(|a, b| a.machine.cmp(&b.machine));
        Ok(Self { machines })
    }
}

impl MachineHistory {
    /// Every entry that any run measured.
    #[must_use]
    pub fn entries(&self) -> BTreeSet<&Entry> {
        self.runs.iter().flat_map(|run| run.points.keys()).collect()
    }

    /// An entry's values by run; `None` where a run did not measure it.
    #[must_use]
    pub fn series(&self, entry: &Entry) -> Vec<Option<Estimate>> {
        self.runs
            .iter()
            .map(|run| run.points.get(entry).copied())
            .collect()
    }

    /// Last over first value of an entry and what may be said of it; `None` with fewer
    /// than two values. Counts are exact and judged without a floor.
    #[must_use]
    pub fn change(&self, entry: &Entry) -> Option<(Estimate, Verdict)> {
        let mut measured = self
            .runs
            .iter()
            .filter_map(|run| Some((run, run.points.get(entry)?)));
        let (first_run, first) = measured.next()?;
        let (last_run, last) = measured.next_back()?;
        let change = last.over(first)?;
        let exact = first.processes == 0 && last.processes == 0;
        let (floor, _) = floor_between(exact, first_run.floor, last_run.floor);
        let verdict = floor.map_or(Verdict::NoDifference, |floor| judge(&change, floor));
        Some((change, verdict))
    }
}

impl MachineHistory {
    /// Entries whose last value is called worse than their first by more than `threshold`
    /// (0.05 = 5 %), with the factor by which they are.
    pub fn worse_by(&self, threshold: f64) -> impl Iterator<Item = (&Entry, f64)> {
        self.entries().into_iter().filter_map(move |entry| {
            let (change, verdict) = self.change(entry)?;
            let (worse, factor) = if entry.less_is_better {
                (Verdict::Slower, change.value)
            } else {
                (Verdict::Faster, change.value.recip())
            };
            (verdict == worse && factor > 1.0 + threshold).then_some((entry, factor))
        })
    }
}

/// `2026-11-23T01:02:03Z`, and nothing else.
fn is_utc(date: &str) -> bool {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:ddZ";
    date.len() == FORM.len()
        && date.bytes().zip(FORM).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            form => byte == *form,
        })
}
