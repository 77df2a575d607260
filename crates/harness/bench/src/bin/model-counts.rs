//! Prints the instructions of every primitive of the models, one a line:
//! primitive, design, kernel, order, state, instructions.
//!
//! `model-counts` counts; `model-counts --run` only makes the calls and says what they were,
//! which is what is run under valgrind.

#![forbid(unsafe_code)]

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some("--run") {
        bench::primitives::run(&mut |label| println!("{label}"))?;
        return Ok(());
    }
    let program = std::env::current_exe()?;
    for count in bench::primitives::counts(&program, &["--run"])? {
        println!("{} {}", count.label, count.instructions);
    }
    Ok(())
}
