//! `folioscope gate`: exact counts of every timed loop against the committed baseline.

mod lines;

use std::path::{Path, PathBuf};

use clap::Args;
use compare::gate::{Findings, Invariant, Limits, LineFindings, Outcome, not_counted};
use icount::counts::Profiled;
use icount::{callgrind, entries};
use results::{Baseline, LinesBaseline, LoopCount, RecordError, RunLock};
use wildmatch::WildMatch;

use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::provenance;
use crate::say::say;

#[derive(Args, Debug)]
#[command(after_help = "\
Counts every timed loop once under valgrind, in two processes side by side, and compares with
the committed baseline of this target and compiler. Counts are exact: they repeat from run to
run, and a loop may grow by --limit percent. What must not depend on the order of the
allocation is held to that whatever the baseline says.

Lines of descriptor are checked too, where qemu-x86_64 with plugins and gcc are installed: every
loop is traced, and none may touch or write more lines than lines.jsonl beside the baseline
allows. The function that touched the line is named.

Examples:
  cargo folioscope gate                         an optimised build, as it is timed
  cargo folioscope gate --markdown              a table for a pull request
  cargo folioscope gate --flamegraph /tmp/why   where the instructions of what moved go
  cargo folioscope gate --bless                 the current counts become the baseline

Exit codes: 0 within the limits, 3 beyond one, 2 could not be measured or compared.")]
pub(crate) struct GateArgs {
    /// Workloads by id; `*` and `?` match. May be given several times.
    #[arg(long, value_name = "GLOB")]
    workload: Vec<String>,
    /// Percent by which a loop without a limit of its own may grow.
    #[arg(long, value_name = "PERCENT", value_parser = crate::args::values::percent)]
    limit: Option<f64>,
    /// The baseline; that of this target and compiler in bench-results/baseline unless given.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Instructions alone: no loop is traced.
    #[arg(long)]
    no_lines: bool,
    /// Make the current counts the baseline, and print what changes.
    #[arg(long)]
    bless: bool,
    /// Markdown rather than plain text.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// One JSON object a line; the last is the summary.
    #[arg(long)]
    json: bool,
    /// Count an unoptimised build, whose counts say nothing about what is timed.
    #[arg(long, env = "FOLIOSCOPE_ALLOW_DEBUG", hide_env = true)]
    allow_debug: bool,
    /// Draw a flame graph of each loop that moved into this folder; of all, if none did.
    #[arg(long, value_name = "DIR")]
    flamegraph: Option<PathBuf>,
}

/// Which calls one of the counted processes makes.
#[derive(Args, Debug)]
pub(crate) struct EntryCallsArgs {
    /// Every SHARES-th row from this one on.
    #[arg(long)]
    share: usize,
    /// As with `gate`.
    #[arg(long)]
    workload: Vec<String>,
    /// The calls are traced, not counted.
    #[arg(long)]
    traced: bool,
}

/// Processes that count at the same time.
const SHARES: usize = 2;

pub(crate) fn run(args: &GateArgs, output: &mut Output) -> Result<Code, Failure> {
    provenance::optimised(args.allow_debug)?;
    let wanted = |workload: &str| is_wanted(&args.workload, workload);
    if !entries::all()
        .iter()
        .any(|(workload, _)| wanted(workload.id))
    {
        let globs = args.workload.join(", ");
        return Err(Failure::Usage(format!(
            "no timed workload is called {globs}: folioscope list"
        )));
    }
    let path = place(args)?;
    // Of two at once each would write what the other has not seen.
    let _alone = match args.bless {
        true => Some(alone(&path)?),
        false => None,
    };
    // Before the counting, which takes a while.
    let base = match (args.bless, path.exists()) {
        (_, true) => Some(comparable(&path)?),
        (true, false) => None,
        (false, false) => return Err(no_baseline(&path)),
    };
    let traced = match args.no_lines {
        true => None,
        false => lines::trace(args, &path)?,
    };
    let profiled = count(args)?;
    let counts: Vec<LoopCount> = profiled.iter().map(|one| one.count.clone()).collect();
    believable(old_counts(base.as_ref()), &counts, args.bless)?;
    same_valgrind(base.as_ref())?;
    let limits = args
        .limit
        .map_or(Limits::default(), |growth| Limits { growth });
    let old = old_counts(base.as_ref());
    let invariant: Vec<Invariant<'_>> = registry::contenders()
        .iter()
        .map(|design| Invariant {
            design: design.name,
            workloads: design.order_invariant,
        })
        .collect();
    let findings = Findings::of(old, &counts, limits, &invariant, &wanted);
    let line_findings = traced.as_ref().map(|traced| traced.findings(&wanted));
    if args.json {
        // The summary of instructions stays the last line.
        print_lines(args, line_findings.as_ref(), output)?;
        print(args, &findings, limits, &path, output)?;
    } else {
        print(args, &findings, limits, &path, output)?;
        print_lines(args, line_findings.as_ref(), output)?;
    }
    if let Some(folder) = &args.flamegraph {
        draw(folder, &findings, &profiled, args.json, output)?;
    }
    if args.bless {
        bless(&path, base.as_ref(), counts, &wanted)?;
        if !args.json {
            output.line(format_args!("blessed: {} is written", path.display()))?;
        }
        if let Some(traced) = traced {
            let path = traced.bless(&wanted)?;
            if !args.json {
                output.line(format_args!("blessed: {} is written", path.display()))?;
            }
        }
        return Ok(Code::Done);
    }
    let of_lines = line_findings.map_or(Outcome::Within, |found| found.outcome());
    Ok(match findings.outcome().and(of_lines) {
        Outcome::Within => Code::Done,
        Outcome::Beyond => Code::Beyond,
        Outcome::Incomplete => {
            output.finish()?;
            say!(
                "folioscope: loops are on one side only, so the gate cannot say that they are \
                 within limits; if that is meant: folioscope gate --bless"
            );
            Code::Usage
        }
    })
}

/// Prints the lines that moved, where lines were traced.
fn print_lines(
    args: &GateArgs,
    found: Option<&LineFindings>,
    output: &mut Output,
) -> Result<(), Failure> {
    let Some(found) = found else {
        return Ok(());
    };
    if !(args.json || args.markdown) {
        output.line("")?;
    }
    lines::print(args, found, output)
}

fn old_counts(base: Option<&Baseline>) -> &[LoopCount] {
    base.map_or(&[], |base| &base.counts)
}

/// Refuses counts that cannot be those of their loops. A loop that really became so much
/// cheaper is blessed; one that counts nothing never is.
fn believable(base: &[LoopCount], now: &[LoopCount], bless: bool) -> Result<(), Failure> {
    let base = if bless { &[] } else { base };
    let short = not_counted(base, now);
    let Some(first) = short.first() else {
        return Ok(());
    };
    Err(Failure::Usage(format!(
        "{} of {} loops were not counted as a whole, as by a valgrind that does not collect \
         what it is told; {first}",
        short.len(),
        now.len()
    )))
}

/// Warns where another valgrind counted the baseline.
fn same_valgrind(base: Option<&Baseline>) -> Result<(), Failure> {
    let Some(base) = base else { return Ok(()) };
    let ours = callgrind::version().map_err(|error| Failure::Usage(error.to_string()))?;
    if base.valgrind != ours {
        say!(
            "folioscope: the baseline was counted by {}, this is {ours}",
            base.valgrind
        );
    }
    Ok(())
}

/// Makes the calls of one share, and prints after each what it was.
pub(crate) fn calls(args: &EntryCallsArgs, output: &mut Output) -> Result<Code, Failure> {
    let watched = match args.traced {
        true => entries::Watched::ByTracer,
        false => entries::Watched::ByNobody,
    };
    let census = args.traced.then(entries::census);
    let rows: Vec<_> = entries::all()
        .into_iter()
        .chain(census.into_iter().flatten())
        .filter(|(workload, _)| is_wanted(&args.workload, workload.id))
        .skip(args.share)
        .step_by(SHARES)
        .collect();
    let mut said = Vec::new();
    entries::calls(&rows, &|_| true, watched, &mut |label| said.push(label))
        .map_err(|error| Failure::Wrong(error.to_string()))?;
    said.iter().try_for_each(|label| output.line(label))?;
    Ok(Code::Done)
}

fn is_wanted(globs: &[String], workload: &str) -> bool {
    globs.is_empty()
        || globs
            .iter()
            .any(|glob| WildMatch::new(glob).matches(workload))
}

/// The file of the baseline.
fn place(args: &GateArgs) -> Result<PathBuf, Failure> {
    if let Some(path) = &args.baseline {
        return Ok(path.clone());
    }
    if !is_optimised() {
        return Err(Failure::Usage(
            "refusing to count an unoptimised build; run cargo folioscope gate (or name a \
             baseline of its own with --baseline)"
                .to_owned(),
        ));
    }
    Ok(committed())
}

/// The committed baseline of this target and compiler.
fn committed() -> PathBuf {
    crate::run_dir::store().join(committed_file())
}

/// Its place in the store.
pub(super) fn committed_file() -> String {
    format!("baseline/{}", Baseline::file_name(target(), rustc()))
}

/// Reads a baseline, and refuses one whose counts cannot be compared with ours.
fn comparable(path: &Path) -> Result<Baseline, Failure> {
    let base = Baseline::read(path)?;
    let kind = |optimised| {
        if optimised {
            "an optimised build"
        } else {
            "an unoptimised build"
        }
    };
    let ours = [target(), rustc(), kind(is_optimised())];
    let theirs = [&base.target, &base.rustc, kind(base.optimised)];
    if ours == theirs {
        return Ok(base);
    }
    Err(Failure::Usage(format!(
        "{}: its counts are of another toolchain and cannot be compared:\n  \
         baseline: {}\n  this one: {}\n\
         build with that toolchain, or let this one have a baseline: folioscope gate --bless",
        path.display(),
        theirs.join(", "),
        ours.join(", "),
    )))
}

fn no_baseline(path: &Path) -> Failure {
    let folder = path.parent().unwrap_or(Path::new("."));
    let others: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains(".json") && name != LinesBaseline::FILE)
        .collect();
    let others = match others.is_empty() {
        true => String::new(),
        false => format!(
            "; there are those of other toolchains: {}",
            others.join(", ")
        ),
    };
    Failure::Usage(format!(
        "{}: there is no baseline for this target and compiler{others}. \
         Counts of one toolchain say nothing about another's: build with that of \
         rust-toolchain.toml, or make a baseline: folioscope gate --bless",
        path.display()
    ))
}

fn count(args: &GateArgs) -> Result<Vec<Profiled>, Failure> {
    let cannot = |error: &dyn std::fmt::Display| Failure::Usage(format!("not counted: {error}"));
    let program = std::env::current_exe().map_err(|error| cannot(&error))?;
    let symbols: Vec<String> = registry::entry_codes()
        .map_err(|error| cannot(&error))?
        .iter()
        .map(|code| code.symbol.clone())
        .collect();
    let runs: Vec<Vec<String>> = (0..SHARES)
        .map(|share| {
            let mut run = vec!["entry-calls".to_owned(), format!("--share={share}")];
            run.extend(
                args.workload
                    .iter()
                    .map(|glob| format!("--workload={glob}")),
            );
            run
        })
        .collect();
    icount::counts::count(&program, &runs, &symbols).map_err(|error| cannot(&error))
}

fn print(
    args: &GateArgs,
    findings: &Findings,
    limits: Limits,
    path: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    if args.json {
        let lines = render::gate_json(findings, limits);
        return lines.iter().try_for_each(|line| output.json(line));
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    let against = name.to_string_lossy();
    let page = render::gate_page(findings, limits, &against);
    output.page(&page, args.markdown)
}

fn draw(
    folder: &Path,
    findings: &Findings,
    profiled: &[Profiled],
    quietly: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let moved = |one: &&Profiled| {
        findings.moved.is_empty() || findings.moved.iter().any(|moved| moved.of == one.count.of)
    };
    for one in profiled.iter().filter(moved) {
        let file =
            icount::flame::draw(folder, &one.count.of, &one.stacks).map_err(Failure::Wrong)?;
        if !quietly {
            output.line(file.display())?;
        }
    }
    Ok(())
}

/// Takes the right to write the baselines of a folder, which is made where it is missing.
fn alone(baseline: &Path) -> Result<RunLock, Failure> {
    let folder = match baseline.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::Wrong(format!("{}: {error}", folder.display())))?;
    RunLock::take(folder).map_err(|error| match error {
        RecordError::Busy { process, .. } => Failure::Usage(format!(
            "{}: process {process} blesses a baseline there; try again once it has ended",
            folder.display()
        )),
        error => error.into(),
    })
}

/// Rewrites the baseline; what did not take part stays as it is, and so do limits.
fn bless(
    path: &Path,
    base: Option<&Baseline>,
    mut counts: Vec<LoopCount>,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<(), Failure> {
    for old in base.iter().flat_map(|base| &base.counts) {
        if !wanted(&old.of.workload) {
            counts.push(old.clone());
        } else if let Some(new) = counts.iter_mut().find(|new| new.of == old.of) {
            new.limit = old.limit;
        }
    }
    counts.sort_by(|a, b| a.of.cmp(&b.of));
    let baseline = Baseline {
        target: target().to_owned(),
        rustc: rustc().to_owned(),
        optimised: is_optimised(),
        valgrind: callgrind::version().map_err(|error| Failure::Usage(error.to_string()))?,
        counts,
    };
    Ok(baseline.write(path)?)
}

fn target() -> &'static str {
    env!("FOLIOSCOPE_TARGET")
}

fn rustc() -> &'static str {
    env!("FOLIOSCOPE_RUSTC")
}

/// The bench profile checks no overflow; a build that does is not what is timed.
fn is_optimised() -> bool {
    !cfg!(debug_assertions)
}
