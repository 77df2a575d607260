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

/// How a row's time moved.
#[derive(Clone, Copy)]
struct Moved {
    /// Where the row follows the machine wholly.
    with_the_machine: Estimate,
    /// Where it does not follow it at all, if the yardsticks saw the machine move.
    by_itself: Option<Estimate>,
}

impl Moved {
    fn of(time: Estimate, drift: Drift) -> Option<Self> {
        Some(Self {
            with_the_machine: time.over(&Estimate::exact(drift.factor()))?,
            by_itself: matches!(drift, Drift::Seen(_)).then_some(time),
        })
    }

    /// The witnesses where no other speaks of the row. The yardsticks have one factor and rows
    /// follow it more or less, so a change must show whether they did or not.
    fn alone(self) -> Vec<Estimate> {
        std::iter::once(self.with_the_machine)
            .chain(self.by_itself)
            .collect()
    }
}

impl Sides<'_> {
    pub fn change(
        self,
        key: RowKey,
        drift: Drift,
        (floor, source): (Option<f64>, FloorSource),
    ) -> Option<Change> {
        let [old, new] = self.times;
        let moved = Moved::of(new.over(&old)?, drift)?;
        let witnesses = self.witnesses(&key.2, moved, drift, floor);
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
                _ => moved.with_the_machine,
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
        moved: Moved,
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
            (Some(_), Drift::Seen(_)) if self.reference_changed(drift, floor) => moved.alone(),
            (Some(ratio), _) => vec![moved.with_the_machine, ratio],
            (None, _) if after.cells.len() > 1 && is_reference(after, design) => {
                self.of_reference(moved, drift)
            }
            (None, _) => moved.alone(),
        }
    }

    /// The witnesses of the reference: its time, and its control copy's.
    fn of_reference(self, moved: Moved, drift: Drift) -> Vec<Estimate> {
        let [before, after] = self.cases;
        if matches!(drift, Drift::Seen(_)) && !follows_the_yardstick(after) {
            return Vec::new();
        }
        let mut witnesses = moved.alone();
        if let (Some(from), Some(to)) = (before.control, after.control) {
            let time = moved.with_the_machine;
            witnesses.extend(to.over(&from).map(|control| Estimate {
                value: time.value * control.value,
                low: time.low * control.low,
                high: time.high * control.high,
                ..control
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
        let moved = time.and_then(|time| Moved::of(time, drift));
        let witnesses = moved.map_or_else(Vec::new, |moved| self.of_reference(moved, drift));
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
