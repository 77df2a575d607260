//! What changed between two runs, as a mail and as JSON lines.

use serde_json::json;
use stats::{Verdict, geometric_mean};

use super::json::interval;
use super::page::Page;
use crate::diff::{Change, Diff, RowKey};
use crate::number::{percent, rows, significant};
use crate::style::sort_designs;
use crate::summary::label;

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
            "{different} of {} called different ({share:.1}%). The machine as a whole moved by \
             {:+.1}%, which is taken out of the times' ratios.",
            rows(all),
            (diff.drift - 1.0) * 100.0
        ),
        0,
        0,
    );
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
    page.into_text()
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
    page.gap();
    page.line("  design                 rows  faster  slower   mean of time ratios");
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
        page.line(&format!(
            "  {short:<20} {:>6}  {:>6}  {:>6}   {mean}",
            own.len(),
            count(Verdict::Faster),
            count(Verdict::Slower)
        ));
    }
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
    page.line(&format!(
        "      {} -> {} {}   x {} +-{}%   floor {floor}",
        significant(change.old.value, 4),
        significant(change.new.value, 4),
        change.unit,
        significant(change.ratio.value, 3),
        percent(&change.ratio),
    ));
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
                "drift": diff.drift,
                "floor": change.floor,
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
