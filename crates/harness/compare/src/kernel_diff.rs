//! Changes per primitive between two kernels' counts: a patch's before and after.

use std::collections::BTreeMap;

use results::{KernelCount, KernelCounts};
use serde::Serialize;

use crate::matched::matched;

/// One primitive at one order in one state, in two kernels.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Change {
    /// The primitive.
    pub primitive: String,
    /// The order.
    pub order: u8,
    /// The state; where states were split by value, the state without the value.
    pub class: String,
    /// Instructions before: the least and the most over the state's exact values.
    pub before: Option<(u64, u64)>,
    /// Instructions after.
    pub after: Option<(u64, u64)>,
    /// Most common value after over most common value before, where both exist.
    pub ratio: Option<f64>,
}

impl Change {
    /// Whether anything is different.
    pub fn is_change(&self) -> bool {
        self.before != self.after
    }

    /// Whether the first kernel has a count that the second lacks.
    pub fn is_lost(&self) -> bool {
        self.before.is_some() && self.after.is_none()
    }

    /// By what factor it has grown, by its most common value or by its greatest, whichever is
    /// more; `None` where only one kernel has it.
    pub fn growth(&self) -> Option<f64> {
        let (before, after) = (self.before?, self.after?);
        let greatest = (before.1 > 0).then(|| after.1 as f64 / before.1 as f64);
        greatest.into_iter().chain(self.ratio).reduce(f64::max)
    }
}

/// Instructions of one primitive, order and state.
#[derive(Clone, Copy)]
struct Span {
    min: u64,
    max: u64,
    /// The value that most samples had, and how many.
    mode: (u64, u32),
}

type Key = (String, u8, String);

fn spans(counts: &KernelCounts) -> BTreeMap<Key, Span> {
    let mut spans: BTreeMap<Key, Span> = BTreeMap::new();
    for row in &counts.rows {
        let KernelCount {
            primitive,
            order,
            state,
            samples,
            min,
            max,
        } = row;
        let mode = (*min, *samples);
        spans
            .entry((primitive.clone(), *order, state.name().to_owned()))
            .and_modify(|span| {
                span.min = span.min.min(*min);
                span.max = span.max.max(*max);
                if *samples > span.mode.1 {
                    span.mode = mode;
                }
            })
            .or_insert(Span {
                min: *min,
                max: *max,
                mode,
            });
    }
    spans
}

/// Every primitive, order and state that either kernel counted, in order of name.
pub fn diff(before: &KernelCounts, after: &KernelCounts) -> Vec<Change> {
    let (before, after) = (spans(before), spans(after));
    matched(&before, &after)
        .map(|(key, b, a)| {
            let ratio = b
                .zip(a)
                .filter(|(b, _)| b.mode.0 > 0)
                .map(|(b, a)| a.mode.0 as f64 / b.mode.0 as f64);
            Change {
                primitive: key.0.clone(),
                order: key.1,
                class: key.2.clone(),
                before: b.map(|span| (span.min, span.max)),
                after: a.map(|span| (span.min, span.max)),
                ratio,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: &[(&str, u8, &str, u32, u64)]) -> KernelCounts {
        let row =
            |&(primitive, order, class, samples, n): &(&str, u8, &str, u32, u64)| KernelCount {
                primitive: primitive.into(),
                order,
                state: class.parse().unwrap(),
                samples,
                min: n,
                max: n,
            };
        KernelCounts {
            rows: rows.iter().map(row).collect(),
            ..KernelCounts::default()
        }
    }

    #[test]
    fn exact_values_of_one_state_are_one_row_and_the_common_one_gives_the_ratio() {
        let before = counts(&[
            ("charge", 0, "hit@100", 30, 100),
            ("charge", 0, "hit@110", 10, 110),
        ]);
        let after = counts(&[("charge", 0, "hit", 40, 150)]);
        let changes = diff(&before, &after);
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].before, Some((100, 110)));
        assert_eq!(changes[0].ratio, Some(1.5));
        assert!(changes[0].is_change());
    }

    #[test]
    fn what_only_one_kernel_has_is_shown_without_a_ratio() {
        let changes = diff(
            &counts(&[("lock", 0, "all", 40, 9)]),
            &counts(&[("walk", 0, "all", 40, 9)]),
        );
        assert_eq!(changes.len(), 2);
        assert!(
            changes
                .iter()
                .all(|change| change.ratio.is_none() && change.is_change())
        );
    }

    #[test]
    fn growth_is_seen_in_the_rare_value_too_and_a_lost_count_is_none() {
        let before = counts(&[
            ("charge", 0, "hit@100", 30, 100),
            ("charge", 0, "hit@110", 10, 110),
            ("lock", 0, "all", 40, 9),
        ]);
        let after = counts(&[
            ("charge", 0, "hit@100", 30, 100),
            ("charge", 0, "hit@220", 10, 220),
        ]);
        let changes = diff(&before, &after);
        assert_eq!(changes[0].growth(), Some(2.0));
        assert!(changes[1].is_lost() && changes[1].growth().is_none());
    }

    #[test]
    fn the_same_counts_are_no_change() {
        let same = counts(&[("walk", 9, "all", 40, 9)]);
        assert!(
            diff(&same, &same)
                .iter()
                .all(|change| !change.is_change() && change.ratio == Some(1.0))
        );
    }
}
