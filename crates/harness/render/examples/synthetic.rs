//! Writes the report and the figures of a made-up run, to look at them by eye:
//! `cargo run -p render --example synthetic -- DIR`.

#[path = "../tests/synthetic/mod.rs"]
mod synthetic;

use std::path::PathBuf;

use compare::{History, HistoryRun, Summary};
use render::{
    fidelity_figure, figures, history_figures, history_html, history_text, json_lines, mail,
    report, write_figures,
};
use results::Row;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("usage: synthetic DIR")?;
    std::fs::create_dir_all(&dir)?;
    let summary = Summary::from_run(&synthetic::run(42, 0.02));
    let context = synthetic::context();
    std::fs::write(dir.join("report.txt"), mail(&summary, &context))?;
    std::fs::write(dir.join("report.md"), report(&summary, &context).markdown())?;
    std::fs::write(dir.join("report.jsonl"), json_lines(&summary))?;
    let mut all = figures(&summary);
    all.extend(fidelity_figure(&synthetic::fidelity()));
    for file in write_figures(&all, &dir.join("plots"))? {
        println!("{}", file.display());
    }

    let mut runs = Vec::new();
    for day in 1..=9 {
        let mut run = synthetic::run(day, 0.02);
        run.env.date_utc = format!("2026-11-{day:02}T01:02:03Z");
        let keep = |id: &str| id == "iteration/chunks" || id == "accounting/stat";
        run.rows.retain(|row| keep(row.workload()));
        for row in &mut run.rows {
            if let Row::Sample(sample) = row {
                let slower = if sample.design == "memdesc" && day > 5 {
                    1.2
                } else {
                    1.0
                };
                sample.rounds.iter_mut().for_each(|round| *round *= slower);
            }
        }
        runs.push(HistoryRun::from_summary(
            "synthetic",
            &format!("day-{day}"),
            &Summary::from_run(&run),
        ));
    }
    let history = History::of(runs)?;
    write_figures(&history_figures(&history), &dir.join("history"))?;
    std::fs::write(dir.join("history.txt"), history_text(&history))?;
    std::fs::write(dir.join("history.html"), history_html(&history)?)?;
    Ok(())
}
