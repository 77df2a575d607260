//! Lists and the walk over frames (`count_lru.c`, `count_scan.c`).

use design::{Lru, Rules, Scan};
use physmem::{Extent, Kind, Order, Pfn};

use super::stage::{MemArg, Stage, Unbuilt, group, told};
use super::{ORDERS, Say};

const CPU: usize = 0;
/// Frames of the mixed zone: 2^10.
const ZONE_ORDER: u8 = 10;

/// What the walk over frames works on.
struct ScanArg<'d, D> {
    design: &'d D,
    start: Pfn,
    frames: u64,
    scan: Scan,
}

#[inline(never)]
fn op_lru_isolate<'d, D: Lru, V: Rules>(design: &'d D, a: &mut MemArg<'_, 'd, D>) {
    a.sink = u64::from(design::lru::isolate_one(design, a.cpu, a.chunk));
}

#[inline(never)]
fn op_lru_add_drain<'d, D: Lru, V: Rules>(design: &'d D, a: &mut MemArg<'_, 'd, D>) {
    design.lru_add(a.cpu, a.chunks);
}

#[inline(never)]
fn op_pfn_scan<'d, D: Lru, V: Rules>(design: &'d D, a: &mut ScanArg<'d, D>) {
    a.scan = design.pfn_scan(CPU, a.start, a.frames, false);
}

pub(super) fn run<D: Lru, V: Rules>(say: Say<'_>) -> Result<(), Unbuilt> {
    for order in ORDERS {
        let stage = Stage::<D>::new()?;
        let chunks = [stage.compound(order)?];
        isolate::<D, V>(say, &stage.design, &chunks, order)?;
    }
    let stage = Stage::<D>::new()?;
    let pages = stage.pages(4)?;
    for (class, many) in [("pages1", 1), ("pages14", 14)] {
        add::<D, V>(say, &stage.design, &pages[..many], class)?;
    }
    ORDERS
        .into_iter()
        .filter(|&order| order + 2 <= ZONE_ORDER)
        .try_for_each(|order| scan::<D, V>(say, order))
}

fn arg<'a, 'd, D: Lru>(design: &'d D, chunks: &'a [D::Chunk<'d>]) -> MemArg<'a, 'd, D> {
    let group = group(design);
    for &chunk in chunks {
        let charged = design.charge::<design::Linux6_12>(CPU, group, chunk);
        debug_assert!(charged.is_ok());
    }
    MemArg {
        design,
        cpu: CPU,
        group,
        chunk: chunks[0],
        chunks,
        nr: 0,
        sink: 0,
    }
}

fn isolate<'d, D: Lru, V: Rules>(
    say: Say<'_>,
    design: &'d D,
    chunks: &[D::Chunk<'d>],
    order: u8,
) -> Result<(), Unbuilt> {
    let mut a = arg(design, chunks);
    design.lru_add(CPU, chunks);
    op_lru_isolate::<D, V>(a.design, &mut a);
    let right = a.sink == 1 && design::lru::count(design, a.group, Kind::Anon) == 0;
    told::<D, V>(say, "lru_isolate", order, "on_list", right, a.sink)
}

fn add<'d, D: Lru, V: Rules>(
    say: Say<'_>,
    design: &'d D,
    chunks: &[D::Chunk<'d>],
    class: &str,
) -> Result<(), Unbuilt> {
    let mut a = arg(design, chunks);
    op_lru_add_drain::<D, V>(a.design, &mut a);
    let listed = design::lru::count(design, a.group, Kind::Anon);
    told::<D, V>(
        say,
        "lru_add_drain",
        0,
        class,
        listed == chunks.len() as u64,
        listed,
    )?;
    for &chunk in chunks {
        design::lru::isolate_one(design, CPU, chunk);
        design.put(chunk);
    }
    Ok(())
}

/// Blocks of 2^order frames whose kinds repeat in fours: pages on a list, one free block,
/// one compound page, pages of the kernel.
fn scan<D: Lru, V: Rules>(say: Say<'_>, order: u8) -> Result<(), Unbuilt> {
    let stage = Stage::<D>::new()?;
    let design = &stage.design;
    let zone = stage.frames(ZONE_ORDER)?;
    let block = Order::new(order);
    let mut listed = Vec::new();
    let mut n = 0;
    while n < zone.order.pages() {
        let head = zone.head + n;
        let ordinary =
            |kind| (0..block.pages()).map(move |i| (Extent::new(head + i, Order::new(0)), kind));
        match (n >> order) % 4 {
            0 => listed.extend(ordinary(Kind::Anon).map(|(e, k)| design.compose(e, k))),
            1 => design.mark_free(Extent::new(head, block)),
            2 if order == 0 => listed.push(design.compose(Extent::new(head, block), Kind::Anon)),
            2 => {
                design.compose(Extent::new(head, block), Kind::Slab);
            }
            _ => ordinary(Kind::PageTable).for_each(|(e, k)| {
                design.compose(e, k);
            }),
        }
        n += block.pages();
    }
    arg(design, &listed);
    design.lru_add(CPU, &listed);
    let mut a = ScanArg {
        design,
        start: zone.head,
        frames: zone.order.pages(),
        scan: Scan::default(),
    };
    op_pfn_scan::<D, V>(a.design, &mut a);
    let class = format!("isolated{}", listed.len());
    told::<D, V>(
        say,
        "pfn_scan",
        order,
        &class,
        a.scan.movable == listed.len() as u64,
        a.scan.movable,
    )
}
