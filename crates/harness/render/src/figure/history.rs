//! History as figures: times and counts over the runs of a machine.

use std::collections::BTreeMap;

use stats::Estimate;

use super::Figure;
use super::panels::{CROWDED, Panel, Series, Sheet};
use super::scale::Format;
use super::series::{file_word, pages};
use crate::params::label;
use crate::style::{Style, sort_designs, style_of};
use compare::{Entry, History, MachineHistory};

/// Entries that share a panel, by workload and parameters.
type Panels<'a> = BTreeMap<(String, String), Vec<&'a Entry>>;

/// Figures of a history: per machine, family and quantity one panel per workload and
/// parameters, the runs along the x axis. Entries that fewer than two runs measured are
/// left out.
#[must_use]
pub fn history_figures(history: &History) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (index, machine) in history.machines.iter().enumerate() {
        let mut sheets: BTreeMap<(String, String), Panels<'_>> = BTreeMap::new();
        for entry in machine.entries() {
            let family = entry
                .workload
                .split('/')
                .next()
                .unwrap_or_default()
                .to_owned();
            let panel = (entry.workload.clone(), label(&entry.params, &[]));
            if machine.series(entry).iter().flatten().count() > 1 {
                let sheet = sheets.entry((family, entry.quantity.clone())).or_default();
                sheet.entry(panel).or_default().push(entry);
            }
        }
        for ((family, quantity), panels) in sheets {
            let drawn: Vec<Panel> = panels
                .into_iter()
                .map(|((workload, params), entries)| panel(machine, workload, params, &entries))
                .collect();
            let mut names: Vec<String> = drawn
                .iter()
                .flat_map(|panel| panel.series.iter().map(|series| series.style.name.clone()))
                .collect();
            names.sort();
            names.dedup();
            sort_designs(&mut names);
            let word = file_word(&quantity);
            let sheet = Sheet {
                name: format!("history-{}-{}-{word}", index + 1, file_word(&family)),
                title: format!("{family}: {} over time", words(&quantity)),
                axis: "run (day, revision; + is a changed work tree)".to_owned(),
                note: note(machine),
                legend: names.iter().map(|name| legend(name)).collect(),
            };
            figures.extend(pages(&sheet, &drawn));
        }
    }
    figures
}

fn note(machine: &MachineHistory) -> String {
    let intervals = match machine.runs.len() > CROWDED {
        true => " Intervals of 95% stand at the last run only.",
        false => "",
    };
    format!("Machine: {}.{intervals}", machine.machine)
}

fn words(quantity: &str) -> String {
    if quantity == "time" {
        "cost".to_owned()
    } else {
        quantity.replace('-', " ")
    }
}

fn legend(design: &str) -> (Style, String) {
    let name = if design.is_empty() { "machine" } else { design };
    (style_of(design), name.to_owned())
}

fn panel(machine: &MachineHistory, title: String, detail: String, entries: &[&Entry]) -> Panel {
    let unit = entries.first().map_or("", |entry| entry.unit.as_str());
    let mut designs: Vec<String> = entries.iter().map(|entry| entry.design.clone()).collect();
    sort_designs(&mut designs);
    let series = designs
        .iter()
        .filter_map(|design| {
            let entry = entries.iter().find(|entry| entry.design == *design)?;
            let points: Vec<(f64, Estimate)> = machine
                .series(entry)
                .into_iter()
                .enumerate()
                .filter_map(|(run, value)| Some((run as f64, value?)))
                .collect();
            Some(Series {
                style: style_of(design),
                points,
            })
        })
        .collect();
    Panel {
        title,
        detail,
        unit: unit.to_owned(),
        format: if unit.starts_with("byte") {
            Format::Bytes
        } else {
            Format::Plain
        },
        ticks: machine
            .runs
            .iter()
            .enumerate()
            .map(|(at, run)| (at as f64, run.label()))
            .collect(),
        joined: true,
        series,
    }
}
