//! `folioscope kernel step`: what the timed loops execute in native kernels.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use compare::stepped::{count_pairs, stepped};
use hugemem::process;
use measure::assignment::Cell;
use measure::plan::Plan;
use measure::{Kernels, Stepped};
use native::{Bounds, Kernel};
use results::{Baseline, Param, Status, SteppedLoop, SteppedRecord};

use crate::args::StepArgs;
use crate::command::fidelity::refereed;
use crate::command::gate;
use crate::failure::{Code, Failure};
use crate::kernels;
use crate::output::Output;
use crate::run_dir;
use crate::say::say;

/// Time for one loop.
const TIME: Duration = Duration::from_secs(120);
/// Footprints beyond the first level of cache: the same code over more memory.
const LARGER: [&str; 2] = ["l2", "mem"];

pub(crate) fn run(args: &StepArgs, output: &mut Output) -> Result<Code, Failure> {
    let record = match &args.read {
        Some(path) => SteppedRecord::read(path)?,
        None => counted(args)?,
    };
    if let Some(path) = &args.out {
        record.write(path)?;
    }
    if args.json {
        record.loops.iter().try_for_each(|one| output.json(one))?;
        return Ok(Code::Done);
    }
    if args.patched || args.pairs {
        return print_patches(&record, args, output);
    }
    let table = render::stepped_loops(&record.loops);
    match args.markdown {
        true => output.text(table.markdown())?,
        false => output.table(&table)?,
    }
    Ok(Code::Done)
}

fn print_patches(
    record: &SteppedRecord,
    args: &StepArgs,
    output: &mut Output,
) -> Result<Code, Failure> {
    let found = stepped(record);
    if found.is_empty() {
        let why = "no patched kernel was counted beside the kernel that it was";
        return Err(Failure::Usage(why.to_owned()));
    }
    let tables = if args.pairs {
        let file = gate::committed_file();
        let models = Baseline::read(&run_dir::committed(&file)?.join(file))?;
        render::stepped_pairs(&count_pairs(&found, &models.counts, &refereed()))
    } else {
        render::stepped_patches(&found)
    };
    for (at, (table, sentence)) in tables.iter().enumerate() {
        if at > 0 {
            output.line("")?;
        }
        match args.markdown {
            true => output.text(table.markdown())?,
            false => output.table(table)?,
        }
        output.line(format_args!("\n{sentence}"))?;
    }
    Ok(Code::Done)
}

/// Counts the loops of the plan in the kernels.
fn counted(args: &StepArgs) -> Result<SteppedRecord, Failure> {
    let named = match args.kernels.as_slice() {
        [] => vec![kernels::ALL.to_owned()],
        names => names.to_vec(),
    };
    let built: Vec<Kernel> = kernels::of_built(&named)?;
    let plan = Plan {
        workload: args.workload.clone(),
        kernels: built.iter().map(Kernel::name).collect(),
        processes: 1,
        ..Plan::default()
    };
    let cells = plan
        .cells()
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let cells: Vec<&Cell> = cells.iter().filter(|cell| is_asked(cell)).collect();
    if cells.is_empty() {
        let why = "no such loop is counted: those over more memory than a cache, or under a \
                   model's rules, are not";
        return Err(Failure::Usage(why.to_owned()));
    }
    let bounds = Bounds {
        instructions: args.instructions,
        time: TIME,
    };
    let mut loops: Vec<SteppedLoop> = Vec::new();
    for (cell, found) in std::iter::zip(&cells, step_all(&cells, plan.seed, bounds)?) {
        for (kernel, counted) in found {
            match counted {
                Ok(one) => loops.push(one),
                Err(Status::Absent(why)) => say!("{}: {kernel}: -: {why}", cell.workload),
                Err(Status::Err(why)) => say!("{}: {kernel}: {why}", cell.workload),
                Err(Status::Ok) => {}
            }
        }
    }
    if loops.is_empty() {
        return Err(Failure::Wrong("no loop was counted".to_owned()));
    }
    let kernels = built.iter().map(|one| (one.name(), one.key.clone()));
    Ok(SteppedRecord {
        kernels: kernels.collect(),
        loops,
    })
}

/// The kernels of a cell, each with what was counted.
type Found = Vec<(String, Stepped)>;

/// Counts every cell, in order. Each CPU that we may use has kernels of its own: a process that is
/// stepped takes turns with us on one.
fn step_all(cells: &[&Cell], seed: u64, bounds: Bounds) -> Result<Vec<Found>, Failure> {
    let cpus = process::allowed_cpus().map_err(|error| Failure::Wrong(error.to_string()))?;
    let queue = Mutex::new(cells.iter().enumerate());
    let found = Mutex::new(Vec::new());
    let next = || queue.lock().ok().and_then(|mut queue| queue.next());
    thread::scope(|scope| {
        for &cpu in &cpus {
            let (next, found) = (&next, &found);
            scope.spawn(move || {
                // It counts as well from elsewhere, if more slowly.
                let _ = process::pin_to(cpu);
                let mut running = Kernels::default();
                while let Some((at, cell)) = next() {
                    say!("{} of {}: {}", at + 1, cells.len(), cell.workload);
                    let counted = measure::step(cell, seed, &mut running, bounds);
                    let stops = counted.is_err();
                    if let Ok(mut found) = found.lock() {
                        found.push((at, counted));
                    }
                    if stops {
                        break;
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_default();
    found.sort_by_key(|(at, _)| *at);
    let each = found.into_iter().map(|(_, counted)| counted);
    each.collect::<Result<_, _>>()
        .map_err(|error| Failure::Usage(error.to_string()))
}

/// Whether kernels are asked, and the count says something that another's does not.
fn is_asked(cell: &Cell) -> bool {
    let word = |name: &str| cell.params.get(name).map(Param::to_string);
    cell.value.is_none()
        && ["rules", "merge"].iter().all(|name| word(name).is_none())
        && word("unit").as_deref() != Some("user")
        && !word("footprint").is_some_and(|footprint| LARGER.contains(&footprint.as_str()))
}
