//! The hidden command: a fresh process of a run, which its parent tells what to measure.

use std::io::{stdin, stdout};
use std::path::PathBuf;

use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::layouts::Layouts;

pub(crate) fn run(layouts: &[PathBuf]) -> Result<Code, Failure> {
    Layouts::read(layouts)?;
    interrupt::leave_to_parent();
    // Where the system refuses, a worker still ends with the first write that nobody reads.
    let _ = hugemem::process::die_with_parent();
    measure::worker::serve(stdin().lock(), stdout().lock())
        .map(|()| Code::Done)
        .map_err(|error| Failure::Wrong(error.to_string()))
}
