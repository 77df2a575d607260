//! `folioscope history`: times and counts over the records of a store.

mod counts;

use std::fs;
use std::path::Path;

use compare::{History, HistoryRun, Summary};
use results::{Store, Stored};

use crate::args::HistoryArgs;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::run_dir;
use crate::say::say;

/// The page's name in the folder of the figures.
const PAGE: &str = "index.html";

pub(crate) fn run(args: &HistoryArgs, output: &mut Output) -> Result<Code, Failure> {
    let root = args.store.clone().unwrap_or_else(run_dir::store);
    let history = read(&root, args.machine.as_deref())?;
    if args.json {
        output.text(render::history_json_lines(&history))?;
    } else {
        output.text(render::history_text(&history))?;
    }
    if let Some(folder) = &args.out {
        let figures = draw(&history, folder)?;
        say!(
            "folioscope: drew {figures} figures beside {}",
            folder.join(PAGE).display()
        );
    }
    output.finish()?;
    match args.threshold {
        Some(percent) => judge(&history, percent),
        None => Ok(Code::Done),
    }
}

/// Whether anything is worse than it was by more than the threshold.
fn judge(history: &History, percent: f64) -> Result<Code, Failure> {
    let several = history.machines.iter().filter(|one| one.runs.len() > 1);
    let mut judged = false;
    let mut beyond = 0;
    for machine in several {
        judged = true;
        for (entry, factor) in machine.worse_by(percent / 100.0) {
            beyond += 1;
            say!(
                "folioscope: {}: {} {} {}: {:+.1} %",
                machine.machine,
                entry.workload,
                entry.design,
                entry.quantity,
                (factor - 1.0) * 100.0
            );
        }
    }
    match (judged, beyond) {
        (false, _) => Err(Failure::Usage(
            "no machine has two runs, so nothing can be judged".to_owned(),
        )),
        (true, 0) => Ok(Code::Done),
        (true, _) => Ok(Code::Beyond),
    }
}

/// The history of a store: its runs, and what its baselines counted.
///
/// # Errors
/// Damaged records, those that contradict each other, and a store without any.
fn read(root: &Path, machine: Option<&str>) -> Result<History, Failure> {
    let store = if root.is_dir() {
        Store::below(root)?
    } else {
        Store::default()
    };
    for run in &store.unfinished {
        say!(
            "folioscope: {} has not finished and is left out",
            run.display()
        );
    }
    let runs = match machine {
        None => store.runs,
        Some(name) => of_machine(store.runs, name, root)?,
    };
    let mut points: Vec<HistoryRun> = runs.iter().map(point).collect();
    if machine.is_none() {
        points.extend(counts::committed(root)?);
    }
    if points.is_empty() {
        return Err(Failure::Usage(format!(
            "{}: no run is in it; `folioscope compare` makes one",
            root.display()
        )));
    }
    History::of(points).map_err(|error| Failure::Usage(error.to_string()))
}

fn of_machine(runs: Vec<Stored>, name: &str, root: &Path) -> Result<Vec<Stored>, Failure> {
    let mut machines: Vec<String> = runs.iter().map(|run| run.machine.clone()).collect();
    machines.dedup();
    let chosen: Vec<Stored> = runs.into_iter().filter(|run| run.machine == name).collect();
    if chosen.is_empty() {
        let there = match &machines[..] {
            [] => "none".to_owned(),
            machines => machines.join(", "),
        };
        return Err(Failure::Usage(format!(
            "{}: no run of a machine called {name}; there is {there}",
            root.display()
        )));
    }
    Ok(chosen)
}

fn point(stored: &Stored) -> HistoryRun {
    // The same folder may have been used on a machine that was changed since.
    let machine = format!("{}: {}", stored.machine, stored.run.env.identity());
    HistoryRun::from_summary(&machine, &stored.place(), &Summary::from_run(&stored.run))
}

/// Draws the figures and the page; returns the number of figures.
fn draw(history: &History, folder: &Path) -> Result<usize, Failure> {
    let wrong = |error: render::FigureError| Failure::Wrong(error.to_string());
    let figures = render::history_figures(history);
    render::write_figures(&figures, folder).map_err(wrong)?;
    fs::create_dir_all(folder)
        .map_err(|error| Failure::Wrong(format!("{}: {error}", folder.display())))?;
    let page = render::history_html(history).map_err(wrong)?;
    results::write_whole(&folder.join(PAGE), page.as_bytes())?;
    Ok(figures.len())
}
