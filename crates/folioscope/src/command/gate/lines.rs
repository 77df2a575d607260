//! The gate on lines of descriptor: every timed loop traced, against the committed record.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use compare::gate::{LineFindings, not_traced};
use icount::loop_lines::{self, NoTrace};
use results::{LinesBaseline, LoopLines};

use super::{GateArgs, SHARES, is_optimised};
use crate::failure::Failure;
use crate::output::Output;
use crate::say::say;

/// The traced loops, and the record that they are held to.
pub(super) struct Traced {
    path: PathBuf,
    base: Option<LinesBaseline>,
    now: LinesBaseline,
}

/// Traces all loops. `None`, with a message, where this machine cannot: instructions are gated all
/// the same.
pub(super) fn trace(args: &GateArgs, instructions: &Path) -> Result<Option<Traced>, Failure> {
    let path = instructions.with_file_name(LinesBaseline::FILE);
    let traced = match count(&args.workload) {
        Ok(traced) => traced,
        Err(
            missing
            @ (NoTrace::NoEmulator { .. } | NoTrace::NoPlugins { .. } | NoTrace::NoCompiler),
        ) => {
            say!("folioscope: instructions alone are gated, lines are not: {missing}");
            return Ok(None);
        }
        Err(error) => return Err(Failure::Usage(format!("lines were not traced: {error}"))),
    };
    let base = match (args.bless, path.exists()) {
        (_, true) => Some(comparable(&path, args.bless)?),
        (true, false) => None,
        (false, false) => {
            return Err(Failure::Usage(format!(
                "{}: there is no record of the lines that loops touch; make one: \
                 folioscope gate --bless",
                path.display()
            )));
        }
    };
    let (emulator, loops) = traced;
    let now = LinesBaseline {
        emulator,
        optimised: is_optimised(),
        loops,
    };
    let traced = Traced { path, base, now };
    traced.believable(args.bless)?;
    Ok(Some(traced))
}

/// The emulator's version, and the lines of every loop of these workloads.
fn count(workloads: &[String]) -> Result<(String, Vec<LoopLines>), NoTrace> {
    let cannot = |error: &dyn std::fmt::Display| NoTrace::Malformed(error.to_string());
    let program = std::env::current_exe().map_err(|error| cannot(&error))?;
    let codes = registry::entry_codes().map_err(|error| cannot(&error))?;
    let loops: BTreeSet<&str> = codes.iter().map(|code| code.name.as_str()).collect();
    let runs: Vec<Vec<String>> = (0..SHARES)
        .map(|share| {
            let fixed = ["entry-calls".to_owned(), "--traced".to_owned()];
            let wanted = workloads.iter().map(|glob| format!("--workload={glob}"));
            let share = [format!("--share={share}")];
            fixed.into_iter().chain(share).chain(wanted).collect()
        })
        .collect();
    loop_lines::count(&program, &runs, &loops)
}

/// Reads a record, and refuses one of another kind of build, unless it is to be replaced.
fn comparable(path: &Path, bless: bool) -> Result<LinesBaseline, Failure> {
    let base = LinesBaseline::read(path)?;
    if base.optimised == is_optimised() || bless {
        return Ok(base);
    }
    let kind = |optimised| if optimised { "an" } else { "an un" };
    Err(Failure::Usage(format!(
        "{}: its lines are those of {} optimised build, this is {} optimised one; let it have a \
         record of its own: folioscope gate --bless",
        path.display(),
        kind(base.optimised),
        kind(is_optimised()),
    )))
}

impl Traced {
    fn base(&self) -> &[LoopLines] {
        self.base.as_ref().map_or(&[], |base| &base.loops)
    }

    /// Refuses a trace that cannot be that of its loops.
    fn believable(&self, bless: bool) -> Result<(), Failure> {
        let base = if bless { &[] } else { self.base() };
        let blind = not_traced(base, &self.now.loops);
        let Some(first) = blind.first() else {
            return Ok(());
        };
        Err(Failure::Usage(format!(
            "{} of {} loops touched no descriptor, as where the tracer is not told where they \
             are; {first}; if that is meant: folioscope gate --bless",
            blind.len(),
            self.now.loops.len()
        )))
    }

    /// Compares with the record.
    pub(super) fn findings(&self, wanted: &dyn Fn(&str) -> bool) -> LineFindings {
        LineFindings::of(self.base(), &self.now.loops, wanted)
    }

    /// Rewrites the record; loops that did not take part stay as they are.
    pub(super) fn bless(mut self, wanted: &dyn Fn(&str) -> bool) -> Result<PathBuf, Failure> {
        let base = self.base.take().into_iter().flat_map(|base| base.loops);
        let others = base.filter(|old| !wanted(&old.of.workload));
        self.now.loops.extend(others);
        self.now.loops.sort_by(|a, b| a.of.cmp(&b.of));
        self.now.write(&self.path)?;
        Ok(self.path)
    }
}

/// Prints what moved.
pub(super) fn print(
    args: &GateArgs,
    found: &LineFindings,
    output: &mut Output,
) -> Result<(), Failure> {
    if args.json {
        let lines = render::gate_lines_json(found);
        return lines.iter().try_for_each(|line| output.json(line));
    }
    let page = render::gate_lines_page(found, LinesBaseline::FILE);
    output.page(&page, args.markdown)
}
