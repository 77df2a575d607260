//! The results of a run in the formats of other tools: one object or line per row.
//!
//! All of them show what [`Summary`] holds: medians over processes with their intervals,
//! never the single rounds, which `samples.jsonl` has.

use std::collections::BTreeMap;

use results::{Params, SCHEMA_VERSION};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use stats::Estimate;

use crate::params::label;
use compare::{Case, Summary, ValueCell};

/// One row of one run on one machine. `crates/harness/results/schema/export-v2.schema.json`
/// describes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exported {
    /// Version of the schema.
    pub schema: u32,
    /// The store's name for the machine.
    pub machine: String,
    /// The run's name in the store.
    pub run: String,
    /// When the run began, RFC 3339 in UTC.
    pub date_utc: String,
    /// Commit that the tool was built from; `None` outside a git work tree.
    pub revision: Option<String>,
    /// Whether the work tree differed from that commit.
    pub dirty: Option<bool>,
    /// Stable id, `family/name`.
    pub workload: String,
    /// The design; empty for the machine itself.
    pub design: String,
    /// Parameters.
    pub params: Params,
    /// `time`, or what was counted.
    pub quantity: String,
    /// Its unit.
    pub unit: String,
    /// Whether less is better.
    pub less_is_better: bool,
    /// The value.
    pub value: f64,
    /// Lower end of its 95 % interval; the value itself where that is exact.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
    /// Processes behind it; 0 for an exact value.
    pub processes: usize,
    /// Noise floor of the row within its run (0.03 = 3 %); `None` where there is none.
    pub floor: Option<f64>,
}

/// The rows of a run that hold a value: times first. Rows that went wrong and what a
/// design lacks are not values and are left out.
#[must_use]
pub fn exported(machine: &str, run: &str, summary: &Summary) -> Vec<Exported> {
    let env = &summary.env;
    let row = |workload: &str, design: &str, params: &Params, value: &Estimate| Exported {
        schema: SCHEMA_VERSION,
        machine: machine.to_owned(),
        run: run.to_owned(),
        date_utc: env.date_utc.clone(),
        revision: env.git.as_ref().map(|git| git.revision.clone()),
        dirty: env.git.as_ref().map(|git| git.dirty),
        workload: workload.to_owned(),
        design: design.to_owned(),
        params: params.clone(),
        quantity: "time".to_owned(),
        unit: String::new(),
        less_is_better: true,
        value: value.value,
        low: value.low,
        high: value.high,
        processes: value.processes,
        floor: None,
    };
    let time = |case: &Case, design: &str| {
        let ns = case.time(design)?;
        Some(Exported {
            unit: format!("ns/{}", case.unit),
            floor: case.floor,
            ..row(&case.workload, design, &case.params, &ns)
        })
    };
    let mut rows: Vec<Exported> = summary
        .cases()
        .flat_map(|case| {
            case.cells
                .keys()
                .filter_map(move |design| time(case, design))
        })
        .collect();
    for case in &summary.values {
        for (design, cell) in &case.cells {
            if let ValueCell::Value(value) = cell {
                rows.push(Exported {
                    quantity: case.quantity.clone(),
                    unit: case.unit.clone(),
                    less_is_better: case.less_is_better,
                    ..row(&case.workload, design, &case.params, value)
                });
            }
        }
    }
    rows
}

impl Exported {
    /// Workload, design and parameters: `merging/add folio layout=contiguous order=9`.
    fn name(&self) -> String {
        let params = label(&self.params, &[]);
        let words = [
            self.workload.as_str(),
            self.design.as_str(),
            params.as_str(),
        ];
        words
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<&str>>()
            .join(" ")
    }
}

/// One JSON object a line.
#[must_use]
pub fn exported_lines(rows: &[Exported]) -> String {
    rows.iter()
        .map(|row| json!(row).to_string() + "\n")
        .collect()
}

/// Bencher Metric Format: benchmarks by name, measures by slug. `latency` is Bencher's own
/// measure of nanoseconds. The format knows neither machines nor runs: Bencher's `testbed`
/// and report are those, so `rows` should be of one run.
#[must_use]
pub fn bencher(rows: &[Exported]) -> String {
    let mut benchmarks: BTreeMap<String, Map<String, Json>> = BTreeMap::new();
    for row in rows {
        let measure = match row.quantity.as_str() {
            "time" => "latency",
            counted => counted,
        };
        let metric = json!({
            "value": row.value,
            "lower_value": row.low,
            "upper_value": row.high,
        });
        benchmarks
            .entry(row.name())
            .or_default()
            .insert(measure.to_owned(), metric);
    }
    format!("{:#}\n", json!(benchmarks))
}

/// github-action-benchmark's `customSmallerIsBetter`, and how many rows it cannot hold
/// because more of them is better. `rows` should be of one run.
#[must_use]
pub fn github_action_benchmark(rows: &[Exported]) -> (String, usize) {
    let (less, more): (Vec<&Exported>, Vec<&Exported>) =
        rows.iter().partition(|row| row.less_is_better);
    let entries: Vec<Json> = less
        .into_iter()
        .map(|row| {
            let name = match row.quantity.as_str() {
                "time" => row.name(),
                counted => format!("{} {counted}", row.name()),
            };
            let mut entry = json!({ "name": name, "unit": row.unit, "value": row.value });
            if row.processes > 0 {
                entry["range"] = format!("\u{b1} {}", (row.high - row.low) / 2.0).into();
            }
            entry["extra"] = format!("{} {}", row.machine, row.run).into();
            entry
        })
        .collect();
    (format!("{:#}\n", json!(entries)), more.len())
}

/// Comma-separated values as RFC 4180 has them, with a header. Parameters are one column,
/// `name=value` apart by spaces; what is not known is empty.
#[must_use]
pub fn csv(rows: &[Exported]) -> String {
    const HEADER: &str = "machine run date_utc revision dirty workload design params quantity \
                          unit less_is_better value low high processes floor";
    let known = |value: Option<String>| value.unwrap_or_default();
    let cells = |row: &Exported| {
        [
            row.machine.clone(),
            row.run.clone(),
            row.date_utc.clone(),
            known(row.revision.clone()),
            known(row.dirty.map(|dirty| dirty.to_string())),
            row.workload.clone(),
            row.design.clone(),
            label(&row.params, &[]),
            row.quantity.clone(),
            row.unit.clone(),
            row.less_is_better.to_string(),
            row.value.to_string(),
            row.low.to_string(),
            row.high.to_string(),
            row.processes.to_string(),
            known(row.floor.map(|floor| floor.to_string())),
        ]
    };
    let mut table = csv::Writer::from_writer(Vec::new());
    table
        .write_record(HEADER.split(' '))
        .and_then(|()| {
            rows.iter()
                .try_for_each(|row| table.write_record(cells(row)))
        })
        .expect("memory takes rows of one length");
    let bytes = table.into_inner().expect("memory takes all bytes");
    String::from_utf8(bytes).expect("cells are text")
}
