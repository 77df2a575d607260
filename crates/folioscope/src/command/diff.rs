//! `folioscope diff RUN RUN`: what changed between two records.

use stats::geometric_mean;

use crate::args::DiffArgs;
use crate::change::{Change, Changes, between};
use crate::command::report::summary;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::place;
use crate::table::Table;

pub(crate) fn run(args: &DiffArgs, output: &mut Output) -> Result<Code, Failure> {
    let old = summary(place::existing(&args.old)?)?;
    let new = summary(place::existing(&args.new)?)?;
    let changes = between(&old, &new);
    if changes.rows.is_empty() {
        return Err(Failure::Usage("the two runs have no row in common".to_owned()));
    }
    let shown = || changes.rows.iter().filter(|change| !args.changed || change.called());
    if args.json {
        for change in shown() {
            output.json(change)?;
        }
    } else {
        output.text(table(shown()))?;
        output.text(in_words(&changes))?;
    }
    let Some(threshold) = args.threshold else {
        return Ok(Code::Done);
    };
    let beyond = changes.rows.iter().filter(|change| change.worse_by(threshold / 100.0)).count();
    if beyond == 0 {
        return Ok(Code::Done);
    }
    output.finish()?;
    eprintln!("folioscope: {beyond} rows are worse by more than {threshold} %");
    Ok(Code::Beyond)
}

fn table<'a>(changes: impl Iterator<Item = &'a Change>) -> String {
    let mut table =
        Table::new(["WORKLOAD", "DESIGN", "OLD", "NEW", "UNIT", "RATIO", "95 % INTERVAL", "FLOOR", "VERDICT"])
            .right(&[2, 3, 5, 7]);
    for change in changes {
        let mut name = change.workload.clone();
        for (param, value) in &change.params {
            name.push_str(&format!(" {param}={value}"));
        }
        table.row([
            name,
            change.design.clone(),
            format!("{:.4}", change.old),
            format!("{:.4}", change.new),
            change.unit.clone(),
            format!("{:.3}", change.ratio),
            format!("{:.3} to {:.3}", change.low, change.high),
            format!("{:.1} %", change.floor * 100.0),
            change.verdict.to_owned(),
        ]);
    }
    table.text()
}

fn in_words(changes: &Changes) -> String {
    let called = changes.rows.iter().filter(|change| change.called()).count();
    let all = changes.rows.len();
    let share = called as f64 * 100.0 / all as f64;
    let ratios: Vec<f64> = changes
        .rows
        .iter()
        .filter(|change| change.quantity == "time")
        .map(|change| change.ratio)
        .collect();
    let mean = geometric_mean(&ratios)
        .map_or("n/a".to_owned(), |mean| format!("{:+.1} %", (mean - 1.0) * 100.0));
    format!(
        "\n{called} of {all} rows called different ({share:.1} %); the machine as a whole moved by {:+.1} %,\n\
         which is taken out of the ratios of times; their geometric mean: {mean}\n\
         rows only in the first run: {}, only in the second: {}\n",
        (changes.drift - 1.0) * 100.0,
        changes.only_old,
        changes.only_new
    )
}
