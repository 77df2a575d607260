//! Tables of the mail: designs as columns, per row a label with its bar, the values and
//! the ratios below them.

use stats::Verdict;

use super::bar::{SCALE, marks};
use super::words::is_mostly_harness;
use crate::number::{significant, time_scale, with_percent};
use crate::page::Page;
use crate::params::{label, shared_params};
use crate::style::{NULL, designs, is_unrefereed, style_of};
use crate::table::Table;
use compare::{Case, Cell, Family, Mean, Summary, ValueCase, ValueCell};

/// Columns per band of a table; more designs go into further bands.
const BAND: usize = 7;
/// Columns of characters per design.
const COLUMN: usize = 10;
/// Below the head of a model that no kernel is the referee of; the key says who the others' are.
const UNREFEREED: &str = "no kernel";
/// Where the bar begins.
const BAR: usize = 40;

/// All tables of one family.
pub(crate) fn family(page: &mut Page, summary: &Summary, family: &Family) {
    let mut rest = family.cases.as_slice();
    while let Some(first) = rest.first() {
        let count = rest
            .iter()
            .take_while(|case| case.workload == first.workload)
            .count();
        let (block, after) = rest.split_at(count);
        workload(page, summary, block, &family.means);
        rest = after;
    }
}

fn workload(page: &mut Page, summary: &Summary, cases: &[Case], means: &[Mean]) {
    let largest = cases
        .iter()
        .flat_map(|case| case.cells.keys().filter_map(|design| case.time(design)))
        .map(|time| time.value)
        .fold(0.0, f64::max);
    let (unit, scale) = time_scale(largest);
    let params: Vec<_> = cases.iter().map(|case| &case.params).collect();
    let shared = if cases.len() > 1 {
        shared_params(&params)
    } else {
        Default::default()
    };
    let hidden: Vec<&str> = shared.keys().map(String::as_str).collect();

    page.gap();
    let mut title = format!("{}: {unit} per {}", cases[0].workload, cases[0].unit);
    if !shared.is_empty() {
        title = format!("{title}; {}", label(&shared, &[]));
    }
    page.line(&title);
    page.line(&format!("{:BAR$}{SCALE}", ""));
    let mut table = columns();
    let designs = designs(summary);
    let bands: Vec<&[String]> = designs.chunks(BAND).collect();
    if bands.len() == 1 {
        heads(&mut table, bands[0]);
    }
    for case in cases {
        let mut label = label(&case.params, &hidden);
        if is_mostly_harness(summary, case) {
            label.push_str(" (h)");
        }
        labelled(&mut table, &label, &case_marks(summary, case));
        for band in &bands {
            if bands.len() > 1 {
                heads(&mut table, band);
            }
            table.row(
                band.iter()
                    .map(|design| time_text(case.cells.get(design), scale)),
            );
            table.row(band.iter().map(|design| ratio_text(summary, case, design)));
        }
    }
    let of_workload: Vec<&Mean> = means
        .iter()
        .filter(|mean| mean.workload == cases[0].workload && mean.cases > 1)
        .collect();
    for mean in of_workload {
        mean_row(&mut table, summary, mean);
    }
    page.table(&table);
}

/// A table with a column per design.
fn columns() -> Table {
    Table::plain(3, &[COLUMN - 1; BAND]).right(0..BAND)
}

fn heads(table: &mut Table, band: &[String]) {
    table.row(band.iter().map(|design| style_of(design).short));
    // A column of a model that no kernel judges says so in every table.
    if band.iter().any(|design| is_unrefereed(design)) {
        let said = |design: &String| {
            if is_unrefereed(design) {
                UNREFEREED
            } else {
                ""
            }
        };
        table.row(band.iter().map(said));
    }
}

/// A label with its bar on the right, on two lines where they do not fit on one.
fn labelled(table: &mut Table, label: &str, bar: &str) {
    let label = if label.is_empty() { "all" } else { label };
    if label.len() + 3 <= BAR {
        table.note(format!("  {label:<width$}{bar}", width = BAR - 2));
    } else {
        table.note(format!("  {label}"));
        table.note(format!("{:BAR$}{bar}", ""));
    }
}

fn case_marks(summary: &Summary, case: &Case) -> String {
    let designs = designs(summary);
    let ratios: Vec<(&str, f64)> = designs
        .iter()
        .filter_map(|design| Some((design.as_str(), case.ratio(design)?.value)))
        .collect();
    marks(&ratios)
}

fn time_text(cell: Option<&Cell>, scale: f64) -> String {
    match cell {
        Some(Cell::Time { ns, slow, .. }) => {
            let text = with_percent(ns.value * scale, ns, COLUMN - 1 - usize::from(*slow));
            if *slow { format!("~{text}") } else { text }
        }
        Some(Cell::Failed(_)) => "err".to_owned(),
        Some(Cell::Absent(_)) | None => "-".to_owned(),
    }
}

fn ratio_text(summary: &Summary, case: &Case, design: &str) -> String {
    if design == summary.reference {
        return case.control.map_or_else(String::new, |control| {
            format!("aa {}", significant(control.value, 3))
        });
    }
    match case.cells.get(design) {
        Some(Cell::Time {
            ratio: Some(ratio),
            verdict,
            ..
        }) => {
            format!(
                "{}{}",
                mark(*verdict),
                with_percent(ratio.value, ratio, COLUMN - 2)
            )
        }
        Some(Cell::Time { .. }) if design == NULL => "floor".to_owned(),
        _ => String::new(),
    }
}

/// One character for a verdict.
pub(crate) fn mark(verdict: Option<Verdict>) -> char {
    match verdict {
        Some(Verdict::Faster) => '<',
        Some(Verdict::Slower) => '>',
        Some(Verdict::NoDifference) => '=',
        None => '?',
    }
}

fn mean_row(table: &mut Table, summary: &Summary, mean: &Mean) {
    let regime = if mean.regime.is_empty() {
        String::new()
    } else {
        format!(" footprint={}", mean.regime)
    };
    let designs = designs(summary);
    let ratios: Vec<(&str, f64)> = designs
        .iter()
        .filter_map(|design| Some((design.as_str(), mean.designs.get(design)?.mean.value)))
        .collect();
    labelled(
        table,
        &format!("mean of {}{regime}", mean.cases),
        &marks(&ratios),
    );
    for band in designs.chunks(BAND) {
        table.row(band.iter().map(|design| match mean.designs.get(design) {
            Some(ratio) if ratio.rows == mean.cases => {
                with_percent(ratio.mean.value, &ratio.mean, COLUMN - 1)
            }
            // A mean over fewer rows is another number: it is not put beside these.
            Some(_) => "(part)".to_owned(),
            None => String::new(),
        }));
    }
}

/// Values other than times: one block per workload and quantity.
pub(crate) fn values(page: &mut Page, summary: &Summary) {
    let mut rest = summary.values.as_slice();
    while let Some(first) = rest.first() {
        let same =
            |case: &&ValueCase| case.workload == first.workload && case.quantity == first.quantity;
        let (block, after) = rest.split_at(rest.iter().take_while(same).count());
        value_block(page, block);
        rest = after;
    }
}

fn value_block(page: &mut Page, block: &[ValueCase]) {
    let first = &block[0];
    let mut designs: Vec<String> = block
        .iter()
        .flat_map(|case| case.cells.keys().cloned())
        .collect();
    designs.sort();
    designs.dedup();
    crate::style::sort_designs(&mut designs);
    page.gap();
    let better = if first.less_is_better { "less" } else { "more" };
    page.line(&format!(
        "{}: {} in {}, {better} is better",
        first.workload, first.quantity, first.unit
    ));
    let mut table = columns();
    for band in designs.chunks(BAND) {
        if band.iter().any(|design| !design.is_empty()) {
            heads(&mut table, band);
        }
        for case in block {
            table.note(format!("  {}", label(&case.params, &[])));
            table.row(band.iter().map(|design| value_text(case.cells.get(design))));
        }
    }
    page.table(&table);
}

fn value_text(cell: Option<&ValueCell>) -> String {
    match cell {
        Some(ValueCell::Value(value)) if value.half_width() > 0.0 => {
            with_percent(value.value, value, COLUMN - 1)
        }
        Some(ValueCell::Value(value)) if value.value.fract() == 0.0 && value.value < 1e9 => {
            format!("{:.0}", value.value)
        }
        Some(ValueCell::Value(value)) => significant(value.value, 4),
        Some(ValueCell::Failed(_)) => "err".to_owned(),
        Some(ValueCell::Absent(_)) | None => "-".to_owned(),
    }
}
