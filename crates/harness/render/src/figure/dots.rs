//! Dot plots: rows of ratios, one column per design, with intervals and the noise floor.

use std::collections::BTreeMap;

use results::{Param, Params};
use stats::Estimate;

use super::Figure;
use super::font;
use super::scale::{Format, Log};
use super::series::{file_word, run_words};
use super::shapes::{
    Anchor, BAND, DARK, LIGHT, Shape, bold, broken, line, marker, rectangle, text,
};
use crate::number::significant;
use crate::style::{NULL, Style, designs, style_of};
use compare::{Cell, Mean, Summary};

/// Rows per figure; more go onto further figures.
const ROWS: usize = 60;
/// Width of a figure whose columns have room in it.
const WIDTH: f64 = 1200.0;
/// Minimum width of a column: an arrow and its number. Many columns make a wider figure.
const COLUMN: f64 = 76.0;
const MARGIN: f64 = 30.0;
const ROW: f64 = 20.0;
const GAP: f64 = 14.0;
/// Room for the marker beside a column's name.
const HEAD_MARKER: f64 = 18.0;
/// Ratios beyond this or below one over this are written at the edge instead of drawn:
/// a single extreme would squeeze all others together.
const REACH: f64 = 8.0;

/// The word where a design lacks the capability. It is drawn as a grey field: a dash would look
/// like a point.
const LACKS: &str = "-";

/// One place of a dot plot.
#[derive(Debug, Clone)]
pub(super) enum Dot {
    /// A ratio.
    Ratio(Estimate),
    /// A word in its place: `err`.
    Word(&'static str),
}

/// One row of a dot plot.
#[derive(Debug, Clone)]
pub(super) struct DotRow {
    pub label: String,
    /// By column.
    pub dots: BTreeMap<usize, Dot>,
    /// Words at the right end.
    pub note: String,
}

/// A dot plot.
#[derive(Debug, Clone)]
pub(super) struct DotPlot {
    pub name: String,
    pub title: String,
    /// Column heads with their looks.
    pub columns: Vec<(Style, String)>,
    pub rows: Vec<DotRow>,
    /// From where to where a ratio means nothing.
    pub band: Option<(f64, f64)>,
    /// Title of the x axes.
    pub axis: String,
    pub note: String,
}

/// Ratios of all workloads (means per regime), then of every row of each family.
pub(super) fn ratio_figures(summary: &Summary) -> Vec<Figure> {
    let all = designs(summary);
    let designs: Vec<&String> = all
        .iter()
        .filter(|design| **design != summary.reference && design.as_str() != NULL)
        .collect();
    let plot = |name: &str, title: String, rows: Vec<DotRow>| DotPlot {
        name: name.to_owned(),
        title,
        columns: designs
            .iter()
            .map(|name| (style_of(name), (*name).clone()))
            .collect(),
        rows,
        band: summary
            .floor
            .map(|floor| (1.0 / (1.0 + floor), 1.0 + floor)),
        axis: format!("time, ratio to {}", summary.reference),
        note: format!(
            "Left of 1 is faster than {}; what lies beyond an edge is written there. Shaded: the \
             noise floor of this run. Lines: 95% \
             intervals. Grey: the design lacks the capability. err: went wrong. part: the \
             design has some of the rows only, and no mean. {}",
            summary.reference,
            run_words(summary)
        ),
    };
    let mut figures = Vec::new();
    let means: Vec<DotRow> = summary
        .families
        .iter()
        .flat_map(|family| family.means.iter().filter(|mean| !mean.workload.is_empty()))
        .map(|mean| mean_row(mean, &designs))
        .collect();
    let title = format!(
        "All workloads: geometric mean of the ratios to {}",
        summary.reference
    );
    figures.extend(pages(&plot("ratios", title, means)));
    for family in &summary.families {
        let rows = family
            .cases
            .iter()
            .map(|case| {
                let dot = |design: &&String| match case.cells.get(*design)? {
                    Cell::Time {
                        ratio: Some(ratio), ..
                    } => Some(Dot::Ratio(*ratio)),
                    Cell::Failed(_) => Some(Dot::Word("err")),
                    Cell::Absent(_) => Some(Dot::Word(LACKS)),
                    Cell::Time { ratio: None, .. } => None,
                };
                let name = case.workload.split('/').nth(1).unwrap_or_default();
                row(
                    format!("{name}  {}", short_label(&case.params)),
                    &designs,
                    dot,
                )
            })
            .collect();
        let name = format!("ratios-{}", file_word(&family.name));
        let title = format!(
            "{}: ratios to {}, row by row",
            family.name, summary.reference
        );
        figures.extend(pages(&plot(&name, title, rows)));
    }
    figures
}

fn mean_row(mean: &Mean, designs: &[&String]) -> DotRow {
    let dot = |design: &&String| {
        let ratio = mean.designs.get(*design)?;
        // A mean over fewer rows than its neighbours' is not comparable with them.
        Some(if ratio.rows == mean.cases {
            Dot::Ratio(ratio.mean)
        } else {
            Dot::Word("part")
        })
    };
    let rows = if mean.cases == 1 { "row" } else { "rows" };
    row(
        format!("{} {} ({} {rows})", mean.workload, mean.regime, mean.cases),
        designs,
        dot,
    )
}

/// Parameters in few words: the values of those that speak for themselves stand alone.
fn short_label(params: &Params) -> String {
    const PLAIN: [&str; 5] = ["backing", "footprint", "kind", "layout", "mix"];
    let word = |(name, value): (&String, &Param)| match value {
        Param::Text(text) if PLAIN.contains(&name.as_str()) => text.clone(),
        value => format!("{name}={value}"),
    };
    params.iter().map(word).collect::<Vec<String>>().join(" ")
}

fn row(label: String, designs: &[&String], dot: impl Fn(&&String) -> Option<Dot>) -> DotRow {
    let dots = designs
        .iter()
        .enumerate()
        .filter_map(|(column, design)| Some((column, dot(design)?)))
        .collect();
    DotRow {
        label,
        dots,
        note: String::new(),
    }
}

/// Leaves out the columns that say nothing but that the capability is missing.
fn without_empty_columns(mut plot: DotPlot) -> DotPlot {
    let says = |column: usize| {
        let dots = || plot.rows.iter().filter_map(|row| row.dots.get(&column));
        dots().any(|dot| !matches!(dot, Dot::Word(LACKS)))
    };
    let kept: Vec<usize> = (0..plot.columns.len()).filter(|&at| says(at)).collect();
    let columns = kept.iter().map(|&at| plot.columns[at].clone()).collect();
    for row in &mut plot.rows {
        let old = std::mem::take(&mut row.dots);
        let dot = |(new, at): (usize, &usize)| Some((new, old.get(at)?.clone()));
        row.dots = kept.iter().enumerate().filter_map(dot).collect();
    }
    plot.columns = columns;
    plot
}

/// Draws a plot, on several figures if it is long.
pub(super) fn pages(plot: &DotPlot) -> Vec<Figure> {
    let plot = &without_empty_columns(plot.clone());
    if plot.columns.is_empty() || plot.rows.iter().all(|row| row.dots.is_empty()) {
        return Vec::new();
    }
    let count = plot.rows.len().div_ceil(ROWS);
    let each = plot.rows.len().div_ceil(count.max(1));
    plot.rows
        .chunks(each.max(1))
        .enumerate()
        .map(|(page, rows)| {
            let mut this = plot.clone();
            this.rows = rows.to_vec();
            if count > 1 {
                this.title = format!("{} ({} of {count})", this.title, page + 1);
                this.name = format!("{}-{}", this.name, page + 1);
            }
            draw(&this, plot)
        })
        .collect()
}

/// `whole` sets the scale, so that the pages of one plot can be compared.
fn draw(plot: &DotPlot, whole: &DotPlot) -> Figure {
    const SIZE: f64 = 13.0;
    let widest = |texts: &mut dyn Iterator<Item = &str>| {
        texts
            .map(|text| font::width(text, SIZE, false))
            .fold(0.0, f64::max)
    };
    let labels = widest(&mut plot.rows.iter().map(|row| row.label.as_str())).min(480.0);
    let notes = widest(&mut plot.rows.iter().map(|row| row.note.as_str()));
    let mut shapes = vec![bold((MARGIN, 34.0), Anchor::Left, 22.0, &plot.title)];
    let top = 96.0;
    let bottom = top + plot.rows.len() as f64 * ROW;
    let first = MARGIN + labels + 14.0;
    let behind = MARGIN + if notes > 0.0 { notes + 14.0 } else { 0.0 };
    let count = plot.columns.len() as f64;
    let heads = widest(&mut plot.columns.iter().map(|(style, _)| style.short.as_str()));
    let least = COLUMN.max(heads + 2.0 * HEAD_MARKER);
    let whole_width = WIDTH.max(first + count * (least + GAP) - GAP + behind);
    let last = whole_width - behind;
    let width = (last - first - GAP * (count - 1.0)) / count;

    for (index, row) in plot.rows.iter().enumerate() {
        let y = top + (index as f64 + 0.5) * ROW;
        let label = cut(&row.label, SIZE, labels);
        shapes.push(text((first - 14.0, y), Anchor::Right, SIZE, &label));
        if !row.note.is_empty() {
            shapes.push(text(
                (whole_width - MARGIN, y),
                Anchor::Right,
                SIZE,
                &row.note,
            ));
        }
    }
    for (column, (style, name)) in plot.columns.iter().enumerate() {
        let left = first + column as f64 * (width + GAP);
        let Some(scale) = scale_of(whole, left, left + width) else {
            continue;
        };
        column_frame(
            &mut shapes,
            plot,
            &scale,
            (left, left + width),
            (top, bottom),
        );
        let (name, size) = head(style, name, width - HEAD_MARKER);
        let wide = font::width(&name, size, false);
        let middle = left + width / 2.0;
        shapes.extend(marker(style, (middle - wide / 2.0 - 4.0, top - 18.0), 5.0));
        shapes.push(text(
            (middle + 6.0, top - 18.0),
            Anchor::Middle,
            size,
            &name,
        ));
        for (index, row) in plot.rows.iter().enumerate() {
            let y = top + (index as f64 + 0.5) * ROW;
            match row.dots.get(&column) {
                Some(Dot::Ratio(ratio)) => draw_ratio(&mut shapes, ratio, &scale, y, style),
                Some(Dot::Word(LACKS)) => {
                    let half = ROW / 2.0;
                    shapes.push(rectangle(
                        (left + 1.0, y - half),
                        (left + width - 1.0, y + half),
                        LIGHT,
                    ));
                }
                Some(Dot::Word(word)) => {
                    shapes.push(text((scale.place(1.0) - 7.0, y), Anchor::Right, SIZE, word));
                }
                None => {}
            }
        }
    }
    let mut y = bottom + 42.0;
    shapes.push(text(
        ((first + last) / 2.0, y),
        Anchor::Middle,
        14.0,
        &plot.axis,
    ));
    y += 26.0;
    for note in broken(&plot.note, SIZE, whole_width - 2.0 * MARGIN) {
        shapes.push(text((MARGIN, y), Anchor::Left, SIZE, &note));
        y += 18.0;
    }
    Figure {
        name: plot.name.clone(),
        title: plot.title.clone(),
        alt: alt(plot),
        size: (whole_width.ceil() as u32, (y + 8.0).ceil() as u32),
        shapes,
    }
}

/// The alternative text: axes and series.
fn alt(plot: &DotPlot) -> String {
    let columns: Vec<&str> = plot.columns.iter().map(|one| one.1.as_str()).collect();
    let rows: Vec<&str> = plot.rows.iter().map(|row| row.label.as_str()).collect();
    format!(
        "Dots with intervals on a logarithmic scale: {}. Columns: {}. Rows: {}. {}",
        plot.axis,
        columns.join(", "),
        rows.join("; "),
        plot.note
    )
}

/// The head of a column of the given width, and its size: the name, smaller if it must be, or else
/// the short one, which tells it from its neighbours where the beginning of the name may not.
fn head(style: &Style, name: &str, room: f64) -> (String, f64) {
    let short = style.short.as_str();
    let fits = |(text, size): &(&str, f64)| font::width(text, *size, false) <= room;
    let (text, size) = [(name, 14.0), (name, 12.0), (short, 14.0)]
        .into_iter()
        .find(fits)
        .unwrap_or((short, 12.0));
    (cut(text, size, room), size)
}

fn scale_of(plot: &DotPlot, from: f64, to: f64) -> Option<Log> {
    let ratios = plot
        .rows
        .iter()
        .flat_map(|row| row.dots.values())
        .filter_map(|dot| match dot {
            Dot::Ratio(ratio) => {
                Some([ratio.value, ratio.low, ratio.high].map(|end| end.clamp(1.0 / REACH, REACH)))
            }
            Dot::Word(_) => None,
        });
    Log::over(ratios.flatten().chain([0.5, 2.0]), from, to)
}

fn column_frame(
    shapes: &mut Vec<Shape>,
    plot: &DotPlot,
    scale: &Log,
    x: (f64, f64),
    y: (f64, f64),
) {
    if let Some((low, high)) = plot.band {
        shapes.push(rectangle(
            (scale.place(low), y.0),
            (scale.place(high), y.1),
            BAND,
        ));
    }
    for (at, word) in scale.ticks(Format::Ratio, 28.0) {
        shapes.push(line((at, y.0), (at, y.1), LIGHT, 1.0));
        shapes.push(line((at, y.1), (at, y.1 + 5.0), DARK, 1.0));
        shapes.push(text((at, y.1 + 16.0), Anchor::Middle, 13.0, &word));
    }
    shapes.push(line(
        (scale.place(1.0), y.0),
        (scale.place(1.0), y.1),
        DARK,
        1.4,
    ));
    let frame = vec![(x.0, y.0), (x.1, y.0), (x.1, y.1), (x.0, y.1), (x.0, y.0)];
    shapes.push(Shape::Line {
        points: frame,
        colour: DARK,
        width: 1.0,
    });
}

fn draw_ratio(shapes: &mut Vec<Shape>, ratio: &Estimate, scale: &Log, y: f64, style: &Style) {
    let (low, high) = (scale.place(ratio.low), scale.place(ratio.high));
    let number = || significant(ratio.value, 2);
    if ratio.value > REACH {
        let edge = scale.place(REACH);
        shapes.push(arrow(edge, 8.0, y, style));
        shapes.push(text((edge - 12.0, y), Anchor::Right, 12.0, &number()));
    } else if ratio.value < 1.0 / REACH {
        let edge = scale.place(1.0 / REACH);
        shapes.push(arrow(edge, -8.0, y, style));
        shapes.push(text((edge + 12.0, y), Anchor::Left, 12.0, &number()));
    } else {
        shapes.push(line((low, y), (high, y), style.colour, 1.6));
        shapes.extend(marker(style, (scale.place(ratio.value), y), 4.6));
    }
}

/// A tip at `x` that points along `length`.
fn arrow(x: f64, length: f64, y: f64, style: &Style) -> Shape {
    let base = x - length;
    Shape::Fill {
        points: vec![(x, y), (base, y - 5.0), (base, y + 5.0)],
        colour: style.colour,
    }
}

/// A text that fits, its end replaced by dots if it must be.
fn cut(text: &str, size: f64, width: f64) -> String {
    let mut text = text.to_owned();
    if font::width(&text, size, false) <= width {
        return text;
    }
    while !text.is_empty() && font::width(&format!("{text}..."), size, false) > width {
        text.pop();
    }
    format!("{text}...")
}
