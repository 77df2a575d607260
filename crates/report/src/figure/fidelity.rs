//! Model against kernel: instructions per primitive of the model beside the real code's.

use std::collections::BTreeMap;

use stats::Estimate;

use super::Figure;
use super::dots::{Dot, DotPlot, DotRow, pages};
use crate::number::significant;
use crate::style::{sort_designs, style_of};

/// One primitive of one design beside the kernel's.
#[derive(Debug, Clone, PartialEq)]
pub struct FidelityRow {
    /// Name of the primitive, `bio_add_page`.
    pub primitive: String,
    /// Order of the pages it worked on.
    pub order: u32,
    /// The kernel it is compared with, `6.12`.
    pub kernel: String,
    /// The design that models it.
    pub design: String,
    /// Instructions per primitive of the model.
    pub model: f64,
    /// Instructions per primitive of the kernel.
    pub real: f64,
}

/// The figure of a list of rows; `None` without rows that can be drawn. Ratios between
/// 0.8 and 1.1 are what the model aims at.
#[must_use]
pub fn fidelity_figure(rows: &[FidelityRow]) -> Option<Figure> {
    let mut designs: Vec<String> = rows.iter().map(|row| row.design.clone()).collect();
    designs.sort();
    designs.dedup();
    sort_designs(&mut designs);
    let sound = |row: &&FidelityRow| row.model > 0.0 && row.real > 0.0;
    let rows = rows.iter().filter(sound).filter_map(|row| {
        let column = designs.iter().position(|design| *design == row.design)?;
        let ratio = Estimate::exact(row.model / row.real);
        Some(DotRow {
            label: format!(
                "{}, order {}, kernel {}",
                row.primitive, row.order, row.kernel
            ),
            dots: BTreeMap::from([(column, Dot::Ratio(ratio))]),
            note: format!(
                "{} : {}",
                significant(row.model, 3),
                significant(row.real, 3)
            ),
        })
    });
    let plot = DotPlot {
        name: "model-kernel".to_owned(),
        title: "Model against kernel: instructions per primitive".to_owned(),
        columns: designs
            .iter()
            .map(|name| (style_of(name), name.clone()))
            .collect(),
        rows: rows.collect(),
        band: Some((0.8, 1.1)),
        axis: "instructions of the model, ratio to the kernel's".to_owned(),
        note: "Shaded: what the model aims at, 0.8 to 1.1 times the kernel. On the right: \
               instructions of the model : of the kernel."
            .to_owned(),
    };
    pages(&plot).into_iter().next()
}
