//! Criterion on the same rows: an old run, and new ones that it compares with that.

use std::path::PathBuf;
use std::time::Duration;

use criterion::Criterion;
use registry::{Entry, Job};

use crate::Failure;
use crate::rows::{REFERENCE, cells};
use crate::worker::stay_on_one_cpu;
use measure::burning::Burning;

/// The name of what it compares with.
const BASELINE: &str = "old";

#[derive(clap::Args)]
pub(crate) struct PeerArgs {
    /// Rows to compare, at most.
    #[arg(long)]
    rows: usize,
    /// Where Criterion keeps its files.
    #[arg(long)]
    folder: PathBuf,
    /// Seconds for one row.
    #[arg(long)]
    seconds: f64,
    /// Whether this is the run that others are compared with.
    #[arg(long)]
    old: bool,
    /// Slowdown of the designs other than the reference, which is left out then.
    #[arg(long, default_value_t = 0.0)]
    percent: f64,
    /// Index of the process, which shifts what is in memory.
    #[arg(long)]
    process: u32,
}

/// Criterion's own limits (1 % noise, 95 % confidence, 5 % significance); fewer samples
/// and resamples than its defaults, in the time that it has.
fn criterion(args: &PeerArgs) -> Criterion {
    let criterion = Criterion::default()
        .without_plots()
        .with_output_color(false)
        .output_directory(&args.folder)
        .sample_size(20)
        .nresamples(5000)
        .warm_up_time(Duration::from_secs_f64(args.seconds * 0.25))
        .measurement_time(Duration::from_secs_f64(args.seconds * 0.75));
    if args.old {
        criterion.save_baseline(BASELINE.to_owned())
    } else {
        criterion.retain_baseline(BASELINE.to_owned(), true)
    }
}

pub(crate) fn run(args: &PeerArgs) -> Result<(), Failure> {
    stay_on_one_cpu();
    let mut criterion = criterion(args);
    for (at, cell) in cells(args.rows)?.iter().enumerate() {
        let entries: Vec<&'static Entry> = cell
            .entries
            .iter()
            .copied()
            .filter(|entry| args.percent == 0.0 || entry.design.name != REFERENCE)
            .collect();
        cell.enter(&entries, args.process, &mut |residents, _| {
            for resident in residents {
                let Ok(job) = &mut resident.job else { continue };
                let mut job = Burning::by(&mut **job, args.percent);
                // Short, so that it stays on one line with its time.
                let id = format!("{at}-{}", resident.request.entry.design.name);
                criterion.bench_function(&id, |bencher| {
                    bencher.iter_custom(|iters| timed(&mut job, iters));
                });
            }
        })?;
    }
    Ok(())
}

/// Only `run` is inside the clock; a job whose state must be put back runs once at a time.
fn timed(job: &mut dyn Job, iters: u64) -> Duration {
    let clock = measure::clock::CLOCK;
    let mut ns = 0;
    let mut left = iters;
    while left > 0 {
        let some = left.min(job.max_iters().max(1));
        job.prepare(some);
        let start = clock.now_ns();
        let raw = std::hint::black_box(job.run(some));
        ns += clock.now_ns() - start;
        std::hint::black_box(job.checksum(raw));
        left -= some;
    }
    Duration::from_nanos(ns)
}
