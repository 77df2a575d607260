//! A fresh process of a run: takes its assignment, measures its cells, says its rows.
//!
//! One process is one sample of memory layout: where the linker, the environment and the
//! allocator happened to put things. That is why a run has several.

use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use crate::assignment::{Assignment, Note};
use crate::cell::measure;
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
    /// The assignment is none.
    #[error("the assignment is not understood: {0}")]
    Assignment(#[from] serde_json::Error),
    /// It cannot stay on its CPU.
    #[error("cannot stay on CPU {cpu}: {source}")]
    Pin {
        /// The CPU.
        cpu: usize,
        /// What the kernel said.
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
    let share = Duration::from_nanos(assignment.share_ns);
    let limit = Duration::from_nanos(assignment.limit_ns);
    for (at, cell) in assignment.cells.iter().enumerate() {
        let gone = start.elapsed();
        if gone >= limit {
            break;
        }
        note(&mut output, Note::Begin(at))?;
        let left = (assignment.cells.len() - at) as u32;
        let fair = share.saturating_sub(gone) / left;
        let found = measure(&assignment, cell, fair, &mut counters, &mut kernels);
        for row in &found.rows {
            writeln!(output, "{}", serde_json::to_string(row)?)?;
        }
        for (slot, speed) in found.speeds {
            note(&mut output, Note::Speed { slot, speed })?;
        }
        note(&mut output, Note::End(at))?;
    }
    Ok(())
}

fn note(output: &mut impl Write, note: Note) -> Result<(), WorkerError> {
    writeln!(output, "{}", serde_json::to_string(&note)?)?;
    output.flush()?;
    Ok(())
}
