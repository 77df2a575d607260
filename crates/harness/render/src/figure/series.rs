//! Which panels a summary gives: cost, or bytes, against order, threads, depth, …

use std::collections::BTreeMap;

use results::{Param, Params};
use stats::Estimate;

use super::Figure;
use super::panels::{Panel, Series, Sheet, sheet};
use super::scale::Format;
use crate::number::{bytes, time_scale};
use crate::params::{label, shared_params};
use crate::style::{NULL, Style, designs, sort_designs, style_of};
use compare::{Case, Summary, ValueCase, ValueCell};

/// Panels per figure; more go onto further figures.
const PANELS: usize = 12;

/// Cases that differ in the axis' parameter only.
struct Group<'a, T> {
    workload: &'a str,
    rest: Params,
    members: Vec<&'a T>,
}

fn grouped<'a, T>(
    items: impl Iterator<Item = &'a T>,
    axis: &str,
    key: impl Fn(&'a T) -> (&'a str, &'a Params),
) -> Vec<Group<'a, T>> {
    let mut groups: Vec<Group<'a, T>> = Vec::new();
    for item in items {
        let (workload, params) = key(item);
        let mut rest = params.clone();
        rest.remove(axis);
        match groups
            .iter_mut()
            .find(|group| group.workload == workload && group.rest == rest)
        {
            Some(group) => group.members.push(item),
            None => groups.push(Group {
                workload,
                rest,
                members: vec![item],
            }),
        }
    }
    groups
}

/// Cost against each axis, per family.
pub(super) fn cost_figures(summary: &Summary) -> Vec<Figure> {
    let mut figures = Vec::new();
    for family in &summary.families {
        let mut axes: Vec<&str> = family.cases.iter().map(|case| case.axis.as_str()).collect();
        axes.sort_unstable();
        axes.dedup();
        for axis in axes.into_iter().filter(|axis| !axis.is_empty()) {
            let cases = family.cases.iter().filter(|case| case.axis == axis);
            let mut groups = grouped(cases, axis, |case| (&case.workload, &case.params));
            // One time is no line, and a panel of dashes no panel.
            let is_timed = |case: &&Case| summary.designs.iter().any(|of| case.time(of).is_some());
            groups.retain(|group| group.members.iter().copied().filter(is_timed).count() > 1);
            let rests: Vec<&Params> = groups.iter().map(|group| &group.rest).collect();
            let shared = shared_params(&rests);
            let hidden: Vec<&str> = shared.keys().map(String::as_str).collect();
            let panels: Vec<Panel> = groups
                .iter()
                .map(|group| cost_panel(summary, group, axis, &hidden))
                .collect();
            let sheet = Sheet {
                name: format!("cost-{}-{}", file_word(axis), file_word(&family.name)),
                title: format!("{}: cost against {}", family.name, axis_words(axis)),
                axis: axis_words(axis).to_owned(),
                note: note(summary, &shared),
                legend: legend_of(summary, &designs(summary), &panels),
            };
            figures.extend(pages(&sheet, &panels));
        }
    }
    figures
}

fn cost_panel(summary: &Summary, group: &Group<'_, Case>, axis: &str, hidden: &[&str]) -> Panel {
    let times = group.members.iter().flat_map(|case| {
        summary
            .designs
            .iter()
            .filter_map(|design| Some(case.time(design)?.value))
    });
    let (unit, scale) = time_scale(times.fold(0.0, f64::max));
    let places = Places::of(group.members.iter().map(|case| &case.params), axis);
    let series = designs(summary)
        .iter()
        .map(|design| {
            let point = |case: &&Case| {
                let ns = case.time(design)?;
                Some((places.of_params(&case.params, axis)?, scaled(ns, scale)))
            };
            series_of(design, group.members.iter().filter_map(point).collect())
        })
        .collect();
    let element = group.members.first().map_or("", |case| case.unit.as_str());
    Panel {
        title: group.workload.to_owned(),
        detail: label(&group.rest, hidden),
        unit: format!("{unit} per {element}"),
        format: Format::Plain,
        joined: places.numeric,
        ticks: places.ticks,
        series,
    }
}

fn series_of(design: &str, mut points: Vec<(f64, Estimate)>) -> Series {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Series {
        style: style_of(design),
        points,
    }
}

fn scaled(estimate: Estimate, scale: f64) -> Estimate {
    Estimate {
        value: estimate.value * scale,
        low: estimate.low * scale,
        high: estimate.high * scale,
        ..estimate
    }
}

/// Values that are not times, against their axis: one figure per quantity.
pub(super) fn value_figures(summary: &Summary) -> Vec<Figure> {
    let mut kinds: Vec<(&str, &str)> = summary
        .values
        .iter()
        .filter(|case| !case.axis.is_empty() && case.cells.keys().any(|name| !name.is_empty()))
        .map(|case| (case.quantity.as_str(), case.axis.as_str()))
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut figures = Vec::new();
    for (quantity, axis) in kinds {
        let cases: Vec<&ValueCase> = summary
            .values
            .iter()
            .filter(|case| case.quantity == quantity && case.axis == axis)
            .collect();
        let groups = grouped(cases.iter().copied(), axis, |case| {
            (&case.workload, &case.params)
        });
        let panels: Vec<Panel> = groups
            .iter()
            .map(|group| value_panel(group, axis))
            .collect();
        let mut names: Vec<String> = cases
            .iter()
            .flat_map(|case| case.cells.keys().filter(|name| !name.is_empty()).cloned())
            .collect();
        names.sort();
        names.dedup();
        sort_designs(&mut names);
        let sheet = Sheet {
            name: format!("{}-{}", file_word(quantity), file_word(axis)),
            title: format!(
                "{} against {}",
                quantity.replace('-', " "),
                axis_words(axis)
            ),
            axis: axis_words(axis).to_owned(),
            note: "Exact counts unless an interval is drawn.".to_owned(),
            legend: legend_of(summary, &names, &panels),
        };
        figures.extend(pages(&sheet, &panels));
    }
    figures
}

fn value_panel(group: &Group<'_, ValueCase>, axis: &str) -> Panel {
    let places = Places::of(group.members.iter().map(|case| &case.params), axis);
    let mut names: Vec<String> = group
        .members
        .iter()
        .flat_map(|case| case.cells.keys().filter(|name| !name.is_empty()).cloned())
        .collect();
    names.sort();
    names.dedup();
    sort_designs(&mut names);
    let series = names
        .iter()
        .map(|design| {
            let point = |case: &&ValueCase| match case.cells.get(design)? {
                ValueCell::Value(value) => Some((places.of_params(&case.params, axis)?, *value)),
                _ => None,
            };
            series_of(design, group.members.iter().filter_map(point).collect())
        })
        .collect();
    let unit = group.members.first().map_or("", |case| case.unit.as_str());
    let (unit, format) = match unit.split_once('/') {
        _ if unit == "byte" => ("bytes".to_owned(), Format::Bytes),
        Some(("byte", per)) => (format!("bytes per {per}"), Format::Bytes),
        _ => (unit.to_owned(), Format::Plain),
    };
    Panel {
        title: group.workload.to_owned(),
        detail: label(&group.rest, &[]),
        unit,
        format,
        joined: places.numeric,
        ticks: places.ticks,
        series,
    }
}

/// Where the values of a parameter stand on the x axis.
struct Places {
    numeric: bool,
    by_value: BTreeMap<Param, f64>,
    ticks: Vec<(f64, String)>,
}

impl Places {
    fn of<'a>(params: impl Iterator<Item = &'a Params>, axis: &str) -> Self {
        let mut values: Vec<Param> = params
            .filter_map(|params| params.get(axis).cloned())
            .collect();
        values.sort();
        values.dedup();
        let numeric = values.iter().all(|value| matches!(value, Param::Number(_)));
        let place = |index: usize, value: &Param| match value {
            // An order is a logarithm already.
            Param::Number(number) if numeric && axis == "order" => *number as f64,
            Param::Number(number) if numeric => ((*number).max(1) as f64).log2(),
            _ => index as f64,
        };
        let word = |value: &Param| match value {
            Param::Number(number) if axis.ends_with("bytes") => bytes(*number),
            value => value.to_string(),
        };
        let by_value: BTreeMap<Param, f64> = values
            .iter()
            .enumerate()
            .map(|(index, value)| (value.clone(), place(index, value)))
            .collect();
        let mut ticks: Vec<(f64, String)> = by_value
            .iter()
            .map(|(value, place)| (*place, word(value)))
            .collect();
        ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self {
            numeric,
            by_value,
            ticks,
        }
    }

    fn of_params(&self, params: &Params, axis: &str) -> Option<f64> {
        self.by_value.get(params.get(axis)?).copied()
    }
}

pub(super) fn pages(sheet_of: &Sheet, panels: &[Panel]) -> Vec<Figure> {
    let count = panels.len().div_ceil(PANELS);
    panels
        .chunks(PANELS)
        .enumerate()
        .map(|(page, panels)| {
            let mut this = sheet_of.clone();
            if count > 1 {
                this.title = format!("{} ({} of {count})", this.title, page + 1);
                this.name = format!("{}-{}", this.name, page + 1);
            }
            sheet(&this, panels)
        })
        .collect()
}

/// The legend of the designs that some panel shows.
fn legend_of(summary: &Summary, designs: &[String], panels: &[Panel]) -> Vec<(Style, String)> {
    let is_shown = |design: &&String| {
        let mut series = panels.iter().flat_map(|panel| &panel.series);
        series.any(|one| one.style.name == **design && !one.points.is_empty())
    };
    let name = |design: &String| {
        let words = if design == NULL {
            "null (harness floor)".to_owned()
        } else if *design == summary.reference {
            format!("{design} (reference)")
        } else {
            design.clone()
        };
        (style_of(design), words)
    };
    designs.iter().filter(is_shown).map(name).collect()
}

fn note(summary: &Summary, shared: &Params) -> String {
    let mut text = format!(
        "Per process the mean of its fastest third; the median of these with 95% intervals. {}",
        run_words(summary)
    );
    if !shared.is_empty() {
        text = format!("{text} All panels: {}.", label(shared, &[]));
    }
    text
}

/// Which run a figure shows.
pub(super) fn run_words(summary: &Summary) -> String {
    let env = &summary.env;
    let git = env
        .git
        .as_ref()
        .map_or("", |git| git.revision.get(..12).unwrap_or(&git.revision));
    let day = env.date_utc.split('T').next().unwrap_or_default();
    format!(
        "Run of {day} {git}, {}, kernel {}.",
        env.cpu_model, env.kernel
    )
}

fn axis_words(axis: &str) -> &str {
    match axis {
        "order" => "order (log2 of pages)",
        "io_bytes" => "IO size",
        "depth" => "depth of the group hierarchy",
        other => other,
    }
}

/// A word that is safe in a file name.
pub(super) fn file_word(word: &str) -> String {
    word.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}
