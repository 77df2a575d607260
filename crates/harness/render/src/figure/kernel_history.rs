//! What the same 2 MiB cost in one kernel after the other.

use compare::kernel_history::{Line, Unit};
use stats::Estimate;

use super::Figure;
use super::panels::{Panel, Series, Sheet, sheet};
use super::scale::Format;
use crate::style::{Marker, Style, style_of};

/// The looks of a unit, which are not a design's: these are kernels.
fn style(unit: Unit) -> Style {
    let mut style = style_of("");
    style.dash = &[];
    (style.colour, style.marker) = match unit {
        Unit::Pages | Unit::Segments => ((0, 0, 0), Marker::Circle),
        Unit::Bvec => ((120, 120, 120), Marker::Ring),
        Unit::Folio | Unit::Segment => ((230, 159, 0), Marker::Square),
    };
    style
}

const LEGEND: [(Unit, &str); 3] = [
    (
        Unit::Pages,
        "512 pages (split check, map: 32 segments of 64 KiB)",
    ),
    (Unit::Bvec, "one bvec"),
    (Unit::Folio, "one folio (split check, map: one segment)"),
];

/// The figure over these kernels, oldest first; `None` without lines.
#[must_use]
pub fn kernel_history_figure(kernels: &[String], lines: &[Line]) -> Option<Figure> {
    let mut works: Vec<&str> = Vec::new();
    for line in lines {
        if !works.contains(&line.work) {
            works.push(line.work);
        }
    }
    if works.is_empty() {
        return None;
    }
    let panels: Vec<Panel> = works
        .into_iter()
        .map(|work| panel(kernels, work, lines))
        .collect();
    let page = Sheet {
        name: "kernel-history".to_owned(),
        title: "2 MiB in real kernels: instructions per release".to_owned(),
        axis: "kernel".to_owned(),
        note: "Counted inside Debian's kernels under QEMU's TCG, one instruction per tick; the \
               value that most samples had. 5.10 has no folios: its large unit is the compound \
               page. Logarithmic scales."
            .to_owned(),
        legend: LEGEND
            .map(|(unit, words)| (style(unit), words.to_owned()))
            .to_vec(),
    };
    Some(sheet(&page, &panels))
}

fn panel(kernels: &[String], work: &str, lines: &[Line]) -> Panel {
    let lines: Vec<&Line> = lines.iter().filter(|line| line.work == work).collect();
    let series = lines.iter().map(|line| Series {
        style: style(line.unit),
        points: line
            .cells
            .iter()
            .enumerate()
            .filter_map(|(at, cell)| Some((at as f64, Estimate::exact(cell.instructions? as f64))))
            .collect(),
    });
    Panel {
        title: work.to_owned(),
        detail: String::new(),
        unit: "instructions per 2 MiB".to_owned(),
        format: Format::Plain,
        ticks: kernels
            .iter()
            .enumerate()
            .map(|(at, kernel)| (at as f64, kernel.clone()))
            .collect(),
        joined: true,
        series: series.collect(),
    }
}
