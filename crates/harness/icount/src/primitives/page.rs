//! Descriptors: references, heads and tails, making and unmaking an allocation
//! (`count_page.c`).

use mm::{KernelRules, Pointer};
use physmem::{Extent, PAGE_SHIFT};

use super::fixture::{Fixture, Unbuilt, first_page, told};
use super::{ORDERS, PageApi, Say};

/// The argument of an operation on descriptors.
struct PageArg<'d, D: PageApi> {
    design: &'d D,
    page: D::BvPage<'d>,
    unit: D::Unit<'d>,
    extent: Extent,
    sink: u64,
}

#[inline(never)]
fn op_get_page<'d, D: PageApi, V: KernelRules>(design: &'d D, a: &mut PageArg<'d, D>) {
    design.get_page(a.page);
}

#[inline(never)]
fn op_put_page<'d, D: PageApi, V: KernelRules>(design: &'d D, a: &mut PageArg<'d, D>) {
    if design.put_page(a.page) {
        freed(a);
    }
}

/// `__put_page`: never reached here, but a put must be able to free.
#[cold]
#[inline(never)]
fn freed<D: PageApi>(a: &mut PageArg<'_, D>) {
    a.design.free(a.unit);
    a.sink = u64::MAX;
}

#[inline(never)]
fn op_compound_head<'d, D: PageApi, V: KernelRules>(design: &'d D, a: &mut PageArg<'d, D>) {
    a.sink = design.compound_head_word(a.page);
}

#[inline(never)]
fn op_prep_compound<'d, D: PageApi, V: KernelRules>(design: &'d D, a: &mut PageArg<'d, D>) {
    design.prep_compound(a.unit, a.extent.order.get());
}

/// Frees an allocation; the kernel's free_compound less free_plain.
#[inline(never)]
fn op_undo_compound<'d, D: PageApi, V: KernelRules>(design: &'d D, a: &mut PageArg<'d, D>) {
    design.free(a.unit);
}

pub(super) fn run<D: PageApi, V: KernelRules>(say: Say<'_>) -> Result<(), Unbuilt> {
    for order in ORDERS {
        let fixture = Fixture::<D>::new()?;
        let design = &fixture.design;
        let unit = fixture.compound(order)?;
        let extent = design.extent(unit);
        let head = first_page(design, unit)?;
        let mut a = PageArg {
            design,
            page: head,
            unit,
            extent,
            sink: 0,
        };
        let names = ["get_page_head", "put_page_head", "compound_head_head"];
        references::<D, V>(say, &mut a, order, names)?;
        if order == 0 {
            continue;
        }
        (a.page, _) = design.page_at(head, 1 << PAGE_SHIFT);
        let names = ["get_page_tail", "put_page_tail", "compound_head_tail"];
        references::<D, V>(say, &mut a, order, names)?;
        // Making it again over and over writes the same words.
        op_prep_compound::<D, V>(a.design, &mut a);
        let made = design.lookup(extent.head + 1).map(|c| design.extent(c));
        told::<D, V>(say, "prep_compound", order, "all", made == Some(extent), 0)?;
        a.unit = fixture.compound(order)?;
        let freed = design.extent(a.unit).head;
        op_undo_compound::<D, V>(a.design, &mut a);
        told::<D, V>(
            say,
            "undo_compound",
            order,
            "all",
            design.lookup(freed).is_none(),
            0,
        )?;
    }
    Ok(())
}

fn references<D: PageApi, V: KernelRules>(
    say: Say<'_>,
    a: &mut PageArg<'_, D>,
    order: u8,
    [get, put, compound_head]: [&'static str; 3],
) -> Result<(), Unbuilt> {
    op_get_page::<D, V>(a.design, a);
    let count = u64::from(a.design.refcount(a.unit));
    told::<D, V>(say, get, order, "all", count == 2, count)?;
    op_put_page::<D, V>(a.design, a);
    let count = u64::from(a.design.refcount(a.unit));
    told::<D, V>(say, put, order, "all", count == 1, count)?;
    op_compound_head::<D, V>(a.design, a);
    let right = a.sink == a.unit.word();
    told::<D, V>(say, compound_head, order, "all", right, a.sink)
}
