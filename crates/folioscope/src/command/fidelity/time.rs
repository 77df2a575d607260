//! `folioscope fidelity --time`: models beside native kernels in the same rounds.

use std::path::Path;

use compare::Summary;
use compare::time_fidelity::{Refereed, TimeFidelity, TimePair, reasons};
use render::Table;
use serde::Serialize;

use super::FidelityArgs;
use crate::command::report::summary;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::run_dir::{self, Among};

pub(super) fn run(
    run: Option<&Path>,
    args: &FidelityArgs,
    output: &mut Output,
) -> Result<Code, Failure> {
    let folder = match run {
        Some(run) => run_dir::existing(run)?.to_owned(),
        None => run_dir::with_kernels(Among::All)?,
    };
    let summary = summary(&folder)?;
    if args.patched {
        return what_moved(&summary, &folder, args, output);
    }
    if args.alone {
        return asked_alone(&summary, &folder, args, output);
    }
    let found = found(&summary)?;
    if found.rows.is_empty() {
        return Err(Failure::Usage(format!(
            "{}: no model stands beside its kernel in it: folioscope compare --kernels",
            folder.display()
        )));
    }
    if let Some(folder) = &args.plot {
        return super::draw(render::time_fidelity_figure(&found.rows), folder, output);
    }
    if args.json {
        found.rows.iter().try_for_each(|row| output.json(row))?;
        found.pairs.iter().try_for_each(|pair| output.json(pair))?;
        return Ok(Code::Done);
    }
    let wanted = |pair: &TimePair| !args.headline || is_headline(pair, &found);
    // One table for each two models that compete.
    let tables: Vec<_> = kinds(&found)
        .iter()
        .map(|kind| render::time_fidelity_pairs(kind, &wanted))
        .collect();
    if args.markdown {
        let tables: Vec<String> = tables.iter().map(Table::markdown).collect();
        output.text(tables.join("\n"))?;
        if args.headline
            && let Some(line) = render::time_fidelity_line(&found)
        {
            let farthest = render::time_fidelity_farthest(&found);
            output.line(format_args!("\nAll rows: {line}. {farthest}"))?;
        }
        return Ok(Code::Done);
    }
    output.line(folder.display())?;
    if !(args.pairs || args.headline) {
        output.text(render::time_fidelity_rows(&found).text())?;
        output.line("")?;
    }
    for table in tables {
        output.text(table.text())?;
        output.line("")?;
    }
    if let Some(line) = render::time_fidelity_line(&found) {
        output.line(line)?;
    }
    for reason in &found.outdated {
        output.line(format_args!(
            "a reason without a miss: {} against {}",
            reason.workload, reason.kernel
        ))?;
    }
    Ok(Code::Done)
}

/// Patched kernels beside their stock kernels.
fn what_moved(
    summary: &Summary,
    folder: &Path,
    args: &FidelityArgs,
    output: &mut Output,
) -> Result<Code, Failure> {
    let moved = compare::patched::moved(summary);
    if moved.is_empty() {
        return Err(Failure::Usage(format!(
            "{}: no patched kernel stands beside its stock in it: folioscope kernel build 6.12 \
             --patch headpage, then folioscope compare --kernels",
            folder.display()
        )));
    }
    print(&moved, || render::patched_kernels(&moved), args, output)
}

/// Kernels in rows that no design answers.
fn asked_alone(
    summary: &Summary,
    folder: &Path,
    args: &FidelityArgs,
    output: &mut Output,
) -> Result<Code, Failure> {
    let found = compare::alone::alone(summary);
    if found.is_empty() {
        return Err(Failure::Usage(format!(
            "{}: no row in it that only kernels answer: folioscope compare --kernels --workload \
             kernel",
            folder.display()
        )));
    }
    print(&found, || vec![render::alone_kernels(&found)], args, output)
}

/// Rows as JSON lines, or the tables that are made of them.
fn print<T: Serialize>(
    rows: &[T],
    tables: impl FnOnce() -> Vec<Table>,
    args: &FidelityArgs,
    output: &mut Output,
) -> Result<Code, Failure> {
    if args.json {
        rows.iter().try_for_each(|row| output.json(row))?;
        return Ok(Code::Done);
    }
    let text = |table: &Table| match args.markdown {
        true => table.markdown(),
        false => table.text(),
    };
    let texts: Vec<String> = tables().iter().map(text).collect();
    output.text(texts.join("\n"))?;
    Ok(Code::Done)
}

/// Splits the findings, one for each two models, with their pairs alone.
fn kinds(found: &TimeFidelity) -> Vec<TimeFidelity> {
    let mut kinds: Vec<TimeFidelity> = Vec::new();
    for pair in &found.pairs {
        let known = kinds
            .iter_mut()
            .find(|kind| kind.pairs[0].designs == pair.designs);
        match known {
            Some(kind) => kind.pairs.push(pair.clone()),
            None => kinds.push(TimeFidelity {
                pairs: vec![pair.clone()],
                ..found.clone()
            }),
        }
    }
    kinds
}

/// Whether `--headline` prints a pair, as KERNELS.md does: the smallest and the largest usual
/// allocation on made-up layouts that the nearest cache holds, and every captured layout.
fn is_headline(pair: &TimePair, found: &TimeFidelity) -> bool {
    let param = |name: &str| pair.params.get(name).map(ToString::to_string);
    if param("layout").is_some_and(|layout| layout.starts_with("captured")) {
        return true;
    }
    let order = param("order");
    let asked = ["0", "9"]
        .iter()
        .any(|wanted| order.as_deref() == Some(*wanted));
    // Not every workload has rows in the first level cache.
    let rows = || {
        found
            .rows
            .iter()
            .filter(|row| row.workload == pair.workload)
    };
    let has = |footprint: &str| {
        rows().any(|row| {
            row.params
                .get("footprint")
                .is_some_and(|of| of.to_string() == footprint)
        })
    };
    let nearest = ["l1", "l2", "mem"]
        .into_iter()
        .find(|footprint| has(footprint));
    asked
        && param("footprint").is_none_or(|footprint| nearest == Some(footprint.as_str()))
        && param("count").is_none_or(|count| count == "1")
}

/// The line that a report prints of a run; `None` where no kernel is in it.
pub(super) fn in_a_line(summary: &Summary) -> Option<String> {
    render::time_fidelity_line(&found(summary).ok()?)
}

fn found(summary: &Summary) -> Result<TimeFidelity, Failure> {
    let refereed = refereed();
    let reasons = reasons(&run_dir::store())?;
    Ok(TimeFidelity::of(summary, &refereed, &reasons))
}

/// The models that a kernel referees, those asked with a parameter behind their own.
pub(crate) fn refereed() -> Vec<Refereed<'static>> {
    let of = |&one: &&'static registry::Contender| {
        let own = one.referee.map(|kernel| Refereed::new(one.name, kernel));
        let asked = one
            .asked_referees
            .iter()
            .map(|&(param, value, kernel)| Refereed {
                asked: Some((param, value)),
                ..Refereed::new(one.name, kernel)
            });
        own.into_iter().chain(asked)
    };
    registry::contenders().iter().flat_map(of).collect()
}
