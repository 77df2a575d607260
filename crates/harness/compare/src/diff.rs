//! Changes from one run to another, apart from those that only seem so.
//!
//! A row of times is called different when all its witnesses say so beyond its floor: its
//! time, after the drift of the machine is taken out, and its ratio to the reference within
//! each run. A neighbour on the machine moves the first, a disturbed reference the second; a
//! change of the code moves both. The reference itself has its control copy for a second
//! witness; where it has changed itself, its ratio is no witness for others.
//!
//! The machine's drift is read from the yardstick, which no design can change ([`Drift`]). Rows
//! follow it more or less, so a time that no ratio stands beside must have moved beyond the floor
//! both with the drift taken out and without.
//!
//! A row's floor is its own, learnt from the past of the machine ([`Floors`]), where that
//! past knows enough of it and is no quieter than the two runs; else it is the runs' floor,
//! which is one for all rows. [`FloorSource`] says which.

mod witnesses;

use std::collections::BTreeMap;

use results::{Difference, Params};
use stats::{Estimate, Verdict, historic_floor, judge, median, moved_together};

use crate::matched::matched;
use crate::summary::{Case, Summary, ValueCase, ValueCell};

use witnesses::Sides;

/// Identifies a row within a run: workload, parameters, design.
pub type RowKey = (String, Params, String);

/// One row that both runs hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Workload, parameters, design.
    pub key: RowKey,
    /// `time`, or the quantity that was counted.
    pub quantity: String,
    /// Unit of `old` and `new`.
    pub unit: String,
    /// The value in the first run.
    pub old: Estimate,
    /// The value in the second run.
    pub new: Estimate,
    /// New over old; of times after the machine's drift is taken out.
    pub ratio: Estimate,
    /// The floor it was judged by (0.03 = 3 %); `None` where nothing is known of the
    /// noise, and then nothing is claimed.
    pub floor: Option<f64>,
    /// Where the floor comes from.
    pub source: FloorSource,
    /// Whether less is better: times and bytes, not bandwidth.
    pub less_is_better: bool,
    /// The verdict; "faster" is "better" for a value of which more is better.
    pub verdict: Verdict,
}

impl Change {
    /// By what factor it became worse: of what more is better, old over new.
    #[must_use]
    pub fn worsening(&self) -> f64 {
        if self.less_is_better {
            self.ratio.value
        } else {
            self.ratio.value.recip()
        }
    }
}

/// Where a row's floor comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloorSource {
    /// The row's own past: the number of changes between what should have been the same.
    History(usize),
    /// The control copies of the two runs, all rows together.
    Runs,
    /// No run has a control copy: 5 %, for the placement of code, beyond the spread of processes.
    Processes,
    /// The value is exact and needs none.
    Exact,
    /// Nothing is known of the noise.
    Unknown,
}

/// Two runs side by side.
#[derive(Debug, Clone)]
pub struct Diff {
    /// Rows that both hold: times in the order of the second run, then values.
    pub rows: Vec<Change>,
    /// The differences in how the runs were made.
    pub differences: Vec<Difference>,
    /// How the machine moved, and what is known of it.
    pub drift: Drift,
    /// How all times together moved, the machine's drift taken out: 1.05 is 5 % slower. With
    /// a drift that is only [`Drift::Assumed`] it is 1 by definition.
    pub together: f64,
    /// Rows that only the first run holds.
    pub only_old: Vec<RowKey>,
    /// Rows that only the second run holds.
    pub only_new: Vec<RowKey>,
    /// Rows that were measured in the first run and went wrong in the second.
    pub newly_failed: Vec<(RowKey, String)>,
}

/// How the machine moved between two runs: 1.05 is 5 % slower. It is taken out of all times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Drift {
    /// By the yardsticks beside the samples of both runs.
    Seen(f64),
    /// By the median of all rows, since a run has no yardsticks. It cannot be told from a
    /// change of all code at once, so nothing is said of such a change.
    Assumed(f64),
    /// The runs are of two machines: times are not compared, only ratios within each run.
    Across,
}

impl Drift {
    /// The factor that is taken out of times.
    #[must_use]
    pub fn factor(self) -> f64 {
        match self {
            Self::Seen(factor) | Self::Assumed(factor) => factor,
            Self::Across => 1.0,
        }
    }
}

/// The noise of rows in the past of one machine.
#[derive(Debug, Clone, Default)]
pub struct Floors {
    /// Changes of each row between what should have been the same.
    changes: BTreeMap<RowKey, Vec<f64>>,
    /// The largest floor of a run among them: what they know of noise goes so far.
    noisiest: Option<f64>,
}

impl Floors {
    /// Learns from past runs of one machine, oldest first. Two kinds of pairs should be
    /// the same: the reference and its control copy within every run, and a row in two
    /// successive runs of one clean revision.
    #[must_use]
    pub fn learn(runs: &[Summary]) -> Self {
        let mut floors = Self::default();
        for run in runs {
            floors.noisiest = floors
                .noisiest
                .into_iter()
                .chain(run.floor)
                .reduce(f64::max);
            for case in run.cases() {
                if let Some(control) = case.control {
                    // Every design of the case ran through the same noise.
                    for design in case.cells.keys() {
                        floors.add(key(case, design), control.value - 1.0);
                    }
                }
            }
        }
        for pair in runs.windows(2) {
            if same_code(&pair[0], &pair[1]) {
                let quotients = time_quotients(&pair[0], &pair[1]);
                let moved = moved_together(&quotients.values().copied().collect::<Vec<f64>>());
                for (key, quotient) in quotients {
                    floors.add(key, quotient / moved - 1.0);
                }
            }
        }
        floors
    }

    fn add(&mut self, key: RowKey, change: f64) {
        self.changes.entry(key).or_default().push(change);
    }

    /// A row's own floor: third quartile and 3 interquartile ranges of its past changes;
    /// `None` with fewer than five of them.
    #[must_use]
    pub fn of(&self, key: &RowKey) -> Option<f64> {
        historic_floor(self.changes.get(key)?)
    }

    /// The floor of a row in two runs of one workload. The row's own past stands for both
    /// runs unless one of them was noisier than all of it, and a row whose control copy
    /// strays further in one of them is judged by that.
    fn between(
        &self,
        key: &RowKey,
        cases: [&Case; 2],
        runs: [&Summary; 2],
    ) -> (Option<f64>, FloorSource) {
        let [Some(before), Some(after)] = cases.map(|case| case.floor) else {
            return self.without_control(key, cases, runs);
        };
        let quiet = |run: &Summary| run.floor <= self.noisiest;
        match self.of(key) {
            Some(own) if runs.into_iter().all(quiet) => {
                let strayed = cases.map(|case| {
                    case.control
                        .map_or(0.0, |control| control.value.ln().abs().exp_m1())
                });
                let floor = strayed.into_iter().fold(own, f64::max);
                (Some(floor), FloorSource::History(self.changes[key].len()))
            }
            _ => (Some(before.max(after)), FloorSource::Runs),
        }
    }
}

/// Processes of each side behind a verdict where no control copy stands beside it.
const LEAST_PROCESSES: usize = 3;
/// The floor of such a row: what moving code around does to most rows, which other processes of the
/// same build do not show.
const PLACED_FLOOR: f64 = 0.05;

impl Floors {
    /// The floor of a row without a control copy, such as another program's: its own past, or the
    /// placement of code where several processes show the rest of its noise.
    fn without_control(
        &self,
        key: &RowKey,
        cases: [&Case; 2],
        runs: [&Summary; 2],
    ) -> (Option<f64>, FloorSource) {
        if runs.iter().any(|run| run.control_pairs > 0) {
            return (None, FloorSource::Unknown);
        }
        if let Some(own) = self.of(key) {
            return (Some(own), FloorSource::History(self.changes[key].len()));
        }
        let processes = |case: &Case| case.time(&key.2).map_or(0, |time| time.processes);
        match cases.into_iter().map(processes).min() {
            Some(LEAST_PROCESSES..) => (Some(PLACED_FLOOR), FloorSource::Processes),
            _ => (None, FloorSource::Unknown),
        }
    }
}

fn same_code(a: &Summary, b: &Summary) -> bool {
    match (&a.env.git, &b.env.git) {
        (Some(a), Some(b)) => a.revision == b.revision && !a.dirty && !b.dirty,
        _ => false,
    }
}

fn key(case: &Case, design: &str) -> RowKey {
    (
        case.workload.clone(),
        case.params.clone(),
        design.to_owned(),
    )
}

fn times(summary: &Summary) -> impl Iterator<Item = (RowKey, (&Case, Estimate))> {
    summary.cases().flat_map(|case| {
        case.cells
            .keys()
            .filter_map(move |design| Some((key(case, design), (case, case.time(design)?))))
    })
}

fn time_quotients(old: &Summary, new: &Summary) -> BTreeMap<RowKey, f64> {
    let before: BTreeMap<RowKey, (&Case, Estimate)> = times(old).collect();
    times(new)
        .filter_map(|(key, (_, time))| {
            let quotient = time.over(&before.get(&key)?.1)?.value;
            Some((key, quotient))
        })
        .collect()
}

impl Diff {
    /// Compares what both runs measured.
    #[must_use]
    pub fn between(old: &Summary, new: &Summary, floors: &Floors) -> Self {
        let before: BTreeMap<RowKey, (&Case, Estimate)> = times(old).collect();
        let after: BTreeMap<RowKey, (&Case, Estimate)> = times(new).collect();
        let quotients = time_quotients(old, new);
        let moved = moved_together(&quotients.values().copied().collect::<Vec<f64>>());
        let drift = match (old.yardstick_ns, new.yardstick_ns) {
            _ if old.env.machine() != new.env.machine() => Drift::Across,
            (Some(from), Some(to)) if from > 0.0 && to > 0.0 => Drift::Seen(to / from),
            _ => Drift::Assumed(moved),
        };
        let mut rows: Vec<Change> = Vec::new();
        for (key, after) in times(new) {
            if let Some(&before) = before.get(&key) {
                let floor = floors.between(&key, [before.0, after.0], [old, new]);
                let sides = Sides {
                    cases: [before.0, after.0],
                    times: [before.1, after.1],
                };
                rows.extend(sides.change(key, drift, floor));
            }
        }
        rows.extend(value_changes(old, new));
        let only = |side: fn(bool, bool) -> bool| {
            matched(&before, &after)
                .filter(|(_, old, new)| side(old.is_some(), new.is_some()))
                .map(|(key, ..)| key.clone())
                .collect()
        };
        let newly_failed = new
            .failures()
            .map(|(case, design, reason)| (key(case, design), reason.to_owned()))
            .filter(|(key, _)| before.contains_key(key))
            .collect();
        Self {
            rows,
            differences: old.env.differences(&new.env),
            drift,
            together: moved / drift.factor(),
            only_old: only(|old, new| old && !new),
            only_new: only(|old, new| new && !old),
            newly_failed,
        }
    }

    /// Rows that are called different.
    pub fn different(&self) -> impl Iterator<Item = &Change> {
        self.rows
            .iter()
            .filter(|change| change.verdict != Verdict::NoDifference)
    }

    /// The gaps of the diff, in words; empty if it judged all that the first run holds.
    #[must_use]
    pub fn unjudged(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if let Drift::Assumed(moved) = self.drift {
            let floors: Vec<f64> = self.rows.iter().filter_map(|change| change.floor).collect();
            let floor = median(&floors).unwrap_or(0.0);
            if moved.ln().abs() > floor.ln_1p() {
                reasons.push(format!(
                    "all times together moved by {:+.1} %, and without yardsticks in both runs \
                     nobody can tell the machine from the code",
                    (moved - 1.0) * 100.0
                ));
            }
        }
        if !self.only_old.is_empty() {
            let rows = self.only_old.len();
            reasons.push(format!(
                "the second run lacks {rows} of the first run's times"
            ));
        }
        if !self.newly_failed.is_empty() {
            let rows = self.newly_failed.len();
            reasons.push(format!(
                "{rows} rows of the first run went wrong in the second"
            ));
        }
        reasons
    }

    /// Rows that are called worse by more than `threshold` (0.05 = 5 %).
    pub fn worse_by(&self, threshold: f64) -> impl Iterator<Item = &Change> {
        self.different().filter(move |change| {
            change.verdict == Verdict::Slower && change.worsening() > 1.0 + threshold
        })
    }
}

/// The floor of a change between two runs that have these floors: the larger one.
pub(crate) fn floor_between(
    exact: bool,
    old: Option<f64>,
    new: Option<f64>,
) -> (Option<f64>, FloorSource) {
    match (exact, old, new) {
        (true, ..) => (Some(0.0), FloorSource::Exact),
        (false, Some(a), Some(b)) => (Some(a.max(b)), FloorSource::Runs),
        _ => (None, FloorSource::Unknown),
    }
}

/// Exact values differ if they are not equal; sampled ones if they lie beyond the floor.
fn value_changes(old: &Summary, new: &Summary) -> Vec<Change> {
    let mut changes = Vec::new();
    for after in &new.values {
        let same = |before: &&ValueCase| {
            before.workload == after.workload
                && before.params == after.params
                && before.quantity == after.quantity
        };
        let Some(before) = old.values.iter().find(same) else {
            continue;
        };
        for (design, cell) in &after.cells {
            let (Some(ValueCell::Value(from)), ValueCell::Value(to)) =
                (before.cells.get(design), cell)
            else {
                continue;
            };
            let Some(ratio) = to.over(from) else { continue };
            let exact = from.processes == 0 && to.processes == 0;
            let (floor, source) = floor_between(exact, old.floor, new.floor);
            // Of bandwidth, more is better: less of it is "slower".
            let judged = if after.less_is_better {
                Some(ratio)
            } else {
                from.over(to)
            };
            let verdict = match (judged, floor) {
                (Some(judged), Some(floor)) => judge(&judged, floor),
                _ => Verdict::NoDifference,
            };
            changes.push(Change {
                key: (after.workload.clone(), after.params.clone(), design.clone()),
                quantity: after.quantity.clone(),
                unit: after.unit.clone(),
                old: *from,
                new: *to,
                ratio,
                floor,
                source,
                less_is_better: after.less_is_better,
                verdict,
            });
        }
    }
    changes
}
