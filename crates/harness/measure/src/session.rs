//! The parent of a run: starts fresh processes one after the other, hands each its
//! assignment, and appends the rows of a cell as soon as the cell is finished.

use std::collections::HashMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;
use results::{Bandwidth, RecordError, Row, RowWriter, Spent, Status};

use crate::assignment::{Assignment, Cell, Note};
use crate::bandwidth::Speed;
use crate::child::{Child, Ended, Said};
use crate::clock::nanoseconds;
use crate::plan::{Plan, REFERENCE};
use crate::resume::{DIED, not_measured};
use crate::row::{bandwidth, blank, speed_rows};
use crate::slow::SlowCells;

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Cells finished, over all processes.
    pub done: usize,
    /// Cells in all, over all processes.
    pub total: usize,
    /// The cell that has just been begun.
    pub title: &'a str,
}

/// How a run ended, where it ended in order.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Summary {
    /// Cells that no process measured, because the budget ran out.
    pub unmeasured: Vec<String>,
    /// Cells that were measured in fewer processes than asked for.
    pub thin: usize,
    /// Cells that a worker process died in, and how. `--resume` tries them again.
    pub died: Vec<String>,
    /// Whether hardware counters could be opened; `None` if no process came to try.
    pub pmu: Option<bool>,
    /// Whether the run was interrupted.
    pub stopped: bool,
    /// The most rounds that a row has.
    pub rounds: u32,
    /// How the processes spent their time.
    pub spent: Spent,
    /// Read bandwidth of the reference's largest mapping, one per backing.
    pub read_bandwidth: Vec<Bandwidth>,
}

impl Summary {
    /// Whether nothing is left for `--resume`.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.stopped && self.unmeasured.is_empty() && self.thin == 0 && self.died.is_empty()
    }
}

/// Why a run could not go on. What was finished before is on the disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// A row could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A worker process could not be started or spoken to.
    #[error("cannot start a worker process: {0}")]
    Worker(std::io::Error),
    /// A worker wrote a line that is not a message.
    #[error("a worker process wrote a line that is not a message: {0}")]
    Protocol(String),
}

/// The longest that a worker may be silent beyond its deadline.
const GRACE: Duration = Duration::from_secs(20);
/// The share of its time that a process plans to use: what single cells overrun (a call or a
/// setup cannot be cut short) must not push the last ones of the last process out of the run.
const PLANNED_PERCENT: u32 = 90;
/// How often the stop flag is looked at.
const TICK: Duration = Duration::from_millis(50);

/// The CPU that loops of one thread stay on: the last one that we may use, as the first is
/// where interrupts tend to go.
#[must_use]
pub fn pinned_cpu() -> Option<usize> {
    hugemem::process::allowed_cpus().ok()?.last().copied()
}

/// Measures the cells of a plan until `deadline`: `launch` makes the command of a worker
/// process, `stop` ends the run after the row in hand, `watch` is called with every cell that
/// is begun.
///
/// Cells that the writer holds already are left out, so that an interrupted run goes on.
///
/// # Errors
/// [`SessionError`]; every row that was finished before is whole and on the disk.
pub fn run(
    plan: &Plan,
    cells: &[Cell],
    deadline: Instant,
    writer: &mut RowWriter,
    launch: &mut dyn FnMut(u32) -> Command,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Progress<'_>),
) -> Result<Summary, SessionError> {
    let mut session = Session {
        plan,
        deadline,
        cpu: pinned_cpu(),
        cpus: hugemem::process::allowed_cpus().unwrap_or_default(),
        writer,
        stop,
        watch,
        done: 0,
        total: cells.len() * plan.processes as usize,
        summary: Summary::default(),
        measured: HashMap::new(),
        speeds: HashMap::new(),
        slow: SlowCells::default(),
    };
    for process in 0..plan.processes {
        let mut left = session.left(cells, process);
        while !left.is_empty() && !session.over() {
            left = session.process(process, left, launch)?;
            if left.is_empty() {
                left = session.slow.take();
            }
        }
    }
    session.close(cells)
}

struct Session<'a> {
    plan: &'a Plan,
    /// When the last cell should be finished.
    deadline: Instant,
    cpu: Option<usize>,
    cpus: Vec<usize>,
    writer: &'a mut RowWriter,
    stop: &'a AtomicBool,
    watch: &'a mut dyn FnMut(Progress<'_>),
    done: usize,
    total: usize,
    summary: Summary,
    /// Processes that measured a cell, by its title.
    measured: HashMap<String, u32>,
    /// Read speeds, one per process, by the cell's title and the slot's index.
    speeds: HashMap<(String, usize), Vec<Speed>>,
    /// Cells that were measured in the machine's slow state only.
    slow: SlowCells,
}

impl Session<'_> {
    /// Whether nothing further may be begun.
    fn over(&mut self) -> bool {
        self.summary.stopped |= self.stop.load(Ordering::Relaxed);
        self.summary.stopped || self.remaining() == Duration::ZERO
    }

    fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The cells that this process has still to measure. The first takes them in the order
    /// of the plan, so that a record can be read; later ones in a random order of their
    /// own, so that what is warm, and what the budget cuts off, is not always the same.
    fn left(&mut self, cells: &[Cell], process: u32) -> Vec<Cell> {
        let (done, mut left): (Vec<&Cell>, Vec<&Cell>) = cells.iter().partition(|cell| {
            // Exact values do not depend on the process: the first one takes them all.
            let exact = cell.value.is_some() && process > 0;
            exact
                || cell
                    .identities(process)
                    .all(|identity| self.writer.contains(&identity))
        });
        for cell in done {
            *self.measured.entry(cell.title()).or_default() += 1;
            self.done += 1;
        }
        if process > 0 {
            let mut random = Pcg64Mcg::seed_from_u64(self.plan.seed ^ (u64::from(process) << 32));
            left.shuffle(&mut random);
        }
        left.into_iter().cloned().collect()
    }

    /// Runs one worker process; returns the cells that it did not reach because it died.
    fn process(
        &mut self,
        process: u32,
        cells: Vec<Cell>,
        launch: &mut dyn FnMut(u32) -> Command,
    ) -> Result<Vec<Cell>, SessionError> {
        let remaining = self.remaining();
        let share = remaining / (self.plan.processes - process);
        let assignment = Assignment {
            process,
            seed: self.plan.seed,
            cpu: self.cpu,
            cpus: self.cpus.clone(),
            quick: self.plan.quick,
            share_ns: nanoseconds(share * PLANNED_PERCENT / 100),
            limit_ns: nanoseconds(remaining),
            cells,
        };
        let mut child = Child::start(launch(process), &assignment).map_err(SessionError::Worker)?;
        let begin = Instant::now();
        let silent_until = begin + remaining + GRACE;
        // One that somebody stopped gets its own share of the budget, not that of the others.
        let stopped_until = begin + share;
        let mut rows: Vec<Row> = Vec::new();
        let mut speeds: Vec<(usize, Speed)> = Vec::new();
        let mut begun: Option<usize> = None;
        let mut next = 0;
        loop {
            self.summary.stopped |= self.stop.load(Ordering::Relaxed);
            if self.summary.stopped {
                child.kill();
                return Ok(Vec::new());
            }
            let now = Instant::now();
            if now > silent_until || (now > stopped_until && child.is_stopped()) {
                child.kill();
            }
            match child.hear(TICK) {
                Said::Nothing => {}
                Said::Row(row) => rows.push(*row),
                Said::Note(Note::Pmu(pmu)) => self.summary.pmu = Some(pmu),
                Said::Note(Note::Begin(at)) => {
                    begun = Some(at);
                    next = at + 1;
                    self.tell(&assignment.cells[at].title());
                }
                Said::Note(Note::Spent {
                    setup_ns,
                    sampling_ns,
                }) => {
                    let spent = &mut self.summary.spent;
                    spent.setup_s += setup_ns as f64 / 1e9;
                    spent.sampling_s += sampling_ns as f64 / 1e9;
                }
                Said::Note(Note::Speed { slot, speed }) => speeds.push((slot, speed)),
                Said::Note(Note::End(at)) => {
                    begun = None;
                    let cell = &assignment.cells[at];
                    if self.slow.queue(process, cell, &rows) {
                        rows.clear();
                        speeds.clear();
                        continue;
                    }
                    for (slot, speed) in speeds.drain(..) {
                        let of = (cell.title(), slot);
                        self.speeds.entry(of).or_default().push(speed);
                    }
                    self.finish(cell, rows.drain(..))?;
                }
                Said::Garbage(line) => {
                    child.kill();
                    return Err(SessionError::Protocol(line));
                }
                Said::Gone(why) => {
                    // One that is killed between two cells is missing in the next.
                    if begun.is_none() && matches!(why, Ended::Killed(_)) {
                        begun = Some(next);
                        next += 1;
                    }
                    let left = assignment.cells[next.min(assignment.cells.len())..].to_vec();
                    if let Some(cell) = begun.and_then(|at| assignment.cells.get(at)) {
                        let why = in_words(&why);
                        self.summary.died.push(format!("{}: {why}", cell.title()));
                        self.finish(cell, died(cell, process, &why).into_iter())?;
                        return Ok(left);
                    }
                    // It left at the end, or because its time was over.
                    return match why {
                        Ended::InOrder | Ended::Killed(_) => Ok(Vec::new()),
                        Ended::Badly(why) => Err(SessionError::Protocol(why)),
                    };
                }
            }
        }
    }

    fn tell(&mut self, title: &str) {
        let (done, total) = (self.done, self.total);
        (self.watch)(Progress { done, total, title });
    }

    /// Appends a cell's rows together, once all of them are there.
    fn finish(&mut self, cell: &Cell, rows: impl Iterator<Item = Row>) -> Result<(), SessionError> {
        for row in rows {
            if let Row::Sample(sample) = &row {
                let rounds = u32::try_from(sample.rounds.len()).unwrap_or(u32::MAX);
                self.summary.rounds = self.summary.rounds.max(rounds);
            }
            if !self.writer.contains(&row.identity()) {
                self.writer.append(&row)?;
            }
        }
        self.done += 1;
        *self.measured.entry(cell.title()).or_default() += 1;
        Ok(())
    }

    /// Writes down what was not measured. A run that was stopped is to be resumed: its
    /// gaps stay gaps.
    fn close(mut self, cells: &[Cell]) -> Result<Summary, SessionError> {
        self.summary.stopped |= self.stop.load(Ordering::Relaxed);
        self.write_speeds(cells)?;
        for cell in cells {
            match self.measured.get(&cell.title()) {
                None => self.summary.unmeasured.push(cell.title()),
                Some(processes) if *processes < self.plan.processes => self.summary.thin += 1,
                Some(_) => {}
            }
            if !self.measured.contains_key(&cell.title()) && !self.summary.stopped {
                for slot in &cell.slots {
                    self.writer.append(&blank(cell, slot, 0, not_measured()))?;
                }
            }
        }
        Ok(self.summary)
    }
}

impl Session<'_> {
    /// One row per mapping that was read linearly, over all processes. Of a run that is
    /// stopped the rows so far would stand in the way of those of the whole run.
    fn write_speeds(&mut self, cells: &[Cell]) -> Result<(), SessionError> {
        if self.summary.stopped {
            return Ok(());
        }
        for cell in cells {
            for (at, slot) in cell.slots.iter().enumerate() {
                let Some(speeds) = self.speeds.get(&(cell.title(), at)) else {
                    continue;
                };
                for row in speed_rows(cell, slot, speeds) {
                    if !self.writer.contains(&row.identity()) {
                        self.writer.append(&row)?;
                    }
                }
                if slot.design == REFERENCE
                    && slot.label.is_empty()
                    && let Some(line) = bandwidth(cell.backing, speeds)
                {
                    keep_largest(&mut self.summary.read_bandwidth, line);
                }
            }
        }
        Ok(())
    }
}

/// Keeps the line of the largest mapping of each backing: small ones fit a cache.
fn keep_largest(lines: &mut Vec<Bandwidth>, line: Bandwidth) {
    match lines.iter_mut().find(|known| known.backing == line.backing) {
        Some(known) if known.bytes < line.bytes => *known = line,
        Some(_) => {}
        None => lines.push(line),
    }
}

/// The rows of a cell whose process died in it: errors, never times.
fn died(cell: &Cell, process: u32, why: &str) -> Vec<Row> {
    cell.slots
        .iter()
        .map(|slot| blank(cell, slot, process, Status::Err(why.to_owned())))
        .collect()
}

/// How a worker ended in the middle of a cell.
fn in_words(why: &Ended) -> String {
    match why {
        Ended::InOrder => format!("{DIED}it exited in the middle of a cell"),
        Ended::Killed(why) | Ended::Badly(why) => format!("{DIED}{why}"),
    }
}
