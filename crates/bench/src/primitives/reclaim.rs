//! LRU lists (`count_lru.c`). The walk over frames of `count_scan.c` is not here: the module
//! isolates onto a list of its own, the models through the groups' lists.

use design::{Lru, Rules};
use physmem::Kind;

use super::stage::{MemArg, Stage, Unbuilt, group, told};
use super::{ORDERS, Say};

const CPU: usize = 0;

#[inline(never)]
fn op_lru_isolate<'d, D: Lru, V: Rules>(design: &'d D, a: &mut MemArg<'_, 'd, D>) {
    a.sink = u64::from(design::lru::isolate_one(design, a.cpu, a.chunk));
}

#[inline(never)]
fn op_lru_add_drain<'d, D: Lru, V: Rules>(design: &'d D, a: &mut MemArg<'_, 'd, D>) {
    design.lru_add(a.cpu, a.chunks);
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
    Ok(())
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
    let right = a.sink == 1
        && design::lru::count(design, a.group, Kind::Anon) == 0
        && design.groups().zone_lru_pages(Kind::Anon) == 0;
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
