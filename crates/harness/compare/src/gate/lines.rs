//! Lines of descriptor against a baseline: a loop may touch or write none more than it did.
//!
//! Lines, unlike instructions, hardly depend on the compiler, and one more is a choice that
//! somebody made: there is no percentage.

use std::collections::BTreeMap;

use results::{Loop, LoopLines};

use super::{Outcome, Shift};
use crate::matched::matched;

/// A loop that touches or writes another number of lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinesMoved {
    /// Which.
    pub of: Loop,
    /// Lines touched: in the baseline, and now.
    pub lines: (u32, u32),
    /// Lines written: in the baseline, and now.
    pub written: (u32, u32),
    /// Functions that are the first to touch another number of lines than before, the largest
    /// change first.
    pub shifts: Vec<Shift>,
}

impl LinesMoved {
    /// Whether it touches or writes more than it did.
    pub fn is_beyond(&self) -> bool {
        self.lines.1 > self.lines.0 || self.written.1 > self.written.0
    }
}

/// All that was found.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LineFindings {
    /// Loops with another number of lines.
    pub moved: Vec<LinesMoved>,
    /// The number of loops with the same lines.
    pub same: usize,
    /// Loops that the baseline does not know.
    pub appeared: Vec<LoopLines>,
    /// Loops of the baseline that were not traced.
    pub vanished: Vec<LoopLines>,
}

impl LineFindings {
    /// Compares traced loops with a baseline's. `wanted` says which workloads take part.
    pub fn of(base: &[LoopLines], now: &[LoopLines], wanted: &dyn Fn(&str) -> bool) -> Self {
        let known = of_wanted(base, wanted);
        let traced = of_wanted(now, wanted);
        let mut found = Self::default();
        for (_, old, new) in matched(&known, &traced) {
            match (old, new) {
                (None, None) => {}
                (None, Some(new)) => found.appeared.push(new.clone()),
                (Some(old), None) => found.vanished.push(old.clone()),
                (Some(old), Some(new)) => {
                    if (old.lines, old.written) == (new.lines, new.written) {
                        found.same += 1;
                    } else {
                        found.moved.push(moved(old, new));
                    }
                }
            }
        }
        found
    }

    /// Loops that touch or write more than they did.
    pub fn beyond(&self) -> impl Iterator<Item = &LinesMoved> {
        self.moved.iter().filter(|moved| moved.is_beyond())
    }

    /// Loops on one side only.
    pub fn missing(&self) -> usize {
        self.appeared.len() + self.vanished.len()
    }

    /// The answer. What is beyond is so, whatever else is missing.
    pub fn outcome(&self) -> Outcome {
        if self.beyond().next().is_some() {
            Outcome::Beyond
        } else if self.missing() == 0 && self.moved.len() + self.same > 0 {
            Outcome::Within
        } else {
            Outcome::Incomplete
        }
    }
}

/// Loops that touched lines in the baseline and none now, in words: a tracer that was not told
/// where the descriptors are must not pass for an improvement. Without a baseline, all loops if
/// none touched any.
pub fn not_traced(base: &[LoopLines], now: &[LoopLines]) -> Vec<String> {
    let known: BTreeMap<&Loop, u32> = base.iter().map(|one| (&one.of, one.lines)).collect();
    let nothing_at_all = now.iter().all(|one| one.lines == 0);
    now.iter()
        .filter(|one| one.lines == 0)
        .filter(|one| nothing_at_all || known.get(&one.of).is_some_and(|before| *before > 0))
        .map(|one| {
            let before = known.get(&one.of).copied().unwrap_or(0);
            format!("{}: 0 lines, {before} in the baseline", one.of)
        })
        .collect()
}

fn of_wanted<'a>(
    all: &'a [LoopLines],
    wanted: &dyn Fn(&str) -> bool,
) -> BTreeMap<&'a Loop, &'a LoopLines> {
    let all = all.iter().filter(|one| wanted(&one.of.workload));
    all.map(|one| (&one.of, one)).collect()
}

fn moved(old: &LoopLines, new: &LoopLines) -> LinesMoved {
    LinesMoved {
        of: new.of.clone(),
        lines: (old.lines, new.lines),
        written: (old.written, new.written),
        shifts: super::shifts(&old.functions, &new.functions),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traced(design: &str, lines: u32, written: u32, functions: &[(&str, u32)]) -> LoopLines {
        LoopLines {
            of: format!("merging/add {design} 6.12 order=9")
                .parse()
                .unwrap(),
            elements: 1,
            lines,
            written,
            functions: functions
                .iter()
                .map(|(name, lines)| ((*name).to_owned(), *lines))
                .collect(),
        }
    }

    fn of(base: &[LoopLines], now: &[LoopLines]) -> LineFindings {
        LineFindings::of(base, now, &|_| true)
    }

    #[test]
    fn one_line_more_is_beyond_and_its_function_is_named() {
        let base = [traced("flat", 8, 1, &[("add", 8)])];
        let more = [traced("flat", 9, 1, &[("add", 8), ("peek", 1)])];
        let found = of(&base, &more);
        assert_eq!(found.outcome(), Outcome::Beyond);
        assert_eq!(found.moved[0].shifts[0].function, "peek");
        assert_eq!(found.moved[0].shifts[0].more(), 1);
        // The other way it is an improvement, which is reported and not refused.
        let found = of(&more, &base);
        assert_eq!((found.outcome(), found.moved.len()), (Outcome::Within, 1));
        assert_eq!(of(&base, &base).outcome(), Outcome::Within);
    }

    #[test]
    fn a_line_more_that_is_written_is_beyond_too() {
        let base = [traced("flat", 8, 1, &[("add", 8)])];
        let now = [traced("flat", 8, 2, &[("add", 8)])];
        assert_eq!(of(&base, &now).outcome(), Outcome::Beyond);
    }

    #[test]
    fn a_baseline_of_nothing_or_with_gaps_passes_nothing() {
        let now = [traced("flat", 8, 1, &[("add", 8)])];
        assert_eq!(of(&[], &now).outcome(), Outcome::Incomplete);
        assert_eq!(of(&[], &[]).outcome(), Outcome::Incomplete);
        let foreign = [traced("folio", 8, 1, &[("add", 8)])];
        assert_eq!(of(&foreign, &now).missing(), 2);
        let zero = [traced("flat", 0, 0, &[])];
        assert_eq!(of(&zero, &now).outcome(), Outcome::Beyond);
        let halved = [traced("flat", 4, 0, &[("add", 4)])];
        assert_eq!(of(&halved, &now).outcome(), Outcome::Beyond);
    }

    #[test]
    fn a_trace_that_saw_no_descriptor_is_no_improvement() {
        let base = [
            traced("flat", 8, 1, &[("add", 8)]),
            traced("null", 0, 0, &[]),
        ];
        let blind = [traced("flat", 0, 0, &[]), traced("null", 0, 0, &[])];
        assert_eq!(not_traced(&base, &base).len(), 0);
        // All that touched something before, and without a baseline everything.
        assert_eq!(not_traced(&base, &base[1..]).len(), 1);
        assert_eq!(not_traced(&base, &blind).len(), 2);
        assert_eq!(not_traced(&[], &blind).len(), 2);
        assert_eq!(not_traced(&[], &base).len(), 0);
    }
}
