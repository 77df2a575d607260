//! Mapping a request to a scatterlist, counting its segments, checking a bio against its
//! queue's limits and cutting it in two (`count_queue.c`).

use mm::block::{BioClone, Op, SgEntry, add_page, may_need_split, split_front};
use mm::{BlockIo, KernelRules, QueueLimits};
use physmem::{PAGE_SHIFT, PAGE_SIZE};
use workloads::bodies::{map_sg, recount};

use super::fixture::{Fixture, Unbuilt, announce_bio, empty_bio, first_page, told};
use super::{ORDERS, Say};

/// Entries of the scatterlist, more than any request here has.
const MAX_ENTRIES: usize = 128;

/// The argument of an operation on a request.
struct QueueArg<'a, 'd, D: BlockIo> {
    design: &'d D,
    limits: &'a QueueLimits,
    bios: &'a [BioClone<'a, D::BvPage<'d>>],
    table: &'a mut [SgEntry],
    sink: u64,
}

#[inline(never)]
fn op_map_sg<'d, D: BlockIo, V: KernelRules>(design: &'d D, a: &mut QueueArg<'_, 'd, D>) {
    a.sink = map_sg::<D, V>(design, a.limits, a.bios, a.table);
}

#[inline(never)]
fn op_recount<'d, D: BlockIo, V: KernelRules>(design: &'d D, a: &mut QueueArg<'_, 'd, D>) {
    a.sink = recount::<D, V>(design, a.limits, a.bios);
}

/// The question of submission to every bio: may it stay whole?
#[inline(never)]
fn op_split_limits<'d, D: BlockIo, V: KernelRules>(design: &'d D, a: &mut QueueArg<'_, 'd, D>) {
    let [bio] = a.bios else { return };
    // 5.10 looks before it walks; bio_split_rw, which 6.12's counts call, only walks.
    if V::VERSION < mm::KernelVersion::V6_12 && !may_need_split::<V, D>(a.limits, bio) {
        a.sink = 1;
        return;
    }
    a.sink = match split_front::<V, D>(design, a.limits, bio) {
        Ok(cut) if cut.front.is_none() => u64::from(cut.segments),
        _ => u64::MAX,
    };
}

pub(super) fn run<D: BlockIo, V: KernelRules>(say: Say<'_>) -> Result<(), Unbuilt> {
    let usual = QueueLimits {
        max_sectors: 8192,
        ..QueueLimits::defaults(V::VERSION)
    };
    let unlimited = QueueLimits {
        max_segment_size: u32::MAX,
        ..usual
    };
    for order in ORDERS {
        let names = ["blk_rq_map_sg", "recount", "bio_split_limits"];
        one::<D, V>(say, order, &usual, names, 1)?;
        let names = [
            "blk_rq_map_sg_uintmax",
            "recount_uintmax",
            "bio_split_limits_uintmax",
        ];
        one::<D, V>(say, order, &unlimited, names, 1)?;
    }
    for order in 1..=7 {
        let names = [
            "blk_rq_map_sg_scattered",
            "recount_scattered",
            "bio_split_limits_scattered",
        ];
        one::<D, V>(say, order, &usual, names, 2)?;
    }
    Ok(())
}

/// With a stride of 2 every other page, so that no vec merges.
fn one<D: BlockIo, V: KernelRules>(
    say: Say<'_>,
    order: u8,
    limits: &QueueLimits,
    [map_sg, recount, split]: [&'static str; 3],
    stride: u32,
) -> Result<(), Unbuilt> {
    let fixture = Fixture::<D>::new()?;
    let design = &fixture.design;
    let unit = fixture.compound(order + u8::from(stride > 1))?;
    let page = first_page(design, unit)?;
    let mut bio = empty_bio::<D>(page, Op::Write);
    announce_bio(&bio);
    for n in 0..1 << order {
        let (page, _) = design.page_at(page, (n * stride) << PAGE_SHIFT);
        add_page::<V, D>(design, &mut bio, page, PAGE_SIZE as u32, 0);
    }
    let bytes = PAGE_SIZE << order;
    let segments = if stride > 1 {
        1 << order
    } else {
        bytes.div_ceil(limits.max_segment_size.into())
    };
    let bios = [bio.part()];
    let mut table = [SgEntry::default(); MAX_ENTRIES];
    let mut a = QueueArg {
        design,
        limits,
        bios: &bios,
        table: &mut table,
        sink: 0,
    };
    op_map_sg::<D, V>(a.design, &mut a);
    let mapped: u64 = a.table.iter().map(|entry| u64::from(entry.length())).sum();
    let right = a.sink == segments && mapped == bytes;
    told::<D, V>(say, map_sg, order, "all", right, a.sink)?;
    op_recount::<D, V>(a.design, &mut a);
    told::<D, V>(say, recount, order, "all", a.sink == segments, a.sink)?;
    op_split_limits::<D, V>(a.design, &mut a);
    told::<D, V>(say, split, order, "fits", a.sink == segments, a.sink)
}
