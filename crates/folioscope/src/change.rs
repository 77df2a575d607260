//! What changed from one record to another, row by row.

use std::collections::BTreeMap;

use record::{Param, Params};
use report::{Case, Cell, Summary, ValueCell};
use serde::Serialize;
use stats::{Estimate, Verdict, drift, judge, judge_change};

/// One row that both records hold.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Change {
    /// Workload id.
    pub workload: String,
    /// Its parameters.
    pub params: BTreeMap<String, Param>,
    /// The design.
    pub design: String,
    /// `time`, or what was counted.
    pub quantity: String,
    /// Unit of old and new.
    pub unit: String,
    /// The value in the first record.
    pub old: f64,
    /// The value in the second record.
    pub new: f64,
    /// New by old; of times after the drift of the whole machine is taken out.
    pub ratio: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
    /// The noise floor it was judged against, relative.
    pub floor: f64,
    /// `slower`, `faster` or `no difference seen`; of values: `worse`, `better`, `same`.
    pub verdict: &'static str,
}

impl Change {
    /// Whether it is called a change for the worse of more than `threshold` (0.05 = 5 %).
    pub(crate) fn worse_by(&self, threshold: f64) -> bool {
        match self.verdict {
            "slower" => self.ratio > 1.0 + threshold,
            "worse" => (self.ratio - 1.0).abs() > threshold,
            _ => false,
        }
    }

    /// Whether it is called different at all.
    pub(crate) fn called(&self) -> bool {
        !matches!(self.verdict, "no difference seen" | "same")
    }
}

/// Two records side by side.
#[derive(Debug)]
pub(crate) struct Changes {
    /// Rows that both hold, in the order of the second record.
    pub rows: Vec<Change>,
    /// How the machine as a whole moved: 1.05 is 5 % slower.
    pub drift: f64,
    /// Rows of times that only the first record holds.
    pub only_old: usize,
    /// Rows of times that only the second record holds.
    pub only_new: usize,
}

/// What tells rows of one record apart.
type Key = (String, Params, String);

/// Compares what both records measured.
pub(crate) fn between(old: &Summary, new: &Summary) -> Changes {
    let before: BTreeMap<Key, (&Case, Estimate)> = times(old).collect();
    let after: BTreeMap<Key, (&Case, Estimate)> = times(new).collect();
    let quotients: Vec<f64> = after
        .iter()
        .filter_map(|(key, (_, new))| Some(new.over(&before.get(key)?.1)?.value))
        .collect();
    let drift = drift(&quotients);
    let mut rows: Vec<Change> = times(new)
        .filter_map(|(key, new)| time_change(&key, *before.get(&key)?, new, drift))
        .collect();
    rows.extend(value_changes(old, new));
    Changes {
        rows,
        drift,
        only_old: before.keys().filter(|key| !after.contains_key(*key)).count(),
        only_new: after.keys().filter(|key| !before.contains_key(*key)).count(),
    }
}

fn times(summary: &Summary) -> impl Iterator<Item = (Key, (&Case, Estimate))> {
    summary.cases().flat_map(|case| {
        case.cells.iter().filter_map(move |(design, cell)| match cell {
            Cell::Time { ns, .. } => {
                Some(((case.workload.clone(), case.params.clone(), design.clone()), (case, *ns)))
            }
            _ => None,
        })
    })
}

/// A row is called different where its time (the machine's drift taken out) and its ratio
/// to the reference say so both: a disturbed reference moves only the one, a neighbour on
/// the machine only the other. The reference has only its time.
fn time_change(
    (workload, params, design): &Key,
    (old_case, old): (&Case, Estimate),
    (new_case, new): (&Case, Estimate),
    drift: f64,
) -> Option<Change> {
    let raw = new.over(&old)?;
    let time = Estimate { value: raw.value / drift, low: raw.low / drift, high: raw.high / drift, ..raw };
    let mut witnesses = vec![time];
    if let (Some(before), Some(after)) = (old_case.ratio(design), new_case.ratio(design)) {
        witnesses.extend(after.over(&before));
    }
    let floor = old_case.floor.unwrap_or(0.0).max(new_case.floor.unwrap_or(0.0));
    // Without a control nothing is known of the noise, and nothing is claimed.
    let judged = old_case.floor.is_some() && new_case.floor.is_some();
    let verdict = if judged { judge_change(&witnesses, floor) } else { Verdict::NoDifference };
    Some(Change {
        workload: workload.clone(),
        params: params.clone(),
        design: design.clone(),
        quantity: "time".to_owned(),
        unit: format!("ns/{}", new_case.unit),
        old: old.value,
        new: new.value,
        ratio: time.value,
        low: time.low,
        high: time.high,
        floor,
        verdict: match verdict {
            Verdict::Slower => "slower",
            Verdict::Faster => "faster",
            Verdict::NoDifference => "no difference seen",
        },
    })
}

/// Exact values differ if they are not the same; sampled ones (bandwidth) if they lie
/// beyond the runs' floor.
fn value_changes(old: &Summary, new: &Summary) -> Vec<Change> {
    let floor = old.floor.unwrap_or(1.0).max(new.floor.unwrap_or(1.0));
    let mut changes = Vec::new();
    for after in &new.values {
        let same = |before: &&report::ValueCase| {
            (&before.workload, &before.params, &before.quantity)
                == (&after.workload, &after.params, &after.quantity)
        };
        let Some(before) = old.values.iter().find(same) else {
            continue;
        };
        for (design, cell) in &after.cells {
            let (Some(ValueCell::Value(from)), ValueCell::Value(to)) = (before.cells.get(design), cell) else {
                continue;
            };
            let Some(ratio) = to.over(from) else { continue };
            let sampled = from.processes > 0 || to.processes > 0;
            let moved = judge(&ratio, if sampled { floor } else { 0.0 });
            changes.push(Change {
                workload: after.workload.clone(),
                params: after.params.clone(),
                design: design.clone(),
                quantity: after.quantity.clone(),
                unit: after.unit.clone(),
                old: from.value,
                new: to.value,
                ratio: ratio.value,
                low: ratio.low,
                high: ratio.high,
                floor: if sampled { floor } else { 0.0 },
                verdict: match (moved, after.less_is_better) {
                    (Verdict::NoDifference, _) => "same",
                    (Verdict::Slower, true) | (Verdict::Faster, false) => "worse",
                    (Verdict::Slower, false) | (Verdict::Faster, true) => "better",
                },
            });
        }
    }
    changes
}
