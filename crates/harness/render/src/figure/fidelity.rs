//! Model against kernel: instructions and times of the model beside the real code's.

use std::collections::{BTreeMap, BTreeSet};

use compare::fidelity::{MAX_SHARE, REASON_BELOW, Row};
use compare::time_fidelity::{BOUNDS, TimeRow};
use stats::Estimate;

use super::Figure;
use super::dots::{Dot, DotPlot, DotRow, pages};
use crate::style::{sort_designs, style_of};

/// Model against kernel in instructions; `None` without rows that can be drawn. Ratios between
/// 0.8 and 1.1 are what the model aims at.
#[must_use]
pub fn fidelity_figure(rows: &[Row]) -> Option<Figure> {
    let sound = |row: &&Row| row.model > 0 && row.real > 0;
    let ratios = rows.iter().filter(sound).map(|row| Beside {
        label: &row.primitive,
        design: &row.design,
        kernel: &row.kernel,
        ratio: row.ratio,
    });
    let words = Words {
        name: "model-kernel",
        title: "Model against kernel: instructions per primitive",
        band: (REASON_BELOW, MAX_SHARE),
        axis: "instructions of the model, ratio to the kernel's",
        note: "Shaded: what the model aims at, 0.8 to 1.1 times the kernel. Marker: the median \
               over all orders and states that were counted; line: from the least to the most.",
    };
    figure(ratios.collect(), &words)
}

/// Model against its own kernel in time; `None` without rows. Rows in which the model is asked to do
/// as another kernel does are left out.
#[must_use]
pub fn time_fidelity_figure(rows: &[TimeRow]) -> Option<Figure> {
    let own = rows.iter().filter(|row| !row.asked);
    let ratios = own.map(|row| Beside {
        label: &row.workload,
        design: &row.design,
        kernel: &row.kernel,
        ratio: row.ratio.value,
    });
    let words = Words {
        name: "model-kernel-time",
        title: "Model against kernel: time in the same rounds",
        band: BOUNDS,
        axis: "time of the model, ratio to the kernel's",
        note: "Shaded: what the model aims at, 0.8 to 1.25 times the kernel. Marker: the median \
               over the rows of the workload; line: from the least to the most. Kernels run \
               natively (ARCH=um), built by gcc; models are built by rustc.",
    };
    figure(ratios.collect(), &words)
}

/// A model beside its kernel once.
struct Beside<'a> {
    label: &'a str,
    design: &'a str,
    kernel: &'a str,
    ratio: f64,
}

/// The words of a figure, and what its models aim at.
struct Words {
    name: &'static str,
    title: &'static str,
    band: (f64, f64),
    axis: &'static str,
    note: &'static str,
}

/// A line per label, in the order in which they come, a dot per design in it.
fn figure(ratios: Vec<Beside<'_>>, words: &Words) -> Option<Figure> {
    let mut designs: Vec<String> = ratios.iter().map(|one| one.design.to_owned()).collect();
    designs.sort();
    designs.dedup();
    sort_designs(&mut designs);
    let mut labels: Vec<(&str, Ratios)> = Vec::new();
    for one in &ratios {
        let Some(column) = designs.iter().position(|design| design == one.design) else {
            continue;
        };
        let at = labels
            .iter()
            .position(|(label, _)| *label == one.label)
            .unwrap_or_else(|| {
                labels.push((one.label, Ratios::new()));
                labels.len() - 1
            });
        labels[at].1.entry(column).or_default().push(one.ratio);
    }
    let lines = labels.into_iter().map(|(label, columns)| DotRow {
        label: label.to_owned(),
        dots: columns
            .into_iter()
            .map(|(column, ratios)| (column, Dot::Ratio(spread(ratios))))
            .collect(),
        note: String::new(),
    });
    let plot = DotPlot {
        name: words.name.to_owned(),
        title: words.title.to_owned(),
        columns: designs
            .iter()
            .map(|name| (style_of(name), against(name, &ratios)))
            .collect(),
        rows: lines.collect(),
        band: Some(words.band),
        axis: words.axis.to_owned(),
        note: words.note.to_owned(),
    };
    pages(&plot).into_iter().next()
}

/// Ratios of one line by column.
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
fn against(design: &str, ratios: &[Beside<'_>]) -> String {
    let kernels: BTreeSet<&str> = ratios
        .iter()
        .filter(|one| one.design == design)
        .map(|one| one.kernel)
        .collect();
    let kernels: Vec<&str> = kernels.into_iter().collect();
    format!("{design} : {}", kernels.join(", "))
}
