//! What the loops of native kernels execute and touch, as counts.

use native::{Bounds, RunError};
use results::{Status, SteppedLoop};

use crate::assignment::{Assignment, Cell};
use crate::cell::{answer, kernels_of, of_kernel, setup, status_of};
use crate::kernel::{KernelJob, Kernels};

/// Calls before the one that is counted: caches of the kernel's own (stocks, free lists) are
/// then in the state in which they are timed.
const BEFORE: usize = 3;

/// Counts one call of a cell's loop in each kernel that takes part, after its answer was
/// checked. An error says why there is no count, as a row of a run would.
#[must_use]
pub fn step(
    cell: &Cell,
    seed: u64,
    kernels: &mut Kernels,
    bounds: Bounds,
) -> Vec<(String, Result<SteppedLoop, Status>)> {
    let assignment = Assignment::only(cell, seed);
    let names = kernels_of(cell);
    let all = |status: &Status| {
        let one = |name: &&str| ((*name).to_owned(), Err(status.clone()));
        names.iter().map(one).collect()
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
    let entered = kernels.enter(&names, workload, &setup);
    std::iter::zip(&names, entered)
        .map(|(name, mut entered)| {
            for _ in 0..BEFORE {
                let status = answer(of_kernel(&mut entered), expected);
                if !matches!(status, Status::Ok) {
                    return ((*name).to_owned(), Err(status));
                }
            }
            let counted = entered.and_then(|mut job| one(name, cell, &mut job, bounds));
            ((*name).to_owned(), counted)
        })
        .collect()
}

fn one(
    name: &str,
    cell: &Cell,
    job: &mut KernelJob<'_>,
    bounds: Bounds,
) -> Result<SteppedLoop, Status> {
    let traffic = job.step(bounds).map_err(|error| match error {
        RunError::Step(why) => Status::Absent(why.to_string()),
        error => Status::Err(error.to_string()),
    })?;
    Ok(SteppedLoop {
        kernel: name.to_owned(),
        workload: cell.workload.clone(),
        params: cell.params.clone(),
        unit: cell.unit.clone(),
        elements: workloads::Job::elements(job),
        instructions: traffic.instructions,
        loads: traffic.loads,
        stores: traffic.stores,
        lines: traffic.lines,
        written: traffic.written,
        descriptor_lines: traffic.descriptor_lines,
        descriptor_written: traffic.descriptor_written,
    })
}
