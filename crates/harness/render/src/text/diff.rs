//! Changes between two runs, as a mail and as JSON lines.

use serde_json::json;
use stats::{Verdict, geometric_mean, median};

use super::json::interval;
use crate::number::{percent, rows, significant};
use crate::page::Page;
use crate::params::label;
use crate::style::sort_designs;
use crate::table::Table;
use compare::{Change, Diff, Drift, FloorSource, RowKey};

/// The comparison as plain text: ASCII, at most 72 columns. Rows without a difference
/// are counted, not listed.
#[must_use]
pub fn diff_mail(diff: &Diff) -> String {
    let mut page = Page::default();
    let different = diff.different().count();
    let all = diff.rows.len();
    let share = different as f64 * 100.0 / all.max(1) as f64;
    page.wrapped(
        &format!(
            "{different} of {} called different ({share:.1}%). {}",
            rows(all),
            drift(diff)
        ),
        0,
        0,
    );
    for difference in &diff.differences {
        page.wrapped(
            &format!(
                "Other {}: {} -> {}",
                difference.what, difference.old, difference.new
            ),
            0,
            2,
        );
    }
    page.wrapped(&floors(diff), 0, 0);
    per_design(&mut page, diff);
    for (title, verdict) in [
        ("Slower or larger", Verdict::Slower),
        ("Faster or smaller", Verdict::Faster),
    ] {
        let mut chosen: Vec<&Change> = diff
            .rows
            .iter()
            .filter(|change| change.verdict == verdict)
            .collect();
        if chosen.is_empty() {
            continue;
        }
        let size = |change: &Change| change.ratio.value.ln().abs();
        chosen.sort_by(|a, b| size(b).total_cmp(&size(a)));
        page.heading(title);
        for change in chosen {
            row(&mut page, change);
        }
    }
    if !diff.newly_failed.is_empty() {
        page.heading("Measured before, went wrong now");
        for (key, reason) in &diff.newly_failed {
            page.wrapped(&format!("{}: {reason}", words(key)), 2, 4);
        }
    }
    for (title, keys) in [("first", &diff.only_old), ("second", &diff.only_new)] {
        if !keys.is_empty() {
            page.gap();
            page.line(&format!("Only in the {title} run: {}", rows(keys.len())));
            for key in keys.iter().take(10) {
                page.wrapped(&words(key), 2, 4);
            }
            if keys.len() > 10 {
                page.line(&format!("  and {} more", keys.len() - 10));
            }
        }
    }
    page.text()
}

/// How the machine moved, and who says so.
fn drift(diff: &Diff) -> String {
    // Rounded first: nobody means "-0.0%".
    let percent = |factor: f64| {
        let tenths = ((factor - 1.0) * 1000.0).round() + 0.0;
        format!("{:+.1}%", tenths / 10.0)
    };
    match diff.drift {
        Drift::Seen(factor) => format!(
            "The machine moved by {}, as the yardsticks show, which is taken out of the times' \
             ratios; beyond that all times together moved by {}.",
            percent(factor),
            percent(diff.together)
        ),
        Drift::Assumed(factor) => format!(
            "All times together moved by {}, which is taken for the machine's doing: without \
             yardsticks in both runs, a change of all code at once cannot be told from it.",
            percent(factor)
        ),
        Drift::Across => "The runs are of two machines: ratios to the reference of the same run \
                          are compared, and nothing is said of the reference."
            .to_owned(),
    }
}

/// The floors by which the times were judged.
fn floors(diff: &Diff) -> String {
    let mut by_history = Vec::new();
    let (mut by_runs, mut by_processes, mut by_nothing) = (0, 0, 0);
    for change in diff.rows.iter().filter(|change| change.quantity == "time") {
        match change.source {
            FloorSource::History(_) => by_history.extend(change.floor),
            FloorSource::Runs => by_runs += 1,
            FloorSource::Processes => by_processes += 1,
            FloorSource::Unknown => by_nothing += 1,
            FloorSource::Exact => {}
        }
    }
    let mut text = "Noise floors of times:".to_owned();
    if let Some(middle) = median(&by_history) {
        text += &format!(
            " {} by their own past on this machine (median {:.1}%);",
            rows(by_history.len()),
            middle * 100.0
        );
    }
    if by_processes > 0 {
        text += &format!(" {} by 5%, without control copies;", rows(by_processes));
    }
    if by_runs > 0 || (by_history.is_empty() && by_processes == 0) {
        text += &format!(" {} by the two runs' control copies;", rows(by_runs));
    }
    if by_nothing > 0 {
        text += &format!(" {} by nothing, which claim nothing;", rows(by_nothing));
    }
    text.trim_end_matches(';').to_owned() + "."
}

fn per_design(page: &mut Page, diff: &Diff) {
    let times = || diff.rows.iter().filter(|change| change.quantity == "time");
    let mut designs: Vec<String> = times().map(|change| change.key.2.clone()).collect();
    designs.sort();
    designs.dedup();
    sort_designs(&mut designs);
    if designs.is_empty() {
        return;
    }
    let mut table = Table::plain(2, &[21, 5, 7, 7, 0]).right([1, 2, 3]);
    table.row([
        "design",
        "rows",
        "faster",
        "slower",
        "  mean of time ratios",
    ]);
    for design in designs {
        let own: Vec<&Change> = times().filter(|change| change.key.2 == design).collect();
        let count = |verdict| {
            own.iter()
                .filter(|change| change.verdict == verdict)
                .count()
        };
        let ratios: Vec<f64> = own.iter().map(|change| change.ratio.value).collect();
        let mean = geometric_mean(&ratios).map_or("n/a".to_owned(), |mean| significant(mean, 3));
        let short: String = design.chars().take(20).collect();
        table.row([
            short,
            own.len().to_string(),
            count(Verdict::Faster).to_string(),
            count(Verdict::Slower).to_string(),
            format!("  {mean}"),
        ]);
    }
    page.gap();
    page.table(&table);
}

fn row(page: &mut Page, change: &Change) {
    page.wrapped(
        &format!("{} {}", words(&change.key), quantity(change)),
        2,
        4,
    );
    let floor = change
        .floor
        .map_or("n/a".to_owned(), |floor| format!("{:.1}%", floor * 100.0));
    let source = match change.source {
        FloorSource::History(_) => " (own)",
        FloorSource::Runs => " (runs)",
        FloorSource::Processes | FloorSource::Exact | FloorSource::Unknown => "",
    };
    page.line(&format!(
        "      {} -> {} {}   x {} +-{}%   floor {floor}{source}",
        significant(change.old.value, 4),
        significant(change.new.value, 4),
        change.unit,
        significant(change.ratio.value, 3),
        percent(&change.ratio),
    ));
}

/// Rows that are called different, one a line: verdict, ratio, floor, row.
#[must_use]
pub fn diff_changed(diff: &Diff) -> String {
    diff.different()
        .map(|change| {
            let floor = change.floor.unwrap_or_default() * 100.0;
            let words = [words(&change.key), quantity(change).to_owned()].join(" ");
            let ratio = significant(change.ratio.value, 3);
            format!(
                "{} x{ratio} floor {floor:.1}% {}\n",
                change.verdict,
                words.trim_end()
            )
        })
        .collect()
}

fn quantity(change: &Change) -> &str {
    if change.quantity == "time" {
        ""
    } else {
        &change.quantity
    }
}

fn words((workload, params, design): &RowKey) -> String {
    format!("{workload} {design} {}", label(params, &[]))
}

/// The comparison as JSON lines: one object per row that both runs hold.
#[must_use]
pub fn diff_json_lines(diff: &Diff) -> String {
    diff.rows
        .iter()
        .map(|change| {
            let line = json!({
                "kind": "change",
                "workload": change.key.0,
                "params": change.key.1,
                "design": change.key.2,
                "quantity": change.quantity,
                "unit": change.unit,
                "old": interval(Some(&change.old)),
                "new": interval(Some(&change.new)),
                "ratio": interval(Some(&change.ratio)),
                "drift": diff.drift.factor(),
                "drift_from": match diff.drift {
                    Drift::Seen(_) => "yardsticks",
                    Drift::Assumed(_) => "all rows",
                    Drift::Across => "nothing: two machines",
                },
                "floor": change.floor,
                "floor_source": match change.source {
                    FloorSource::History(_) => "history",
                    FloorSource::Runs => "runs",
                    FloorSource::Processes => "processes",
                    FloorSource::Exact => "exact",
                    FloorSource::Unknown => "unknown",
                },
                "floor_changes": match change.source {
                    FloorSource::History(changes) => changes,
                    _ => 0,
                },
                "verdict": match change.verdict {
                    Verdict::Faster => "faster",
                    Verdict::Slower => "slower",
                    Verdict::NoDifference => "no difference seen",
                },
            });
            format!("{line}\n")
        })
        .collect()
}
