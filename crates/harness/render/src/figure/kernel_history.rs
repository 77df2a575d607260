//! The cost of the same 2 MiB in one kernel after the other.

use compare::kernel_history::{Cell, Line, Unit};
use stats::Estimate;

use super::Figure;
use super::panels::{Panel, Series, Sheet, sheet};
use super::scale::Format;
use crate::style::{Marker, Style, style_of};

/// The looks of a unit, which are not a design's: these are kernels.
fn style(unit: Unit) -> Style {
    let mut style = style_of("");
    style.name = unit.words().to_owned();
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
    let panels = Counted::ALL.into_iter().flat_map(|counted| {
        let panel = |work: &&str| panel(kernels, work, lines, counted);
        works.iter().map(panel).collect::<Vec<_>>()
    });
    // Work that touches no descriptor in any kernel has no place on a logarithmic scale.
    let panels: Vec<Panel> = panels.filter(Panel::has_values).collect();
    let page = Sheet {
        name: "kernel-history".to_owned(),
        title: "2 MiB in real kernels: instructions and lines of descriptor".to_owned(),
        axis: "kernel".to_owned(),
        note: "Counted inside Debian's kernels under QEMU's TCG, one instruction per tick; the \
               value that most samples had. Lines of descriptor are distinct lines of 64 bytes that \
               were touched; work without a panel of them touches none. 5.10 has no folios: its large unit is the compound \
               page. Logarithmic scales."
            .to_owned(),
        legend: LEGEND
            .map(|(unit, words)| (style(unit), words.to_owned()))
            .to_vec(),
    };
    Some(sheet(&page, &panels))
}

/// The quantity of a panel.
#[derive(Clone, Copy)]
enum Counted {
    Instructions,
    Lines,
}

impl Counted {
    const ALL: [Self; 2] = [Self::Instructions, Self::Lines];

    fn of(self, cell: &Cell) -> Option<f64> {
        match self {
            Self::Instructions => Some(cell.instructions? as f64),
            Self::Lines => Some(f64::from(cell.lines?)),
        }
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::Instructions => "instructions per 2 MiB",
            Self::Lines => "lines of descriptor per 2 MiB",
        }
    }
}

fn panel(kernels: &[String], work: &str, lines: &[Line], counted: Counted) -> Panel {
    let lines: Vec<&Line> = lines.iter().filter(|line| line.work == work).collect();
    let series = lines.iter().map(|line| Series {
        style: style(line.unit),
        points: line
            .cells
            .iter()
            .enumerate()
            .filter_map(|(at, cell)| Some((at as f64, Estimate::exact(counted.of(cell)?))))
            .collect(),
    });
    Panel {
        title: work.to_owned(),
        detail: String::new(),
        unit: counted.unit().to_owned(),
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
