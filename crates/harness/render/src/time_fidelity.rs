//! Models beside real kernels in time, as tables and in words.

use std::collections::BTreeSet;

use compare::time_fidelity::{BOUNDS, Interval, MAX_APART, TimeFidelity, TimePair, TimeRow};
use results::Params;

use crate::number::significant;
use crate::params::label;
use crate::table::Table;

/// A row in words: its workload, and those parameters in which the workload's rows differ.
fn words(found: &TimeFidelity, workload: &str, params: &Params) -> String {
    let rows = || found.rows.iter().filter(|row| row.workload == workload);
    let names: BTreeSet<&String> = rows().flat_map(|row| row.params.keys()).collect();
    let same: Vec<&str> = names
        .into_iter()
        .filter(|name| {
            let mut values = rows().filter_map(|row| row.params.get(*name));
            values.all(|value| Some(value) == params.get(*name))
        })
        .map(String::as_str)
        .collect();
    format!("{workload} {}", label(params, &same))
        .trim_end()
        .to_owned()
}

/// A line per row that two competing models and their kernels share.
#[must_use]
pub fn time_fidelity_pairs(found: &TimeFidelity, wanted: &dyn Fn(&TimePair) -> bool) -> Table {
    let mut headings = vec!["row, ns an element".to_owned()];
    if let Some(pair) = found.pairs.first() {
        for (design, kernel) in pair.designs.iter().zip(&pair.kernels) {
            headings.extend([design.clone(), kernel.clone(), "ratio".to_owned()]);
        }
    }
    headings.extend(["apart".to_owned(), String::new()]);
    let mut table = Table::new(headings).right(1..8);
    for pair in found.pairs.iter().filter(|pair| wanted(pair)) {
        let mut line = vec![words(found, &pair.workload, &pair.params)];
        for (design, params) in pair.designs.iter().zip(&pair.rows) {
            let row = found.rows.iter().find(|row| {
                (&row.workload, &row.params, &row.design) == (&pair.workload, params, design)
            });
            line.extend(row.map_or_else(
                || vec![String::new(); 3],
                |row| {
                    vec![
                        significant(row.model_ns.value, 3),
                        significant(row.real_ns.value, 3),
                        significant(row.ratio.value, 3),
                    ]
                },
            ));
        }
        line.push(format!("{:.2}", pair.apart));
        line.push(match pair.apart > MAX_APART {
            true => format!("beyond {MAX_APART}"),
            false => String::new(),
        });
        table.row(line);
    }
    table
}

/// A line per row that a model and its kernel share.
#[must_use]
pub fn time_fidelity_rows(found: &TimeFidelity) -> Table {
    let mut table = Table::new([
        "WORKLOAD", "MODEL", "KERNEL", "MODEL NS", "REAL NS", "RATIO", "95 %", "",
    ]);
    for row in &found.rows {
        table.row([
            words(found, &row.workload, &row.params),
            row.design.clone(),
            row.kernel.clone(),
            significant(row.model_ns.value, 4),
            significant(row.real_ns.value, 4),
            significant(row.ratio.value, 3),
            reach(&row.ratio),
            mark(row),
        ]);
    }
    table
}

fn reach(interval: &Interval) -> String {
    format!(
        "{}..{}",
        significant(interval.low, 3),
        significant(interval.high, 3)
    )
}

/// What is said of a row that is out of bounds.
fn mark(row: &TimeRow) -> String {
    match (&row.reason, row.is_miss()) {
        (_, false) => String::new(),
        (Some(reason), true) => reason.clone(),
        (None, true) if row.is_surely_a_miss() => "out of bounds, not investigated".to_owned(),
        (None, true) => "out of bounds, within noise".to_owned(),
    }
}

/// The totals; `None` where no model stood beside its kernel.
#[must_use]
pub fn time_fidelity_line(found: &TimeFidelity) -> Option<String> {
    if found.rows.is_empty() {
        return None;
    }
    let within = found.rows.len() - found.misses().count();
    let close = found.pairs.len() - found.apart().count();
    Some(format!(
        "models take {} to {} times their kernels' time in {within} of {} rows; {close} of {} \
         ratios between two models are within {MAX_APART} of the ratio between their kernels",
        BOUNDS.0,
        BOUNDS.1,
        found.rows.len(),
        found.pairs.len(),
    ))
}
