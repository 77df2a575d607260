//! Laws worked by hand: the order in which memory is added, and cases with known answers.

use mm::block::{Bio, Op};
use mm::{BlockIo, KernelVersion};
use physmem::{Extent, Kind, Order};
use rand::RngExt as _;
use rand_pcg::Pcg64;

use crate::case::{Add, Answer, By, Case, Limits, Taken, WINDOW_PAGES};
use crate::evaluate::evaluate;
use crate::laws::cases::{BASE, SEED, cases_per_law, fresh, versions};
use crate::under::Under;

const P: u32 = 4096;
const M: u32 = 1 << 20;

/// A page joins the last vec if it follows it, and no other vec: the pages of one
/// allocation in a random order open a vec wherever one does not follow the one before.
/// Before v5.1 every page opens one.
pub fn merging_depends_on_order<D: BlockIo>() {
    fn vecs<D: BlockIo>(design: &D, under: Under, order: &[u64]) -> usize {
        let size = Order::new(order.len().trailing_zeros() as u8);
        let unit = design.alloc(Extent::new(BASE, size), Kind::File);
        let name = |page| {
            design
                .nth_page(unit, page)
                .expect("file memory can be named")
        };
        let mut bio = Bio::new(256, 0, Op::Read, name(0).0);
        for &page in order {
            let (page, offset) = name(page);
            let added = under.add_page(design, &mut bio, page, P, offset);
            assert_eq!(added, P, "there is room");
        }
        let count = bio.vecs().len();
        design.free(unit);
        count
    }
    let design = fresh::<D>();
    let mut rng = Pcg64::new(SEED.into(), 0);
    for _ in 0..cases_per_law() {
        let mut order: Vec<u64> = (0..1 << rng.random_range(1..=6)).collect();
        // From in order, through a few swaps, to thoroughly mixed.
        for _ in 0..rng.random_range(0..=order.len()) {
            let (a, b) = (
                rng.random_range(0..order.len()),
                rng.random_range(0..order.len()),
            );
            order.swap(a, b);
        }
        let breaks = order
            .windows(2)
            .filter(|pair| pair[1] != pair[0] + 1)
            .count();
        for version in versions::<D>() {
            let expected = if version == KernelVersion::V5_0 {
                order.len()
            } else {
                breaks + 1
            };
            let under = Under::new::<D>(version).expect("one of its versions");
            let got = vecs(&design, under, &order);
            assert_eq!(
                got,
                expected,
                "{} under {version} rules: vecs of pages added as {order:?}",
                D::NAME
            );
        }
    }
}

/// The answer that a worked case expects.
#[derive(PartialEq, Eq, Debug)]
struct Counts {
    vecs: usize,
    segments: u32,
    sg: usize,
    requests: usize,
    sp_segments: u64,
    units: u64,
}

impl Counts {
    fn of(taken: &Taken) -> Self {
        Self {
            vecs: taken.vecs.len(),
            segments: taken.bios.iter().map(|request| request.segments).sum(),
            sg: taken.bios.iter().map(|request| request.sg.len()).sum(),
            requests: taken.bios.len(),
            sp_segments: taken.sp_segments,
            units: taken.chunks,
        }
    }
}

fn page(pfn: u64, offset: u32, len: u32) -> Add {
    Add {
        pfn,
        order: 0,
        offset,
        len,
        bio: 0,
        by: By::Page,
        pgmap: None,
    }
}

fn pages(pfns: impl IntoIterator<Item = u64>) -> Vec<Add> {
    pfns.into_iter().map(|pfn| page(pfn, 0, P)).collect()
}

fn huge(pfns: impl IntoIterator<Item = u64>) -> Vec<Add> {
    pfns.into_iter()
        .map(|pfn| Add {
            order: 9,
            len: 2 * M,
            ..page(pfn, 0, P)
        })
        .collect()
}

/// The worked cases come out as worked: vecs, segments, scatterlist entries, requests, and
/// the steps of the walks by page and by allocation.
pub fn worked_cases_come_out<D: BlockIo>() {
    let answer = |rules, limits, max_vecs, adds: Vec<Add>| {
        let case = Case {
            max_vecs,
            limits,
            adds,
            ..Case::new("worked", rules)
        };
        match evaluate::<D>(&case).expect("the memory is small") {
            Answer::Taken(taken) => taken,
            Answer::Refused(refused) => panic!("{}: {refused:?}", D::NAME),
        }
    };
    let check = |what: &str, taken: Taken, n: [u64; 6]| {
        let expected = Counts {
            vecs: n[0] as usize,
            segments: n[1] as u32,
            sg: n[2] as usize,
            requests: n[3] as usize,
            sp_segments: n[4],
            units: n[5],
        };
        assert_eq!(Counts::of(&taken), expected, "{}: {what}", D::NAME);
    };
    let f = 2 * WINDOW_PAGES;
    let default = Limits::default();
    if D::SINGLE_PAGE_VECS {
        let run = |adds| answer(KernelVersion::V5_0, default, 256, adds);
        check(
            "16 adjacent pages",
            run(pages(f..f + 16)),
            [16, 1, 1, 1, 16, 16],
        );
        check(
            "17 adjacent pages",
            run(pages(f..f + 17)),
            [17, 2, 2, 1, 17, 17],
        );
        check("2 MiB", run(huge([f])), [512, 32, 32, 2, 512, 512]);
        return;
    }
    let run = |adds| answer(KernelVersion::V7_1, default, 256, adds);
    let large = Limits {
        max_segment_size: Some(u32::MAX),
        ..default
    };
    let unbounded = |adds| answer(KernelVersion::V7_1, large, 256, adds);
    check(
        "16 adjacent pages",
        run(pages(f..f + 16)),
        [1, 1, 1, 1, 16, 16],
    );
    check(
        "17 adjacent pages",
        run(pages(f..f + 17)),
        [1, 2, 2, 1, 17, 17],
    );
    check(
        "every other page",
        run(pages((f..f + 32).step_by(2))),
        [16, 16, 16, 1, 16, 16],
    );
    check(
        "descending pages",
        run(pages((f..f + 16).rev())),
        [16, 16, 16, 1, 16, 16],
    );
    let eighths = (0..8).map(|n| page(f, n * 512, 512)).collect();
    check("a page in eighths", run(eighths), [1, 1, 1, 1, 1, 1]);
    let hole = vec![page(f, 0, 512), page(f, 1024, 512)];
    check("a hole of 512 bytes", run(hole), [2, 2, 2, 1, 2, 2]);
    let across = vec![page(f, P / 2, P / 2), page(f + 1, 0, P / 2)];
    check("across a page end", run(across), [1, 1, 1, 1, 2, 2]);
    check("2 MiB", run(huge([f])), [1, 32, 32, 1, 512, 1]);
    check(
        "2 MiB in one segment",
        unbounded(huge([f])),
        [1, 1, 1, 1, 512, 1],
    );
    check(
        "two adjacent 2 MiB",
        unbounded(huge([f, f + 512])),
        [1, 1, 1, 1, 1024, 2],
    );
    check(
        "two distant 2 MiB",
        unbounded(huge([f, f + 1024])),
        [2, 2, 2, 1, 1024, 2],
    );
    let capped = Limits {
        max_sectors: Some(8192),
        ..large
    };
    let three = answer(
        KernelVersion::V7_1,
        capped,
        256,
        huge([f, f + 512, f + 1024]),
    );
    check("6 MiB on a device of 4 MiB", three, [1, 2, 2, 2, 1536, 3]);
    let four_gib = 1 << 20;
    let megabyte = |pfn| Add {
        order: 8,
        len: M,
        ..page(pfn, 0, P)
    };
    let crossing = vec![megabyte(four_gib - 256), megabyte(four_gib)];
    check("across 4 GiB", unbounded(crossing), [1, 2, 2, 1, 512, 2]);
    let full = run(pages((f..f + 514).step_by(2)));
    assert_eq!(
        full.accepted.last(),
        Some(&0),
        "{}: a 257th vec is refused",
        D::NAME
    );
    check("a full table", full, [256, 256, 256, 2, 256, 256]);
    let small = answer(KernelVersion::V7_1, default, 1, pages([f, f + 1, f + 3]));
    assert_eq!(
        small.accepted,
        [P, P, 0],
        "{}: a full table still merges",
        D::NAME
    );
    check("a table of one", small, [1, 1, 1, 1, 2, 2]);
}
