//! `folioscope fidelity`: how close the models come to the real kernels.

mod lines;
mod time;

pub(crate) use time::refereed;

use std::path::{Path, PathBuf};

use clap::Args;
use compare::Summary;
use compare::fidelity::{Fidelity, Row};
use render::Figure;
use results::{FidelityRecord, ModelCount};

use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::run_dir;

#[derive(Args, Debug)]
#[command(after_help = "\
Both sides are committed records; --count recounts the models, with valgrind or, for --lines,
under qemu-x86_64.

Examples:
  folioscope fidelity
  folioscope fidelity --json | jq 'select(.ratio > 1.1)'
  folioscope fidelity --plot /tmp/figures
  folioscope fidelity --lines                   descriptor lines that differ
  folioscope fidelity --lines --plot /tmp/figures
  folioscope fidelity --time                    models and native kernels, same rounds
  folioscope fidelity --time --patched          kernels with a patch, and without
  folioscope fidelity --time --alone            what only kernels are asked
  cargo folioscope fidelity --count             after a change to a design")]
pub(crate) struct FidelityArgs {
    /// One JSON object a line: primitives, then pairs.
    #[arg(long)]
    json: bool,
    /// Markdown rather than plain text.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Only building and walking a bio, a line per order; with --time, the rows of orders 0 and 9
    /// that the caches hold.
    #[arg(long, conflicts_with = "pairs")]
    headline: bool,
    /// Only the competing pairs.
    #[arg(long)]
    pairs: bool,
    /// Draw model against kernel into this folder.
    #[arg(long, value_name = "DIR")]
    plot: Option<PathBuf>,
    /// Lines of descriptor rather than instructions; they must be equal. With --plot: lines
    /// against order, of all designs and kernels.
    #[arg(long, conflicts_with_all = ["markdown", "headline", "pairs"])]
    lines: bool,
    /// Times rather than instructions, of a run with kernels in it (compare --kernels); the
    /// newest in the store that has some unless one is named.
    #[arg(
        long,
        value_name = "RUN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = NEWEST,
        conflicts_with_all = ["lines", "count"]
    )]
    time: Option<PathBuf>,
    /// Print how patches moved the real kernels of that run, patched : stock.
    #[arg(long, requires = "time", conflicts_with_all = ["headline", "pairs", "plot"])]
    patched: bool,
    /// Print the rows of that run that only real kernels answer.
    #[arg(
        long,
        requires = "time",
        conflicts_with_all = ["patched", "headline", "pairs", "plot"]
    )]
    alone: bool,
    /// Recount the models, and rewrite their record.
    #[arg(long)]
    count: bool,
}

/// `--time` without a run.
const NEWEST: &str = "newest";
/// Committed counts, which both sides of a comparison rest on.
const KERNELS: &str = "kernel";

/// The primitives of `--headline`, which BIAS.md prints: building and walking, at these orders.
const HEADLINE: [&str; 5] = [
    "bio_add_page",
    "bio_add_folio",
    "bio_for_each_segment",
    "bio_for_each_bvec",
    "bio_for_each_folio_all",
];
const HEADLINE_ORDERS: [u8; 4] = [0, 3, 6, 9];

pub(crate) fn run(args: &FidelityArgs, output: &mut Output) -> Result<Code, Failure> {
    if let Some(run) = &args.time {
        let run = Some(run.as_path()).filter(|run| *run != Path::new(NEWEST));
        return time::run(run, args, output);
    }
    let results = &run_dir::committed(KERNELS)?;
    if args.lines {
        return lines::run(results, args, output);
    }
    if args.count {
        count(&FidelityRecord::model_file(results))?;
    }
    let found = found(results)?;
    if let Some(folder) = &args.plot {
        return draw(render::fidelity_figure(&found.rows), folder, output);
    }
    if args.json {
        found.rows.iter().try_for_each(|row| output.json(row))?;
        found.pairs.iter().try_for_each(|pair| output.json(pair))?;
        return Ok(Code::Done);
    }
    let rows: Vec<&Row> = found
        .rows
        .iter()
        .filter(|row| {
            !args.headline
                || HEADLINE.contains(&row.primitive.as_str())
                    && HEADLINE_ORDERS.contains(&row.order)
        })
        .collect();
    if !args.pairs {
        output.text(text(render::fidelity_rows(&rows), args.markdown))?;
    }
    if !args.headline {
        if !args.pairs {
            output.line("")?;
        }
        output.text(text(render::fidelity_pairs(&found), args.markdown))?;
    }
    if args.headline {
        // What is left out of the table is in the totals.
        if let Some(line) = render::fidelity_line(&found) {
            output.line(format_args!("\nAll rows: {line}."))?;
        }
    } else if !(args.pairs || args.markdown) {
        output.text(render::fidelity_words(&found))?;
    }
    Ok(Code::Done)
}

/// The words of a report on fidelity: instructions by the committed records, and times where
/// kernels took part. `None` where there is neither.
pub(crate) fn in_a_line(summary: &Summary) -> Option<String> {
    let counts = found(&run_dir::store())
        .ok()
        .and_then(|found| render::fidelity_line(&found));
    let lines = [counts, time::in_a_line(summary)];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    (!lines.is_empty()).then(|| lines.join(". In this run "))
}

/// Writes figures into a folder, and says which files that made.
fn draw(
    figures: impl IntoIterator<Item = Figure>,
    folder: &Path,
    output: &mut Output,
) -> Result<Code, Failure> {
    let figures: Vec<Figure> = figures.into_iter().collect();
    let files = render::write_figures(&figures, folder)
        .map_err(|error| Failure::Wrong(error.to_string()))?;
    for file in files {
        output.line(file.display())?;
    }
    Ok(Code::Done)
}

/// Reads both sides and compares them.
fn found(results: &Path) -> Result<Fidelity, Failure> {
    let record = FidelityRecord::read(results)?;
    Ok(Fidelity::of(&record, &results::read_kernels(results)?))
}

fn text(table: render::Table, markdown: bool) -> String {
    if markdown {
        table.markdown()
    } else {
        table.text()
    }
}

/// Refuses to count in a build whose counts mean nothing.
fn refuse_unoptimised() -> Result<(), Failure> {
    match cfg!(debug_assertions) {
        true => Err(Failure::Usage(
            "refusing to count an unoptimised build; run cargo folioscope fidelity --count"
                .to_owned(),
        )),
        false => Ok(()),
    }
}

/// Counts the models and writes their record.
fn count(path: &Path) -> Result<(), Failure> {
    refuse_unoptimised()?;
    let wrong = |error: &dyn std::fmt::Display| Failure::Wrong(error.to_string());
    let program = std::env::current_exe().map_err(|error| wrong(&error))?;
    let counted =
        icount::primitives::counts(&program, &["model-calls"]).map_err(|error| wrong(&error))?;
    let rows = counted.iter().map(|call| {
        model_count(&call.label, call.instructions)
            .ok_or_else(|| Failure::Wrong(format!("not the label of a call: `{}`", call.label)))
    });
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    results::write_list(path, &rows)?;
    Ok(())
}

/// A line of [`model_calls`] with what it cost.
fn model_count(label: &str, instructions: u64) -> Option<ModelCount> {
    let mut words = label.split(' ').map(str::to_owned);
    Some(ModelCount {
        primitive: words.next()?,
        design: words.next()?,
        kernel: words.next()?,
        order: words.next()?.parse().ok()?,
        state: words.next()?.parse().ok()?,
        instructions,
    })
}

/// Which calls the counted process makes.
#[derive(Args, Debug)]
pub(crate) struct ModelCallsArgs {
    /// The calls are traced, not counted.
    #[arg(long)]
    traced: bool,
}

/// Makes every call that is counted or traced, and prints after each what it was.
pub(crate) fn model_calls(args: &ModelCallsArgs, output: &mut Output) -> Result<Code, Failure> {
    let mut said = Vec::new();
    let run = match args.traced {
        true => icount::primitives::run_traced,
        false => icount::primitives::run,
    };
    run(&mut |label| said.push(label.to_string()))
        .map_err(|error| Failure::Wrong(error.to_string()))?;
    said.iter().try_for_each(|label| output.line(label))?;
    Ok(Code::Done)
}
