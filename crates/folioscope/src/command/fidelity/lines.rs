//! `folioscope fidelity --lines`: descriptor lines of models and kernels.

use std::path::Path;

use compare::line_orders;
use compare::lines::{self, LineFidelity, LineRow};
use render::Table;
use results::{LinesBaseline, TrafficRecord};

use super::{FidelityArgs, refuse_unoptimised};
use crate::failure::{Code, Failure};
use crate::output::Output;

pub(super) fn run(
    results: &Path,
    args: &FidelityArgs,
    output: &mut Output,
) -> Result<Code, Failure> {
    if args.count {
        trace_models(&results.join(lines::MODELS))?;
    }
    if let Some(folder) = &args.plot {
        return draw(results, folder, output);
    }
    let found = lines::load(results)?;
    if args.json {
        found.rows.iter().try_for_each(|row| output.json(row))?;
    } else {
        output.text(table(&found))?;
        output.text(in_words(&found))?;
    }
    Ok(match found.unexplained().next() {
        None => Code::Done,
        Some(_) => Code::Wrong,
    })
}

/// Draws lines against order, of models and kernels, a figure for each family.
fn draw(results: &Path, folder: &Path, output: &mut Output) -> Result<Code, Failure> {
    let baseline = results.join("baseline").join(LinesBaseline::FILE);
    let loops = LinesBaseline::read(&baseline)?;
    let points = line_orders::by_order(&loops, &lines::of_kernels(results)?);
    super::draw(render::line_figures(&points), folder, output)
}

/// Traces the models and writes their record.
fn trace_models(path: &Path) -> Result<(), Failure> {
    refuse_unoptimised()?;
    let program = std::env::current_exe().map_err(|error| Failure::Wrong(error.to_string()))?;
    let (emulator, rows) = icount::primitives::traffic(&program, &["model-calls", "--traced"])
        .map_err(|error| Failure::Usage(error.to_string()))?;
    TrafficRecord::new("models", &emulator, rows).write(path)?;
    Ok(())
}

/// The rows that differ.
fn table(found: &LineFidelity) -> String {
    let heading = [
        "PRIMITIVE",
        "ORDER",
        "CLASS",
        "DESIGN",
        "KERNEL",
        "MODEL",
        "REAL",
        "REASON",
    ];
    let mut table = Table::new(heading).right([1, 5, 6]);
    let mut rows = 0;
    for row in found.rows.iter().filter(|row| !row.is_equal()) {
        rows += 1;
        table.row([
            row.primitive.clone(),
            row.order.to_string(),
            state_met(row),
            row.design.clone(),
            row.kernel.clone(),
            format!("{} ({})", row.model_lines, row.model_written),
            format!("{} ({})", row.real_lines, row.real_written),
            row.reason.clone().unwrap_or("no reason known".to_owned()),
        ]);
    }
    match rows {
        0 => String::new(),
        _ => table.text() + "\n",
    }
}

/// The kernel's state; where that is not just the model's, both.
fn state_met(row: &LineRow) -> String {
    match &row.near {
        Some(near) => format!("{} (model: {near})", row.class),
        None => row.class.clone(),
    }
}

fn in_words(found: &LineFidelity) -> String {
    let differ = found.rows.iter().filter(|row| !row.is_equal()).count();
    let mut text = format!(
        "{} of {} rows touch and write as many lines of descriptor as the kernel; \
         {differ} differ, {} of them without a reason\n",
        found.rows.len() - differ,
        found.rows.len(),
        found.unexplained().count()
    );
    if !found.unpaired.is_empty() {
        text += &format!("traced in the models only: {}\n", found.unpaired.join(", "));
    }
    for reason in &found.outdated {
        text += &format!(
            "a reason for what does not differ: {} {}\n",
            reason.primitive, reason.kernel
        );
    }
    text
}
