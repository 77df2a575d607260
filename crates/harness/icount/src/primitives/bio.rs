//! Building and walking a bio over one compound page of 2^order pages (`count_bio.c`).

use std::hint::black_box;

use mm::block::{Bio, Op, add_page};
use mm::{BlockIo, BvPages, KernelRules, Pointer};
use physmem::{PAGE_SHIFT, PAGE_SIZE};
use workloads::bodies::Walk;

use super::fixture::{Arg, Fixture, Unbuilt, announce_bio, empty_bio, first_page, told};
use super::{ORDERS, Say};

const PAGE: u32 = PAGE_SIZE as u32;

/// Page by page, as a submitter adds that knows nothing larger: at least one page, and no
/// step beyond the last.
#[inline(always)]
fn add_pages<'d, D: BlockIo>(
    design: &'d D,
    a: &mut Arg<'_, 'd, D>,
    add: impl Fn(&'d D, &mut Bio<D::BvPage<'d>>, D::BvPage<'d>, u32, u32) -> u32,
) {
    let mut accepted = 0;
    let (mut page, mut left) = (a.page, a.nr);
    loop {
        accepted += add(design, a.bio, page, PAGE, 0);
        left -= 1;
        if left == 0 {
            break;
        }
        (page, _) = design.page_at(page, PAGE);
    }
    a.sink = u64::from(accepted);
}

#[inline(never)]
fn op_bio_add_page<'d, D: BlockIo, V: KernelRules>(design: &'d D, a: &mut Arg<'_, 'd, D>) {
    add_pages(design, a, add_page::<V, D>);
}

type Accept<'d, D> =
    fn(&'d D, &mut Bio<<D as BvPages>::BvPage<'d>>, <D as BvPages>::BvPage<'d>, u32, u32) -> u32;

/// An addition that adds nothing.
fn accept<'d, D: BlockIo>(
    _: &'d D,
    _: &mut Bio<D::BvPage<'d>>,
    _: D::BvPage<'d>,
    len: u32,
    _: u32,
) -> u32 {
    len
}

/// The loop of [`op_bio_add_page`] around [`accept`].
#[inline(never)]
fn op_add_loop<'d, D: BlockIo>(design: &'d D, a: &mut Arg<'_, 'd, D>, add: Accept<'d, D>) {
    add_pages(design, a, add);
}

#[inline(never)]
fn op_bio_add_one<'d, D: BlockIo, V: KernelRules>(design: &'d D, a: &mut Arg<'_, 'd, D>) {
    a.sink = u64::from(add_page::<V, D>(design, a.bio, a.page, a.nr, a.offset));
}

#[inline(never)]
fn op_bio_add_folio<'d, D: BlockIo, V: KernelRules>(design: &'d D, a: &mut Arg<'_, 'd, D>) {
    a.sink = u64::from(design.add_unit::<V>(a.bio, a.unit, a.nr, a.offset));
}

#[inline(never)]
fn op_segments<'d, D: BlockIo, V: KernelRules>(design: &'d D, a: &mut Arg<'_, 'd, D>) {
    let mut walk = Walk::default();
    walk.segments(design, a.bio);
    a.sink = walk.result();
}

#[inline(never)]
fn op_bvecs<'d, D: BlockIo, V: KernelRules>(design: &'d D, a: &mut Arg<'_, 'd, D>) {
    let mut walk = Walk::default();
    walk.bvecs(design, a.bio);
    a.sink = walk.result();
}

#[inline(never)]
fn op_folios<'d, D: BlockIo, V: KernelRules>(design: &'d D, a: &mut Arg<'_, 'd, D>) {
    let mut walk = Walk::default();
    walk.units(design, a.bio);
    a.sink = walk.result();
}

/// Fills the bio page by page, uncounted.
fn fill<D: BlockIo, V: KernelRules>(a: &mut Arg<'_, '_, D>, stride: u32) -> bool {
    a.bio.reset(0);
    (0..a.nr).all(|n| {
        let (page, _) = a.design.page_at(a.page, (n * stride) << PAGE_SHIFT);
        add_page::<V, D>(a.design, a.bio, page, PAGE, 0) == PAGE
    })
}

pub(super) fn run<D: BlockIo, V: KernelRules>(say: Say<'_>) -> Result<(), Unbuilt> {
    let fixture = Fixture::<D>::new()?;
    for order in ORDERS {
        let unit = fixture.compound(order)?;
        let page = first_page(&fixture.design, unit)?;
        let mut bio = empty_bio::<D>(page, Op::Read);
        announce_bio(&bio);
        let mut a = Arg {
            design: &fixture.design,
            bio: &mut bio,
            page,
            unit,
            nr: 1 << order,
            offset: 0,
            sink: 0,
        };
        adds::<D, V>(say, &mut a, order)?;
        walks::<D, V>(
            say,
            &mut a,
            order,
            [
                "bio_for_each_segment",
                "bio_for_each_bvec",
                "bio_for_each_folio_all",
            ],
            1,
        )?;
        if order == 2 {
            single_adds::<D, V>(say, &mut a)?;
        }
    }
    // The same walks over vecs that cannot merge: every other page. The order is the
    // logarithm of the number of vecs.
    for order in 1..=7 {
        let unit = fixture.compound(order + 1)?;
        let page = first_page(&fixture.design, unit)?;
        let mut bio = empty_bio::<D>(page, Op::Read);
        announce_bio(&bio);
        let mut a = Arg {
            design: &fixture.design,
            bio: &mut bio,
            page,
            unit,
            nr: 1 << order,
            offset: 0,
            sink: 0,
        };
        let names = [
            "bio_for_each_segment_scattered",
            "bio_for_each_bvec_scattered",
            "bio_for_each_folio_all_scattered",
        ];
        walks::<D, V>(say, &mut a, order, names, 2)?;
    }
    Ok(())
}

fn adds<D: BlockIo, V: KernelRules>(
    say: Say<'_>,
    a: &mut Arg<'_, '_, D>,
    order: u8,
) -> Result<(), Unbuilt> {
    let bytes = u64::from(a.nr) << PAGE_SHIFT;
    op_add_loop(a.design, a, black_box(accept::<D>));
    told::<D, V>(
        say,
        "bio_add_page_empty_loop",
        order,
        "all",
        a.sink == bytes,
        a.sink,
    )?;
    a.bio.reset(0);
    op_bio_add_page::<D, V>(a.design, a);
    told::<D, V>(
        say,
        "bio_add_page_loop",
        order,
        "all",
        a.sink == bytes,
        a.sink,
    )?;
    a.bio.reset(0);
    let pages = std::mem::replace(&mut a.nr, bytes as u32);
    op_bio_add_folio::<D, V>(a.design, a);
    a.nr = pages;
    told::<D, V>(say, "bio_add_folio", order, "all", a.sink == bytes, a.sink)
}

/// Every `stride`th page is in the bio; what a walk must have met is known from the pages.
fn walks<D: BlockIo, V: KernelRules>(
    say: Say<'_>,
    a: &mut Arg<'_, '_, D>,
    order: u8,
    [segments, bvecs, folios]: [&'static str; 3],
    stride: u32,
) -> Result<(), Unbuilt> {
    let filled = fill::<D, V>(a, stride);
    let bytes = u64::from(a.nr) << PAGE_SHIFT;
    let vecs = a.bio.vecs().len();
    // By page, by vec, and by unit: the last is by page in designs that know nothing larger.
    let (mut word, mut met, mut first, mut units) = (0, 0, 0, 0);
    for n in 0..a.nr {
        let (page, offset) = a.design.page_at(a.page, (n * stride) << PAGE_SHIFT);
        word ^= page.word() ^ u64::from(offset);
        let (unit, in_chunk) = a.design.unit_at(page, offset);
        units ^= unit.word() ^ in_chunk;
        if n == 0 || stride > 1 {
            first ^= unit.word() ^ in_chunk;
            met ^= page.word() ^ u64::from(offset);
        }
    }
    let right = filled && vecs == if stride > 1 { a.nr as usize } else { 1 };
    op_segments::<D, V>(a.design, a);
    told::<D, V>(
        say,
        segments,
        order,
        "all",
        right && a.sink == bytes ^ word,
        a.sink,
    )?;
    op_bvecs::<D, V>(a.design, a);
    told::<D, V>(
        say,
        bvecs,
        order,
        "all",
        right && a.sink == bytes ^ met,
        a.sink,
    )?;
    op_folios::<D, V>(a.design, a);
    let right = right && (a.sink == bytes ^ first || a.sink == bytes ^ units);
    told::<D, V>(say, folios, order, "all", right, a.sink)
}

/// The three ends that one call can have: a first vec, a merge, a further vec.
fn single_adds<D: BlockIo, V: KernelRules>(
    say: Say<'_>,
    a: &mut Arg<'_, '_, D>,
) -> Result<(), Unbuilt> {
    let (first, pages) = (a.page, a.nr);
    a.nr = PAGE;
    for (class, added, vecs) in [("first", 0, 1), ("merge", 1, 1), ("new_vec", 2, 2)] {
        a.bio.reset(0);
        if added > 0 {
            add_page::<V, D>(a.design, a.bio, first, PAGE, 0);
        }
        (a.page, _) = a.design.page_at(first, added << PAGE_SHIFT);
        op_bio_add_one::<D, V>(a.design, a);
        let right = a.sink == PAGE_SIZE && a.bio.vecs().len() == vecs;
        told::<D, V>(say, "bio_add_page_one", 0, class, right, a.sink)?;
    }
    (a.page, a.nr) = (first, pages);
    Ok(())
}
