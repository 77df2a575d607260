//! Counts of the instructions and lines of native kernels' loops.

use std::cmp;

use native::{Bounds, RunError, StepError, Traffic};
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

/// Instructions of a call beside which the dozen around it are next to nothing.
const MUCH: u64 = 20_000;
/// Instructions around a call, and those that a second call may execute more or less.
const AROUND: u64 = 64;
/// Counts of a call, one of which should be free of what the kernel does beside it.
const TRIES: usize = 4;

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
    let traffic = match one_call(job.is_once(), |calls| job.count(calls, bounds)) {
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

/// Counts one call by `count`, which counts as many as it is asked for; `once` where that is one
/// only. Where two calls are not twice one, work of the kernel's own fell into a count.
fn one_call<E>(once: bool, mut count: impl FnMut(u64) -> Result<Traffic, E>) -> Result<Traffic, E> {
    let mut first = count(1)?;
    if once || first.instructions > MUCH {
        return Ok(first);
    }
    // What is around the calls is taken twice, and goes.
    let mut both = count(2)?;
    for _ in 1..TRIES {
        if both.instructions.abs_diff(2 * first.instructions) <= AROUND {
            break;
        }
        // It only adds.
        let least = |a: Traffic, b| cmp::min_by_key(a, b, |one| one.instructions);
        first = least(first, count(1)?);
        both = least(both, count(2)?);
    }
    Ok(Traffic {
        instructions: both.instructions.saturating_sub(first.instructions),
        loads: both.loads.saturating_sub(first.loads),
        stores: both.stores.saturating_sub(first.stores),
        ..first
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts a call of 219 instructions, 12 around it, and what else the kernel did in each
    /// count; returns the result and how many counts it took.
    fn counted(once: bool, each: u64, beside: &[u64]) -> (u64, usize) {
        let mut made = 0;
        let count = |calls| {
            let other = beside.get(made).copied().unwrap_or(0);
            made += 1;
            Ok::<_, ()>(Traffic {
                instructions: 12 + calls * each + other,
                ..Traffic::default()
            })
        };
        let one = one_call(once, count).unwrap();
        (one.instructions, made)
    }

    #[test]
    fn work_beside_a_call_is_not_its_own_and_what_is_around_goes() {
        assert_eq!(counted(false, 219, &[]), (219, 2));
        // In the second count, in the first, in both.
        for beside in [&[0, 5370][..], &[2279], &[2279, 5370]] {
            assert_eq!(counted(false, 219, beside), (219, 4), "{beside:?}");
        }
        // In each: the least is what can be said.
        assert_eq!(counted(false, 219, &[700; 9]), (219, 8));
    }

    #[test]
    fn a_call_that_cannot_be_repeated_or_is_long_is_counted_once() {
        assert_eq!(counted(true, 219, &[]), (231, 1));
        assert_eq!(counted(false, MUCH, &[]), (MUCH + 12, 1));
    }
}
