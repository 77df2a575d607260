//! The report as JSON lines: one object per row, for programs.

use serde_json::{Value as Json, json};
use stats::{Estimate, Verdict};

use crate::style::designs;

use compare::{Cell, Summary, ValueCell};

/// One JSON object per line. Its `kind` is `run` (once, first), `time`, `mean` or
/// `value`; a time's `status` is `ok`, `err` or `absent`.
#[must_use]
pub fn json_lines(summary: &Summary) -> String {
    let mut lines = vec![json!({
        "kind": "run",
        "date_utc": summary.env.date_utc,
        "git": summary.env.git,
        "kernel": summary.env.kernel,
        "cpu_model": summary.env.cpu_model,
        "finished": summary.env.finished,
        "reference": summary.reference,
        "designs": designs(summary),
        "floor": summary.floor,
        "threaded_floor": summary.threaded_floor,
        "fast_share": summary.fast_share,
        "control_pairs": summary.control_pairs,
        "fewest_processes": summary.fewest_processes,
    })];
    for case in summary.cases() {
        for (design, cell) in &case.cells {
            let mut line = json!({
                "kind": "time",
                "workload": case.workload,
                "params": case.params,
                "design": design,
                "unit": case.unit,
                "floor": case.floor,
                "control": interval(case.control.as_ref()),
            });
            merge(&mut line, cell_json(cell));
            lines.push(line);
        }
    }
    for family in &summary.families {
        for mean in &family.means {
            for (design, ratio) in &mean.designs {
                lines.push(json!({
                    "kind": "mean",
                    "family": family.name,
                    "workload": mean.workload,
                    "footprint": mean.regime,
                    "design": design,
                    "ratio": interval(Some(&ratio.mean)),
                    "without_one": ratio.without_one,
                    "rows": ratio.rows,
                    "rows_of_reference": mean.cases,
                }));
            }
        }
    }
    for case in &summary.values {
        for (design, cell) in &case.cells {
            let (status, value) = match cell {
                ValueCell::Value(value) => (json!("ok"), interval(Some(value))),
                ValueCell::Failed(reason) => (json!({ "err": reason }), Json::Null),
                ValueCell::Absent(reason) => (json!({ "absent": reason }), Json::Null),
            };
            lines.push(json!({
                "kind": "value",
                "workload": case.workload,
                "params": case.params,
                "design": design,
                "quantity": case.quantity,
                "unit": case.unit,
                "less_is_better": case.less_is_better,
                "value": value,
                "status": status,
            }));
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn cell_json(cell: &Cell) -> Json {
    match cell {
        Cell::Time {
            ns,
            ratio,
            verdict,
            instructions,
            slow,
            ..
        } => json!({
            "status": "ok",
            "ns": interval(Some(ns)),
            "ratio": interval(ratio.as_ref()),
            "verdict": verdict.map(|verdict| match verdict {
                Verdict::Faster => "faster",
                Verdict::Slower => "slower",
                Verdict::NoDifference => "no difference seen",
            }),
            "instructions": instructions,
            "slow": slow,
        }),
        Cell::Failed(reason) => json!({ "status": { "err": reason } }),
        Cell::Absent(reason) => json!({ "status": { "absent": reason } }),
    }
}

/// An estimate as an object, or null.
pub(crate) fn interval(estimate: Option<&Estimate>) -> Json {
    estimate.map_or(Json::Null, |estimate| {
        json!({
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "processes": estimate.processes,
        })
    })
}

fn merge(into: &mut Json, from: Json) {
    if let (Json::Object(into), Json::Object(from)) = (into, from) {
        into.extend(from);
    }
}
