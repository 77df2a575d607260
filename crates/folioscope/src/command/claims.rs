//! `folioscope claims`: the claims of the thread and their verdicts.

mod check;

use std::path::Path;

use compare::claims::Records;
use results::CLAIMS_FILE;

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
    let run = summary(&folder)?;
    let judged = records.judge(Some(&run));
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

/// Names a run for the reader.
fn name(folder: &Path) -> String {
    folder.display().to_string()
}
