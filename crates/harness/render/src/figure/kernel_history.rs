//! What the same 2 MiB cost in one kernel after the other.

use stats::Estimate;

use super::Figure;
use super::panels::{Panel, Series, Sheet, sheet};
use super::scale::Format;
use crate::style::{Marker, Style, style_of};

/// Which series a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelUnit {
    /// Many small units.
    Small,
    /// One multi-page vec.
    Bvec,
    /// One large unit.
    Large,
}

impl KernelUnit {
    const ALL: [Self; 3] = [Self::Small, Self::Bvec, Self::Large];

    /// Not a design's looks: these are kernels.
    fn style(self) -> Style {
        let mut style = style_of("");
        style.dash = &[];
        (style.colour, style.marker) = match self {
            Self::Small => ((0, 0, 0), Marker::Circle),
            Self::Bvec => ((120, 120, 120), Marker::Ring),
            Self::Large => ((230, 159, 0), Marker::Square),
        };
        style
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Small => "512 pages (split check, map: 32 segments of 64 KiB)",
            Self::Bvec => "one bvec",
            Self::Large => "one folio (split check, map: one segment)",
        }
    }
}

/// One kind of work in one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelLine {
    /// Title of its panel: lines of the same work share one.
    pub work: String,
    /// The counted functions, below the title.
    pub detail: String,
    /// Its series.
    pub unit: KernelUnit,
    /// Instructions per kernel, in the order of the kernels; `None` where it lacks them.
    pub instructions: Vec<Option<f64>>,
}

/// The figure over these kernels, oldest first; `None` without lines.
#[must_use]
pub fn kernel_history_figure(kernels: &[String], lines: &[KernelLine]) -> Option<Figure> {
    let mut works: Vec<&str> = Vec::new();
    for line in lines {
        if !works.contains(&line.work.as_str()) {
            works.push(&line.work);
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
        legend: KernelUnit::ALL
            .map(|unit| (unit.style(), unit.words().to_owned()))
            .to_vec(),
    };
    Some(sheet(&page, &panels))
}

fn panel(kernels: &[String], work: &str, lines: &[KernelLine]) -> Panel {
    let lines: Vec<&KernelLine> = lines.iter().filter(|line| line.work == work).collect();
    let series = lines.iter().map(|line| Series {
        style: line.unit.style(),
        points: line
            .instructions
            .iter()
            .enumerate()
            .filter_map(|(at, value)| Some((at as f64, Estimate::exact((*value)?))))
            .collect(),
    });
    let mut details: Vec<&str> = lines.iter().map(|line| line.detail.as_str()).collect();
    details.dedup();
    Panel {
        title: work.to_owned(),
        detail: details.join(", "),
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
