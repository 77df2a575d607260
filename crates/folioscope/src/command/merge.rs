//! `folioscope merge RUN... --out DIR`: runs of several machines in one store.

use std::collections::BTreeMap;

use results::{Store, Stored};

use crate::args::MergeArgs;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::run_dir;

pub(crate) fn run(args: &MergeArgs, output: &mut Output) -> Result<Code, Failure> {
    let mut added: Vec<Stored> = run_dir::stored(&args.runs)?.runs;
    if let Some(machine) = &args.machine {
        for run in &mut added {
            run.machine.clone_from(machine);
        }
    }
    let there = if args.out.is_dir() {
        Store::below(&args.out)?.runs
    } else {
        Vec::new()
    };
    // Every run is checked against every other before anything is written.
    Store::of(there.iter().chain(&added).cloned().collect())?;
    apart(there.iter().chain(&added))?;
    for run in &added {
        output.line(run.copy_into(&args.out)?.display())?;
    }
    Ok(Code::Done)
}

/// Refuses to put runs of two machines under one name: a store tells machines apart by name.
fn apart<'a>(runs: impl Iterator<Item = &'a Stored>) -> Result<(), Failure> {
    let mut known: BTreeMap<&str, &Stored> = BTreeMap::new();
    for run in runs {
        let first = known.entry(&run.machine).or_insert(run);
        if !first.run.env.may_be_one_machine(&run.run.env) {
            return Err(Failure::Usage(format!(
                "{} and {} are of two machines, and both would be called {}:\n  {}\n  {}\n\
                 merge them one by one, each with a name: --machine NAME",
                first.run.dir.display(),
                run.run.dir.display(),
                run.machine,
                first.run.env.machine(),
                run.run.env.machine(),
            )));
        }
    }
    Ok(())
}
