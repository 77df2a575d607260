//! LRU lists (`count_lru.c`). The walk over frames of `count_scan.c` is not here: the module
//! isolates onto a list of its own, the models through the groups' lists.

use mm::{KernelRules, Lru};
use physmem::Kind;

use super::fixture::{Fixture, MemArg, Unbuilt, group, told};
use super::{ORDERS, Say};

const CPU: usize = 0;

#[inline(never)]
fn op_lru_isolate<'d, D: Lru, V: KernelRules>(design: &'d D, a: &mut MemArg<'_, 'd, D>) {
    a.sink = u64::from(mm::lru::isolate_one(design, a.cpu, a.unit));
}

#[inline(never)]
fn op_lru_add_drain<'d, D: Lru, V: KernelRules>(design: &'d D, a: &mut MemArg<'_, 'd, D>) {
    design.lru_add(a.cpu, a.units);
}

pub(super) fn run<D: Lru, V: KernelRules>(say: Say<'_>) -> Result<(), Unbuilt> {
    for order in ORDERS {
        let fixture = Fixture::<D>::new()?;
        let units = [fixture.compound(order)?];
        isolate::<D, V>(say, &fixture.design, &units, order)?;
    }
    let fixture = Fixture::<D>::new()?;
    let pages = fixture.pages(4)?;
    for (class, many) in [("pages1", 1), ("pages14", 14)] {
        add::<D, V>(say, &fixture.design, &pages[..many], class)?;
    }
    Ok(())
}

fn arg<'a, 'd, D: Lru>(design: &'d D, units: &'a [D::Unit<'d>]) -> MemArg<'a, 'd, D> {
    let group = group(design);
    for &unit in units {
        let charged = design.charge::<mm::Linux6_12>(CPU, group, unit);
        debug_assert!(charged.is_ok());
    }
    MemArg {
        design,
        cpu: CPU,
        group,
        unit: units[0],
        units,
        nr: 0,
        sink: 0,
    }
}

fn isolate<'d, D: Lru, V: KernelRules>(
    say: Say<'_>,
    design: &'d D,
    units: &[D::Unit<'d>],
    order: u8,
) -> Result<(), Unbuilt> {
    let mut a = arg(design, units);
    design.lru_add(CPU, units);
    op_lru_isolate::<D, V>(a.design, &mut a);
    let right = a.sink == 1
        && mm::lru::count(design, a.group, Kind::Anon) == 0
        && design.groups().zone_lru_pages(Kind::Anon) == 0;
    told::<D, V>(say, "lru_isolate", order, "on_list", right, a.sink)
}

fn add<'d, D: Lru, V: KernelRules>(
    say: Say<'_>,
    design: &'d D,
    units: &[D::Unit<'d>],
    class: &str,
) -> Result<(), Unbuilt> {
    let mut a = arg(design, units);
    op_lru_add_drain::<D, V>(a.design, &mut a);
    let listed = mm::lru::count(design, a.group, Kind::Anon);
    told::<D, V>(
        say,
        "lru_add_drain",
        0,
        class,
        listed == units.len() as u64,
        listed,
    )?;
    for &unit in units {
        mm::lru::isolate_one(design, CPU, unit);
        design.put(unit);
    }
    Ok(())
}
