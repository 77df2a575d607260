//! The evidence for a change of one row between two runs.

use stats::{Estimate, Verdict, judge_change};

use super::{Change, Drift, FloorSource, RowKey};
use crate::summary::{Case, Cell};

/// One row in both runs.
#[derive(Clone, Copy)]
pub(crate) struct Sides<'a> {
    pub cases: [&'a Case; 2],
    pub times: [Estimate; 2],
}

impl Sides<'_> {
    pub fn change(
        self,
        key: RowKey,
        drift: Drift,
        (floor, source): (Option<f64>, FloorSource),
    ) -> Option<Change> {
        let [old, new] = self.times;
        let time = new.over(&old)?.over(&Estimate::exact(drift.factor()))?;
        let witnesses = self.witnesses(&key.2, time, drift, floor);
        let verdict = match floor {
            // The harness floor is compared and never judged.
            Some(floor) if key.2 != crate::NULL => judge_change(&witnesses, floor),
            _ => Verdict::NoDifference,
        };
        Some(Change {
            unit: format!("ns/{}", self.cases[1].unit),
            key,
            quantity: "time".to_owned(),
            old,
            new,
            // Between machines a time says nothing of the code; the ratio does.
            ratio: match (drift, witnesses.first()) {
                (Drift::Across, Some(ratio)) => *ratio,
                _ => time,
            },
            floor,
            source,
            less_is_better: true,
            verdict,
        })
    }

    /// The evidence for a change, all of which has to agree. There is none in the time of
    /// the reference on another machine.
    fn witnesses(
        self,
        design: &str,
        time: Estimate,
        drift: Drift,
        floor: Option<f64>,
    ) -> Vec<Estimate> {
        let [before, after] = self.cases;
        let ratio = match (before.ratio(design), after.ratio(design)) {
            (Some(before), Some(after)) => after.over(&before),
            _ => None,
        };
        match (ratio, drift) {
            (Some(ratio), Drift::Across) => vec![ratio],
            (None, Drift::Across) => Vec::new(),
            (Some(_), Drift::Seen(_)) if self.reference_changed(drift, floor) => vec![time],
            (Some(ratio), _) => vec![time, ratio],
            (None, _) if after.cells.len() > 1 && is_reference(after, design) => {
                self.of_reference(time, drift)
            }
            (None, _) => vec![time],
        }
    }

    /// The witnesses of the reference: its time, and its control copy's.
    fn of_reference(self, time: Estimate, drift: Drift) -> Vec<Estimate> {
        let [before, after] = self.cases;
        if matches!(drift, Drift::Seen(_)) && !follows_the_yardstick(after) {
            return Vec::new();
        }
        let mut witnesses = vec![time];
        if let (Some(from), Some(to)) = (before.control, after.control) {
            witnesses.extend(to.over(&from).map(|moved| Estimate {
                value: time.value * moved.value,
                low: time.low * moved.low,
                high: time.high * moved.high,
                ..moved
            }));
        }
        witnesses
    }

    /// Whether the reference of this row has changed.
    fn reference_changed(self, drift: Drift, floor: Option<f64>) -> bool {
        let [before, after] = self.cases;
        let Some(reference) = after
            .cells
            .keys()
            .find(|design| is_reference(after, design))
        else {
            return false;
        };
        let time = match (before.time(reference), after.time(reference)) {
            (Some(from), Some(to)) => to.over(&from),
            _ => None,
        };
        let time = time.and_then(|time| time.over(&Estimate::exact(drift.factor())));
        let witnesses = time.map_or_else(Vec::new, |time| self.of_reference(time, drift));
        floor.is_some_and(|floor| judge_change(&witnesses, floor) != Verdict::NoDifference)
    }
}

/// Whether a row becomes slower with the yardstick, which stays in the first cache. A row
/// that waits for memory does not: a neighbour on the machine moves the one and not the
/// other.
fn follows_the_yardstick(case: &Case) -> bool {
    case.params
        .get("footprint")
        .is_none_or(|footprint| footprint.to_string() == "l1")
}

/// The design that the others' ratios are taken to: the one without a ratio of its own
/// that is not the harness floor.
fn is_reference(case: &Case, design: &str) -> bool {
    design != crate::NULL && matches!(case.cells.get(design), Some(Cell::Time { ratio: None, .. }))
}
