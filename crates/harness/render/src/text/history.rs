//! History as a table of sparklines for a terminal.

use std::collections::BTreeMap;

use results::Params;
use serde_json::{Value as Json, json};
use stats::{Estimate, Verdict};

use super::json::interval;
use super::mail_tables::mark;
use crate::number::{rows, significant};
use crate::params::{label, shared_params};
use crate::style::{sort_designs, style_of};
use crate::table::Table;
use compare::{Entry, History, MachineHistory};

/// Blocks of a sparkline, from the least to the greatest value.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Runs that a sparkline shows at most: the latest.
const RUNS: usize = 24;

/// One line per entry, by workload and quantity: the latest value, its change since the
/// first run that measured it, and a sparkline from the least to the greatest value of the
/// row. A dot is a run that did not measure it.
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
        let mut groups: BTreeMap<(&str, &str, &str), Vec<&Entry>> = BTreeMap::new();
        for entry in &entries {
            let group = (
                entry.workload.as_str(),
                entry.quantity.as_str(),
                entry.unit.as_str(),
            );
            groups.entry(group).or_default().push(entry);
        }
        for ((workload, quantity, unit), entries) in groups {
            group(&mut text, machine, [workload, quantity, unit], &entries);
        }
        text.push_str(&format!("\n{}\n\n", rows(entries.len())));
    }
    text.push_str(
        "< lower and > higher than the first value beyond the noise floor, = no difference seen\n",
    );
    text
}

/// The entries of one workload and quantity; what all of them share is said once.
fn group(text: &mut String, machine: &MachineHistory, title: [&str; 3], entries: &[&Entry]) {
    let [workload, quantity, unit] = title;
    let params: Vec<&Params> = entries.iter().map(|entry| &entry.params).collect();
    let shared = shared_params(&params);
    let hidden: Vec<&str> = shared.keys().map(String::as_str).collect();
    let said = [workload, quantity, unit, &label(&shared, &[])];
    let said: Vec<&str> = said.into_iter().filter(|word| !word.is_empty()).collect();
    text.push_str(&format!("\n{}\n", said.join(", ")));
    let mut lines: Vec<(String, &Entry)> = entries
        .iter()
        .map(|entry| (name(entry, &hidden), *entry))
        .collect();
    // Designs beside each other, in their own order.
    let mut designs: Vec<String> = entries.iter().map(|entry| entry.design.clone()).collect();
    sort_designs(&mut designs);
    lines.sort_by_key(|(_, entry)| {
        let place = designs.iter().position(|design| *design == entry.design);
        (&entry.params, place)
    });
    let mut table = Table::plain(2, &[0, 9, 8]).right([1, 2]);
    for (name, entry) in lines {
        let series = machine.series(entry);
        let latest = series.iter().rev().flatten().next();
        let value = latest.map_or("-".to_owned(), |value| significant(value.value, 4));
        let change = machine
            .change(entry)
            .map_or("-".to_owned(), |(change, verdict)| {
                let mark = mark(Some(verdict));
                format!("{mark}{:+.1}%", (change.value - 1.0) * 100.0)
            });
        table.row([name, value, change, sparkline(&series)]);
    }
    text.push_str(&table.text());
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

fn name(entry: &Entry, hidden: &[&str]) -> String {
    let design = if entry.design.is_empty() {
        "machine".to_owned()
    } else {
        style_of(&entry.design).short
    };
    format!("{design} {}", label(&entry.params, hidden))
        .trim_end()
        .to_owned()
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
