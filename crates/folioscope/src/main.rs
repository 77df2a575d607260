//! The binary: everything is in the library of the same name.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    folioscope::run(std::env::args_os())
}
