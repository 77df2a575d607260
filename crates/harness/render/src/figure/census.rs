//! A machine's memory: what is there by order, what it costs, and what an operation touches.

use compare::census::{Findings, Operation, by_use};
use results::Census;
use stats::Estimate;

use super::Figure;
use super::panels::{Panel, Series, Sheet, sheet};
use super::scale::Format;
use crate::style::{Marker, Rgb, Style, style_of};

const FRAME_BYTES: f64 = 4096.0;

/// How memory of a use is drawn, by its place among all of them: unlike any design (Tol's muted
/// palette).
const LOOKS: [(Rgb, Marker); 9] = [
    ((136, 204, 238), Marker::Ring),
    ((136, 34, 85), Marker::Down),
    ((17, 119, 51), Marker::Frame),
    ((51, 34, 136), Marker::Cross),
    ((204, 102, 119), Marker::Plus),
    ((153, 153, 51), Marker::Left),
    ((221, 204, 119), Marker::Right),
    ((68, 170, 153), Marker::Up),
    ((170, 68, 153), Marker::Kite),
];

/// A use in a word that fits under its tick.
fn briefly(of: &str) -> &str {
    match of {
        "hugetlb" => "huge",
        "page-table" => "pt",
        "unnamed" => "unn.",
        "reserved" => "res.",
        "unusable" => "bad",
        of => of,
    }
}

/// The figure; `None` for memory of which nothing is known.
#[must_use]
pub fn census_figure(census: &Census, found: &Findings) -> Option<Figure> {
    let uses: Vec<(Style, &str)> = by_use(census)
        .into_iter()
        .zip(LOOKS.iter().cycle())
        .map(|((of, _), (colour, marker))| {
            let mut style = style_of(of);
            (style.colour, style.marker, style.dash) = (*colour, *marker, &[]);
            (style, of)
        })
        .collect();
    if uses.is_empty() || found.totals.is_empty() {
        return None;
    }
    let designs: Vec<Style> = found
        .totals
        .iter()
        .filter(|total| !total.lines.is_empty())
        .map(|total| style_of(&total.design))
        .collect();
    let legend = uses
        .iter()
        .map(|(style, of)| (style.clone(), (*of).to_owned()))
        .chain(
            designs
                .iter()
                .map(|style| (style.clone(), style.name.clone())),
        );
    let page = Sheet {
        name: "census".to_owned(),
        title: "Memory of a machine, and its descriptors".to_owned(),
        axis: String::new(),
        note: format!(
            "{:.1} GiB under Linux {}, {}. Lines of 64 bytes, added up from the models' traced \
             loops. Logarithmic scales.",
            census.header.frames as f64 * FRAME_BYTES / f64::from(1 << 30),
            census.header.kernel,
            census.header.date
        ),
        legend: legend.collect(),
    };
    let panels = [
        memory(census, &uses),
        spent(found, &uses, &designs),
        touched(found, &designs),
    ];
    Some(sheet(&page, &panels))
}

fn memory(census: &Census, uses: &[(Style, &str)]) -> Panel {
    let series = uses.iter().map(|(style, of)| {
        let rows = census.rows.iter().filter(|row| row.of == *of);
        let points = rows.map(|row| {
            let bytes = row.frames() as f64 * FRAME_BYTES;
            (f64::from(row.order), Estimate::exact(bytes))
        });
        Series {
            style: style.clone(),
            points: points.collect(),
        }
    });
    let most = census.rows.iter().map(|row| row.order).max().unwrap_or(0);
    Panel {
        title: "memory".to_owned(),
        detail: "by order of the block: 2^order frames".to_owned(),
        unit: "bytes".to_owned(),
        format: Format::Bytes,
        ticks: (0..=most)
            .map(|order| (f64::from(order), order.to_string()))
            .collect(),
        joined: true,
        series: series.collect(),
    }
}

fn spent(found: &Findings, uses: &[(Style, &str)], designs: &[Style]) -> Panel {
    let series = designs.iter().map(|style| {
        let points = uses.iter().enumerate().map(|(at, (_, of))| {
            let own = found.costs.iter();
            let own = own.filter(|cost| cost.design == style.name && cost.of == *of);
            let bytes: f64 = own.map(|cost| cost.bytes).sum();
            (at as f64, Estimate::exact(bytes))
        });
        Series {
            style: style.clone(),
            points: points.collect(),
        }
    });
    Panel {
        title: "bytes of descriptor".to_owned(),
        detail: "by use".to_owned(),
        unit: "bytes".to_owned(),
        format: Format::Bytes,
        ticks: uses
            .iter()
            .enumerate()
            .map(|(at, (_, of))| (at as f64, briefly(of).to_owned()))
            .collect(),
        joined: false,
        series: series.collect(),
    }
}

fn touched(found: &Findings, designs: &[Style]) -> Panel {
    let series = designs.iter().map(|style| {
        let total = found.totals.iter().find(|total| total.design == style.name);
        let points = Operation::ALL.iter().enumerate().filter_map(|(at, of)| {
            let lines = total?.lines.get(of)?;
            Some((at as f64, Estimate::exact(*lines)))
        });
        Series {
            style: style.clone(),
            points: points.collect(),
        }
    });
    Panel {
        title: "lines of descriptor touched".to_owned(),
        detail: "by an operation on all memory".to_owned(),
        unit: "lines of 64 bytes".to_owned(),
        format: Format::Plain,
        ticks: Operation::ALL
            .iter()
            .enumerate()
            .map(|(at, of)| (at as f64, of.words().to_owned()))
            .collect(),
        joined: false,
        series: series.collect(),
    }
}
