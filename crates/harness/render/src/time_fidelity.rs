//! Models beside real kernels in time, as tables and in words.

use compare::time_fidelity::{BOUNDS, Interval, MAX_APART, TimeFidelity, TimeRow};

use crate::number::significant;
use crate::params::label;
use crate::table::Table;

/// A line per row that a model and its kernel share.
#[must_use]
pub fn time_fidelity_rows(found: &TimeFidelity) -> Table {
    let mut table = Table::new([
        "WORKLOAD", "MODEL", "KERNEL", "MODEL NS", "REAL NS", "RATIO", "95 %", "",
    ]);
    for row in &found.rows {
        table.row([
            format!("{} {}", row.workload, label(&row.params, &[])),
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

/// A line per pair of competing models.
#[must_use]
pub fn time_fidelity_pairs(found: &TimeFidelity) -> Table {
    let mut table = Table::new(["WORKLOAD", "PAIR", "MODELS", "KERNELS", "APART", ""]);
    for pair in &found.pairs {
        table.row([
            format!("{} {}", pair.workload, label(&pair.params, &[])),
            pair.designs.join(" : "),
            significant(pair.model_ratio.value, 3),
            significant(pair.real_ratio.value, 3),
            format!("{:.2}", pair.apart),
            match pair.apart > MAX_APART {
                true => format!("beyond {MAX_APART}"),
                false => String::new(),
            },
        ]);
    }
    table
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
