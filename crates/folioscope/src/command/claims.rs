//! `folioscope claims`: the claims of the thread and their verdicts.

mod check;

use std::path::{Path, PathBuf};

use compare::Summary;
use compare::claims::Records;
use results::{CLAIMS_FILE, Run, kept_with_kernels};

use crate::args::ClaimsArgs;
use crate::command::report::summary;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::run_dir::{self, Among};

pub(crate) fn run(
    args: &ClaimsArgs,
    start: std::time::Instant,
    output: &mut Output,
) -> Result<Code, Failure> {
    let records = records()?;
    if let Some(id) = args.check {
        return check::run(id, args, &records, start, output);
    }
    let folder = match &args.run {
        Some(run) => run_dir::existing(run)?.to_owned(),
        None => run_dir::with_kernels(Among::Kept)?,
    };
    let judged = records.judge_beside(&summary(&folder)?, &others(&folder)?);
    if args.json {
        output.text(render::claims_json(&judged))?;
    } else if args.markdown {
        output.text(render::claims_markdown(&judged))?;
    } else {
        output.text(render::claims_text(&judged, &name(&folder)))?;
    }
    Ok(Code::Done)
}

/// The claims and the records that they rest on.
///
/// # Errors
/// [`Failure::Usage`] outside of a checkout, and for a record that does not read.
pub(crate) fn records() -> Result<Records, Failure> {
    let store = run_dir::store();
    if !store.join(CLAIMS_FILE).is_file() {
        return Err(Failure::Usage(format!(
            "{}: no claims; run it in a checkout of folioscope",
            store.join(CLAIMS_FILE).display()
        )));
    }
    Ok(Records::read(&store)?)
}

/// The other kept runs with kernels, the newest first, each under its name in the store.
pub(crate) fn others(judged: &Path) -> Result<Vec<(String, Summary)>, Failure> {
    let store = run_dir::store();
    let (here, below) = (judged.canonicalize().ok(), &store);
    let other = |(folder, run): (PathBuf, Run)| {
        let name = folder.strip_prefix(below).unwrap_or(&folder).display();
        (folder.canonicalize().ok() != here).then(|| (name.to_string(), Summary::from_run(&run)))
    };
    let runs = kept_with_kernels(&store)?;
    Ok(runs.into_iter().filter_map(other).collect())
}

/// Names a run for the reader.
fn name(folder: &Path) -> String {
    folder.display().to_string()
}
