//! One fresh process of a run: all cells once, rows as records hold them on its output.

use std::time::{Duration, Instant};

use measure::burning::Burning;
use measure::pmu::Counters;
use measure::sampling::{Contender, Effort, MIN_ROUNDS, sample};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use registry::{Entry, Job};
use results::{Row, SCHEMA_VERSION, Sample, Status, Value};

use crate::rows::{Cell, REFERENCE, cells};
use crate::{Failure, SLOWDOWNS};

/// The quantity under which a worker reports what it injected.
pub(crate) const INJECTED: &str = "injected-percent";

#[derive(clap::Args)]
pub(crate) struct WorkerArgs {
    /// Rows to compare, at most.
    #[arg(long)]
    rows: usize,
    /// Index of the process in its run.
    #[arg(long)]
    process: u32,
    /// Seed of the order of rounds.
    #[arg(long)]
    seed: u64,
    /// Seconds for all cells.
    #[arg(long)]
    seconds: f64,
    /// Whether slowed copies take part.
    #[arg(long)]
    slowed: bool,
}

/// A contender of a cell.
#[derive(Clone, Copy)]
struct Slot {
    entry: &'static Entry,
    label: &'static str,
    percent: f64,
}

/// The design's name with its slowdown: `folio +5`.
pub(crate) fn slowed_name(design: &str, percent: f64) -> String {
    format!("{design} +{percent}")
}

impl Slot {
    fn name(&self) -> String {
        match self.percent {
            0.0 => self.entry.design.name.to_owned(),
            percent => slowed_name(self.entry.design.name, percent),
        }
    }
}

pub(crate) fn run(args: &WorkerArgs) -> Result<(), Failure> {
    stay_on_one_cpu();
    let start = Instant::now();
    let cells = cells(args.rows)?;
    let mut random = Pcg64Mcg::seed_from_u64(args.seed ^ (u64::from(args.process) << 32));
    for (at, cell) in cells.iter().enumerate() {
        let left = (cells.len() - at) as f64;
        let fair = (args.seconds - start.elapsed().as_secs_f64()).max(0.0) / left;
        for row in measure(cell, args, Duration::from_secs_f64(fair), &mut random)? {
            println!("{}", serde_json::to_string(&row)?);
        }
    }
    Ok(())
}

/// As `measure` does: the last one, for interrupts tend to go to the first.
pub(crate) fn stay_on_one_cpu() {
    let cpus = hugemem::process::allowed_cpus().unwrap_or_default();
    if let Some(cpu) = cpus.last() {
        // A run that floats is noisier, and noise is what is measured.
        let _ = hugemem::process::pin_to(*cpu);
    }
}

fn slots(cell: &Cell, slowed: bool) -> Vec<Slot> {
    let mut slots = Vec::new();
    for &entry in &cell.entries {
        let plain = Slot {
            entry,
            label: "",
            percent: 0.0,
        };
        slots.push(plain);
        if entry.design.name == REFERENCE {
            slots.push(Slot {
                label: Sample::CONTROL,
                ..plain
            });
        } else if slowed {
            slots.extend(SLOWDOWNS.map(|percent| Slot { percent, ..plain }));
        }
    }
    slots
}

fn measure(
    cell: &Cell,
    args: &WorkerArgs,
    fair: Duration,
    random: &mut Pcg64Mcg,
) -> Result<Vec<Row>, Failure> {
    let start = Instant::now();
    let slots = slots(cell, args.slowed);
    let entries: Vec<&'static Entry> = slots.iter().map(|slot| slot.entry).collect();
    let mut rows = Vec::new();
    cell.enter(&entries, args.process, &mut |residents, answer| {
        let mut jobs: Vec<Burning<'_>> = residents
            .iter_mut()
            .zip(&slots)
            .filter_map(|(resident, slot)| {
                let job = resident.job.as_mut().ok()?;
                Some(Burning::by(&mut **job, slot.percent))
            })
            .collect();
        let slice = fair.saturating_sub(start.elapsed());
        let mut contenders: Vec<Contender<'_>> = jobs
            .iter_mut()
            .map(|job| Contender {
                job: job as &mut dyn Job,
                expected: Some(answer),
                threaded: false,
            })
            .collect();
        let outcomes = sample(
            &mut contenders,
            effort(slice),
            random,
            &mut Counters::none(),
        );
        for ((slot, job), outcome) in slots.iter().zip(&mut jobs).zip(outcomes) {
            let status = outcome.error.map_or(Status::Ok, Status::Err);
            rows.push(Row::Sample(Sample {
                elements: job.elements(),
                iters: outcome.iters,
                checksum: match status {
                    Status::Ok => format!("{:#x}", outcome.checksum),
                    _ => String::new(),
                },
                yardsticks: Some(outcome.yardsticks).filter(|_| status.is_ok()),
                rounds: outcome.rounds,
                minor_faults: outcome.minor_faults,
                context_switches: outcome.context_switches,
                status,
                ..blank(cell, slot, args.process)
            }));
            if slot.percent > 0.0 {
                rows.push(injected(cell, slot, args.process, job.injected_percent()));
            }
        }
    })?;
    Ok(rows)
}

/// The effort of `folioscope measure`.
fn effort(slice: Duration) -> Effort {
    Effort {
        slice_ns: u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX),
        min_sample_ns: 100_000,
        max_sample_ns: 5_000_000,
        min_rounds: MIN_ROUNDS,
        max_rounds: 41,
        limit_ns: u64::MAX,
    }
}

fn blank(cell: &Cell, slot: &Slot, process: u32) -> Sample {
    let (workload, params) = (cell.workload, cell.params.clone());
    Sample {
        label: slot.label.to_owned(),
        ..Sample::blank(workload.id, &slot.name(), params, workload.unit, process)
    }
}

fn injected(cell: &Cell, slot: &Slot, process: u32, percent: f64) -> Row {
    let mut params = cell.params.clone();
    // Values are one per run, injections one per process.
    params.insert("process".to_owned(), u64::from(process).into());
    Row::Value(Value {
        schema: SCHEMA_VERSION,
        workload: cell.workload.id.to_owned(),
        family: cell.workload.family().to_owned(),
        design: slot.name(),
        label: String::new(),
        params,
        axis: String::new(),
        quantity: INJECTED.to_owned(),
        unit: "%".to_owned(),
        less_is_better: true,
        value: percent,
        samples: Vec::new(),
        memory: None,
        status: Status::Ok,
    })
}
