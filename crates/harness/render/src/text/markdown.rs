//! The report as Markdown, for pull requests and READMEs.

use std::fmt::Write as _;

use super::again::reproduce;
use super::mail_tables::mark;
use super::words;
use crate::context::Context;
use crate::number::{percent, significant, time_scale};
use crate::params::label;
use crate::style::{NULL, designs, is_unrefereed};
use crate::table::Table;
use compare::{Case, Cell, Summary, ValueCell};

/// The report as Markdown: the same numbers as the mail, in tables.
#[must_use]
pub fn markdown(summary: &Summary, context: &Context) -> String {
    let mut text = String::new();
    let mut add = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    add(&format!("# {}\n", escape(&words::title(summary))));
    add(words::QUESTION);
    for warning in words::warnings(summary) {
        add(&format!("\n> **Note:** {}", escape(&warning)));
    }
    add("\n## In short\n");
    for (design, verdict) in words::verdicts(summary) {
        add(&format!("- **{}**: {}", escape(&design), escape(&verdict)));
    }
    let mut table = Table::new(["what", "value"]);
    for (name, value) in words::environment(summary) {
        table.row([name, &escape(&value)]);
    }
    for line in &summary.memory {
        table.row(["memory", &escape(&words::memory(line))]);
    }
    table.row(["noise floor", &escape(&words::floor(summary))]);
    table.row(["fidelity", &escape(&words::fidelity(context))]);
    add("\n## Where and how\n");
    add(table.markdown().trim_end());
    means(&mut add, summary);
    let designs = designs(summary);
    for family in &summary.families {
        add(&format!(
            "\n## {}\n\nTime with its 95 % interval, and its ratio to `{}`: `<` faster, `>` \
             slower, `=` no difference seen.",
            escape(&family.name),
            summary.reference
        ));
        for cases in family.cases.chunk_by(|a, b| a.workload == b.workload) {
            let (unit, scale) = scale_of(cases.iter());
            let (id, element) = (escape(&cases[0].workload), escape(&cases[0].unit));
            add(&format!("\n### `{id}`: {unit} per {element}\n"));
            let mut table = by_design("params", &designs);
            for case in cases {
                let cells = designs.iter().map(|design| case.cells.get(design));
                let cells = cells.map(|cell| cell_text(cell, scale));
                table.row([escape(&label(&case.params, &[]))].into_iter().chain(cells));
            }
            add(table.markdown().trim_end());
        }
    }
    values(&mut add, summary);
    add("\n## What this does not show\n");
    for limit in words::limits(summary) {
        add(&format!("- {}", escape(&limit)));
    }
    let used = |id: &str| summary.cases().any(|case| case.workload == id);
    for note in context.notes.iter().filter(|note| used(&note.id)) {
        let (id, unfair, favours) = (&note.id, escape(&note.unfair), escape(&note.favours));
        add(&format!("- `{id}`: favours {favours}; unfair: {unfair}"));
    }
    add("\n## Make it again\n\n```sh");
    for command in reproduce(summary) {
        add(&command);
    }
    add("```");
    text
}

/// A table with a column per design.
fn by_design(first: &str, designs: &[String]) -> Table {
    let names = designs.iter().map(|name| {
        let unrefereed = if is_unrefereed(name) {
            " (no referee)"
        } else {
            ""
        };
        escape(name) + unrefereed
    });
    Table::new([first.to_owned()].into_iter().chain(names)).right(1..=designs.len())
}

fn means(add: &mut impl FnMut(&str), summary: &Summary) {
    let mut designs = designs(summary);
    designs.retain(|design| *design != summary.reference && design != NULL);
    if designs.is_empty() {
        return;
    }
    add(&format!(
        "\n## Geometric mean of ratios to `{}`\n",
        summary.reference
    ));
    add("With the range of the mean when any one row is left out.\n");
    let mut table = by_design("family", &designs);
    for family in &summary.families {
        for mean in family.means.iter().filter(|mean| mean.workload.is_empty()) {
            let cells = designs.iter().map(|design| match mean.designs.get(design) {
                Some(ratio) => {
                    let part = if ratio.rows < mean.cases {
                        format!(" ({} of {} rows)", ratio.rows, mean.cases)
                    } else {
                        String::new()
                    };
                    let range = ratio.without_one.map_or(String::new(), |(low, high)| {
                        format!(", {} to {}", significant(low, 2), significant(high, 2))
                    });
                    format!("{}{range}{part}", significant(ratio.mean.value, 3))
                }
                None => "–".to_owned(),
            });
            let first = format!("{} {}", escape(&family.name), mean.regime);
            table.row([first].into_iter().chain(cells));
        }
    }
    add(table.markdown().trim_end());
}

fn scale_of<'a>(cases: impl Iterator<Item = &'a Case>) -> (&'static str, f64) {
    let largest = cases
        .flat_map(|case| case.cells.keys().filter_map(|design| case.time(design)))
        .map(|time| time.value)
        .fold(0.0, f64::max);
    time_scale(largest)
}

fn cell_text(cell: Option<&Cell>, scale: f64) -> String {
    match cell {
        Some(Cell::Time {
            ns, ratio, verdict, ..
        }) => {
            let mut text = format!("{} ±{} %", significant(ns.value * scale, 3), percent(ns));
            if let Some(ratio) = ratio {
                let _ = write!(
                    text,
                    "<br>{}{} ±{} %",
                    escape(&mark(*verdict).to_string()),
                    significant(ratio.value, 3),
                    percent(ratio)
                );
            }
            text
        }
        Some(Cell::Failed(_)) => "**err**".to_owned(),
        Some(Cell::Absent(_)) | None => "–".to_owned(),
    }
}

fn values(add: &mut impl FnMut(&str), summary: &Summary) {
    if summary.values.is_empty() {
        return;
    }
    let mut table = Table::new(["what", "params", "design", "value"]).right([3]);
    for case in &summary.values {
        for (design, cell) in &case.cells {
            let value = match cell {
                ValueCell::Value(value) if value.half_width() > 0.0 => {
                    format!("{} ±{} %", significant(value.value, 4), percent(value))
                }
                ValueCell::Value(value) => significant(value.value, 6),
                ValueCell::Failed(_) => "**err**".to_owned(),
                ValueCell::Absent(_) => "–".to_owned(),
            };
            table.row([
                escape(&format!("{} {}", case.workload, case.quantity)),
                escape(&label(&case.params, &[])),
                escape(design),
                format!("{value} {}", escape(&case.unit)),
            ]);
        }
    }
    add("\n## Bytes and bandwidth\n");
    add(table.markdown().trim_end());
}

/// Words of records cannot break a table or smuggle in markup.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' => {
                safe.push('\\');
                safe.push(c);
            }
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\n' | '\r' => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
