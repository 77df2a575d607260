//! `folioscope merge RUN... --out DIR`: runs of several machines in one store.

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
    // Everything is held against everything before anything is written.
    Store::of(there.into_iter().chain(added.iter().cloned()).collect())?;
    for run in &added {
        output.line(run.copy_into(&args.out)?.display())?;
    }
    Ok(Code::Done)
}
