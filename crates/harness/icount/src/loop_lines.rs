//! The lines of descriptor that one call of every timed loop touches, and the functions that
//! touch them first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::thread;

use results::{Class, LoopLines};
use trace::program;

pub use trace::NoTrace;

use crate::origin::Origin;

/// Runs `program` under the tracer once for each of `runs`, its arguments, all at the same time.
/// Each must make the calls of [`entries::calls`](crate::entries::calls), watched by the tracer,
/// and print the label of each. `loops` are the names of the loops' functions.
///
/// # Errors
/// [`NoTrace`].
pub fn count(
    program: &Path,
    runs: &[Vec<String>],
    loops: &BTreeSet<&str>,
) -> Result<(String, Vec<LoopLines>), NoTrace> {
    let traced: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = runs
            .iter()
            .map(|args| scope.spawn(move || one(program, args, loops)))
            .collect();
        let given_up = |_| Err(NoTrace::Malformed("tracing was given up".to_owned()));
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|done| done.unwrap_or_else(given_up)).collect()
    });
    let mut emulator = String::new();
    let mut all = Vec::new();
    for traced in traced {
        let (version, lines) = traced?;
        emulator = version;
        all.extend(lines);
    }
    all.sort_by(|a: &LoopLines, b| a.of.cmp(&b.of));
    if let Some(twice) = all.windows(2).find(|two| two[0].of == two[1].of) {
        let twice = format!("{} was called twice", twice[0].of);
        return Err(NoTrace::Malformed(twice));
    }
    Ok((emulator, all))
}

fn one(
    program: &Path,
    args: &[String],
    loops: &BTreeSet<&str>,
) -> Result<(String, Vec<LoopLines>), NoTrace> {
    let traced = program::trace(program, args, |name| loops.contains(name))?;
    let origin = Origin::of(program).map_err(NoTrace::Malformed)?;
    let labels: Vec<&str> = traced.output.lines().collect();
    if labels.len() != traced.sections.len() {
        return Err(NoTrace::Malformed(format!(
            "{} calls were announced and {} were traced: is a loop inlined?",
            labels.len(),
            traced.sections.len()
        )));
    }
    let mut all = Vec::new();
    for (label, section) in labels.into_iter().zip(&traced.sections) {
        let (of, units) = label
            .rsplit_once(' ')
            .and_then(|(of, units)| Some((of.parse().ok()?, units.parse().ok()?)))
            .ok_or_else(|| NoTrace::Malformed(format!("not the label of a call: `{label}`")))?;
        let mut functions: BTreeMap<String, u32> = BTreeMap::new();
        for &(distance, lines) in &section.from {
            let function = origin.function_at(traced.base + distance);
            *functions.entry(function).or_default() += lines;
        }
        let lines = section.traffic.of(Class::Descriptor);
        all.push(LoopLines {
            of,
            elements: units,
            lines: lines.lines,
            written: lines.written,
            functions,
        });
    }
    Ok((traced.emulator, all))
}
