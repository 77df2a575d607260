//! History as a table of sparklines for a terminal.

use serde_json::{Value as Json, json};
use stats::{Estimate, Verdict};

use super::json::interval;
use crate::history::{Entry, History};
use crate::number::{rows, significant};
use crate::style::style_of;
use crate::summary::label;

/// Blocks of a sparkline, from the least to the greatest value.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Runs that a sparkline shows at most: the latest.
const RUNS: usize = 24;

/// One line per entry: the latest value, its change since the first run that measured
/// it, and a sparkline from the least to the greatest value of the row. A dot is a run
/// that did not measure it.
#[must_use]
pub fn history_text(history: &History) -> String {
    let mut text = String::new();
    for machine in &history.machines {
        text.push_str(&format!(
            "{}, {}\n",
            machine.machine,
            runs(machine.runs.len())
        ));
        if let (Some(first), Some(last)) = (machine.runs.first(), machine.runs.last()) {
            text.push_str(&format!("from {} to {}\n", first.label(), last.label()));
        }
        let entries = machine.entries();
        let names: Vec<String> = entries.iter().map(|entry| name(entry)).collect();
        let wide = names
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0);
        for (entry, name) in entries.iter().zip(&names) {
            let series = machine.series(entry);
            let latest = series.iter().rev().flatten().next();
            let value = latest.map_or("-".to_owned(), |value| significant(value.value, 4));
            let change = machine
                .change(entry)
                .map_or("-".to_owned(), |(change, verdict)| {
                    let mark = match verdict {
                        Verdict::Faster => '<',
                        Verdict::Slower => '>',
                        Verdict::NoDifference => '=',
                    };
                    format!("{mark}{:+.1}%", (change.value - 1.0) * 100.0)
                });
            let line = sparkline(&series);
            let unit = &entry.unit;
            text.push_str(&format!(
                "  {name:<wide$} {value:>9} {unit:<9} {change:>8} {line}\n"
            ));
        }
        text.push_str(&format!("  {}\n\n", rows(entries.len())));
    }
    text.push_str(
        "< lower and > higher than the first value beyond the noise floor, = no difference seen\n",
    );
    text
}

/// One JSON object per machine and entry: its values over the machine's runs, `null` where
/// a run did not measure it, and its change from the first to the last of them.
#[must_use]
pub fn history_json_lines(history: &History) -> String {
    let mut text = String::new();
    for machine in &history.machines {
        for entry in machine.entries() {
            let change = machine.change(entry);
            let values: Vec<Json> = machine
                .runs
                .iter()
                .zip(machine.series(entry))
                .map(|(run, value)| {
                    json!({
                        "run": run.name,
                        "date_utc": run.date_utc,
                        "revision": run.revision,
                        "floor": run.floor,
                        "value": interval(value.as_ref()),
                    })
                })
                .collect();
            let line = json!({
                "kind": "history",
                "machine": machine.machine,
                "workload": entry.workload,
                "design": entry.design,
                "params": entry.params,
                "quantity": entry.quantity,
                "unit": entry.unit,
                "change": interval(change.as_ref().map(|(change, _)| change)),
                "verdict": change.map(|(_, verdict)| match verdict {
                    Verdict::Faster => "lower",
                    Verdict::Slower => "higher",
                    Verdict::NoDifference => "no difference seen",
                }),
                "runs": values,
            });
            text += &format!("{line}\n");
        }
    }
    text
}

fn runs(count: usize) -> String {
    if count == 1 {
        "1 run".to_owned()
    } else {
        format!("{count} runs")
    }
}

fn name(entry: &Entry) -> String {
    let quantity = if entry.quantity == "time" {
        ""
    } else {
        &entry.quantity
    };
    let design = if entry.design.is_empty() {
        String::new()
    } else {
        style_of(&entry.design).short
    };
    let words = [
        entry.workload.as_str(),
        &design,
        &label(&entry.params, &[]),
        quantity,
    ]
    .join(" ");
    words.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// A row of blocks, one per run.
pub(crate) fn sparkline(series: &[Option<Estimate>]) -> String {
    let shown = &series[series.len().saturating_sub(RUNS)..];
    let values = || shown.iter().flatten().map(|value| value.value);
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let block = |value: f64| {
        if high <= low {
            return BLOCKS[BLOCKS.len() / 2];
        }
        let share = (value - low) / (high - low);
        BLOCKS[((share * (BLOCKS.len() - 1) as f64).round() as usize).min(BLOCKS.len() - 1)]
    };
    shown
        .iter()
        .map(|value| value.map_or('·', |value| block(value.value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_rises_with_the_values_and_shows_gaps() {
        let series: Vec<Option<Estimate>> = [1.0, 2.0, 8.0]
            .into_iter()
            .map(|value| Some(Estimate::exact(value)))
            .collect();
        assert_eq!(sparkline(&series), "▁▂█");
        assert_eq!(sparkline(&[series[0], None, series[2]]), "▁·█");
        assert_eq!(sparkline(&[series[0]; 3]), "▅▅▅");
        assert_eq!(sparkline(&[series[0]; 99]).chars().count(), RUNS);
        assert_eq!(sparkline(&[]), "");
    }
}
