//! A made-up run of realistic size and shape. Nothing in it was measured: it exists to
//! try the report and the figures.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use render::{Context, WorkloadNote};
use results::{
    Bandwidth, Cache, Clock, Environment, Git, HugetlbPool, Memory, Param, Params, Row, Run,
    SCHEMA_VERSION, Sample, Spent, Status, Value,
};

mod counts;

#[allow(
    unused_imports,
    reason = "not every test that includes this file draws them"
)]
pub use counts::fidelity;

/// Designs with their cost per unit: (name, per element, per chunk of any order).
const DESIGNS: &[(&str, f64, f64)] = &[
    ("flat", 1.0, 1.0),
    ("flat-sp", 1.35, 1.6),
    ("folio", 0.86, 0.55),
    ("memdesc", 1.04, 0.62),
    ("headpage", 0.93, 0.58),
    ("headpage-noassert", 0.90, 0.56),
    ("null", 0.12, 0.1),
];

/// Workload, unit, parameters as (name, values), whether it scales with chunks.
type Plan = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static [&'static str])],
    bool,
);

const ORDERS: &[&str] = &["0", "2", "4", "9"];
const PLANS: &[Plan] = &[
    (
        "iteration/segments",
        "page",
        &[("order", ORDERS), ("footprint", &["l1", "mem"])],
        false,
    ),
    (
        "iteration/bvecs",
        "bvec",
        &[("order", ORDERS), ("footprint", &["l1", "mem"])],
        false,
    ),
    (
        "iteration/chunks",
        "folio",
        &[("order", ORDERS), ("footprint", &["l1", "mem"])],
        true,
    ),
    (
        "iteration/end-io",
        "page",
        &[("order", ORDERS), ("footprint", &["l2"])],
        true,
    ),
    (
        "iteration/pfn-scan",
        "page",
        &[
            ("footprint", &["l1", "l2", "mem"]),
            ("layout", &["captured-thp", "captured-cache"]),
        ],
        false,
    ),
    (
        "iteration/lru-scan",
        "folio",
        &[("order", ORDERS), ("footprint", &["l2"])],
        true,
    ),
    (
        "merging/add",
        "page",
        &[("order", ORDERS), ("layout", &["contiguous", "scattered"])],
        true,
    ),
    (
        "merging/map-sg",
        "bio",
        &[
            ("io_bytes", &["4096", "65536", "1048576", "2097152"]),
            ("layout", &["contiguous"]),
        ],
        false,
    ),
    ("merging/count-segments", "bio", &[("order", ORDERS)], true),
    (
        "merging/split",
        "bio",
        &[("io_bytes", &["65536", "1048576"])],
        false,
    ),
    ("merging/slab-io", "bio", &[("order", &["0"])], false),
    (
        "accounting/charge",
        "charge",
        &[("order", ORDERS), ("depth", &["2"]), ("stock", &["hit"])],
        false,
    ),
    (
        "accounting/charge",
        "charge",
        &[
            ("order", &["0"]),
            ("depth", &["1", "2", "4", "8"]),
            ("stock", &["miss"]),
        ],
        false,
    ),
    (
        "accounting/uncharge",
        "charge",
        &[("order", ORDERS), ("depth", &["2"])],
        false,
    ),
    (
        "accounting/stat",
        "update",
        &[("depth", &["1", "2", "4", "8"])],
        false,
    ),
    (
        "accounting/contention",
        "charge",
        &[("threads", &["1", "2", "4"]), ("depth", &["2"])],
        false,
    ),
    ("layout/compose", "page", &[("order", ORDERS)], true),
];

fn param(text: &str) -> Param {
    text.parse()
        .map_or_else(|_| Param::from(text), Param::Number)
}

/// All combinations of a plan's parameters.
fn combinations(plan: &Plan) -> Vec<Params> {
    plan.2
        .iter()
        .fold(vec![Params::new()], |known, (name, values)| {
            known
                .iter()
                .flat_map(|params| {
                    values.iter().map(move |value| {
                        let mut params = params.clone();
                        params.insert((*name).to_owned(), param(value));
                        params
                    })
                })
                .collect()
        })
}

fn memory(huge: bool) -> Memory {
    Memory {
        asked: "auto".to_owned(),
        got: if huge { "thp" } else { "base" }.to_owned(),
        bytes_total: 256 << 20,
        bytes_huge: if huge { 256 << 20 } else { 0 },
        page_size: if huge { 2 << 20 } else { 4096 },
        source: "smaps".to_owned(),
        reason: "hugetlb pool of 2 MiB pages is empty".to_owned(),
    }
}

/// The axis of a workload's plot: the first of its parameters with several numbers.
fn axis(plan: &Plan) -> String {
    let numbers =
        |values: &[&str]| values.len() > 1 && values.iter().all(|v| v.parse::<u64>().is_ok());
    plan.2
        .iter()
        .find(|(_, values)| numbers(values))
        .map_or_else(|| plan.2[0].0.to_owned(), |(name, _)| (*name).to_owned())
}

/// The run. `noise` is the relative spread between processes.
pub fn run(seed: u64, noise: f64) -> Run {
    render::use_looks(registry::looks());
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut rows = Vec::new();
    for plan in PLANS {
        for params in combinations(plan) {
            rows.extend(case(plan, &params, noise, &mut random));
        }
    }
    rows.extend(values());
    Run {
        dir: "synthetic".into(),
        env: environment(seed),
        rows,
    }
}

fn number(params: &Params, name: &str) -> f64 {
    match params.get(name) {
        Some(Param::Number(number)) => *number as f64,
        _ => 0.0,
    }
}

fn case(plan: &Plan, params: &Params, noise: f64, random: &mut Pcg64Mcg) -> Vec<Row> {
    let (workload, unit, _, by_chunk) = *plan;
    let mut rows = Vec::new();
    let base = match params.get("footprint") {
        Some(Param::Text(regime)) if regime == "mem" => 6.5,
        _ => 1.4,
    } * (1.0 + number(params, "depth") * 0.8)
        * (1.0 + number(params, "io_bytes") / 40_000.0)
        * number(params, "threads").max(1.0).powf(0.7);
    for process in 0..3 {
        let copies = [("flat", "control", 1.0, 1.0)].into_iter().chain(
            DESIGNS
                .iter()
                .map(|(name, element, chunk)| (*name, "", *element, *chunk)),
        );
        for (design, label, element, chunk) in copies {
            let status = match (workload, design) {
                ("merging/slab-io", "folio") => {
                    Status::Absent("slab pages are no folios of a file".to_owned())
                }
                ("merging/count-segments", "headpage") => Status::Err(
                    "checksum 0x1f differs from the reference's 0x20 at order 4".to_owned(),
                ),
                ("merging/split" | "layout/compose", "null") => Status::Absent("floor".to_owned()),
                _ => Status::Ok,
            };
            let order = number(params, "order");
            // Per page, a walk by chunks costs less the larger the chunk.
            let shape = if by_chunk && design != "flat" && design != "flat-sp" {
                chunk / 2f64.powf(order * 0.3)
            } else {
                element
            };
            let luck = 1.0 + noise * (random.random::<f64>() - 0.5) * 2.0;
            let rounds: Vec<f64> = (0..12)
                .map(|_| {
                    let outlier = if random.random::<f64>() < 0.04 {
                        1.2
                    } else {
                        1.0
                    };
                    base * shape * luck * outlier * (1.0 + 0.01 * random.random::<f64>())
                })
                .collect();
            let ok = status.is_ok();
            rows.push(Row::Sample(Sample {
                label: label.to_owned(),
                axis: axis(plan),
                elements: 4096,
                iters: 64,
                rounds: if ok { rounds } else { Vec::new() },
                checksum: if ok {
                    "0xfeed".to_owned()
                } else {
                    String::new()
                },
                memory: ok.then(|| memory(workload != "layout/compose")),
                status,
                ..Sample::blank(workload, design, params.clone(), unit, process)
            }));
        }
    }
    rows
}

fn value(workload: &str, design: &str, params: Params, quantity: (&str, &str), number: f64) -> Row {
    Row::Value(Value {
        schema: SCHEMA_VERSION,
        workload: workload.to_owned(),
        family: workload.split('/').next().unwrap_or_default().to_owned(),
        design: design.to_owned(),
        label: String::new(),
        axis: params.keys().next().cloned().unwrap_or_default(),
        params,
        quantity: quantity.0.to_owned(),
        unit: quantity.1.to_owned(),
        less_is_better: quantity.1 != "GB/s",
        value: number,
        samples: if quantity.1 == "GB/s" {
            vec![number, number * 1.02, number * 0.99]
        } else {
            vec![]
        },
        memory: None,
        status: Status::Ok,
    })
}

fn values() -> Vec<Row> {
    let mut rows = Vec::new();
    for order in [0u32, 2, 4, 9] {
        for (design, per_page, per_chunk) in [
            ("flat", 64.0, 0.0),
            ("folio", 64.0, 0.0),
            ("memdesc", 8.0, 64.0),
            ("headpage", 64.0, 0.0),
        ] {
            let chunks = f64::from(1u32 << (18 - order));
            let bytes = f64::from(1u32 << 18) * per_page + chunks * per_chunk;
            let params = Params::from([("order".to_owned(), Param::Number(order.into()))]);
            let quantity = ("descriptor-bytes", "byte/GiB");
            rows.push(value("layout/footprint", design, params, quantity, bytes));
        }
    }
    for (entry, size) in [("segments", 212.0), ("add", 388.0)] {
        for (index, (design, ..)) in DESIGNS.iter().enumerate() {
            let params = Params::from([("entry".to_owned(), Param::from(entry))]);
            let bytes = size + 24.0 * index as f64;
            rows.push(value(
                "code/size",
                design,
                params,
                ("code-bytes", "byte"),
                bytes,
            ));
        }
    }
    let params = Params::from([("backing".to_owned(), Param::from("thp"))]);
    rows.push(value(
        "iteration/pfn-scan",
        "",
        params,
        ("read-bandwidth", "GB/s"),
        11.3,
    ));
    rows
}

fn environment(seed: u64) -> Environment {
    Environment {
        tool: "0.1.0".to_owned(),
        command: ["folioscope", "compare", "--budget", "120"]
            .map(str::to_owned)
            .to_vec(),
        date_utc: "2026-11-23T01:02:03Z".to_owned(),
        git: Some(Git {
            revision: "1d0aed6c0ffee1d0aed6c0ffee1d0aed6c0ffee1".to_owned(),
            dirty: true,
        }),
        rustc: "rustc 1.95.0 (59807616e 2026-04-14)".to_owned(),
        target: "x86_64-unknown-linux-gnu".to_owned(),
        kernel: "6.1.0-40-cloud-amd64".to_owned(),
        cpu_model: "Synthetic CPU @ 2.60GHz".to_owned(),
        cores: 2,
        caches: vec![
            Cache {
                level: 1,
                kind: "data".to_owned(),
                bytes: 48 << 10,
            },
            Cache {
                level: 2,
                kind: "unified".to_owned(),
                bytes: 2 << 20,
            },
            Cache {
                level: 3,
                kind: "unified".to_owned(),
                bytes: 105 << 20,
            },
        ],
        thp: Some("madvise".to_owned()),
        hugetlb: vec![HugetlbPool {
            page_bytes: 2 << 20,
            total: 0,
            free: 0,
        }],
        pmu: Some(false),
        pinned_cpu: Some(1),
        steal_ticks: Some(12),
        seed,
        budget_s: 120.0,
        elapsed_s: 113.4,
        spent: Some(Spent {
            setup_s: 24.0,
            sampling_s: 80.0,
        }),
        finished: true,
        processes: 3,
        rounds: 12,
        clock: Clock {
            source: "CLOCK_MONOTONIC".to_owned(),
            resolution_ns: 23.0,
        },
        read_bandwidth: vec![Bandwidth {
            backing: "thp".to_owned(),
            bytes: 256 << 20,
            bytes_per_s: 11.3e9,
        }],
        ..Environment::unknown()
    }
}

/// Words of the workloads, as their table would pass them.
#[allow(
    dead_code,
    reason = "not every test that includes this file writes a mail"
)]
pub fn context() -> Context {
    let mut ids: Vec<&str> = PLANS.iter().map(|plan| plan.0).collect();
    ids.dedup();
    let notes = ids
        .into_iter()
        .map(|id| WorkloadNote {
            id: id.to_owned(),
            question: format!("What does {id} cost per element?"),
            favours: "folio, which needs no look at the tail's head pointer".to_owned(),
            unfair: "the payload is never read, which flatters designs that keep all they \
                     need in the head descriptor"
                .to_owned(),
        })
        .collect();
    Context {
        notes,
        fidelity: Some(
            "segment walk : folio walk is 1.08 times the kernel's ratio at worst".to_owned(),
        ),
        ..Context::default()
    }
}
