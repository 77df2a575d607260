//! The findings as objects, one a line: for `jq`.

use results::{Loop, LoopCount};
use serde::Serialize;

use crate::compare::{Findings, Limits, Outcome};

/// One object.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Line<'a> {
    /// A loop whose count is another one than before.
    Moved {
        /// Which.
        #[serde(rename = "loop")]
        of: &'a Loop,
        /// Instructions in the baseline.
        base: u64,
        /// Instructions now.
        now: u64,
        /// Percent by which it has grown.
        percent: f64,
        /// Percent by which it may.
        limit: f64,
        /// Whether that is more than it may.
        beyond: bool,
        /// Functions that contribute another number than before.
        functions: Vec<Function<'a>>,
    },
    /// A loop that the baseline does not know.
    Appeared(&'a LoopCount),
    /// A loop of the baseline that was not counted.
    Vanished(&'a LoopCount),
    /// What may not depend on the order.
    Steady {
        /// Workload.
        workload: &'a str,
        /// Design.
        design: &'a str,
        /// Instructions at order 0.
        least: u64,
        /// Instructions at the larger order that costs most.
        most: u64,
        /// That order.
        order: u64,
        /// Instructions by which they may be apart.
        slack: u64,
        /// Whether they are further apart.
        beyond: bool,
    },
    /// What all of it comes to.
    Summary {
        /// `within`, `incomplete` or `beyond`.
        outcome: &'static str,
        /// Geometric mean of now : base.
        ratio: Option<f64>,
        /// Loops whose count is the same.
        same: usize,
        /// Loops whose count is another one.
        moved: usize,
        /// Loops on one side only, and what could not be looked at.
        missing: usize,
        /// Percent by which a loop may grow unless it has a limit of its own.
        limit: f64,
    },
}

/// What a function contributes.
#[derive(Debug, Serialize)]
pub struct Function<'a> {
    /// Its name.
    pub name: &'a str,
    /// Instructions in the baseline.
    pub base: u64,
    /// Instructions now.
    pub now: u64,
}

/// All findings; the summary is the last.
pub fn lines(findings: &Findings, limits: Limits) -> Vec<Line<'_>> {
    let moved = findings.moved.iter().map(|moved| Line::Moved {
        of: &moved.of,
        base: moved.base,
        now: moved.now,
        percent: moved.percent(),
        limit: moved.limit,
        beyond: moved.is_beyond(),
        functions: moved
            .shifts
            .iter()
            .map(|shift| Function {
                name: &shift.function,
                base: shift.base,
                now: shift.now,
            })
            .collect(),
    });
    let steady = findings.steady.iter().map(|steady| Line::Steady {
        workload: &steady.workload,
        design: &steady.design,
        least: steady.least,
        most: steady.most,
        order: steady.order,
        slack: steady.slack,
        beyond: steady.is_beyond(),
    });
    let summary = Line::Summary {
        outcome: match findings.outcome() {
            Outcome::Within => "within",
            Outcome::Incomplete => "incomplete",
            Outcome::Beyond => "beyond",
        },
        ratio: findings.ratio,
        same: findings.same,
        moved: findings.moved.len(),
        missing: findings.appeared.len() + findings.vanished.len() + findings.unseen.len(),
        limit: limits.growth,
    };
    moved
        .chain(findings.appeared.iter().map(Line::Appeared))
        .chain(findings.vanished.iter().map(Line::Vanished))
        .chain(steady)
        .chain([summary])
        .collect()
}
