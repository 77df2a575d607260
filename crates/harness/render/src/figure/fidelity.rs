//! Model against kernel: instructions per primitive of the model beside the real code's.

use std::collections::{BTreeMap, BTreeSet};

use compare::fidelity::Row;
use compare::time_fidelity::{BOUNDS, TimeRow};
use stats::Estimate;

use super::Figure;
use super::dots::{Dot, DotPlot, DotRow, pages};
use crate::style::{sort_designs, style_of};

/// The figure of a list of rows; `None` without rows that can be drawn. Ratios between
/// 0.8 and 1.1 are what the model aims at.
#[must_use]
pub fn fidelity_figure(rows: &[Row]) -> Option<Figure> {
    let mut designs: Vec<String> = rows.iter().map(|row| row.design.clone()).collect();
    designs.sort();
    designs.dedup();
    sort_designs(&mut designs);
    let sound = |row: &&Row| row.model > 0 && row.real > 0;
    // A line per primitive, in the order in which they come, a dot per design in it.
    let mut primitives: Vec<(&str, Ratios)> = Vec::new();
    for row in rows.iter().filter(sound) {
        let Some(column) = designs.iter().position(|design| *design == row.design) else {
            continue;
        };
        let at = primitives
            .iter()
            .position(|(name, _)| *name == row.primitive)
            .unwrap_or_else(|| {
                primitives.push((&row.primitive, Ratios::new()));
                primitives.len() - 1
            });
        let ratios = primitives[at].1.entry(column).or_default();
        ratios.push(row.ratio);
    }
    let lines = primitives.into_iter().map(|(name, columns)| DotRow {
        label: name.to_owned(),
        dots: columns
            .into_iter()
            .map(|(column, ratios)| (column, Dot::Ratio(spread(ratios))))
            .collect(),
        note: String::new(),
    });
    let plot = DotPlot {
        name: "model-kernel".to_owned(),
        title: "Model against kernel: instructions per primitive".to_owned(),
        columns: designs
            .iter()
            .map(|name| (style_of(name), against(name, rows)))
            .collect(),
        rows: lines.collect(),
        band: Some((0.8, 1.1)),
        axis: "instructions of the model, ratio to the kernel's".to_owned(),
        note: "Shaded: what the model aims at, 0.8 to 1.1 times the kernel. Marker: the median \
               over all orders and states that were counted; line: from the least to the most."
            .to_owned(),
    };
    pages(&plot).into_iter().next()
}

/// Model against kernel in time: a line per workload, a dot per model; `None` without rows.
#[must_use]
pub fn time_fidelity_figure(rows: &[TimeRow]) -> Option<Figure> {
    let mut designs: Vec<String> = rows.iter().map(|row| row.design.clone()).collect();
    designs.sort();
    designs.dedup();
    sort_designs(&mut designs);
    let mut workloads: Vec<(&str, Ratios)> = Vec::new();
    for row in rows {
        let Some(column) = designs.iter().position(|design| *design == row.design) else {
            continue;
        };
        let at = workloads
            .iter()
            .position(|(name, _)| *name == row.workload)
            .unwrap_or_else(|| {
                workloads.push((&row.workload, Ratios::new()));
                workloads.len() - 1
            });
        let ratios = workloads[at].1.entry(column).or_default();
        ratios.push(row.ratio.value);
    }
    let lines = workloads.into_iter().map(|(name, columns)| DotRow {
        label: name.to_owned(),
        dots: columns
            .into_iter()
            .map(|(column, ratios)| (column, Dot::Ratio(spread(ratios))))
            .collect(),
        note: String::new(),
    });
    let heading = |design: &String| {
        let kernel = rows.iter().find(|row| row.design == *design);
        let kernel = kernel.map_or("", |row| row.kernel.as_str());
        (style_of(design), format!("{design} : {kernel}"))
    };
    let plot = DotPlot {
        name: "model-kernel-time".to_owned(),
        title: "Model against kernel: time in the same rounds".to_owned(),
        columns: designs.iter().map(heading).collect(),
        rows: lines.collect(),
        band: Some(BOUNDS),
        axis: "time of the model, ratio to the kernel's".to_owned(),
        note: "Shaded: what the model aims at, 0.8 to 1.25 times the kernel. Marker: the median \
               over the rows of the workload; line: from the least to the most. Kernels run \
               natively (ARCH=um), built by gcc; models are built by rustc and follow 6.12."
            .to_owned(),
    };
    pages(&plot).into_iter().next()
}

/// Ratios of one primitive by column.
type Ratios = BTreeMap<usize, Vec<f64>>;

/// The median of some ratios, and how far they reach.
fn spread(mut ratios: Vec<f64>) -> Estimate {
    ratios.sort_by(f64::total_cmp);
    let middle = Estimate::exact(ratios.get(ratios.len() / 2).copied().unwrap_or(1.0));
    Estimate {
        low: ratios.first().copied().unwrap_or(middle.value),
        high: ratios.last().copied().unwrap_or(middle.value),
        ..middle
    }
}

/// A design and the kernels that it is held against: `flat : 5.10`.
fn against(design: &str, rows: &[Row]) -> String {
    let kernels: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row.design == design)
        .map(|row| row.kernel.as_str())
        .collect();
    let kernels: Vec<&str> = kernels.into_iter().collect();
    format!("{design} : {}", kernels.join(", "))
}
