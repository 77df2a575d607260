//! Models beside real kernels in time, as tables and in words.

use std::collections::BTreeSet;

use compare::RULES;
use compare::alone::Alone;
use compare::patched::Moved;
use compare::time_fidelity::{BOUNDS, Interval, MAX_APART, TimeFidelity, TimePair, TimeRow};
use results::{Param, Params};

use crate::number::significant;
use crate::params::label;
use crate::style::sort_designs;
use crate::table::Table;

/// A row in words: its workload, and those parameters in which the workload's rows differ.
fn words(found: &TimeFidelity, workload: &str, params: &Params) -> String {
    let rows = found.rows.iter().filter(|row| row.workload == workload);
    in_words(
        workload,
        params,
        &rows.map(|row| &row.params).collect::<Vec<_>>(),
    )
}

/// The same among these rows of the workload.
pub(crate) fn in_words(workload: &str, params: &Params, rows: &[&Params]) -> String {
    let names: BTreeSet<&String> = rows.iter().flat_map(|row| row.keys()).collect();
    let same: Vec<&str> = names
        .into_iter()
        .filter(|name| {
            let mut values = rows.iter().filter_map(|row| row.get(*name));
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
        for (at, kernel) in pair.kernels.iter().enumerate() {
            headings.extend([asked(pair, at), kernel.clone(), "ratio".to_owned()]);
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
        line.push(match (pair.apart > MAX_APART, &pair.reason) {
            (false, _) => String::new(),
            (true, Some(_)) => format!("beyond {MAX_APART}"),
            (true, None) if !pair.is_surely_apart() => {
                format!("beyond {MAX_APART}, within noise")
            }
            (true, None) => format!("beyond {MAX_APART}, not investigated"),
        });
        table.row(line);
    }
    table
}

/// A model of a pair, with what it alone is asked: `folio merge=no`.
fn asked(pair: &TimePair, at: usize) -> String {
    let (own, other) = (&pair.rows[at], &pair.rows[1 - at]);
    let alone = |(name, value): &(&String, &Param)| {
        name.as_str() != RULES && other.get(*name) != Some(*value)
    };
    let words = own
        .iter()
        .filter(alone)
        .map(|(name, value)| format!(" {name}={value}"));
    pair.designs[at].clone() + &words.collect::<String>()
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

/// Tables of the effect of patches: one for each stock kernel, a column for each patch. A cell
/// is the ratio to stock with its interval.
#[must_use]
pub fn patched_kernels(moved: &[Moved]) -> Vec<Table> {
    let stocks: BTreeSet<&str> = moved.iter().map(|row| row.stock.as_str()).collect();
    stocks
        .into_iter()
        .map(|stock| {
            let of: Vec<&Moved> = moved.iter().filter(|row| row.stock == stock).collect();
            patched_kernel(stock, &of)
        })
        .collect()
}

fn patched_kernel(stock: &str, moved: &[&Moved]) -> Table {
    let patches: BTreeSet<&str> = moved.iter().map(|row| row.patched.as_str()).collect();
    let short = |patched: &&str| patched.trim_start_matches(stock).to_owned();
    let headings = ["row".to_owned(), format!("{stock}, ns")]
        .into_iter()
        .chain(patches.iter().map(short));
    let mut table = Table::new(headings).right(1..2 + patches.len());
    let mut rows: Vec<&Moved> = Vec::new();
    for row in moved {
        let same =
            |other: &&Moved| (&other.workload, &other.params) == (&row.workload, &row.params);
        if !rows.iter().any(same) {
            rows.push(row);
        }
    }
    for row in rows {
        let all: Vec<&Params> = moved
            .iter()
            .filter(|other| other.workload == row.workload)
            .map(|other| &other.params)
            .collect();
        let cell = |patched: &&str| {
            let found = moved.iter().find(|other| {
                (&other.workload, &other.params, other.patched.as_str())
                    == (&row.workload, &row.params, *patched)
            });
            found.map_or_else(
                || "–".to_owned(),
                |row| {
                    format!(
                        "{} ({})",
                        significant(row.ratio.value, 3),
                        reach(&row.ratio)
                    )
                },
            )
        };
        let line = [
            in_words(&row.workload, &row.params, &all),
            significant(row.stock_ns.value, 3),
        ];
        table.row(line.into_iter().chain(patches.iter().map(cell)));
    }
    table
}

/// A line per row that only kernels answered, a column for each released kernel: nanoseconds an
/// element with their interval.
#[must_use]
pub fn alone_kernels(found: &[Alone]) -> Table {
    let mut kernels: Vec<String> = Vec::new();
    let mut rows: Vec<&Alone> = Vec::new();
    for row in found {
        if !kernels.contains(&row.kernel) {
            kernels.push(row.kernel.clone());
        }
        let same =
            |other: &&Alone| (&other.workload, &other.params) == (&row.workload, &row.params);
        if !rows.iter().any(same) {
            rows.push(row);
        }
    }
    sort_designs(&mut kernels);
    let headings = ["row, ns an element".to_owned()].into_iter();
    let mut table = Table::new(headings.chain(kernels.clone())).right(1..=kernels.len());
    for row in rows {
        let of = |other: &&Alone| other.workload == row.workload;
        let all: Vec<&Params> = found.iter().filter(of).map(|other| &other.params).collect();
        let cell = |kernel: &String| {
            let same = |other: &&Alone| {
                (&other.workload, &other.params, &other.kernel)
                    == (&row.workload, &row.params, kernel)
            };
            found.iter().find(same).map_or_else(
                || "–".to_owned(),
                |row| format!("{} ({})", significant(row.ns.value, 3), reach(&row.ns)),
            )
        };
        let words = in_words(&row.workload, &row.params, &all);
        table.row([words].into_iter().chain(kernels.iter().map(cell)));
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

/// The words about a row that is out of bounds.
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

/// Rows named in a summary as the farthest.
const FARTHEST: usize = 5;

/// The rows that are farthest from their kernels, each workload and kernel once, and how many of
/// those out of bounds are so beyond noise.
#[must_use]
pub fn time_fidelity_farthest(found: &TimeFidelity) -> String {
    let mut sure: Vec<&TimeRow> = found
        .misses()
        .filter(|row| row.is_surely_a_miss())
        .collect();
    let (all, unknown) = (
        sure.len(),
        sure.iter().filter(|row| row.reason.is_none()).count(),
    );
    let distance = |row: &TimeRow| row.ratio.value.ln().abs();
    sure.sort_by(|a, b| distance(b).total_cmp(&distance(a)));
    let mut farthest: Vec<&TimeRow> = Vec::new();
    for row in sure {
        let same =
            |known: &&TimeRow| (&known.workload, &known.kernel) == (&row.workload, &row.kernel);
        if farthest.len() < FARTHEST && !farthest.iter().any(same) {
            farthest.push(row);
        }
    }
    let names: Vec<String> = farthest
        .iter()
        .map(|row| {
            let (of, kernel) = (words(found, &row.workload, &row.params), &row.kernel);
            format!(
                "{of} against {kernel} ({})",
                significant(row.ratio.value, 2)
            )
        })
        .collect();
    let reasons = match unknown {
        0 => "all with a reason".to_owned(),
        unknown => format!("{unknown} of them without a reason"),
    };
    format!(
        "Out of bounds beyond noise: {all}, {reasons}; farthest: {}.",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(workload: &str, (low, value, high): (f64, f64, f64), reason: Option<&str>) -> TimeRow {
        let at = |value| Interval {
            value,
            low: value,
            high: value,
        };
        TimeRow {
            workload: workload.to_owned(),
            params: Params::new(),
            design: "folio".to_owned(),
            kernel: "linux-6.12".to_owned(),
            unit: "page".to_owned(),
            model_ns: at(value),
            real_ns: at(1.0),
            ratio: Interval { value, low, high },
            reason: reason.map(str::to_owned),
            asked: false,
        }
    }

    #[test]
    fn a_kernel_that_lacks_a_row_has_a_dash_in_it() {
        let row = |kernel: &str, of: &str, value: f64| Alone {
            workload: "kernel/partial".to_owned(),
            params: [("of".to_owned(), of.into()), ("order".to_owned(), 1.into())]
                .into_iter()
                .collect(),
            unit: "element".to_owned(),
            kernel: kernel.to_owned(),
            ns: Interval {
                value,
                low: value - 1.0,
                high: value + 1.0,
            },
        };
        let found = [
            row("linux-6.12", "iteration/chunks", 4.0),
            row("linux-6.12", "merging/split", 5.0),
            row("linux-5.10", "merging/split", 6.0),
        ];
        let table = alone_kernels(&found).markdown();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "| row, ns an element | linux-5.10 | linux-6.12 |");
        assert_eq!(
            lines[2..],
            [
                "| kernel/partial of=iteration/chunks | – | 4.00 (3.00..5.00) |",
                "| kernel/partial of=merging/split | 6.00 (5.00..7.00) | 5.00 (4.00..6.00) |",
            ]
        );
    }

    #[test]
    fn the_farthest_are_named_once_and_what_noise_explains_is_not() {
        let rows = vec![
            row("merging/add", (1.9, 2.0, 2.1), Some("it has one")),
            row("merging/add", (2.4, 2.5, 2.6), Some("it has one")),
            row("merging/split", (0.09, 0.1, 0.11), None),
            row("iteration/bvecs", (0.9, 5.0, 9.0), None),
            row("iteration/chunks", (0.9, 1.0, 1.1), None),
        ];
        let found = TimeFidelity {
            rows,
            ..TimeFidelity::default()
        };
        assert_eq!(
            time_fidelity_farthest(&found),
            "Out of bounds beyond noise: 3, 1 of them without a reason; farthest: merging/split \
             against linux-6.12 (0.10), merging/add against linux-6.12 (2.5)."
        );
    }
}
