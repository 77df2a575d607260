//! Kernels that are built on this machine: each job does the work of its workload, which a
//! computation without any kernel or model says.

use std::time::Duration;

use crate::built::kernels;
use hugemem::Backing;
use native::{Kernel, Layout, Piece, RunError, Session, Size};
use physmem::{Extent, Kind, Mix, Order, Pfn, mixed_zone};
use workloads::{Param, Params, Setup};

const LONG: Duration = Duration::from_secs(60);
const BASE: Pfn = Pfn(1 << 18);
const FRAMES: u64 = 1 << 14;

/// One row: a workload, what it is run with, allocations and IOs of so many.
struct Row {
    id: &'static str,
    params: &'static [(&'static str, &'static str)],
    order: u8,
    count: u64,
    per_io: u64,
    kind: Kind,
}

const fn row(
    id: &'static str,
    params: &'static [(&'static str, &'static str)],
    order: u8,
    count: u64,
    per_io: u64,
) -> Row {
    let kind = Kind::Anon;
    Row {
        id,
        params,
        order,
        count,
        per_io,
        kind,
    }
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for order in [0, 4, 9] {
        for id in [
            "iteration/segments",
            "iteration/bvecs",
            "iteration/chunks",
            "iteration/end-io",
            "merging/add",
            "merging/map-sg",
            "merging/count-segments",
            "merging/split",
        ] {
            rows.push(row(id, &[], order, 1, 1));
            rows.push(row(id, &[("count", "16")], order, 16, 16));
        }
        rows.push(row(
            "merging/add",
            &[("unit", "page"), ("count", "8")],
            order,
            8,
            8,
        ));
        rows.push(row("merging/map-sg", &[("limits", "nvme")], order, 1, 1));
        rows.push(row("merging/split", &[("limits", "large")], order, 1, 1));
        rows.push(row(
            "iteration/segments",
            &[("payload", "read")],
            order,
            1,
            1,
        ));
        rows.push(Row {
            kind: Kind::Slab,
            ..row("merging/slab-io", &[("layout", "contiguous")], order, 8, 8)
        });
        rows.push(row("layout/compose", &[], order, 16, 0));
    }
    for order in [0, 2] {
        for path in [&[("path", "any")], &[("path", "miss")]] {
            rows.push(row("accounting/charge", path, order, 256, 0));
            rows.push(row("accounting/uncharge", path, order, 256, 0));
        }
        let deep = &[("depth", "8"), ("batch", "gathered")];
        rows.push(row("accounting/uncharge", deep, order, 256, 0));
        rows.push(row("accounting/stat", &[("depth", "8")], order, 256, 0));
        rows.push(row("accounting/lock", &[], order, 256, 0));
        rows.push(row(
            "iteration/lru-scan",
            &[("footprint", "l1")],
            order,
            128,
            0,
        ));
    }
    rows.push(row(
        "iteration/pfn-scan",
        &[("mix", "user"), ("mode", "isolate"), ("footprint", "l2")],
        0,
        1 << 12,
        0,
    ));
    rows
}

fn layout(row: &Row) -> Layout {
    let order = Order::new(row.order);
    let extents: Vec<_> = (0..row.count)
        .map(|n| (Extent::new(BASE + n * order.pages(), order), row.kind))
        .collect();
    let piece = |extent: u64| Piece {
        extent: extent as u32,
        offset: 0,
        len: order.bytes() as u32,
    };
    let ios = (0..row.count.checked_div(row.per_io).unwrap_or(0))
        .map(|io| {
            (io * row.per_io..(io + 1) * row.per_io)
                .map(piece)
                .collect()
        })
        .collect();
    Layout {
        base: BASE,
        extents,
        ios,
        frames: Vec::new(),
    }
}

/// The workload's expected answer, and its parameters.
fn expected(row: &Row) -> (u64, Params) {
    let workload = workloads::by_id(row.id).expect("a workload");
    let mut given: Params = row
        .params
        .iter()
        .map(|&(name, value)| (name.to_owned(), Param::from(value)))
        .collect();
    if row.id != "iteration/pfn-scan" {
        given.insert("order".into(), Param::Number(row.order.into()));
    }
    let params = workload
        .complete(&given)
        .unwrap_or_else(|error| panic!("{}: {error}", row.id));
    let setup = Setup {
        params: params.clone(),
        seed: 7,
        backing: Backing::Base,
        arena_shift: 0,
    };
    let sum = workload
        .expected(&setup)
        .unwrap_or_else(|error| panic!("{}: {error}", row.id));
    (sum.expect("a timed workload"), params)
}

/// The checksum after a run of this many calls; `None` where this kernel has no such thing.
fn answer(session: &mut Session, row: &Row, params: &Params) -> Result<Option<u64>, RunError> {
    session.layout(&layout(row))?;
    let params = params
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_string()));
    let job = match session.job(row.id, params.chain([("seed", "7".to_owned())])) {
        Ok(job) => job,
        Err(RunError::Absent(why)) => {
            assert!(!why.is_empty());
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut last = 0;
    for iters in [1, if job.once { 1 } else { 3 }, 1] {
        let run = session.run(iters, LONG)?;
        assert!(run.ticks > 0 && run.nanoseconds > 0, "{run:?}");
        last = session.check(run.raw)?;
    }
    Ok(Some(last))
}

fn is_too_much_for_a_bio(kernel: &Kernel, params: &Params) -> bool {
    let is = |name: &str, value: &str| {
        params
            .get(name)
            .is_some_and(|given| given.to_string() == value)
    };
    kernel.patches.iter().any(|patch| patch == "no-merge") && is("unit", "page") && is("order", "9")
}

#[test]
fn every_job_does_the_work_of_its_workload() {
    for kernel in kernels() {
        let mut session = Session::start(&kernel, Size::of(FRAMES))
            .unwrap_or_else(|error| panic!("{}: {error}", kernel.name()));
        let mut met = 0;
        let mut wrong = Vec::new();
        for row in rows() {
            let (sum, params) = expected(&row);
            let what = format!("{} {} {params:?}", kernel.name(), row.id);
            match answer(&mut session, &row, &params) {
                Ok(Some(answer)) if answer == sum => met += 1,
                // A bio has room for 256 calls then, and a large page is 512 pages.
                Ok(Some(_)) if is_too_much_for_a_bio(&kernel, &params) => {}
                Ok(Some(answer)) => wrong.push(format!("{what}: {answer}, expected {sum}")),
                Ok(None) => eprintln!("{what}: absent"),
                Err(error) => panic!("{what}: {error}"),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(met > 50, "{}: only {met} rows", kernel.name());
        let backed = session.collapse().unwrap_or_else(|error| panic!("{error}"));
        eprintln!("{}: {met} rows; {}", kernel.name(), backed.words());
        assert!(backed.resident >= backed.descriptors);
        if backed.collapsed.is_ok() {
            assert!(backed.huge >= backed.descriptors, "{backed:?}");
        }
    }
}

#[test]
fn frames_of_any_allocation_lead_to_its_head() {
    for kernel in kernels() {
        let mut session = Session::start(&kernel, Size::of(FRAMES))
            .unwrap_or_else(|error| panic!("{}: {error}", kernel.name()));
        let orders = [9, 0, 2, 0];
        let starts = [0, 512, 516, 520];
        let extents: Vec<_> = std::iter::zip(starts, orders)
            .map(|(start, order)| (Extent::new(BASE + start, Order::new(order)), Kind::File))
            .collect();
        let frames = [511, 512, 519, 520, 0].map(|frame| BASE + frame);
        let layout = Layout {
            base: BASE,
            extents,
            ios: Vec::new(),
            frames: frames.to_vec(),
        };
        session
            .layout(&layout)
            .unwrap_or_else(|error| panic!("{error}"));
        let job = session
            .job("layout/lookup", [])
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(job.elements, 5);
        let run = session
            .run(2, LONG)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(run.raw, 5);
        let digest = |heads: [u64; 5]| {
            heads
                .iter()
                .fold(0xcbf2_9ce4_8422_2325_u64, |digest, head| {
                    (digest.rotate_left(23) ^ (BASE.0 + head)).wrapping_mul(0x0100_0000_01b3)
                })
        };
        let sum = session
            .check(run.raw)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(sum, digest([0, 512, 516, 520, 0]), "{}", kernel.name());
    }
}

#[test]
fn a_kernel_survives_what_it_refuses_and_says_why() {
    for kernel in kernels() {
        let mut session = Session::start(&kernel, Size::of(FRAMES))
            .unwrap_or_else(|error| panic!("{}: {error}", kernel.name()));
        let early = session.run(1, LONG).unwrap_err();
        assert!(early.to_string().contains("no job is set up"), "{early}");
        let unknown = session.job("iteration/nothing", []).unwrap_err();
        assert!(matches!(unknown, RunError::Absent(_)), "{unknown}");
        let (first, one) = session.clock().unwrap_or_else(|error| panic!("{error}"));
        let (then, two) = session.clock().unwrap_or_else(|error| panic!("{error}"));
        assert!(then > first && two > one);
        // Every machine that runs this is between 1 and 10 GHz.
        let rate = session
            .nanoseconds_per_tick()
            .unwrap_or_else(|error| panic!("{error}"));
        assert!((0.1..1.0).contains(&rate), "{rate}");
    }
}

/// Compaction's walk over every kind of memory isolates what can be moved and nothing else.
#[test]
fn a_walk_over_a_mixed_zone_isolates_what_is_movable() {
    for kernel in kernels() {
        let mut session = Session::start(&kernel, Size::of(FRAMES))
            .unwrap_or_else(|error| panic!("{}: {error}", kernel.name()));
        let zone = mixed_zone(BASE..BASE + (1 << 13), 11, &Mix::typical());
        let kinds = zone.iter().map(|(_, kind)| kind.to_string());
        assert!(kinds.collect::<std::collections::BTreeSet<_>>().len() > 3);
        let layout = Layout {
            base: BASE,
            extents: zone.clone(),
            ios: Vec::new(),
            frames: Vec::new(),
        };
        session
            .layout(&layout)
            .unwrap_or_else(|error| panic!("{error}"));
        let params = [("mode", "isolate".to_owned())];
        match session.job("iteration/pfn-scan", params) {
            Ok(job) => assert_eq!(job.elements, 1 << 13),
            Err(RunError::Absent(why)) => {
                assert!(why.contains("before 6.9"), "{why}");
                continue;
            }
            Err(error) => panic!("{}: {error}", kernel.name()),
        }
        let movable: u64 = zone
            .iter()
            .filter(|(extent, kind)| kind.is_lru() && extent.order < Order::PMD)
            .map(|(extent, _)| extent.order.pages())
            .sum();
        for _ in 0..3 {
            let run = session
                .run(2, LONG)
                .unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(run.raw, movable, "{}", kernel.name());
        }
    }
}
