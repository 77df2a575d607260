//! The command line: one module per command, all output through one printer.
#![forbid(unsafe_code)]

mod args;
mod command;
mod failure;
mod interrupt;
mod kernels;
mod layouts;
mod output;
mod progress;
mod provenance;
mod resume;
mod run_dir;
mod say;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Instant;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::output::Output;
use crate::say::say;

/// Runs the tool with its arguments, the program's name first.
///
/// Exit codes: 0 done; 1 something that was measured or verified is wrong, or the system
/// refused; 2 bad arguments or input; 3 a change beyond a threshold; 130 interrupted.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let start = Instant::now();
    let cli = match args::parse(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way, too; a closed pipe is not reported.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    render::use_looks(registry::looks());
    let mut output = Output::stdout();
    let done = dispatch(cli, start, &mut output).and_then(|code| output.finish().map(|()| code));
    match done {
        Ok(code) => code.into(),
        // What a shell reports of a program that wrote to a closed pipe.
        Err(Failure::ClosedPipe) => ExitCode::from(141),
        Err(failure) => {
            say!("folioscope: {failure}");
            failure.code().into()
        }
    }
}

fn dispatch(cli: Cli, start: Instant, output: &mut Output) -> Result<failure::Code, Failure> {
    match cli.command {
        Command::List(args) => command::list::run(&args, output),
        Command::Verify(args) => command::verify::run(&args, output),
        Command::Measure(args) => command::measure::run(&args, start, output),
        Command::Compare(args) => command::compare::run(&args, start, output),
        Command::Claims(args) => command::claims::run(&args, start, output),
        Command::Post(args) => command::post::run(&args, output),
        Command::Report(args) => command::report::run(&args, output),
        Command::Plot(args) => command::plot::run(&args, output),
        Command::Diff(args) => command::diff::run(&args, output),
        Command::History(args) => command::history::run(&args, output),
        Command::Export(args) => command::export::run(&args, output),
        Command::Resolution(args) => command::resolution::run(&args, output),
        Command::Import(args) => command::import::run(&args, output),
        Command::Merge(args) => command::merge::run(&args, output),
        Command::Capture(args) => command::capture::run(&args, output),
        Command::Census(args) => command::census::run(&args, output),
        Command::Cases(args) => command::cases::run(&args, output),
        Command::Fidelity(args) => command::fidelity::run(&args, output),
        Command::Gate(args) => command::gate::run(&args, output),
        Command::EntryCalls(args) => command::gate::calls(&args, output),
        Command::Kernel(args) => command::kernel::run(&args, output),
        Command::Completions(args) => command::completions::run(&args, output),
        Command::Worker { layout } => command::worker::run(&layout),
        Command::Lockstep => command::lockstep::serve(),
        Command::ModelCalls(args) => command::fidelity::model_calls(&args, output),
    }
}
