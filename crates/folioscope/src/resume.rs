//! The plan of a run, kept beside it until it is complete, so that it can be resumed.

use std::path::Path;

use crate::args::MeasureArgs;
use crate::failure::Failure;
use crate::kernels;
use crate::say::say;
use measure::assignment::Cell;
use measure::plan::{PLAN_FILE, Plan};
use results::{
    Difference, ENV_FILE, Environment, Row, RowWriter, SAMPLES_FILE, Tail, read_environment,
    read_rows,
};

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
/// [`Failure::Usage`] if the run is complete, damaged, made by another build, on another machine
/// or kernel, or the arguments differ.
pub(crate) fn read(
    folder: &Path,
    args: &MeasureArgs,
    here: &Environment,
) -> Result<(Plan, Environment), Failure> {
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
    let before = read_environment(&folder.join(ENV_FILE))?;
    if before.git != here.git {
        return Err(Failure::Usage(format!(
            "{}: this run was begun with another build of the tool; rows of two builds do not mix: \
             build the same revision, or begin a new run",
            folder.display()
        )));
    }
    if let Some(other) = not_alike(&before, here) {
        return Err(Failure::Usage(format!(
            "{}: this run was begun with another {}; rows of two do not mix: go on where it was \
             begun, or begin a new run\n  begun with: {}\n  here:       {}",
            folder.display(),
            other.what,
            other.old,
            other.new,
        )));
    }
    Ok((plan, before))
}

/// The first difference between two environments whose rows cannot be of one run.
fn not_alike(before: &Environment, here: &Environment) -> Option<Difference> {
    // The plan says how long and how often, whatever the environment of now.
    let of_plan = ["length", "processes"];
    before
        .differences(here)
        .into_iter()
        .find(|difference| !of_plan.contains(&difference.what))
}

/// The flag of the first field in which two plans differ: a plan's fields are named after
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

/// Opens the rows of a run to be resumed, without those that are not whole.
///
/// # Errors
/// As the record is refused: a damaged line is not silently dropped.
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
        "folioscope: resuming {}, which has {} rows",
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
    fn rows_of_two_machines_kernels_compilers_or_profiles_do_not_mix() {
        let begun = Environment::unknown();
        let other = |change: fn(&mut Environment)| {
            let mut here = begun.clone();
            change(&mut here);
            not_alike(&begun, &here).map(|difference| difference.what)
        };
        assert_eq!(other(|_| {}), None);
        assert_eq!(other(|env| env.processes = 9), None);
        assert_eq!(other(|env| env.cpu_model.push('X')), Some("machine"));
        assert_eq!(other(|env| env.kernel.push('X')), Some("kernel"));
        assert_eq!(other(|env| env.rustc.push('X')), Some("compiler"));
        let debug = |env: &mut Environment| env.profile = Some(Environment::DEBUG.to_owned());
        assert_eq!(other(debug), Some("profile"));
        assert_eq!(other(|env| env.thp = Some("never".to_owned())), Some("THP"));
    }

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
            other(|plan| plan.param.push("count=64".to_owned())),
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
