//! A fresh process of a run: reads its assignment, measures its cells, writes its rows.
//!
//! One process is one sample of memory layout: where the linker, the environment and the
//! allocator happened to put things. That is why a run has several.

use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use crate::assignment::{Assignment, Note};
use crate::cell::measure;
use crate::clock::nanoseconds;
use crate::kernel::Kernels;
use crate::pmu::Counters;
use hugemem::process;

/// Why a worker gave up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// Its parent is gone, or said nothing.
    #[error("cannot speak to the parent process: {0}")]
    Io(#[from] io::Error),
    /// The assignment is malformed.
    #[error("malformed assignment: {0}")]
    Assignment(#[from] serde_json::Error),
    /// It cannot stay on its CPU.
    #[error("cannot stay on CPU {cpu}: {source}")]
    Pin {
        /// The CPU.
        cpu: usize,
        /// Answer of the kernel.
        source: hugemem::Error,
    },
}

/// Reads one assignment, measures its cells and writes rows and notes, one per line.
///
/// # Errors
/// [`WorkerError`]; what goes wrong inside a cell is a row of that cell instead.
pub fn serve(mut input: impl BufRead, mut output: impl Write) -> Result<(), WorkerError> {
    let start = Instant::now();
    let mut line = String::new();
    input.read_line(&mut line)?;
    let assignment: Assignment = serde_json::from_str(&line)?;
    if let Some(cpu) = assignment.cpu {
        process::pin_to(cpu).map_err(|source| WorkerError::Pin { cpu, source })?;
    }
    let mut counters = Counters::open();
    note(&mut output, Note::Pmu(counters.any()))?;
    let mut kernels = Kernels::default();
    let mut shares = Shares::of(
        Duration::from_nanos(assignment.share_ns),
        assignment.cells.len(),
    );
    let limit = Duration::from_nanos(assignment.limit_ns);
    for (at, cell) in assignment.cells.iter().enumerate() {
        let gone = start.elapsed();
        if gone >= limit {
            break;
        }
        note(&mut output, Note::Begin(at))?;
        let fair = shares.next(gone);
        let found = measure(&assignment, cell, fair, &mut counters, &mut kernels);
        let took = start.elapsed().saturating_sub(gone);
        shares.took(took);
        for row in &found.rows {
            writeln!(output, "{}", serde_json::to_string(row)?)?;
        }
        for (slot, speed) in found.speeds {
            note(&mut output, Note::Speed { slot, speed })?;
        }
        let spent = Note::Spent {
            setup_ns: nanoseconds(took.saturating_sub(found.sampling)),
            sampling_ns: nanoseconds(found.sampling),
        };
        note(&mut output, spent)?;
        note(&mut output, Note::End(at))?;
    }
    Ok(())
}

/// Shares the time that a process has left between the cells that it has left.
///
/// A cell has costs that no share cuts: its setup, its checks, its fewest rounds. What cells
/// went beyond their share so far is kept back for those to come, so that on a slow machine
/// all samples get shorter rather than that the last cells are lost.
struct Shares {
    whole: Duration,
    cells: u32,
    done: u32,
    given: Duration,
    beyond: Duration,
}

impl Shares {
    fn of(whole: Duration, cells: usize) -> Self {
        Self {
            whole,
            cells: u32::try_from(cells).unwrap_or(u32::MAX),
            done: 0,
            given: Duration::ZERO,
            beyond: Duration::ZERO,
        }
    }

    /// The share of the next cell, once so much of the whole is gone.
    fn next(&mut self, gone: Duration) -> Duration {
        let left = self.cells.saturating_sub(self.done).max(1);
        let kept = self.beyond / self.done.max(1);
        self.given = (self.whole.saturating_sub(gone) / left).saturating_sub(kept);
        self.given
    }

    /// Takes note of how long that cell took.
    fn took(&mut self, took: Duration) {
        self.done += 1;
        self.beyond += took.saturating_sub(self.given);
    }
}

fn note(output: &mut impl Write, note: Note) -> Result<(), WorkerError> {
    writeln!(output, "{}", serde_json::to_string(&note)?)?;
    output.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long cells take that cost `fixed` and fill the rest of their share.
    fn spent(whole: u64, cells: usize, fixed: impl Fn(usize) -> u64) -> Duration {
        let mut shares = Shares::of(Duration::from_millis(whole), cells);
        let mut gone = Duration::ZERO;
        for at in 0..cells {
            let took = shares.next(gone) + Duration::from_millis(fixed(at));
            shares.took(took);
            gone += took;
        }
        gone
    }

    #[test]
    fn cells_that_cost_more_than_their_share_leave_time_for_the_last() {
        let whole = Duration::from_millis(10_000);
        let alike = spent(10_000, 100, |_| 50);
        assert!(alike <= whole + Duration::from_millis(50), "{alike:?}");
        let one = spent(10_000, 100, |at| 3_000 * u64::from(at == 40));
        assert!(one <= whole, "{one:?}");
        // What the parent keeps back of a process's time has to do for these.
        let dear_at_the_end = spent(9_000, 100, |at| 40 + 60 * u64::from(at > 80));
        assert!(dear_at_the_end <= whole, "{dear_at_the_end:?}");
    }

    #[test]
    fn time_that_no_cell_goes_beyond_is_used() {
        let all = spent(10_000, 100, |_| 0);
        assert!(all >= Duration::from_millis(9_900), "{all:?}");
    }
}
