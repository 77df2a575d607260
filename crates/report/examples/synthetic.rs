//! Writes the report and the figures of a made-up run, to look at them by eye:
//! `cargo run -p report --example synthetic -- DIR`.

#[path = "../tests/synthetic/mod.rs"]
mod synthetic;

use std::path::PathBuf;

use report::{Summary, fidelity_figure, figures, json_lines, mail, markdown, write_figures};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("usage: synthetic DIR")?;
    std::fs::create_dir_all(&dir)?;
    let summary = Summary::from_run(&synthetic::run(42, 0.02));
    let context = synthetic::context();
    std::fs::write(dir.join("report.txt"), mail(&summary, &context))?;
    std::fs::write(dir.join("report.md"), markdown(&summary, &context))?;
    std::fs::write(dir.join("report.jsonl"), json_lines(&summary))?;
    let mut all = figures(&summary);
    all.extend(fidelity_figure(&synthetic::fidelity()));
    for file in write_figures(&all, &dir.join("plots"))? {
        println!("{}", file.display());
    }
    Ok(())
}
