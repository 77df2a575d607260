//! Tables of the mail: designs as columns, per row a label with its bar, the values and
//! the ratios below them.

use stats::Verdict;

use super::bar::{SCALE, marks};
use super::words::is_mostly_harness;
use crate::number::{significant, time_scale, with_percent};
use crate::page::Page;
use crate::params::{label, shared_params};
use crate::style::{NULL, designs, is_unrefereed, style_of};
use crate::table::{Bands, COLUMN};
use compare::{Case, Cell, Family, Mean, Summary, ValueCase, ValueCell};

/// Below the head of a model that no kernel is the referee of; the key says who the others' are.
const UNREFEREED: &str = "no kernel";

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
    page.caption(&title);
    let designs = designs(summary);
    let mut table = Bands::new("params", designs.iter().map(|design| head(design))).scale(SCALE);
    for case in cases {
        let mut label = label(&case.params, &hidden);
        if label.is_empty() {
            "all".clone_into(&mut label);
        }
        if is_mostly_harness(summary, case) {
            label.push_str(" (h)");
        }
        let cells = designs.iter().map(|design| {
            let time = time_text(case.cells.get(design), scale);
            vec![time, ratio_text(summary, case, design)]
        });
        table.row(&label, &case_marks(summary, case), cells);
    }
    let of_workload = means
        .iter()
        .filter(|mean| mean.workload == cases[0].workload && mean.cases > 1);
    for mean in of_workload {
        mean_row(&mut table, summary, mean);
    }
    page.bands(&table);
}

/// The lines above a design's column. That of a model that no kernel judges says so in every
/// table.
fn head(design: &str) -> Vec<String> {
    if design.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![style_of(design).short];
    if is_unrefereed(design) {
        lines.push(UNREFEREED.to_owned());
    }
    lines
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

fn mean_row(table: &mut Bands, summary: &Summary, mean: &Mean) {
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
    let cells = designs.iter().map(|design| {
        vec![match mean.designs.get(design) {
            Some(ratio) if ratio.rows == mean.cases => {
                with_percent(ratio.mean.value, &ratio.mean, COLUMN - 1)
            }
            // A mean over fewer rows is another number: it is not put beside these.
            Some(_) => "(part)".to_owned(),
            None => String::new(),
        }]
    });
    let label = format!("mean of {}{regime}", mean.cases);
    table.row(&label, &marks(&ratios), cells);
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
    page.caption(&format!(
        "{}: {} in {}, {better} is better",
        first.workload, first.quantity, first.unit
    ));
    let mut table = Bands::new("params", designs.iter().map(|design| head(design)));
    for case in block {
        let cells = designs
            .iter()
            .map(|design| vec![value_text(case.cells.get(design))]);
        table.row(&label(&case.params, &[]), "", cells);
    }
    page.bands(&table);
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
