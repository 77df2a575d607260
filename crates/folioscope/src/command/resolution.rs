//! `folioscope resolution FILE...`: the table of a sensitivity study, for the documents.

use std::fs;
use std::path::Path;

use compare::Resolution;
use compare::lockstep::StudyLine;
use render::{lockstep_study, resolution_table};
use results::LockstepRecord;

use crate::args::ResolutionArgs;
use crate::failure::{Code, Failure};
use crate::output::Output;

pub(crate) fn run(args: &ResolutionArgs, output: &mut Output) -> Result<Code, Failure> {
    match &args.files[..] {
        [file] if !is_of_lockstep(file) => output.text(resolution_table(&study(file)?))?,
        files => {
            let records = files.iter().map(|file| LockstepRecord::read(file));
            let records = records.collect::<Result<Vec<_>, _>>()?;
            output.text(lockstep_study(&StudyLine::of(&records)))?;
        }
    }
    Ok(Code::Done)
}

/// Whether the first line of a file is that of a comparison in lock-step.
fn is_of_lockstep(file: &Path) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    serde_json::from_str::<serde_json::Value>(first).is_ok_and(|line| line.get("old").is_some())
}

/// The lines of a study of `diff RUN RUN`.
fn study(path: &Path) -> Result<Vec<Resolution>, Failure> {
    let file = path.display();
    let text =
        fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{file}: {error}")))?;
    text.lines()
        .enumerate()
        .map(|(at, line)| {
            serde_json::from_str(line)
                .map_err(|error| Failure::Usage(format!("{file}:{}: {error}", at + 1)))
        })
        .collect()
}
