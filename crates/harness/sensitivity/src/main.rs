//! How small a change can `folioscope diff` tell, and how often does it cry wolf?
//!
//! Past runs, an old run and a new run are made of one binary, each by several fresh
//! processes with interleaved rounds, as `folioscope measure` makes them. In the new run
//! every design takes part again with a known slowdown ([`measure::burning`]). `diff` then judges
//! new against old: rows without slowdown must not be called different, those with one
//! should be called slower. Criterion is put to the same rows, with and without slowdown,
//! in processes of their own.
//!
//! `cargo run --profile bench -p sensitivity -- --out FILE`; its output is a table, and `folioscope resolution FILE` prints it again.
#![forbid(unsafe_code)]

mod peer;
mod rows;
mod study;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Anything that ends the study; it is a program for its authors.
type Failure = Box<dyn std::error::Error>;

/// Slowdowns in percent.
const SLOWDOWNS: [f64; 3] = [2.0, 5.0, 10.0];

#[derive(Parser)]
#[command(about = "Measures false alarms and detected slowdowns of `folioscope diff`")]
struct Cli {
    #[command(flatten)]
    study: StudyArgs,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Args)]
struct StudyArgs {
    /// Seconds that all may take.
    #[arg(long, default_value_t = 330.0)]
    budget: f64,
    /// Rows to compare, at most.
    #[arg(long, default_value_t = 200)]
    rows: usize,
    /// Past runs that teach rows their floors.
    #[arg(long, default_value_t = 4)]
    past: usize,
    /// Fresh processes per run.
    #[arg(long, default_value_t = 3)]
    processes: u32,
    /// Where the record goes, as JSON lines; nowhere unless given.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Parts that run in processes of their own.
#[derive(Subcommand)]
enum Part {
    /// Measures all cells once and prints rows.
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
    /// Has Criterion time all rows.
    #[command(hide = true)]
    Peer(peer::PeerArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.part {
        None => study::run(&cli.study),
        Some(Part::Worker(args)) => worker::run(args),
        Some(Part::Peer(args)) => peer::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("resolution: {failure}");
            ExitCode::FAILURE
        }
    }
}
