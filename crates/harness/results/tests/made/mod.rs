//! Rows and environments made by chance, for the laws in the neighbouring tests.

use proptest::prelude::*;
use results::{
    Environment, Git, Memory, Param, Params, Row, RowSum, SCHEMA_VERSION, Sample, Status, Value,
    Yardsticks,
};

/// Parameters of all shapes.
fn params() -> impl Strategy<Value = Params> {
    let value = prop_oneof![
        any::<u64>().prop_map(Param::Number),
        "[a-z0-9-]{0,8}".prop_map(Param::from),
        ".{0,6}".prop_map(Param::from),
    ];
    prop::collection::btree_map("[a-z_]{1,8}", value, 0..4)
}

fn memory() -> impl Strategy<Value = Option<Memory>> {
    prop::option::of(
        (any::<u32>(), any::<u32>(), ".{0,12}").prop_map(|(a, b, reason)| Memory {
            asked: "auto".to_owned(),
            got: "thp".to_owned(),
            bytes_total: u64::from(a.max(b)),
            bytes_huge: u64::from(a.min(b)),
            page_size: 2 << 20,
            source: "smaps".to_owned(),
            reason,
        }),
    )
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        3 => Just(Status::Ok),
        1 => ".{0,20}".prop_map(Status::Err),
        1 => ".{0,20}".prop_map(Status::Absent),
    ]
}

/// A sample that a writer accepts.
fn sample() -> impl Strategy<Value = Row> {
    let numbers = (0..4u32, 1..1u64 << 40, 1..1u64 << 40, any::<u64>(), 0..3u64);
    let counter = prop::option::of(0.0..1e9);
    let rounds = prop::collection::vec(prop_oneof![0.0..1e6, Just(f64::MIN_POSITIVE)], 1..6);
    (
        "[a-z]{1,6}",
        "[a-z-]{1,8}",
        params(),
        numbers,
        rounds,
        (counter.clone(), counter),
        memory(),
        status(),
    )
        .prop_map(
            |(family, name, params, numbers, rounds, counters, memory, status)| {
                let ok = status.is_ok();
                Row::Sample(Sample {
                    schema: SCHEMA_VERSION,
                    workload: format!("{family}/{name}"),
                    family,
                    design: "flat".to_owned(),
                    label: if numbers.4 == 0 {
                        "control".to_owned()
                    } else {
                        String::new()
                    },
                    axis: params.keys().next().cloned().unwrap_or_default(),
                    params,
                    process: numbers.0,
                    unit: "page".to_owned(),
                    elements: numbers.1,
                    iters: numbers.2,
                    yardsticks: (ok && numbers.0 % 2 == 0).then(|| Yardsticks {
                        chain_ns: vec![1.25; rounds.len()],
                        walk_ns: vec![0.75; rounds.len()],
                    }),
                    rounds: if ok { rounds } else { Vec::new() },
                    checksum: if ok {
                        format!("{:#x}", numbers.3)
                    } else {
                        String::new()
                    },
                    minor_faults: numbers.4,
                    context_switches: numbers.4,
                    instructions: counters.0,
                    dtlb_misses: counters.1,
                    memory,
                    status,
                })
            },
        )
}

/// A value that a writer accepts.
fn value() -> impl Strategy<Value = Row> {
    let samples = prop::collection::vec(-1e9..1e9, 0..4);
    (
        "[a-z]{1,6}",
        params(),
        -1e12..1e12,
        samples,
        memory(),
        status(),
        any::<bool>(),
    )
        .prop_map(
            |(family, params, value, samples, memory, status, less_is_better)| {
                Row::Value(Value {
                    schema: SCHEMA_VERSION,
                    workload: format!("{family}/footprint"),
                    family,
                    design: String::new(),
                    label: String::new(),
                    axis: params.keys().next_back().cloned().unwrap_or_default(),
                    params,
                    quantity: "descriptor-bytes".to_owned(),
                    unit: "byte/GiB".to_owned(),
                    less_is_better,
                    value,
                    samples,
                    memory,
                    status,
                })
            },
        )
}

/// Any row that a writer accepts.
pub fn row() -> impl Strategy<Value = Row> {
    prop_oneof![sample(), value()]
}

/// Any environment.
pub fn environment() -> impl Strategy<Value = Environment> {
    let git = prop::option::of(("[0-9a-f]{40}", any::<bool>()))
        .prop_map(|git| git.map(|(revision, dirty)| Git { revision, dirty }));
    let command = prop::collection::vec(".{0,10}", 0..4);
    (
        git,
        command,
        any::<u64>(),
        prop::option::of(any::<u64>()),
        prop::option::of(0..4096_u32),
        any::<bool>(),
        0.0..1e9,
    )
        .prop_map(
            |(git, command, seed, steal_ticks, pinned_cpu, finished, elapsed_s)| Environment {
                git,
                command,
                seed,
                steal_ticks,
                pinned_cpu,
                finished,
                elapsed_s,
                rows: finished.then(|| RowSum::of(&seed.to_le_bytes())),
                ..Environment::unknown()
            },
        )
}
