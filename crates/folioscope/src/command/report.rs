//! `folioscope report RUN`: the mail text of a record.

use std::path::Path;

use record::{REPORT_FILE, Run, Tail};
use report::{Context, Summary, WorkloadNote};

use crate::args::ReportArgs;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::place;

pub(crate) fn run(args: &ReportArgs, output: &mut Output) -> Result<Code, Failure> {
    let summary = summary(place::existing(&args.run)?)?;
    if args.json {
        output.text(report::json_lines(&summary))?;
    } else if args.markdown {
        output.text(report::markdown(&summary, &context()))?;
    } else {
        output.text(write(&args.run, &summary)?)?;
    }
    Ok(Code::Done)
}

/// Reads a run and sums it up. An interrupted run is read as far as it is whole.
///
/// # Errors
/// A record that is damaged, with file, line and field.
pub(crate) fn summary(folder: &Path) -> Result<Summary, Failure> {
    let env = record::read_environment(&folder.join(record::ENV_FILE))?;
    let tail = if env.finished {
        Tail::Refuse
    } else {
        Tail::Drop
    };
    let run = Run::load(folder, tail)?;
    if run.rows.is_empty() {
        return Err(Failure::Usage(format!(
            "{}: nothing was measured in this run; go on with it: folioscope compare --resume --out {0}",
            folder.display()
        )));
    }
    Ok(Summary::from_run(&run))
}

/// Writes the mail text of a run beside it, and answers it.
///
/// # Errors
/// If the disk refuses.
pub(crate) fn write(folder: &Path, summary: &Summary) -> Result<String, Failure> {
    let text = report::mail(summary, &context());
    record::write_whole(&folder.join(REPORT_FILE), text.as_bytes())?;
    Ok(text)
}

/// What the report needs and no record holds: the workloads' own words.
pub(crate) fn context() -> Context {
    let note = |workload: &&workloads::Workload| WorkloadNote {
        id: workload.id.to_owned(),
        question: workload.asks.to_owned(),
        favours: workload.favours.to_owned(),
        unfair: workload.unfair.to_owned(),
    };
    Context {
        notes: registry::workloads().iter().map(note).collect(),
        fidelity: None,
    }
}
