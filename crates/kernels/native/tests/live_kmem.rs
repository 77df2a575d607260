//! The kernel's own memory, for which no workload has a row: page tables with their descriptors,
//! and objects that a group pays for or not.

use std::time::Duration;

use crate::built::kernels;
use native::{Layout, RunError, Session, Size};
use physmem::{Extent, Kind, Order, Pfn};

const LONG: Duration = Duration::from_secs(60);
const BASE: Pfn = Pfn(1 << 18);
const HELD: u64 = 100;

/// Jobs, parameters, and what one call of each comes to.
const JOBS: [(&str, &str, u64); 4] = [
    ("kernel/tables", "no", HELD),
    ("kernel/table-lookup", "no", HELD * (HELD + 1) / 2),
    ("kernel/objects", "no", HELD),
    ("kernel/objects", "yes", HELD),
];

/// Where a job's count is, a kernel without descriptors of page tables says so.
fn has_tables(series: &str) -> bool {
    !["5.10", "6.1"].contains(&series)
}

#[test]
fn tables_and_objects_are_made_found_and_given_back() {
    for kernel in kernels() {
        let mut session = Session::start(&kernel, Size::of(1 << 10))
            .unwrap_or_else(|error| panic!("{}: {error}", kernel.name()));
        let layout = Layout {
            base: BASE,
            extents: vec![(Extent::new(BASE, Order::new(0)), Kind::Anon)],
            ios: Vec::new(),
            frames: Vec::new(),
        };
        session
            .layout(&layout)
            .unwrap_or_else(|error| panic!("{error}"));
        for (id, accounted, raw) in JOBS {
            let what = format!("{}: {id} accounted={accounted}", kernel.name());
            let params = [
                ("count", HELD.to_string()),
                ("accounted", accounted.to_owned()),
            ];
            match session.job(id, params) {
                Ok(job) => assert_eq!((job.elements, job.once), (HELD, false), "{what}"),
                Err(RunError::Absent(why)) => {
                    assert!(!has_tables(&kernel.series()), "{what}: {why}");
                    assert!(why.contains("before 6.6"), "{what}: {why}");
                    continue;
                }
                Err(error) => panic!("{what}: {error}"),
            }
            let mut least = u64::MAX;
            // More tables than the kernel has pages, if they were not given back.
            for iters in [1, 1000, 1000] {
                let run = session
                    .run(iters, LONG)
                    .unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(run.raw, raw, "{what}");
                least = least.min(run.ticks / iters);
            }
            eprintln!("{what}: {least} ticks for {HELD}");
            let mut sum = |raw: u64| {
                session
                    .check(raw)
                    .unwrap_or_else(|error| panic!("{what}: {error}"))
            };
            let digest =
                (0xcbf2_9ce4_8422_2325_u64.rotate_left(23) ^ HELD).wrapping_mul(0x0100_0000_01b3);
            assert_eq!(sum(raw), digest, "{what}");
            assert_ne!(sum(raw - 1), digest, "{what}");
        }
        let none = session.job("kernel/objects", [("count", "0".to_owned())]);
        assert!(none.unwrap_err().to_string().contains("count is 0"));
    }
}
