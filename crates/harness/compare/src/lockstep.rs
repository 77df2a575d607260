//! Two builds in lock-step: what changed, what the method calls a change where there is none, and
//! how small a change each row can show.
//!
//! A row has one value for each set of processes: the mean logarithm of new over old over the
//! assignments of memory to processes, in which the differences of memory cancel. Where a side
//! has several builds, a row has one value for each pair of builds. Rows are estimated and judged
//! as those of a run are (see [`stats`]), and so is their null row, old against old. Errors are
//! widened until the null rows of the session stray no further than chance lets them.

mod study;

use std::collections::BTreeMap;

use results::{LockstepRecord, LockstepRow, Params, Status};
use stats::{
    Estimate, FALSE_CLAIMS, Moderated, Prior, RowValues, Verdict, median, q_values, quantile,
    two_sided_quantile,
};

pub use study::{Study, StudyLine};

/// The share of null rows that may be called a change. It bounds every row by itself, so that a
/// comparison of a single row cries wolf no more often than one of a thousand.
pub const FALSE_ALARMS: f64 = 0.005;
/// Fewer values than this are no row.
const LEAST_VALUES: usize = 3;
/// A change that a row can see is called so four times out of five: a normal value lies 0.84
/// standard errors above its mean one time in five.
const POWER: f64 = 0.84;

/// Identifies a row across sets: workload, parameters, design.
pub type LoopKey = (String, Params, String);

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Which loop.
    pub key: LoopKey,
    /// Name of one element.
    pub unit: String,
    /// Nanoseconds per element of the old side: the median over sets.
    pub old_ns: f64,
    /// New over old.
    pub change: Estimate,
    /// Old over old.
    pub null: Estimate,
    /// The least change that would be called four times out of five (0.02 = 2 %).
    pub can_see: f64,
    /// The least share of false claims at which the change would be claimed.
    pub q: f64,
    /// The verdict on the change.
    pub verdict: Verdict,
    /// Whether old was called different from old: then nothing is said of the row.
    pub false_alarm: bool,
}

/// A comparison in lock-step, judged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lockstep {
    /// The rows that could be estimated, in the order of their names.
    pub rows: Vec<Compared>,
    /// The loops that could not, with the reason.
    pub failed: Vec<(LoopKey, String)>,
    /// The loops that the old side lacks: nothing is lost.
    pub absent: Vec<(LoopKey, String)>,
    /// By how much errors were widened for the null rows to be what they are; 1 at least.
    pub widened: f64,
}

/// A row before it is judged.
struct Draft {
    key: LoopKey,
    unit: String,
    old_ns: f64,
    change: Moderated,
    null: Moderated,
}

impl Lockstep {
    /// Judges a record.
    #[must_use]
    pub fn of(record: &LockstepRecord) -> Self {
        let mut grouped: BTreeMap<LoopKey, Vec<&LockstepRow>> = BTreeMap::new();
        for row in &record.rows {
            let key = (row.workload.clone(), row.params.clone(), row.design.clone());
            grouped.entry(key).or_default().push(row);
        }
        let mut failed = Vec::new();
        let mut absent = Vec::new();
        let mut valued = Vec::new();
        for (key, rows) in grouped {
            if let Some(Status::Absent(why)) = rows.iter().map(|row| &row.status).find(is_absent) {
                absent.push((key, why.clone()));
                continue;
            }
            match values(&rows) {
                Ok(values) => valued.push((key, rows, values)),
                Err(why) => failed.push((key, why)),
            }
        }
        // How a row scatters has nothing to do with whether it changed.
        let prior = Prior::of_rows(valued.iter().flat_map(|(_, _, both)| both));
        let mut drafts: Vec<Draft> = Vec::new();
        for (key, rows, [change, null]) in valued {
            let of = |values| Moderated::of(values, prior.as_ref());
            let (Some(change), Some(null)) = (of(&change), of(&null)) else {
                failed.push((key, "nothing is known of its noise".to_owned()));
                continue;
            };
            drafts.push(Draft {
                key,
                unit: rows[0].unit.clone(),
                old_ns: old_ns(&rows),
                change,
                null,
            });
        }
        let widened = widening(drafts.iter().map(|draft| &draft.null));
        for draft in &mut drafts {
            draft.change.error *= widened;
            draft.null.error *= widened;
        }
        let changes = verdicts(drafts.iter().map(|draft| &draft.change));
        let nulls = verdicts(drafts.iter().map(|draft| &draft.null));
        let rows = drafts.iter().zip(changes).zip(nulls);
        Self {
            rows: rows
                .map(|((draft, (q, verdict)), (_, null))| {
                    let false_alarm = null != Verdict::NoDifference;
                    draft.judged(q, verdict, false_alarm)
                })
                .collect(),
            failed,
            absent,
            widened,
        }
    }

    /// Rows in which old was called different from old.
    pub fn false_alarms(&self) -> impl Iterator<Item = &Compared> {
        self.rows.iter().filter(|row| row.false_alarm)
    }

    /// Rows that are called different.
    pub fn different(&self) -> impl Iterator<Item = &Compared> {
        self.rows
            .iter()
            .filter(|row| row.verdict != Verdict::NoDifference)
    }

    /// Rows that are called slower by more than `threshold` (0.05 = 5 %).
    pub fn slower_by(&self, threshold: f64) -> impl Iterator<Item = &Compared> {
        self.rows
            .iter()
            .filter(move |row| row.verdict == Verdict::Slower && row.change.value > 1.0 + threshold)
    }

    /// Rows of which nothing is said and that could not have shown a change of `threshold`.
    pub fn blind_to(&self, threshold: f64) -> impl Iterator<Item = &Compared> {
        self.rows.iter().filter(move |row| {
            row.verdict == Verdict::NoDifference && (row.can_see > threshold || row.false_alarm)
        })
    }
}

impl Draft {
    fn judged(&self, q: f64, verdict: Verdict, false_alarm: bool) -> Compared {
        let critical = two_sided_quantile(FALSE_ALARMS, self.change.freedom);
        Compared {
            key: self.key.clone(),
            unit: self.unit.clone(),
            old_ns: self.old_ns,
            change: self.change.estimate(),
            null: self.null.estimate(),
            can_see: (self.change.error * (critical + POWER)).exp_m1(),
            q,
            verdict: if false_alarm {
                Verdict::NoDifference
            } else {
                verdict
            },
            false_alarm,
        }
    }
}

fn is_absent(status: &&Status) -> bool {
    matches!(status, Status::Absent(_))
}

/// The values of a loop's change and of its null row, or why it has none. One wrong set spoils
/// the row.
fn values(rows: &[&LockstepRow]) -> Result<[RowValues; 2], String> {
    for row in rows {
        if let Status::Err(why) = &row.status {
            return Err(why.clone());
        }
    }
    let several = rows
        .iter()
        .any(|row| row.builds[..2] != rows[0].builds[..2]);
    let mut by_pair: BTreeMap<[usize; 2], Vec<[f64; 2]>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        let count = row.periods.len() as f64;
        let mean = |of: fn(&results::Period) -> f64| {
            row.periods
                .iter()
                .map(|period| of(period).ln())
                .sum::<f64>()
                / count
        };
        // Sets of one build are as independent as processes are.
        let pair = if several {
            [row.builds[0], row.builds[1]]
        } else {
            [at, at]
        };
        let both = [mean(|period| period.new), mean(|period| period.null)];
        by_pair.entry(pair).or_default().push(both);
    }
    if by_pair.len() < LEAST_VALUES {
        return Err(format!(
            "measured {} times, which is fewer than {LEAST_VALUES}: the budget ran out, or --processes",
            by_pair.len()
        ));
    }
    let middle = |of: usize| {
        let values = by_pair.values().filter_map(|sets| {
            let logs: Vec<f64> = sets.iter().map(|both| both[of]).collect();
            median(&logs).map(f64::exp)
        });
        RowValues::of_readings(&values.collect::<Vec<f64>>())
    };
    let none = || "its ratios are no numbers".to_owned();
    Ok([middle(0).ok_or_else(none)?, middle(1).ok_or_else(none)?])
}

fn old_ns(rows: &[&LockstepRow]) -> f64 {
    let periods = rows.iter().flat_map(|row| &row.periods);
    let times: Vec<f64> = periods.map(|period| period.old_ns).collect();
    median(&times).unwrap_or(f64::NAN)
}

/// By how much errors must be wider for null rows to stray as they do. Looks at several quantiles
/// of their distance, as far out as five rows or more lie beyond; 1 where chance explains all.
fn widening<'a>(nulls: impl Iterator<Item = &'a Moderated>) -> f64 {
    let (distances, freedoms): (Vec<f64>, Vec<f64>) = nulls
        .filter(|null| null.error > 0.0)
        .map(|null| (null.log.abs() / null.error, null.freedom))
        .unzip();
    let Some(freedom) = median(&freedoms) else {
        return 1.0;
    };
    let needed = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01]
        .into_iter()
        .filter(|beyond| beyond * distances.len() as f64 >= 5.0)
        .filter_map(|beyond| {
            Some(quantile(&distances, 1.0 - beyond)? / two_sided_quantile(beyond, freedom))
        });
    needed.fold(1.0, f64::max)
}

/// The q value and the verdict of each row.
fn verdicts<'a>(rows: impl Iterator<Item = &'a Moderated>) -> Vec<(f64, Verdict)> {
    let rows: Vec<&Moderated> = rows.collect();
    let p: Vec<f64> = rows.iter().map(|row| row.p_beyond(0.0)).collect();
    let judged = rows.iter().zip(&p).zip(q_values(&p));
    judged
        .map(|((row, p), q)| {
            let verdict = match row.log {
                _ if q > FALSE_CLAIMS || *p > FALSE_ALARMS => Verdict::NoDifference,
                log if log < 0.0 => Verdict::Faster,
                _ => Verdict::Slower,
            };
            (q, verdict)
        })
        .collect()
}

#[cfg(test)]
#[path = "lockstep_tests.rs"]
mod tests;
