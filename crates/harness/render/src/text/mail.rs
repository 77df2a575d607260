//! The report: a page of all that was measured, as a mail that survives a mailing list and as
//! Markdown.

use super::again::reproduce;
use super::bar::row;
use super::screen::first_screen;
use super::{mail_tables, words};
use crate::context::Context;
use crate::number::{rows, significant};
use crate::page::Page;
use crate::style::{NULL, designs, refereed, style_of};
use crate::table::Table;
use compare::{Cell, Mean, Summary, ValueCell};

/// The report as a mail: the first screen, then all that was measured. ASCII, at most 72
/// columns, no tabs.
#[must_use]
pub fn mail(summary: &Summary, context: &Context) -> String {
    first_screen(summary, context) + &report(summary, context).text()
}

/// All that was measured.
#[must_use]
pub fn report(summary: &Summary, context: &Context) -> Page {
    let mut page = Page::default();
    page.heading("All that was measured");
    page.wrapped(&words::title(summary), 0, 2);
    page.gap();
    page.wrapped(words::QUESTION, 0, 0);
    for warning in words::warnings(summary) {
        page.warning(&warning);
    }
    verdicts(&mut page, summary);

    page.heading("Where and how");
    for (name, value) in words::environment(summary) {
        page.field(name, &value);
    }
    page.gap();
    page.line("Memory really obtained:");
    for line in &summary.memory {
        page.item(&words::memory(line));
    }
    if summary.memory.is_empty() {
        page.item("n/a: no row used memory of its own.");
    }
    page.gap();
    page.wrapped(&format!("Noise floor: {}", words::floor(summary)), 0, 2);

    means(&mut page, summary);
    key(&mut page, summary);
    for family in &summary.families {
        page.heading(&family.name);
        mail_tables::family(&mut page, summary, family);
    }
    if !summary.values.is_empty() {
        page.heading("Bytes and bandwidth");
        mail_tables::values(&mut page, summary);
    }
    without_result(&mut page, summary);
    notes(&mut page, summary, context);

    page.heading("What this does not show");
    for limit in words::limits(summary) {
        page.item(&limit);
    }
    page.gap();
    page.wrapped(&format!("Fidelity: {}", words::fidelity(context)), 0, 2);
    page.heading("Make it again");
    page.commands(reproduce(summary));
    page
}

fn verdicts(page: &mut Page, summary: &Summary) {
    let verdicts = words::verdicts(summary);
    if verdicts.is_empty() {
        return;
    }
    page.heading("In short");
    for (design, verdict) in verdicts {
        page.item(&format!("{design}: {verdict}"));
    }
}

/// Geometric means per family and regime as rows of `#`.
fn means(page: &mut Page, summary: &Summary) {
    if summary
        .families
        .iter()
        .all(|family| family.means.is_empty())
    {
        return;
    }
    page.heading(&format!(
        "Geometric mean of ratios to {} (shorter is faster)",
        summary.reference
    ));
    for family in &summary.families {
        for mean in family.means.iter().filter(|mean| mean.workload.is_empty()) {
            mean_block(page, summary, &family.name, mean);
        }
    }
}

fn mean_block(page: &mut Page, summary: &Summary, family: &str, mean: &Mean) {
    page.gap();
    let regime = if mean.regime.is_empty() {
        "no footprint given"
    } else {
        &mean.regime
    };
    page.caption(&format!("{family}, {regime}, {}", rows(mean.cases)));
    let mut table = Table::plain(2, &[17, 5, 11])
        .right([1, 2])
        .named(["design", "mean", "range", ""]);
    for design in &designs(summary) {
        let Some(ratio) = mean.designs.get(design) else {
            continue;
        };
        let short: String = design.chars().take(17).collect();
        let value = significant(ratio.mean.value, 3);
        let range = ratio.without_one.map_or(String::new(), |(low, high)| {
            format!("{}..{}", significant(low, 2), significant(high, 2))
        });
        let part = if ratio.rows < mean.cases {
            format!(" {}", rows(ratio.rows))
        } else {
            String::new()
        };
        table.row([short, value, range, row(ratio.mean.value) + &part]);
    }
    page.table(&table);
}

/// How to read the tables.
fn key(page: &mut Page, summary: &Summary) {
    page.heading("How to read the tables");
    let reference = &summary.reference;
    page.wrapped(
        &format!(
            "Beside a mean: its range when any one row is left out. Per row: the parameters \
             with a bar, then the time with its 95% interval, then \
             the ratio to {reference} with its own. < is faster and > slower than {reference} \
             beyond the noise floor, = no difference seen; aa is {reference} against its own \
             second copy; ~ the machine was slow; err went wrong; - is a capability the design lacks; (part) a mean \
             over fewer rows, see the rows. The bar marks each ratio by a letter on a \
             logarithmic line from 1/4 to 4, * several designs."
        ),
        0,
        0,
    );
    page.gap();
    let mut table = Table::plain(2, &[2, 10]).named(["mark", "column", "design"]);
    for design in &designs(summary) {
        let style = style_of(design);
        let what = if design == NULL {
            "does nothing: the harness floor".to_owned()
        } else if *design == summary.reference {
            format!("{}, the reference (| in the bars)", style.name)
        } else {
            style.name
        };
        let what = match refereed(design) {
            Some(by) => format!("{what}; {by}"),
            None => what,
        };
        table.row([style.letter.to_string(), style.short, what]);
    }
    page.table(&table);
}

/// Reasons of `err` and of dashes, printed once per workload and design.
fn without_result(page: &mut Page, summary: &Summary) {
    let mut reasons: Vec<(String, usize)> = Vec::new();
    let mut add = |text: String| match reasons.iter_mut().find(|(known, _)| *known == text) {
        Some((_, count)) => *count += 1,
        None => reasons.push((text, 1)),
    };
    for case in summary.cases() {
        for (design, cell) in &case.cells {
            match cell {
                Cell::Failed(reason) => {
                    add(format!("err {} {design}: {reason}", case.workload));
                }
                Cell::Absent(reason) => {
                    add(format!("-   {} {design}: {reason}", case.workload));
                }
                Cell::Time { .. } => {}
            }
        }
    }
    for case in &summary.values {
        for (design, cell) in &case.cells {
            if let ValueCell::Failed(reason) = cell {
                add(format!("err {} {design}: {reason}", case.workload));
            }
        }
    }
    if reasons.is_empty() {
        return;
    }
    reasons.sort_by_key(|(text, _)| !text.starts_with("err"));
    page.heading("Rows without a result");
    for (reason, count) in reasons {
        page.wrapped(&format!("{reason} ({})", rows(count)), 2, 6);
    }
}

fn notes(page: &mut Page, summary: &Summary, context: &Context) {
    let used = |id: &str| {
        summary.cases().any(|case| case.workload == id)
            || summary.values.iter().any(|case| case.workload == id)
    };
    let notes: Vec<_> = context.notes.iter().filter(|note| used(&note.id)).collect();
    if notes.is_empty() {
        return;
    }
    page.heading("What each workload asks, and its known unfairness");
    for note in notes {
        page.gap();
        page.wrapped(&format!("{}: {}", note.id, note.question), 0, 2);
        page.wrapped(&format!("favours: {}", note.favours), 2, 4);
        page.wrapped(&format!("unfair: {}", note.unfair), 2, 4);
    }
}
