//! `folioscope diff RUN RUN`: what changed between two records. Two programs are
//! [`lockstep`]'s.

use std::path::{Path, PathBuf};

use compare::{Diff, Floors, Summary};
use results::Environment;

use crate::args::DiffArgs;
use crate::command::lockstep;
use crate::command::report::summary;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::run_dir;
use crate::say::say;

pub(crate) fn run(args: &DiffArgs, output: &mut Output) -> Result<Code, Failure> {
    let is_program = |path: &Option<PathBuf>| path.as_deref().is_some_and(Path::is_file);
    if args.programs.against.is_some() || is_program(&args.old) || is_program(&args.new) {
        if args.across || args.history.is_some() {
            return Err(Failure::Usage(
                "--across and --history are about two runs, not about two programs".to_owned(),
            ));
        }
        return lockstep::run(args, output);
    }
    let (Some(old), Some(new)) = (&args.old, &args.new) else {
        return Err(Failure::Usage(
            "two runs are compared: folioscope diff RUN RUN; or two programs, or --against REV"
                .to_owned(),
        ));
    };
    runs(args, [old, new], output)
}

/// Compares two records.
fn runs(args: &DiffArgs, [old, new]: [&PathBuf; 2], output: &mut Output) -> Result<Code, Failure> {
    let old = summary(run_dir::existing(old)?)?;
    let new = summary(run_dir::existing(new)?)?;
    if let Some(flag) = args.programs.given() {
        return Err(Failure::Usage(format!(
            "{flag} is about two programs, and these are two runs"
        )));
    }
    if args.markdown {
        return Err(Failure::Usage(
            "--markdown is about two programs, and these are two runs".to_owned(),
        ));
    }
    if old.env.machine() != new.env.machine() && !args.across {
        return Err(Failure::Usage(format!(
            "the runs are of two machines, whose times cannot be compared:\n  {}\n  {}\n\
             --across compares what each design took beside the reference in its own run",
            old.env.machine(),
            new.env.machine(),
        )));
    }
    let floors = Floors::learn(&history(args, &old, &new)?);
    let mut diff = Diff::between(&old, &new, &floors);
    if diff.rows.is_empty() {
        return Err(Failure::Usage(
            "the two runs have no row in common".to_owned(),
        ));
    }
    let beyond = args
        .threshold
        .map_or(0, |percent| diff.worse_by(percent / 100.0).count());
    if args.changed {
        diff.rows
            .retain(|change| change.verdict != stats::Verdict::NoDifference);
    }
    match (args.json, args.changed) {
        (true, _) => output.text(render::diff_json_lines(&diff))?,
        (false, true) => output.text(render::diff_changed(&diff))?,
        (false, false) => output.text(render::diff_mail(&diff))?,
    }
    output.finish()?;
    let unjudged = diff.unjudged();
    for reason in &unjudged {
        say!("folioscope: {reason}");
    }
    Ok(match (beyond, unjudged.is_empty()) {
        (0, true) => Code::Done,
        (0, false) => Code::Usage,
        (beyond, _) => {
            let threshold = args.threshold.unwrap_or_default();
            say!("folioscope: {beyond} rows are worse by more than {threshold} %");
            Code::Beyond
        }
    })
}

/// Past runs of a machine that a row's floor rests on: the latest.
const PAST: usize = 20;

/// The past runs of the machine of the second run, oldest first: those in the store, or in
/// the folder that was named. The runs being compared do not count as past.
///
/// # Errors
/// A damaged record; a folder that was named and holds none.
fn history(args: &DiffArgs, old: &Summary, new: &Summary) -> Result<Vec<Summary>, Failure> {
    let folder = args.history.clone().unwrap_or_else(run_dir::store);
    let folders = if folder.is_dir() || args.history.is_some() {
        results::run_folders(&folder)?
    } else {
        Vec::new()
    };
    let alike = |past: &Environment| {
        past.finished
            && past.machine() == new.env.machine()
            && past.kernel == new.env.kernel
            && past.quick == new.env.quick
            && *past != old.env
            && *past != new.env
    };
    let mut past: Vec<(String, PathBuf)> = Vec::new();
    for run in folders {
        let env = results::read_environment(&run.join(results::ENV_FILE))?;
        if alike(&env) {
            past.push((env.date_utc, run));
        }
    }
    if past.is_empty() && args.history.is_some() {
        return Err(Failure::Usage(format!(
            "{}: no other run of this machine and kernel is in it",
            folder.display()
        )));
    }
    past.sort();
    let latest = past.split_off(past.len().saturating_sub(PAST));
    latest.iter().map(|(_, run)| summary(run)).collect()
}
