//! History as one static HTML page: a table to sort and filter, and the figures inline.
//! Nothing is fetched from elsewhere, and without scripts the page still shows it all.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use stats::{Estimate, Verdict};

use crate::figure::{FigureError, history_figures};
use crate::number::{percent, significant};
use crate::params::label;
use compare::{Entry, History, MachineHistory};

const STYLE: &str = include_str!("history_page/page.css");
const SCRIPT: &str = include_str!("history_page/page.js");

/// The page.
///
/// # Errors
///
/// [`FigureError`] if a figure cannot be drawn.
pub fn history_html(history: &History) -> Result<String, FigureError> {
    let mut page = String::new();
    page.push_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    // What the page needs is in it, and it may ask for nothing else.
    page.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n",
    );
    page.push_str(
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>folioscope: history</title>\n",
    );
    let _ = writeln!(page, "<style>\n{STYLE}</style>\n</head>\n<body>");
    page.push_str(
        "<header><h1>folioscope: history</h1>\n\
         <button type=\"button\" id=\"theme\" hidden>dark or light</button></header>\n<main>\n",
    );
    runs(&mut page, history);
    filters(&mut page, history);
    table(&mut page, history);
    page.push_str("<section id=\"figures\">\n<h2>Figures</h2>\n");
    let figures = history_figures(history);
    if figures.is_empty() {
        page.push_str(
            "<p>No entry was measured twice yet: there is nothing to draw over time.</p>\n",
        );
    }
    for figure in figures {
        let _ = writeln!(
            page,
            "<figure id=\"{}\">\n{}<figcaption>{}</figcaption>\n</figure>",
            escape(&figure.name),
            figure.svg()?,
            escape(&figure.title)
        );
    }
    let _ = writeln!(
        page,
        "</section>\n</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>"
    );
    Ok(page)
}

fn runs(page: &mut String, history: &History) {
    for machine in &history.machines {
        let count = match machine.runs.len() {
            1 => "1 run".to_owned(),
            count => format!("{count} runs"),
        };
        let _ = writeln!(
            page,
            "<details><summary>{}: {count}</summary>\n<ol>",
            escape(&machine.machine)
        );
        for run in &machine.runs {
            let floor = run
                .floor
                .map_or("n/a".to_owned(), |floor| format!("{:.1} %", floor * 100.0));
            let _ = writeln!(
                page,
                "<li>{}, {} ({}), noise floor {floor}</li>",
                escape(&run.date_utc),
                escape(&run.revision),
                escape(&run.name)
            );
        }
        page.push_str("</ol></details>\n");
    }
}

fn filters(page: &mut String, history: &History) {
    let entries = || history.machines.iter().flat_map(MachineHistory::entries);
    let designs: BTreeSet<&str> = entries().map(|entry| entry.design.as_str()).collect();
    let workloads: BTreeSet<&str> = entries().map(|entry| entry.workload.as_str()).collect();
    let machines: BTreeSet<&str> = history
        .machines
        .iter()
        .map(|machine| machine.machine.as_str())
        .collect();
    page.push_str("<form id=\"filters\" hidden>\n");
    for (name, values) in [
        ("workload", workloads),
        ("design", designs),
        ("machine", machines),
    ] {
        let _ = writeln!(
            page,
            "<label>{name} <select name=\"{name}\"><option value=\"\">all</option>"
        );
        for value in values.into_iter().filter(|value| !value.is_empty()) {
            let _ = writeln!(page, "<option>{}</option>", escape(value));
        }
        page.push_str("</select></label>\n");
    }
    page.push_str("<output id=\"shown\"></output>\n</form>\n");
}

fn table(page: &mut String, history: &History) {
    page.push_str("<table id=\"rows\">\n<thead><tr>");
    for head in [
        "workload",
        "params",
        "design",
        "quantity",
        "latest",
        "since first",
        "runs",
    ] {
        let _ = write!(page, "<th scope=\"col\">{head}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for machine in &history.machines {
        for entry in machine.entries() {
            row(page, machine, entry);
        }
    }
    page.push_str("</tbody>\n</table>\n");
}

fn row(page: &mut String, machine: &MachineHistory, entry: &Entry) {
    let series = machine.series(entry);
    let latest = series.iter().rev().flatten().next();
    let change = machine.change(entry);
    let class = match change {
        Some((_, Verdict::Slower)) => "higher",
        Some((_, Verdict::Faster)) => "lower",
        _ => "same",
    };
    let _ = write!(
        page,
        "<tr data-workload=\"{}\" data-design=\"{}\" data-machine=\"{}\">",
        escape(&entry.workload),
        escape(&entry.design),
        escape(&machine.machine)
    );
    let design = if entry.design.is_empty() {
        "machine"
    } else {
        &entry.design
    };
    for (head, value) in [
        ("workload", entry.workload.as_str()),
        ("params", &label(&entry.params, &[])),
        ("design", design),
        ("quantity", &entry.quantity),
    ] {
        let _ = write!(page, "<td data-head=\"{head}\">{}</td>", escape(value));
    }
    let number = latest.map_or(f64::INFINITY, |value| value.value);
    let words = latest.map_or("-".to_owned(), |value| {
        let interval = if value.half_width() > 0.0 {
            format!(" ±{} %", percent(value))
        } else {
            String::new()
        };
        format!("{}{interval} {}", significant(value.value, 4), entry.unit)
    });
    let _ = write!(
        page,
        "<td data-head=\"latest\" class=\"number\" data-sort=\"{number}\">{}</td>",
        escape(&words)
    );
    let ratio = change.map_or(1.0, |(change, _)| change.value);
    let words = change.map_or("-".to_owned(), |(change, verdict)| {
        let mark = match verdict {
            Verdict::Slower => " ▲",
            Verdict::Faster => " ▼",
            Verdict::NoDifference => "",
        };
        format!("{:+.1} %{mark}", (change.value - 1.0) * 100.0)
    });
    let _ = write!(
        page,
        "<td data-head=\"since first\" class=\"number {class}\" data-sort=\"{ratio}\">{words}</td>"
    );
    let count = series.iter().flatten().count();
    let _ = writeln!(
        page,
        "<td data-head=\"runs\" data-sort=\"{count}\">{}</td></tr>",
        spark(&series)
    );
}

/// A small line in the text's own colour, with its values for those who cannot see it.
fn spark(series: &[Option<Estimate>]) -> String {
    const WIDTH: f64 = 120.0;
    const HEIGHT: f64 = 24.0;
    let values = || series.iter().flatten().map(|value| value.value);
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let last = series.len().saturating_sub(1).max(1) as f64;
    let points: Vec<String> = series
        .iter()
        .enumerate()
        .filter_map(|(run, value)| {
            let value = value.as_ref()?.value;
            let share = if high > low {
                (value - low) / (high - low)
            } else {
                0.5
            };
            let x = 3.0 + run as f64 / last * (WIDTH - 6.0);
            let y = 3.0 + (1.0 - share) * (HEIGHT - 6.0);
            Some(format!("{x:.1},{y:.1}"))
        })
        .collect();
    let Some(end) = points.last().and_then(|point| point.split_once(',')) else {
        return String::new();
    };
    let words: Vec<String> = values().map(|value| significant(value, 3)).collect();
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\
         <polyline points=\"{}\"/><circle cx=\"{}\" cy=\"{}\" r=\"2.5\"/></svg>",
        words.join(", "),
        points.join(" "),
        end.0,
        end.1
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
