//! `folioscope diff RUN RUN`: what changed between two records.

use std::fs;
use std::path::{Path, PathBuf};

use report::{Diff, Floors, Summary};

use crate::args::DiffArgs;
use crate::command::report::summary;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::place;

pub(crate) fn run(args: &DiffArgs, output: &mut Output) -> Result<Code, Failure> {
    let old = summary(place::existing(&args.old)?)?;
    let new = summary(place::existing(&args.new)?)?;
    let floors = match &args.history {
        None => Floors::default(),
        Some(folder) => Floors::learn(&history(folder, &new)?),
    };
    let mut diff = Diff::between(&old, &new, &floors);
    if diff.rows.is_empty() {
        return Err(Failure::Usage(
            "the two runs have no row in common".to_owned(),
        ));
    }
    let beyond = args
        .threshold
        .map_or(0, |percent| diff.worse_by(percent / 100.0).count());
    if args.json {
        if args.changed {
            diff.rows
                .retain(|change| change.verdict != stats::Verdict::NoDifference);
        }
        output.text(report::diff_json_lines(&diff))?;
    } else {
        output.text(report::diff_mail(&diff))?;
    }
    if beyond == 0 {
        return Ok(Code::Done);
    }
    output.finish()?;
    let threshold = args.threshold.unwrap_or_default();
    eprintln!("folioscope: {beyond} rows are worse by more than {threshold} %");
    Ok(Code::Beyond)
}

/// The runs below a folder that were made on the machine of `run`, oldest first.
///
/// # Errors
/// A folder that cannot be read or holds none, a damaged record in it.
fn history(folder: &Path, run: &Summary) -> Result<Vec<Summary>, Failure> {
    let mut runs = Vec::new();
    for place in folders(folder)? {
        let past = summary(&place)?;
        if past.env.cpu_model == run.env.cpu_model && past.env.kernel == run.env.kernel {
            runs.push(past);
        }
    }
    if runs.is_empty() {
        let folder = folder.display();
        return Err(Failure::Usage(format!(
            "{folder}: no run of this machine is in it"
        )));
    }
    runs.sort_by(|a, b| a.env.date_utc.cmp(&b.env.date_utc));
    Ok(runs)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::Usage(format!("{}: {error}", folder.display()));
    let mut runs = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.join(record::ENV_FILE).is_file() {
            runs.push(path);
        }
    }
    Ok(runs)
}
