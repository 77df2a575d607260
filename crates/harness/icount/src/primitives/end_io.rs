//! The end of a bio's IO: dirtying its pages and letting them go
//! (`count_endio.c`).

use mm::KernelRules;
use mm::block::{Op, add_page};
use physmem::{PAGE_SHIFT, PAGE_SIZE};

use super::fixture::{Arg, Fixture, Unbuilt, announce_bio, empty_bio, first_page, told};
use super::{ORDERS, PageApi, Say};

#[inline(never)]
fn op_release<'d, D: PageApi, V: KernelRules>(design: &'d D, a: &mut Arg<'_, 'd, D>) {
    design.release(a.bio);
}

#[inline(never)]
fn op_set_dirty<'d, D: PageApi, V: KernelRules>(design: &'d D, a: &mut Arg<'_, 'd, D>) {
    design.set_dirty(a.bio);
}

#[inline(never)]
fn op_check_dirty<'d, D: PageApi, V: KernelRules>(design: &'d D, a: &mut Arg<'_, 'd, D>) {
    a.sink = u64::from(design.check_dirty(a.bio));
}

pub(super) fn run<D: PageApi, V: KernelRules>(say: Say<'_>) -> Result<(), Unbuilt> {
    for order in ORDERS {
        let fixture = Fixture::<D>::new()?;
        let unit = fixture.compound(order)?;
        let names = ["end_io_release", "end_io_dirty", "end_io_check"];
        one::<D, V>(say, &fixture.design, &[unit], order, names)?;
        let pages = fixture.pages(order)?;
        let names = [
            "end_io_release_base",
            "end_io_dirty_base",
            "end_io_check_base",
        ];
        one::<D, V>(say, &fixture.design, &pages, order, names)?;
    }
    Ok(())
}

/// A bio over one compound page, or over ordinary pages that are neighbours.
fn one<'d, D: PageApi, V: KernelRules>(
    say: Say<'_>,
    design: &'d D,
    units: &[D::Unit<'d>],
    order: u8,
    [release, dirty, check]: [&'static str; 3],
) -> Result<(), Unbuilt> {
    let page = first_page(design, units[0])?;
    let mut bio = empty_bio::<D>(page, Op::Read);
    announce_bio(&bio);
    for n in 0..1 << order {
        let (page, _) = design.page_at(page, n << PAGE_SHIFT);
        add_page::<V, D>(design, &mut bio, page, PAGE_SIZE as u32, 0);
    }
    let mut a = Arg {
        design,
        bio: &mut bio,
        page,
        unit: units[0],
        nr: 1 << order,
        offset: 0,
        sink: 0,
    };
    let held = || {
        units
            .iter()
            .map(|&c| u64::from(design.refcount(c)))
            .sum::<u64>()
    };
    let free = held();

    for full in [false, true] {
        let class = pins(&a, "held", full);
        let before = design.told_of_pins(0);
        op_release::<D, V>(design, &mut a);
        let class = spilled(&a, class, before);
        told::<D, V>(say, release, order, class, held() == free, held())?;
    }
    for class in ["clean", "dirty"] {
        op_set_dirty::<D, V>(a.design, &mut a);
        // 5.10 never marks compound pages.
        let marked = units.iter().filter(|&&c| design.is_dirty(c)).count();
        let right = marked == units.len() || marked == 0 && order > 0 && units.len() == 1;
        told::<D, V>(say, dirty, order, class, right, marked as u64)?;
    }
    for full in [false, true] {
        let class = pins(&a, "dirty", full);
        let before = design.told_of_pins(0);
        op_check_dirty::<D, V>(design, &mut a);
        let right = a.sink == 1 && held() == free;
        let class = spilled(&a, class, before);
        told::<D, V>(say, check, order, class, right, held())?;
    }
    Ok(())
}

/// Takes the references that are dropped next. Each of them is counted on the CPU; with
/// `full`, so many are counted already that one more spills to the node.
fn pins<D: PageApi>(a: &Arg<'_, '_, D>, class: &'static str, full: bool) -> &'static str {
    a.design.pin(a.bio);
    // 125 is the threshold: one more settles the CPU's difference at 0 whatever it was.
    a.design.told_of_pins(126);
    if full {
        a.design.told_of_pins(125);
    }
    class
}

/// The class, with what was spilled.
fn spilled<D: PageApi>(a: &Arg<'_, '_, D>, class: &'static str, before: i64) -> &'static str {
    match (a.design.told_of_pins(0) == before, class) {
        (true, class) => class,
        (false, "held") => "held+spill1",
        (false, _) => "dirty+spill1",
    }
}
