//! Exact counts of instructions against a baseline: what moved, where that came from, and
//! whether it is within the limits.
//!
//! Counts have no noise, so nothing here is statistical: one instruction more is one
//! instruction more. There are two kinds of limit. A loop may grow by a few percent of what
//! it was, so that work on other things is not stopped for a trifle; and what must not
//! depend on the order of the allocation may not, whatever the baseline says.

use std::collections::{BTreeMap, BTreeSet};

use results::{Loop, LoopCount};
use stats::geometric_mean;

mod lines;
mod order_invariant;

pub use lines::{LineFindings, LinesMoved, not_traced};
pub use order_invariant::{Invariant, Steady};

use crate::matched::matched;

/// The limits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Limits {
    /// Percent by which a loop without a limit of its own may grow.
    pub growth: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { growth: 1.0 }
    }
}

/// The share of one function's source in a loop, before and now: instructions, or lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shift {
    /// Its name.
    pub function: String,
    /// Its contribution in the baseline.
    pub base: u64,
    /// Its contribution now.
    pub now: u64,
}

impl Shift {
    /// How much more that is than in the baseline.
    pub fn more(&self) -> i128 {
        i128::from(self.now) - i128::from(self.base)
    }
}

/// A loop whose count is not what it was.
#[derive(Clone, PartialEq, Debug)]
pub struct Moved {
    /// Which.
    pub of: Loop,
    /// Instructions in the baseline.
    pub base: u64,
    /// Instructions now.
    pub now: u64,
    /// Percent by which it may grow.
    pub limit: f64,
    /// Functions that contribute another number than before, the largest change first.
    pub shifts: Vec<Shift>,
}

impl Moved {
    /// Percent by which it has grown; negative if it has shrunk.
    pub fn percent(&self) -> f64 {
        (self.now as f64 / self.base as f64 - 1.0) * 100.0
    }

    /// Whether it has grown by more than it may.
    pub fn is_beyond(&self) -> bool {
        // Not through the rounded percentage: the limit itself is allowed.
        self.now as f64 > self.base as f64 * (1.0 + self.limit / 100.0)
    }
}

/// All that was found.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Findings {
    /// Loops whose count is another one.
    pub moved: Vec<Moved>,
    /// Loops whose count is the same.
    pub same: usize,
    /// Loops that the baseline does not know.
    pub appeared: Vec<LoopCount>,
    /// Loops of the baseline that were not counted.
    pub vanished: Vec<LoopCount>,
    /// Loops that may not depend on the order.
    pub steady: Vec<Steady>,
    /// Which of those were not there to be looked at: workload and design.
    pub unseen: Vec<String>,
    /// Geometric mean of now : base, over the loops that are in both; `None` without any.
    pub ratio: Option<f64>,
}

/// The answer of the gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Everything was compared, and is within the limits.
    Within,
    /// Something is missing on one side, so the comparison says nothing about it.
    Incomplete,
    /// Something is beyond a limit.
    Beyond,
}

impl Outcome {
    /// The answer to both questions.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Beyond, _) | (_, Self::Beyond) => Self::Beyond,
            (Self::Incomplete, _) | (_, Self::Incomplete) => Self::Incomplete,
            (Self::Within, Self::Within) => Self::Within,
        }
    }
}

impl Findings {
    /// Compares counts with a baseline's. `wanted` says which workloads take part: others
    /// are left out on both sides. `invariant` are the loops whose cost may not depend on the
    /// order, whatever the baseline says.
    pub fn of(
        base: &[LoopCount],
        now: &[LoopCount],
        limits: Limits,
        invariant: &[Invariant<'_>],
        wanted: &dyn Fn(&str) -> bool,
    ) -> Self {
        let known: BTreeMap<&Loop, &LoopCount> = of_wanted(base, wanted);
        let counted: BTreeMap<&Loop, &LoopCount> = of_wanted(now, wanted);
        let mut findings = Self::default();
        let mut ratios = Vec::new();
        for (_, old, new) in matched(&known, &counted) {
            match (old, new) {
                (None, None) => {}
                (None, Some(new)) => findings.appeared.push(new.clone()),
                (Some(old), None) => findings.vanished.push(old.clone()),
                (Some(old), Some(new)) => {
                    ratios.push(new.instructions as f64 / old.instructions as f64);
                    if new.instructions == old.instructions {
                        findings.same += 1;
                    } else {
                        findings.moved.push(moved(old, new, limits));
                    }
                }
            }
        }
        findings.ratio = geometric_mean(&ratios);
        (findings.steady, findings.unseen) = order_invariant::look(&counted, invariant, wanted);
        findings
    }

    /// Loops that have grown by more than they may.
    pub fn beyond(&self) -> impl Iterator<Item = &Moved> {
        self.moved.iter().filter(|moved| moved.is_beyond())
    }

    /// Loops on one side only, and what could not be looked at.
    pub fn missing(&self) -> usize {
        self.appeared.len() + self.vanished.len() + self.unseen.len()
    }

    /// The answer. What is beyond a limit is so, whatever else is missing.
    pub fn outcome(&self) -> Outcome {
        if self.beyond().next().is_some() || self.steady.iter().any(|s| s.is_beyond()) {
            Outcome::Beyond
        } else if self.missing() == 0 && self.ratio.is_some() {
            Outcome::Within
        } else {
            Outcome::Incomplete
        }
    }
}

/// The least number of instructions that a timed loop can take: it is entered and left.
const LEAST: u64 = 4;
/// A loop of which less than this share of the baseline is left was not counted as a whole.
const LEFT: f64 = 0.05;

/// Counts that cannot be those of their loops, in words: a tool that collects nothing, or
/// only a part, must not pass for an improvement.
pub fn not_counted(base: &[LoopCount], now: &[LoopCount]) -> Vec<String> {
    let known: BTreeMap<&Loop, u64> = base.iter().map(|c| (&c.of, c.instructions)).collect();
    now.iter()
        .filter_map(|count| {
            let LoopCount {
                of, instructions, ..
            } = count;
            let before = known.get(of).copied().unwrap_or(0);
            let short = *instructions < LEAST || (*instructions as f64) < before as f64 * LEFT;
            short.then(|| {
                format!(
                    "{} {}: {instructions} instructions, {before} in the baseline",
                    of.workload, of.design
                )
            })
        })
        .collect()
}

fn of_wanted<'a>(
    counts: &'a [LoopCount],
    wanted: &dyn Fn(&str) -> bool,
) -> BTreeMap<&'a Loop, &'a LoopCount> {
    counts
        .iter()
        .filter(|count| wanted(&count.of.workload))
        .map(|count| (&count.of, count))
        .collect()
}

/// The functions whose contribution is another one, the largest change first.
fn shifts<N: Copy + Default + Into<u64>>(
    old: &BTreeMap<String, N>,
    new: &BTreeMap<String, N>,
) -> Vec<Shift> {
    let of = |functions: &BTreeMap<String, N>, name: &str| -> u64 {
        functions.get(name).copied().unwrap_or_default().into()
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut shifts: Vec<Shift> = names
        .into_iter()
        .map(|name| Shift {
            function: name.clone(),
            base: of(old, name),
            now: of(new, name),
        })
        .filter(|shift| shift.more() != 0)
        .collect();
    shifts.sort_by_key(|shift| std::cmp::Reverse(shift.more().unsigned_abs()));
    shifts
}

fn moved(old: &LoopCount, new: &LoopCount, limits: Limits) -> Moved {
    Moved {
        of: new.of.clone(),
        base: old.instructions,
        now: new.instructions,
        limit: old.limit.unwrap_or(limits.growth),
        shifts: shifts(&old.functions, &new.functions),
    }
}
