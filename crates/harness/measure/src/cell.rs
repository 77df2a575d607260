//! One cell in one process: all its designs resident at once, then their rounds.

use std::cell::LazyCell;
use std::time::{Duration, Instant};

use hugemem::{Smaps, process};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use registry::{Request, Resident};
use results::look::is_kernel;
use results::{Memory, Row, Sample, Status, Value};
use workloads::{Job, Setup, SetupError};

use crate::assignment::{Assignment, Cell, Slot};
use crate::bandwidth::{self, Speed};
use crate::evidence::memory_of;
use crate::kernel::{Entered, KernelJob, Kernels};
use crate::plan::BACKING;
use crate::pmu::Counters;
use crate::row::{blank, blank_sample, blank_value};
use crate::sampling::{Contender, Effort, Outcome, sample};

/// Rounds in which a walk's reading speed is compared with a linear read.
const SPEED_ROUNDS: u32 = 3;

/// The result of a cell.
#[derive(Default)]
pub(crate) struct Found {
    /// A row for every slot.
    pub rows: Vec<Row>,
    /// Read speeds, by index of the slot.
    pub speeds: Vec<(usize, Speed)>,
    /// The time that calibration and rounds took; the rest is set-up.
    pub sampling: Duration,
}

/// Measures one cell, in about `fair` of time where that suffices for the fewest rounds.
pub(crate) fn measure(
    assignment: &Assignment,
    cell: &Cell,
    fair: Duration,
    counters: &mut Counters,
    kernels: &mut Kernels,
) -> Found {
    let start = Instant::now();
    let none = |status: Status| Found {
        rows: cell
            .slots
            .iter()
            .map(|slot| blank(cell, slot, assignment.process, status.clone()))
            .collect(),
        ..Found::default()
    };
    let workload = match registry::workload(&cell.workload) {
        Ok(workload) => workload,
        Err(unknown) => return none(Status::Err(unknown.to_string())),
    };
    let setup = setup(assignment, cell);
    if !workload.is_timed() {
        let rows = cell
            .slots
            .iter()
            .map(|slot| exact(cell, slot, &setup))
            .collect();
        return Found {
            rows,
            ..Found::default()
        };
    }
    let expected = match workload.expected(&setup) {
        Ok(expected) => expected,
        Err(error) => return none(status_of(&error)),
    };
    let requests = match requests(cell, &setup) {
        Ok(requests) => requests,
        Err(unknown) => return none(Status::Err(unknown)),
    };
    let threaded = setup
        .params
        .get("threads")
        .is_some_and(|threads| threads.to_string() != "1");
    let mut ran: Vec<Ran> = Vec::new();
    let mut sampling = Duration::ZERO;
    let names = kernels_of(cell);
    let mut dead = Vec::new();
    // Before the threads spread: a kernel stays on the CPU that it was started on.
    let mut entered = kernels.enter(&names, workload, &setup);
    place(assignment, threaded);
    registry::enter_all(&requests, &setup, &mut |residents| {
        let slice = fair.saturating_sub(start.elapsed());
        let effort = Effort::of(assignment.quick, slice, fair, cell.slots.len());
        let mut random = Pcg64Mcg::seed_from_u64(seed(assignment, cell));
        let mut entrants: Vec<Entrant<'_>> = residents.iter_mut().map(of_design).collect();
        entrants.extend(entered.iter_mut().map(of_kernel));
        let begun = Instant::now();
        ran = rounds(
            &mut entrants,
            expected,
            threaded,
            effort,
            &mut random,
            counters,
        );
        sampling = begun.elapsed();
    });
    place(assignment, false);
    for (name, entered) in names.iter().zip(&entered) {
        if entered.as_ref().is_ok_and(KernelJob::is_dead) {
            dead.push((*name).to_owned());
        }
    }
    drop(entered);
    kernels.end(&dead);
    Found {
        sampling,
        ..gather(assignment, cell, ran)
    }
}

/// The kernels of a cell; they come after the designs.
pub(crate) fn kernels_of(cell: &Cell) -> Vec<&str> {
    let names = cell.slots.iter().map(|slot| slot.design.as_str());
    names.filter(|name| is_kernel(name)).collect()
}

/// A contender that is about to be sampled.
pub(crate) struct Entrant<'a> {
    job: Result<&'a mut dyn Job, Status>,
    /// Whether it does no work, and its answer means nothing.
    floor: bool,
    /// Facts of its memory that the job does not report.
    memory: Option<Memory>,
}

fn of_design<'a>(resident: &'a mut Resident<'_>) -> Entrant<'a> {
    Entrant {
        job: match &mut resident.job {
            Ok(job) => Ok(&mut **job),
            Err(error) => Err(status_of(error)),
        },
        floor: resident.request.entry.design.is_floor(),
        memory: None,
    }
}

pub(crate) fn of_kernel<'a>(entered: &'a mut Entered<'_>) -> Entrant<'a> {
    let memory = entered.as_ref().ok().map(KernelJob::memory);
    Entrant {
        job: match entered {
            Ok(job) => Ok(job),
            Err(status) => Err(status.clone()),
        },
        floor: false,
        memory,
    }
}

/// Puts the thread on the run's CPU, or lets it go where its threads are to spread.
fn place(assignment: &Assignment, threaded: bool) {
    if let Some(cpu) = assignment.cpu {
        // It worked when the process began; a CPU that was taken away since shows in the
        // context switches of the row.
        let _ = if threaded {
            process::pin_to_any(&assignment.cpus)
        } else {
            process::pin_to(cpu)
        };
    }
}

/// The seed of a cell's rounds: not the same order of contenders in every cell and process.
fn seed(assignment: &Assignment, cell: &Cell) -> u64 {
    let title = u64::from(crc32fast::hash(cell.title().as_bytes()));
    assignment.seed ^ (u64::from(assignment.process) << 32) ^ title
}

pub(crate) fn setup(assignment: &Assignment, cell: &Cell) -> Setup {
    let mut params = cell.params.clone();
    // Only rows carry it: to a workload it is the memory, no parameter.
    params.remove(BACKING);
    Setup {
        params,
        seed: assignment.seed,
        backing: cell.backing,
        arena_shift: u64::from(assignment.process),
    }
}

fn requests(cell: &Cell, setup: &Setup) -> Result<Vec<Request>, String> {
    let request = |slot: &Slot| {
        let entry = registry::entry(&cell.workload, &slot.design, &setup.params)
            .map_err(|unknown| unknown.to_string())?;
        let label = if slot.label.is_empty() {
            ""
        } else {
            Sample::CONTROL
        };
        Ok(Request { entry, label })
    };
    let designs = cell.slots.iter().filter(|slot| !is_kernel(&slot.design));
    designs.map(request).collect()
}

/// The value of a design that is not a time.
fn exact(cell: &Cell, slot: &Slot, setup: &Setup) -> Row {
    let answer = match registry::entry(&cell.workload, &slot.design, &setup.params) {
        Err(unknown) => Err(Status::Err(unknown.to_string())),
        Ok(entry) => entry.value(setup).map_err(|error| status_of(&error)),
    };
    let (value, status) = match answer {
        Ok(value) => (value, Status::Ok),
        Err(status) => (0.0, status),
    };
    Row::Value(Value {
        value,
        ..blank_value(cell, slot, status)
    })
}

pub(crate) fn status_of(error: &SetupError) -> Status {
    match error {
        SetupError::Absent(why) => Status::Absent(why.clone()),
        error => Status::Err(error.to_string()),
    }
}

/// The outcome of one slot.
enum Ran {
    Rounds {
        outcome: Box<Outcome>,
        elements: u64,
        memory: Option<Memory>,
        speed: Option<Speed>,
    },
    Nothing(Status),
}

/// Samples those that could be set up; the others keep their reason.
fn rounds(
    entrants: &mut [Entrant<'_>],
    expected: Option<u64>,
    threaded: bool,
    effort: Effort,
    random: &mut Pcg64Mcg,
    counters: &mut Counters,
) -> Vec<Ran> {
    let mut expected = expected;
    let mut contenders: Vec<Contender<'_>> = Vec::new();
    let mut memories: Vec<Option<Memory>> = Vec::new();
    let mut ran: Vec<Option<Ran>> = Vec::new();
    for entrant in entrants.iter_mut() {
        match &mut entrant.job {
            Err(status) => ran.push(Some(Ran::Nothing(status.clone()))),
            Ok(job) => {
                if !entrant.floor && expected.is_none() {
                    // Nobody knows the answer beforehand: the first one binds the others.
                    job.prepare(1);
                    let raw = job.run(1);
                    expected = Some(job.checksum(raw));
                }
                contenders.push(Contender {
                    job: &mut **job,
                    expected: expected.filter(|_| !entrant.floor),
                    threaded,
                });
                memories.push(entrant.memory.take());
                ran.push(None);
            }
        }
    }
    let mut alone = Counters::none();
    let counters = if threaded { &mut alone } else { counters };
    let outcomes = sample(&mut contenders, effort, random, counters);
    // Kernels have told theirs: a row of kernels alone reads none.
    let smaps = LazyCell::new(Smaps::read);
    let mut done =
        contenders
            .iter_mut()
            .zip(memories)
            .zip(outcomes)
            .map(|((contender, memory), outcome)| {
                // The floor reads nothing, and what went wrong is not looked at further.
                let reads = outcome.error.is_none() && contender.expected.is_some();
                let speed = reads
                    .then(|| bandwidth::compare(contender.job, SPEED_ROUNDS))
                    .flatten();
                Ran::Rounds {
                    elements: contender.job.elements(),
                    memory: memory.or_else(|| memory_of(&contender.job.memory(), &smaps)),
                    outcome: Box::new(outcome),
                    speed,
                }
            });
    let missing = || Ran::Nothing(Status::Err("it was not sampled".to_owned()));
    ran.into_iter()
        .map(|ran| ran.or_else(|| done.next()).unwrap_or_else(missing))
        .collect()
}

fn gather(assignment: &Assignment, cell: &Cell, ran: Vec<Ran>) -> Found {
    let mut found = Found::default();
    let mut ran = ran.into_iter();
    for (at, slot) in cell.slots.iter().enumerate() {
        let mut row = blank_sample(cell, slot, assignment.process, Status::Ok);
        match ran.next() {
            None => row.status = Status::Err("it was not set up".to_owned()),
            Some(Ran::Nothing(status)) => row.status = status,
            Some(Ran::Rounds {
                outcome,
                elements,
                memory,
                speed,
            }) => {
                row.elements = elements;
                row.memory = memory;
                fill(&mut row, *outcome);
                // The control is there for times.
                found.speeds.extend(
                    speed
                        .filter(|_| slot.label.is_empty())
                        .map(|speed| (at, speed)),
                );
            }
        }
        found.rows.push(Row::Sample(row));
    }
    found
}

fn fill(row: &mut Sample, outcome: Outcome) {
    row.iters = outcome.iters;
    row.minor_faults = outcome.minor_faults;
    row.context_switches = outcome.context_switches;
    match (outcome.error, outcome.thin) {
        (Some(error), _) => row.status = Status::Err(error),
        // Nothing is wrong with the answer: there is no time to publish.
        (None, Some(thin)) => row.status = Status::Absent(thin),
        (None, None) => {
            row.rounds = outcome.rounds;
            row.yardsticks = Some(outcome.yardsticks);
            row.checksum = format!("{:#x}", outcome.checksum);
            row.instructions = outcome.instructions;
            row.dtlb_misses = outcome.dtlb_misses;
        }
    }
}

/// One checked call of every contender of a cell, no clock: for verification. Kernels are
/// started where they do not run yet.
#[must_use]
pub fn check(cell: &Cell, seed: u64, kernels: &mut Kernels) -> Vec<(String, Status)> {
    let assignment = Assignment::only(cell, seed);
    let all = |status: Status| {
        cell.slots
            .iter()
            .map(|slot| (slot.design.clone(), status.clone()))
            .collect()
    };
    let workload = match registry::workload(&cell.workload) {
        Ok(workload) => workload,
        Err(unknown) => return all(Status::Err(unknown.to_string())),
    };
    let setup = setup(&assignment, cell);
    let requests = match requests(cell, &setup) {
        Ok(requests) => requests,
        Err(unknown) => return all(Status::Err(unknown)),
    };
    if !workload.is_timed() {
        let status = |row: Row| match row {
            Row::Value(value) => value.status,
            Row::Sample(sample) => sample.status,
        };
        return cell
            .slots
            .iter()
            .map(|slot| (slot.design.clone(), status(exact(cell, slot, &setup))))
            .collect();
    }
    let expected = match workload.expected(&setup) {
        Ok(expected) => expected,
        Err(error) => return all(status_of(&error)),
    };
    let mut found = Vec::new();
    // One after the other: nothing is timed, so nothing needs to be resident together.
    for request in requests {
        let one = [request];
        let mut status = Status::Err("it was not set up".to_owned());
        registry::enter_all(&one, &setup, &mut |residents| {
            if let Some(resident) = residents.first_mut() {
                status = answer(of_design(resident), expected);
            }
        });
        if one[0].label.is_empty() {
            found.push((one[0].entry.design.name.to_owned(), status));
        }
    }
    let names = kernels_of(cell);
    for (name, mut entered) in names.iter().zip(kernels.enter(&names, workload, &setup)) {
        let status = answer(of_kernel(&mut entered), expected);
        found.push(((*name).to_owned(), status));
    }
    found
}

pub(crate) fn answer(entrant: Entrant<'_>, expected: Option<u64>) -> Status {
    let job = match entrant.job {
        Ok(job) => job,
        Err(status) => return status,
    };
    job.prepare(1);
    let raw = job.run(1);
    let checksum = job.checksum(raw);
    if let Some(Err(lost)) = job.outside() {
        return Status::Err(lost);
    }
    match expected {
        Some(expected) if !entrant.floor && checksum != expected => Status::Err(format!(
            "wrong answer: checksum {checksum:#x}, expected {expected:#x}"
        )),
        _ => Status::Ok,
    }
}
