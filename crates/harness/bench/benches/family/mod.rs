//! One family of workloads, put to all designs at once.
//!
//! The times are for whoever changes a design: quick, one process, one cache regime. Public
//! claims are measured by `folioscope measure`, which interleaves designs and starts
//! several processes.

use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use icount::entries::{FEWEST, of_family, setup};
use registry::{Job, Quantity, Request, Resident, Workload, enter_all};

/// Short, since a single row says little: the shape over orders and designs counts.
pub fn config() -> Criterion {
    Criterion::default()
        .without_plots()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(150))
        .configure_from_args()
}

/// Times every workload of a family for every design that has the capability: a group for
/// each workload, with the designs beside each other at every order.
pub fn compare(criterion: &mut Criterion, family: &str) {
    let rows = of_family(family);
    for rows in rows.chunk_by(|(one, _), (next, _)| one.id == next.id) {
        let mut group = criterion.benchmark_group(rows[0].0.id);
        for (workload, params) in rows {
            let setup = setup(params.clone());
            let requests: Vec<Request> = registry::entries()
                .iter()
                .filter(|entry| {
                    entry.workload.id == workload.id && entry.rules == entry.design.rules
                })
                .map(|entry| Request { entry, label: "" })
                .collect();
            enter_all(&requests, &setup, &mut |residents| {
                for resident in residents {
                    time(&mut group, workload, &setup, resident);
                }
            });
        }
        group.finish();
    }
}

fn time(
    group: &mut BenchmarkGroup<'_, WallTime>,
    workload: &Workload,
    setup: &registry::Setup,
    resident: &mut Resident<'_>,
) {
    // A dash in the tables: the design lacks the capability, or refuses this memory.
    let Ok(job) = &mut resident.job else { return };
    let design = resident.request.entry.design;
    if let (Quantity::Time(expected), false) = (workload.quantity, design.is_floor()) {
        let got = checked_call(*job);
        let wanted = expected(setup).ok();
        assert_eq!(
            Some(got),
            wanted,
            "{} answers wrong: {}",
            design.name,
            workload.id
        );
    }
    group.throughput(Throughput::Elements(job.elements()));
    let order = setup.number("order").unwrap_or(FEWEST);
    group.bench_function(BenchmarkId::new(design.name, order), |bencher| {
        bencher.iter_custom(|iters| timed(*job, iters));
    });
}

fn checked_call(job: &mut dyn Job) -> u64 {
    job.prepare(1);
    let raw = job.run(1);
    job.checksum(raw)
}

/// Only `run` is inside the clock; a job whose state must be put back runs once at a time.
fn timed(job: &mut dyn Job, iters: u64) -> Duration {
    let mut time = Duration::ZERO;
    let mut left = iters;
    while left > 0 {
        let n = left.min(job.max_iters());
        job.prepare(n);
        let start = Instant::now();
        let raw = job.run(n);
        time += start.elapsed();
        std::hint::black_box(job.checksum(raw));
        left -= n;
    }
    time
}
