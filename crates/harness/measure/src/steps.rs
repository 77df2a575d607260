//! What the loops of native kernels execute and touch, as counts.

use native::{Bounds, RunError, StepError};
use results::look::stock_of;
use results::{Status, SteppedLoop};
use workloads::Job as _;

use crate::assignment::{Assignment, Cell};
use crate::cell::{answer, kernels_of, of_kernel, setup, status_of};
use crate::kernel::{KernelJob, Kernels};

/// Calls before the one that is counted: caches of the kernel's own (stocks, free lists) are
/// then in the state in which they are timed.
const BEFORE: usize = 3;
/// The IOs of a loop that are counted, the first ones: the code is the same for all.
const IOS: usize = 4;

/// A loop of a kernel, or why there is no count.
pub type Stepped = Result<SteppedLoop, Status>;

/// Counts one call of a cell's loop in each kernel that takes part, after its answer was
/// checked. A status says why there is no count, as in a row of a run.
///
/// # Errors
/// [`StepError::NotAllowed`]: nothing can be counted on this host.
pub fn step(
    cell: &Cell,
    seed: u64,
    kernels: &mut Kernels,
    bounds: Bounds,
) -> Result<Vec<(String, Stepped)>, StepError> {
    let assignment = Assignment::only(cell, seed);
    let names = kernels_of(cell);
    let all = |status: &Status| {
        let one = |name: &&str| ((*name).to_owned(), Err(status.clone()));
        Ok(names.iter().map(one).collect())
    };
    let workload = match registry::workload(&cell.workload) {
        Ok(workload) => workload,
        Err(unknown) => return all(&Status::Err(unknown.to_string())),
    };
    let setup = setup(&assignment, cell);
    let expected = match workload.expected(&setup) {
        Ok(expected) => expected,
        Err(error) => return all(&status_of(&error)),
    };
    kernels.ios = None;
    let entered = kernels.enter(&names, workload, &setup);
    let checked: Vec<Status> = entered
        .into_iter()
        .map(|mut entered| answer(of_kernel(&mut entered), expected))
        .collect();
    kernels.ios = Some(IOS);
    let entered = kernels.enter(&names, workload, &setup);
    let mut found = Vec::new();
    // Stock kernels that take too long, whose patched ones would too.
    let mut long: Vec<&str> = Vec::new();
    for ((name, entered), checked) in std::iter::zip(&names, entered).zip(checked) {
        let counted = match checked {
            Status::Ok if long.contains(&stock_of(name)) => {
                Err(Status::Absent(format!("as {}", stock_of(name))))
            }
            Status::Ok => match entered {
                Ok(mut job) => one(name, cell, &mut job, bounds)?,
                Err(status) => Err(status),
            },
            status => Err(status),
        };
        if let Err(Status::Absent(_)) = counted {
            long.push(name);
        }
        found.push(((*name).to_owned(), counted));
    }
    Ok(found)
}

fn one(
    name: &str,
    cell: &Cell,
    job: &mut KernelJob<'_>,
    bounds: Bounds,
) -> Result<Stepped, StepError> {
    for _ in 0..BEFORE {
        let raw = job.run(1);
        job.checksum(raw);
    }
    let traffic = match job.step(bounds) {
        Ok(traffic) => traffic,
        Err(RunError::Step(no @ StepError::NotAllowed(_))) => return Err(no),
        Err(RunError::Step(why)) => return Ok(Err(Status::Absent(why.to_string()))),
        Err(error) => return Ok(Err(Status::Err(error.to_string()))),
    };
    Ok(Ok(SteppedLoop {
        kernel: name.to_owned(),
        workload: cell.workload.clone(),
        params: cell.params.clone(),
        unit: cell.unit.clone(),
        elements: job.elements(),
        instructions: traffic.instructions,
        loads: traffic.loads,
        stores: traffic.stores,
        lines: traffic.lines,
        written: traffic.written,
        descriptor_lines: traffic.descriptor_lines,
        descriptor_written: traffic.descriptor_written,
    }))
}
