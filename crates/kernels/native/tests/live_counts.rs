//! Single steps of a running kernel: counts that are known from its
//! source, and loops that cannot be counted.

use std::time::Duration;

use crate::built::kernels;
use native::{Bounds, Kernel, Layout, Piece, RunError, Session, Size, StepError, Traffic};
use physmem::{Extent, Kind, Order, Pfn};

const BASE: Pfn = Pfn(1 << 18);
const ORDER: Order = Order::PMD;
const BOUNDS: Bounds = Bounds {
    instructions: 1 << 20,
    time: Duration::from_secs(60),
};

/// One IO of 2 MiB, which is one allocation.
fn layout() -> Layout {
    let piece = Piece {
        extent: 0,
        offset: 0,
        len: ORDER.bytes() as u32,
    };
    Layout {
        base: BASE,
        extents: vec![(Extent::new(BASE, ORDER), Kind::Anon)],
        ios: vec![vec![piece]],
        frames: Vec::new(),
    }
}

fn start(kernel: &Kernel) -> Session {
    let mut session =
        Session::start(kernel, Size::of(1 << 14)).unwrap_or_else(|error| panic!("{error}"));
    session
        .layout(&layout())
        .unwrap_or_else(|error| panic!("{error}"));
    session
}

fn count(session: &mut Session, iters: u64) -> Traffic {
    session
        .count(iters, BOUNDS)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn named(kernels: &[Kernel], name: &str) -> Option<Session> {
    let kernel = kernels.iter().find(|kernel| kernel.name() == name);
    if kernel.is_none() {
        eprintln!("skipped: {name} is not built");
    }
    kernel.map(start)
}

fn open(session: &mut Session, job: &str, params: &[(&str, &str)]) {
    let params = params.iter().map(|&(key, value)| (key, value.to_owned()));
    session
        .job(job, params)
        .unwrap_or_else(|error| panic!("{job}: {error}"));
}

#[test]
fn adding_page_by_page_reads_what_the_source_says() {
    let kernels = kernels();
    // ARCH=um has no ZONE_DEVICE, so that no kernel looks at the pages that it is handed; the
    // patch looks for the head of the one that a vec begins with.
    for (name, lines) in [
        ("linux-6.1", 0),
        ("linux-6.12", 0),
        ("linux-6.12+headpage", 1),
    ] {
        let Some(mut session) = named(&kernels, name) else {
            continue;
        };
        open(&mut session, "merging/add", &[("unit", "page")]);
        let (one, two) = (count(&mut session, 1), count(&mut session, 2));
        assert_eq!(one.descriptor_lines, lines, "{name}: {one:?}");
        assert_eq!(one.descriptor_written, 0, "{name}: {one:?}");
        assert_eq!(one.descriptor_lines, two.descriptor_lines);
        // A call takes the same again; what is around it is little.
        let call = two.instructions - one.instructions;
        assert!(one.instructions - call < 50, "{name}: {one:?} {two:?}");
        assert!((20_000..100_000).contains(&call), "{name}: {call}");
        assert_eq!(count(&mut session, 1), one, "{name}");

        // The kernel goes on as if nothing had been.
        let run = session
            .run(3, Duration::from_secs(20))
            .unwrap_or_else(|error| panic!("{error}"));
        assert!(run.ticks > 0);
        session
            .check(run.raw)
            .unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn making_a_large_page_writes_the_descriptor_of_every_tail() {
    for kernel in kernels() {
        let mut session = start(&kernel);
        open(&mut session, "layout/compose", &[("mode", "make")]);
        let traffic = count(&mut session, 1);
        let name = kernel.name();
        assert_eq!(traffic.descriptor_lines, 512, "{name}: {traffic:?}");
        assert_eq!(traffic.descriptor_written, 512, "{name}: {traffic:?}");
    }
}

#[test]
fn a_loop_that_is_too_long_or_missing_is_not_counted() {
    for kernel in kernels() {
        let mut session = start(&kernel);
        let error = session.count(1, BOUNDS).unwrap_err();
        assert!(error.to_string().contains("no job is set up"), "{error}");
        open(&mut session, "iteration/segments", &[]);
        let short = Bounds {
            instructions: 100,
            ..BOUNDS
        };
        let error = session.count(1, short).unwrap_err();
        assert!(
            matches!(error, RunError::Step(StepError::Long(100))),
            "{error}"
        );
        let late = Bounds {
            time: Duration::ZERO,
            ..BOUNDS
        };
        let error = session.count(1, late).unwrap_err();
        assert!(
            matches!(error, RunError::Step(StepError::Slow(_))),
            "{error}"
        );
        // And the next question is answered all the same.
        assert!(
            count(&mut session, 1).instructions > 512,
            "{}",
            kernel.name()
        );
    }
}
