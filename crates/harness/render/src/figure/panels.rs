//! A grid of panels that share a legend: values with intervals against something.

use stats::Estimate;

use super::Figure;
use super::font;
use super::scale::{Format, Log};
use super::shapes::{Anchor, DARK, LIGHT, Shape, bold, broken, dashed, legend, line, marker, text};
use crate::number::significant;
use crate::style::{Marker, Style};

/// One panel.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    /// Bold first line.
    pub title: String,
    /// Second line, may be broken into two.
    pub detail: String,
    /// Title of the y axis.
    pub unit: String,
    /// How its numbers are written.
    pub format: Format,
    /// Words along the x axis, at 0, 1, 2, … or wherever `place` puts them.
    pub ticks: Vec<(f64, String)>,
    /// Whether points of a series are joined by a line.
    pub joined: bool,
    /// The series, in the order of the legend.
    pub series: Vec<Series>,
}

impl Panel {
    /// Whether there is anything that a logarithmic scale can show.
    pub(super) fn has_values(&self) -> bool {
        let points = self.series.iter().flat_map(|series| &series.points);
        points.into_iter().any(|(_, value)| value.value > 0.0)
    }
}

/// One design in one panel.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// Its looks.
    pub style: Style,
    /// Places on the x axis and values.
    pub points: Vec<(f64, Estimate)>,
}

/// The parts that the panels of a figure share.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    /// File name.
    pub name: String,
    /// Heading.
    pub title: String,
    /// Title of the x axes.
    pub axis: String,
    /// A line at the bottom.
    pub note: String,
    /// Legend.
    pub legend: Vec<(Style, String)>,
}

/// Width of a figure with one, two, three columns.
const WIDTHS: [f64; 3] = [760.0, 1000.0, 1200.0];
/// More places along the x axis than this leave no room for intervals.
pub(super) const CROWDED: usize = 12;
/// Half the width of the first and the last marker where they may lie on each other.
const LARGEST: f64 = 6.4;
const SMALLEST: f64 = 3.2;
const MARGIN: f64 = 30.0;
const GAP: f64 = 24.0;
/// Room for the y axis' words.
const LEFT: f64 = 62.0;
const PLOT: f64 = 225.0;
/// Title and unit above a plot; each line of detail takes more.
const HEAD: f64 = 50.0;
const DETAIL: f64 = 18.0;
/// Ticks below a plot, and the axis' name.
const FOOT: f64 = 46.0;

/// Draws panels row by row.
pub(super) fn sheet(sheet: &Sheet, panels: &[Panel]) -> Figure {
    let columns = panels.len().clamp(1, WIDTHS.len());
    let whole = WIDTHS[columns - 1];
    let mut shapes = Vec::new();
    let mut y = 34.0;
    shapes.push(bold((MARGIN, y), Anchor::Left, 22.0, &sheet.title));
    y += 34.0;
    y += legend(
        &mut shapes,
        &sheet.legend,
        (MARGIN, y),
        whole - 2.0 * MARGIN,
    );
    let width = (whole - 2.0 * MARGIN - GAP * (columns - 1) as f64) / columns as f64;
    let details = panels
        .iter()
        .map(|panel| detail_of(panel, width).len())
        .max()
        .unwrap_or(0);
    let head = HEAD + DETAIL * details as f64;
    let height = head + PLOT + FOOT;
    for (index, panel) in panels.iter().enumerate() {
        let x = MARGIN + (index % columns) as f64 * (width + GAP);
        let top = y + (index / columns) as f64 * (height + 8.0);
        draw_panel(&mut shapes, panel, &sheet.axis, (x, top), (width, head));
    }
    y += panels.len().div_ceil(columns) as f64 * (height + 8.0) + 14.0;
    for note in broken(&sheet.note, 13.0, whole - 2.0 * MARGIN) {
        shapes.push(text((MARGIN, y), Anchor::Left, 13.0, &note));
        y += 18.0;
    }
    Figure {
        name: sheet.name.clone(),
        title: sheet.title.clone(),
        alt: alt(sheet, panels),
        size: (whole as u32, (y + 8.0).ceil() as u32),
        shapes,
    }
}

/// The panels, what they show against what, and the series.
fn alt(sheet: &Sheet, panels: &[Panel]) -> String {
    let panel = |panel: &Panel| match panel.detail.as_str() {
        "" => format!("{} in {}", panel.title, panel.unit),
        detail => format!("{} ({detail}) in {}", panel.title, panel.unit),
    };
    let shown: Vec<String> = panels.iter().map(panel).collect();
    let series: Vec<&str> = sheet.legend.iter().map(|one| one.1.as_str()).collect();
    let form = match panels.iter().all(|panel| panel.joined) {
        true => "Lines",
        false => "Points",
    };
    format!(
        "{form} on logarithmic scales against {}: {}. Series: {}. {}",
        sheet.axis,
        shown.join("; "),
        series.join(", "),
        sheet.note
    )
}

/// At most two lines of detail.
fn detail_of(panel: &Panel, width: f64) -> Vec<String> {
    let mut lines = broken(&panel.detail, 13.0, width);
    lines.truncate(2);
    lines
}

fn draw_panel(
    shapes: &mut Vec<Shape>,
    panel: &Panel,
    axis: &str,
    at: (f64, f64),
    (width, head): (f64, f64),
) {
    let (left, right) = (at.0 + LEFT, at.0 + width);
    let (top, bottom) = (at.1 + head, at.1 + head + PLOT);
    shapes.push(bold((at.0, at.1 + 12.0), Anchor::Left, 16.0, &panel.title));
    for (row, detail) in broken(&panel.detail, 13.0, width)
        .iter()
        .take(2)
        .enumerate()
    {
        let y = at.1 + 32.0 + DETAIL * row as f64;
        shapes.push(text((at.0, y), Anchor::Left, 13.0, detail));
    }
    shapes.push(text(
        (at.0, at.1 + head - 14.0),
        Anchor::Left,
        13.0,
        &panel.unit,
    ));

    // Intervals that reach to 0 or below have no place on a logarithmic scale; their lower
    // ends are drawn at its bottom.
    let Some(scale) = Log::over(shown_values(panel), bottom, top) else {
        return;
    };
    for (y, word) in scale.ticks(panel.format, 19.0) {
        shapes.push(line((left, y), (right, y), LIGHT, 1.0));
        shapes.push(text((left - 7.0, y), Anchor::Right, 13.0, &word));
    }
    let place = |x: f64| x_of(panel, x, left, right);
    let mut free = f64::NEG_INFINITY;
    for (x, word) in &panel.ticks {
        let x = place(*x);
        let half = font::width(word, 13.0, false) / 2.0;
        // A word that would touch the one before it is left out; its tick stays.
        if x - half > free {
            shapes.push(text((x, bottom + 15.0), Anchor::Middle, 13.0, word));
            free = x + half + 6.0;
        }
        shapes.push(line((x, bottom), (x, bottom + 5.0), DARK, 1.0));
    }
    shapes.push(text(
        ((left + right) / 2.0, bottom + 34.0),
        Anchor::Middle,
        13.0,
        axis,
    ));
    let frame = vec![
        (left, top),
        (right, top),
        (right, bottom),
        (left, bottom),
        (left, top),
    ];
    shapes.push(Shape::Line {
        points: frame,
        colour: DARK,
        width: 1.0,
    });
    let spacing = spacing(panel, place);
    // Markers beside the first place and the last stay inside of the frame.
    let ends = panel.ticks.iter().map(|tick| place(tick.0));
    let room = ends
        .map(|x| (x - left).min(right - x))
        .fold(spacing, f64::min)
        - LARGEST;
    let count = panel
        .series
        .iter()
        .filter(|series| series.style.marker != Marker::None && !series.points.is_empty())
        .count();
    let step = |wanted: f64| {
        let step = wanted.min(spacing * 0.7 / count.max(1) as f64);
        step.min(2.0 * room / (count.max(2) - 1) as f64)
    };
    let mut below = Vec::new();
    let drawn = panel.series.iter().filter(|one| !one.points.is_empty());
    for (index, series) in drawn.enumerate() {
        let from_middle = index as f64 - (count as f64 - 1.0) / 2.0;
        let share = index as f64 / (count.max(2) - 1) as f64;
        let looks = if series.style.marker == Marker::None {
            Looks::alone()
        } else if panel.ticks.len() > CROWDED {
            Looks::crowded()
        } else if panel.joined {
            Looks {
                aside: from_middle * step(3.0),
                // The first are the largest: they show below others of the same value.
                radius: LARGEST - share.min(1.0) * (LARGEST - SMALLEST),
                ..Looks::alone()
            }
        } else {
            Looks {
                aside: from_middle * step(9.0),
                ..Looks::alone()
            }
        };
        draw_series(shapes, series, panel.joined, &place, looks, &scale);
        if let Some(value) = beyond(series, &scale) {
            below.push((series.style.name.as_str(), significant(value, 1)));
        }
    }
    if !below.is_empty() {
        let words = words_below(&below);
        shapes.extend(arrow_down((right - 4.0, at.1 + head - 9.0), &words));
    }
}

/// Names the points below the axis, or counts them where they are many.
fn words_below(below: &[(&str, String)]) -> String {
    const MAX_NAMED: usize = 2;
    if below.len() > MAX_NAMED && below.iter().all(|(_, value)| *value == below[0].1) {
        return format!("{} ({} of them)", below[0].1, below.len());
    }
    let words = below.iter().map(|(name, value)| format!("{name} {value}"));
    words.collect::<Vec<_>>().join(", ")
}

/// The least value of a series that lies below the axis.
fn beyond(series: &Series, scale: &Log) -> Option<f64> {
    let values = series.points.iter().map(|point| point.1.value);
    values.filter(|value| !scale.holds(*value)).reduce(f64::min)
}

/// An arrow above the panel's corner, and what lies below the axis: that is not drawn on it.
fn arrow_down((x, y): (f64, f64), words: &str) -> Vec<Shape> {
    vec![
        line((x, y - 10.0), (x, y), DARK, 1.5),
        line((x - 3.5, y - 4.0), (x, y), DARK, 1.5),
        line((x + 3.5, y - 4.0), (x, y), DARK, 1.5),
        text(
            (x - 8.0, y - 5.0),
            Anchor::Right,
            12.0,
            &format!("down to: {words}"),
        ),
    ]
}

/// How far beyond all values an interval, or the harness floor, may stretch the axis.
const REACH: f64 = 3.0;

/// The values that the y axis must show. The harness floor may be many decades below the
/// designs; an arrow says where it is.
fn shown_values(panel: &Panel) -> Vec<f64> {
    let points = |floor: bool| {
        let series = panel
            .series
            .iter()
            .filter(move |series| (series.style.marker == Marker::None) == floor);
        series
            .flat_map(|series| &series.points)
            .map(|point| point.1)
    };
    let ends = |floor: bool| points(floor).flat_map(|v| [v.value, v.low, v.high]);
    let centres = || points(false).map(|v| v.value).filter(|value| *value > 0.0);
    let least = centres().fold(f64::INFINITY, f64::min);
    let greatest = centres().fold(0.0, f64::max);
    let mut values: Vec<f64> = ends(false).filter(|value| *value > 0.0).collect();
    if least.is_finite() {
        // A wide interval leaves the panel rather than flatten all others.
        for value in &mut values {
            *value = value.clamp(least / REACH, greatest * REACH);
        }
        values.extend(ends(true).filter(|floor| *floor >= least / REACH));
    } else {
        values.extend(ends(true));
    }
    values
}

/// Pixels between the two closest ticks.
fn spacing(panel: &Panel, place: impl Fn(f64) -> f64) -> f64 {
    let places: Vec<f64> = panel.ticks.iter().map(|tick| place(tick.0)).collect();
    places
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs())
        .fold(100.0, f64::min)
}

fn x_of(panel: &Panel, x: f64, left: f64, right: f64) -> f64 {
    let first = panel
        .ticks
        .iter()
        .map(|tick| tick.0)
        .fold(f64::INFINITY, f64::min);
    let last = panel
        .ticks
        .iter()
        .map(|tick| tick.0)
        .fold(f64::NEG_INFINITY, f64::max);
    let room = if panel.joined { 0.07 } else { 0.17 };
    if last <= first {
        return (left + right) / 2.0;
    }
    let share = (x - first) / (last - first);
    left + (right - left) * (room + share * (1.0 - 2.0 * room))
}

/// How the points of a series are drawn.
#[derive(Clone, Copy)]
struct Looks {
    /// How far the markers stand beside the true place, so that equal values do not hide each
    /// other. Lines go through the true places.
    aside: f64,
    /// Half the width of a marker.
    radius: f64,
    /// Whether every point has its interval, or the last one only.
    intervals: bool,
}

impl Looks {
    const fn alone() -> Self {
        Self {
            aside: 0.0,
            radius: 4.6,
            intervals: true,
        }
    }

    /// Among so many points that intervals would cover the lines.
    const fn crowded() -> Self {
        Self {
            radius: 1.8,
            intervals: false,
            ..Self::alone()
        }
    }
}

/// How far, of `wanted`, a marker may stand beside its place: on a steep line it would show
/// another value there.
fn room_aside(points: &[(f64, f64)], wanted: f64) -> f64 {
    const OFF_THE_LINE: f64 = 1.5;
    let slopes = points.windows(2).map(|pair| {
        let (from, to) = (pair[0], pair[1]);
        (to.1 - from.1).abs() / (to.0 - from.0).abs().max(f64::EPSILON)
    });
    let steepest = slopes.fold(0.0, f64::max);
    wanted.min(OFF_THE_LINE / steepest.max(f64::EPSILON))
}

fn draw_series(
    shapes: &mut Vec<Shape>,
    series: &Series,
    joined: bool,
    x_of: &impl Fn(f64) -> f64,
    looks: Looks,
    scale: &Log,
) {
    let style = &series.style;
    let holds = |point: &&(f64, Estimate)| scale.holds(point.1.value);
    let inside = || series.points.iter().filter(holds);
    let place = |(x, value): &(f64, Estimate)| (x_of(*x), scale.place(value.value));
    let points: Vec<(f64, f64)> = inside().map(place).collect();
    // A line over a point that lies beyond the axis would show a value there that nobody measured.
    for run in series.points.split(|point| !holds(&point)) {
        if joined && run.len() > 1 {
            let run: Vec<(f64, f64)> = run.iter().map(place).collect();
            shapes.extend(dashed(&run, style, 1.8));
        }
    }
    let aside = match joined {
        true => looks.aside.signum() * room_aside(&points, looks.aside.abs()),
        false => looks.aside,
    };
    for (at, ((x, y), (_, value))) in points.iter().zip(inside()).enumerate() {
        let x = &(x + aside);
        let (low, high) = (scale.place(value.low), scale.place(value.high));
        let has_interval = looks.intervals || at + 1 == points.len();
        if has_interval && low - high > 2.0 {
            shapes.push(line((*x, low), (*x, high), style.colour, 1.2));
            for (end, bound, inwards) in [(low, value.low, -4.0), (high, value.high, 4.0)] {
                // A cap where the interval ends, an arrow where it leaves the panel.
                let inwards = if scale.holds(bound) { 0.0 } else { inwards };
                for side in [-3.0, 3.0] {
                    let from = (x + side, end + inwards);
                    shapes.push(line(from, (*x, end), style.colour, 1.2));
                }
            }
        }
        if style.marker == Marker::None {
            shapes.push(line((x - 6.0, *y), (x + 6.0, *y), style.colour, 2.0));
        } else {
            shapes.extend(marker(style, (*x, *y), looks.radius));
        }
    }
}
