//! `folioscope kernel`: real kernels as the referee.

use compare::kernel_diff;
use oracle::recorded::{self, Recorded};
use oracle::traffic::{self, Traced};
use oracle::{OracleError, Parts, Series, Store, fetch};
use results::{Class, KernelCounts, Traffic, TrafficRecord, TrafficRow};
use serde::Serialize;

use crate::args::{CountArgs, FetchArgs, KernelArgs, KernelCommand, KernelDiffArgs};
use crate::command::{kernel_build, kernel_check, kernel_history, kernel_kunit, kernel_step};
use crate::failure::{Code, Failure};
use crate::kernels;
use crate::output::Output;
use crate::say::say;
use render::Table;

pub(crate) fn run(args: &KernelArgs, output: &mut Output) -> Result<Code, Failure> {
    match &args.command {
        KernelCommand::Build(args) => kernel_build::run(args, output),
        KernelCommand::List(args) => kernel_build::print(args, output),
        KernelCommand::Fetch(args) => fetch_kernels(args, output),
        KernelCommand::Check(args) => kernel_check::run(args, output),
        KernelCommand::Kunit(args) => kernel_kunit::run(args, output),
        KernelCommand::Count(args) => count(args, output),
        KernelCommand::Step(args) => kernel_step::run(args, output),
        KernelCommand::Diff(args) => compare(args, output),
        KernelCommand::History(args) => kernel_history::run(args, output),
    }
}

impl From<OracleError> for Failure {
    /// A kernel that cannot be asked says nothing about a model: nothing was judged.
    fn from(error: OracleError) -> Self {
        Self::Usage(error.to_string())
    }
}

fn fetch_kernels(args: &FetchArgs, output: &mut Output) -> Result<Code, Failure> {
    let series = if args.series.is_empty() {
        &Series::STABLE[..]
    } else {
        &args.series
    };
    output.text(fetch(&Store::found(), series, args.refresh)?)?;
    Ok(Code::Done)
}

/// One count, as JSON.
#[derive(Serialize)]
struct CountLine<'a> {
    kernel: &'a str,
    #[serde(flatten)]
    count: &'a results::KernelCount,
    #[serde(skip_serializing_if = "Option::is_none")]
    traffic: Option<&'a Traffic>,
}

fn count(args: &CountArgs, output: &mut Output) -> Result<Code, Failure> {
    let oracles = kernels::booted(&args.kernels)?;
    if (args.out.is_some() || args.lines.is_some()) && oracles.len() > 1 {
        return Err(Failure::Usage(
            "--out and --lines take the counts of one kernel: name it with --series".to_owned(),
        ));
    }
    for oracle in oracles {
        let traced = match &args.out {
            Some(path) => {
                let (whole, traffic) = recorded::record(&oracle)?;
                whole.write(path)?;
                Traced {
                    counts: whole.counts,
                    traffic,
                }
            }
            None => oracle.trace("")?,
        };
        let rows = match &traced.traffic {
            Ok(rows) => rows.as_slice(),
            Err(why) if args.lines.is_some() => return Err(Failure::Usage(why.to_string())),
            Err(why) => {
                say!("folioscope: {why}");
                &[]
            }
        };
        let beside = args.out.as_deref().map(traffic::beside);
        if let Some(path) = args.lines.as_ref().or(beside.as_ref())
            && !rows.is_empty()
        {
            let identity = oracle.identity(Parts::All)?;
            TrafficRecord::new(&identity.release, &identity.qemu, rows.to_vec()).write(path)?;
        }
        let release = &oracle.kernel().release;
        if args.json {
            for (at, count) in traced.counts.rows.iter().enumerate() {
                output.json(&CountLine {
                    kernel: release,
                    count,
                    traffic: rows.get(at).map(|row| &row.traffic),
                })?;
            }
            continue;
        }
        output.line(format_args!(
            "{release}, instructions, distinct cache lines (those written):"
        ))?;
        output.text(count_table(&traced.counts, rows))?;
        for absent in &traced.counts.absent {
            output.line(format_args!("{}  -  {}", absent.primitive, absent.reason))?;
        }
        // A kernel takes seconds: its answers are shown before the next one boots.
        output.finish()?;
    }
    Ok(Code::Done)
}

/// A line per count; the columns of the traffic are dashes where nothing was traced.
fn count_table(counts: &KernelCounts, rows: &[TrafficRow]) -> String {
    let heading = [
        "PRIMITIVE",
        "ORDER",
        "STATE",
        "SAMPLES",
        "LEAST",
        "MOST",
        "LOADS",
        "STORES",
        "DESCRIPTORS",
        "LINES",
    ];
    let mut table = Table::new(heading).right([1, 3, 4, 5, 6, 7, 8, 9]);
    for (at, count) in counts.rows.iter().enumerate() {
        let traffic = rows.get(at).map(|row| &row.traffic);
        let figure = |of: fn(&Traffic) -> String| traffic.map_or("-".to_owned(), of);
        table.row([
            count.primitive.clone(),
            count.order.to_string(),
            count.state.to_string(),
            count.samples.to_string(),
            count.min.to_string(),
            count.max.to_string(),
            figure(|traffic| traffic.loads.to_string()),
            figure(|traffic| traffic.stores.to_string()),
            figure(|traffic| {
                let lines = traffic.of(Class::Descriptor);
                format!("{} ({})", lines.lines, lines.written)
            }),
            figure(|traffic| format!("{} ({})", traffic.lines, traffic.written)),
        ]);
    }
    table.text()
}

fn compare(args: &KernelDiffArgs, output: &mut Output) -> Result<Code, Failure> {
    for record in [&args.before, &args.after] {
        if !record.is_file() {
            return Err(Failure::Usage(format!(
                "{}: no record of counts; make one with: folioscope kernel count --series 6.12 \
                 --out FILE",
                record.display()
            )));
        }
    }
    let before = Recorded::read(&args.before)?;
    let after = Recorded::read(&args.after)?;
    let all = kernel_diff::diff(&before.counts, &after.counts);
    let shown = || all.iter().filter(|change| args.all || change.is_change());
    if args.json {
        for change in shown() {
            output.json(change)?;
        }
        return judge(&all, args.threshold, output);
    }
    let table = render::kernel_changes(shown());
    output.text(match args.markdown {
        true => table.markdown(),
        false => table.text(),
    })?;
    output.line(format_args!(
        "\n{} to {}: {} of {} counts changed",
        before.identity.release,
        after.identity.release,
        all.iter().filter(|change| change.is_change()).count(),
        all.len()
    ))?;
    judge(&all, args.threshold, output)
}

/// The exit code of a comparison, after its table. A count that is gone was not judged.
fn judge(
    all: &[kernel_diff::Change],
    threshold: Option<f64>,
    output: &mut Output,
) -> Result<Code, Failure> {
    output.finish()?;
    let lost = all.iter().filter(|change| change.is_lost()).count();
    if lost > 0 {
        say!("folioscope: the second record lacks {lost} of the first one's counts");
    }
    let allowed = threshold.map_or(f64::INFINITY, |percent| 1.0 + percent / 100.0);
    let grown = |change: &&kernel_diff::Change| change.growth() > Some(allowed);
    let beyond = all.iter().filter(grown).count();
    Ok(match (beyond, lost) {
        (0, 0) => Code::Done,
        (0, _) => Code::Usage,
        (beyond, _) => {
            let percent = threshold.unwrap_or_default();
            say!("folioscope: {beyond} counts have grown by more than {percent} %");
            Code::Beyond
        }
    })
}
