//! The plan of a run, kept beside it until it is complete, so that it can be resumed.

use std::path::Path;

use crate::args::MeasureArgs;
use crate::failure::Failure;
use crate::say::say;
use crate::{kernels, provenance};
use measure::assignment::Cell;
use measure::plan::{PLAN_FILE, Plan};
use results::{ENV_FILE, Row, RowWriter, SAMPLES_FILE, Tail, read_environment, read_rows};

/// Writes the plan beside the run.
///
/// # Errors
/// A folder that cannot be written to.
pub(crate) fn write(plan: &Plan, folder: &Path) -> Result<(), Failure> {
    let text = serde_json::to_vec(plan).map_err(|error| Failure::Wrong(error.to_string()))?;
    Ok(results::write_whole(&folder.join(PLAN_FILE), &text)?)
}

/// Reads the plan that a run was begun with, and refuses arguments that ask for something else.
///
/// # Errors
/// [`Failure::Usage`] if the run is complete, damaged, made by another revision, or
/// the arguments differ.
pub(crate) fn read(folder: &Path, args: &MeasureArgs) -> Result<Plan, Failure> {
    let path = folder.join(PLAN_FILE);
    if path.exists() && !path.is_file() {
        // A pipe would be read for ever.
        return Err(Failure::Usage(format!(
            "{}: not a regular file",
            path.display()
        )));
    }
    let text = std::fs::read(&path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            return Failure::Usage(format!("{}: this run is complete", folder.display()));
        }
        Failure::Wrong(format!("{}: {error}", path.display()))
    })?;
    let plan: Plan = serde_json::from_slice(&text)
        .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    if let Some(flag) = differing(&plan, &kernels::named(args.change(plan.clone()))?) {
        return Err(Failure::Usage(format!(
            "{}: this run was begun with another {flag}; leave {flag} out, or begin a new run",
            folder.display()
        )));
    }
    let before = read_environment(&folder.join(ENV_FILE))?.git;
    if before != provenance::git() {
        return Err(Failure::Usage(format!(
            "{}: this run was begun with another build of the tool; rows of two builds do not mix: \
             build the same revision, or begin a new run",
            folder.display()
        )));
    }
    Ok(plan)
}

/// The flag of the first thing in which two plans differ: a plan's fields are named after
/// their flags.
fn differing(one: &Plan, other: &Plan) -> Option<String> {
    let fields = |plan| match serde_json::to_value(plan) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let other = fields(other);
    fields(one)
        .into_iter()
        .find(|(name, value)| other.get(name) != Some(value))
        .map(|(name, _)| format!("--{name}"))
}

/// Opens the rows of a run to be gone on with, without what is not whole.
///
/// # Errors
/// What the record refuses: a damaged line is not silently dropped.
pub(crate) fn writer(folder: &Path, cells: &[Cell], processes: u32) -> Result<RowWriter, Failure> {
    let path = folder.join(SAMPLES_FILE);
    if path.exists() {
        let rows = read_rows(&path, Tail::Drop)?;
        let before = rows.len();
        let kept = measure::resumable(rows, cells, processes);
        if kept.len() != before {
            rewrite(&path, &kept)?;
        }
    }
    let (writer, rows) = RowWriter::resume(&path)?;
    say!(
        "folioscope: going on with {}: {} rows are there",
        folder.display(),
        rows.len()
    );
    Ok(writer)
}

fn rewrite(path: &Path, rows: &[Row]) -> Result<(), Failure> {
    let mut text = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut text, row).map_err(|error| Failure::Wrong(error.to_string()))?;
        text.push(b'\n');
    }
    Ok(results::write_whole(path, &text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_plan_is_named_by_its_flag_when_it_differs() {
        use clap::CommandFactory;

        let plan = Plan::default();
        let other = |change: fn(&mut Plan)| {
            let mut other = plan.clone();
            change(&mut other);
            differing(&plan, &other).expect("they differ")
        };
        let flags = [
            other(|plan| plan.workload.push("*".to_owned())),
            other(|plan| plan.design.push("folio".to_owned())),
            other(|plan| plan.kernels.push("linux-6.12".to_owned())),
            other(|plan| plan.order.push(9)),
            other(|plan| plan.backing.push(hugemem::Backing::Thp)),
            other(|plan| plan.quick = true),
            other(|plan| plan.seed = 7),
            other(|plan| plan.processes = 9),
        ];
        assert_eq!(differing(&plan, &plan), None);
        let tool = crate::args::Cli::command();
        let measure = tool.find_subcommand("measure").expect("a command");
        for flag in flags {
            let is = |arg: &clap::Arg| arg.get_long() == flag.strip_prefix("--");
            assert!(measure.get_arguments().any(is), "{flag}");
        }
    }
}
