//! Tests of the assertions of head pages: what they catch, and what they leave alone.

use headpage::{HeadPage, HeadPageDesign, HeadPageUnchecked};
use mm::block::{Bio, Op, SgEntry, add_page, blk_rq_map_sg, may_need_split, split_front};
use mm::memmap::Memmap;
use mm::{BlockIo, BvPages, Design, KernelVersion, Linux6_1, Linux6_12, Plan, QueueLimits};
use physmem::{Extent, Kind, Order, Pfn};

fn plan() -> Plan {
    Plan {
        base: Pfn(1 << 20),
        frames: 64,
        backing: hugemem::Backing::Base,
        seed: 1,
    }
}

/// A bio of one vec that names the page at `n` frames from the head of an order-3 allocation.
fn one_vec<const CHECK: bool>(design: &HeadPageDesign<CHECK>, n: u64) -> u32 {
    let head = Pfn(1 << 20);
    let unit = design.alloc(Extent::new(head, Order::new(3)), Kind::File);
    let mut bio = Bio::new(4, 0, Op::Read, unit);
    add_page::<Linux6_12, _>(design, &mut bio, design.page(head + n), 4096, 0)
}

#[test]
fn an_assertion_catches_a_tail_page_where_a_vec_is_set() {
    let design = HeadPage::build(&plan()).expect("a small design can be built");
    assert_eq!(one_vec(&design, 0), 4096);
    assert_eq!(design.violations(), 0, "a head page is no violation");
    let design = HeadPage::build(&plan()).expect("a small design can be built");
    assert_eq!(one_vec(&design, 5), 4096);
    assert_eq!(design.violations(), 1);
}

#[test]
fn without_assertions_a_tail_page_goes_unseen() {
    let design = HeadPageUnchecked::build(&plan()).expect("a small design can be built");
    assert_eq!(one_vec(&design, 5), 4096);
    assert_eq!(design.violations(), 0);
}

/// The third page of an allocation is one segment without a look, as its first is: the short cut
/// counts from the page that the vec begins in. The limit is one that only the slow path asks.
#[test]
fn a_later_page_takes_the_short_cut() {
    let design = HeadPageUnchecked::build(&plan()).expect("a small design can be built");
    let head = design.alloc(Extent::new(Pfn(1 << 20), Order::new(3)), Kind::File);
    let mut bio = Bio::new(4, 0, Op::Read, head);
    assert_eq!(
        add_page::<Linux6_12, _>(&design, &mut bio, head, 4096, 8192),
        4096
    );
    let mut limits = QueueLimits::defaults(KernelVersion::V6_12);
    limits.max_segment_size = 512;
    let part = bio.part();
    assert!(!may_need_split::<Linux6_12, HeadPageUnchecked>(
        &limits, &part
    ));
    let cut = split_front::<Linux6_12, _>(&design, &limits, &part).expect("a page is valid IO");
    assert_eq!((cut.front, cut.segments), (None, 1));
    let mut table = vec![SgEntry::default(); 8];
    let used = blk_rq_map_sg::<Linux6_12, _>(&design, &limits, &[part], &mut table);
    assert_eq!(used, Ok(1));
    assert_eq!(table[0].phys(), ((1 << 20) + 2) << 12);
    assert!(table[0].is_last());
}

/// Only vecs name heads: the rest of the kernel is handed tails as ever.
#[test]
fn a_reference_through_a_tail_is_the_heads() {
    let design = HeadPage::build(&plan()).expect("a small design can be built");
    let head = design.alloc(Extent::new(Pfn(1 << 20), Order::new(3)), Kind::File);
    design.get(design.page(Pfn((1 << 20) + 5)));
    assert_eq!(design.refcount(head), 2);
    assert_eq!(design.violations(), 0, "no vec was set");
}

/// Walks look at the memory past a vec's end, which is not the bio's.
#[test]
fn memory_behind_a_vec_is_not_asserted_on() {
    let design = HeadPage::build(&plan()).expect("a small design can be built");
    let unit = design.alloc(Extent::new(Pfn(1 << 20), Order::new(0)), Kind::File);
    let mut bio = Bio::new(4, 0, Op::Read, unit);
    assert_eq!(design.add_unit::<Linux6_12>(&mut bio, unit, 4096, 0), 4096);
    // The next frame is a tail of what somebody else is making.
    design.alloc(Extent::new(Pfn((1 << 20) + 2), Order::new(1)), Kind::File);
    let tail = design.page(Pfn((1 << 20) + 3));
    assert!(Memmap::is_tail(tail.0));
    design.next_unit(design.page(Pfn((1 << 20) + 2)));
    design.for_each_unit(&bio, |_| {});
    assert_eq!(design.violations(), 0);
}

/// Four units of 1 GiB in a row: as pages they are one vec until the bio is full, but from the
/// head of the first a vec reaches 4 GiB less a byte.
#[test]
fn an_offset_that_does_not_fit_is_refused_a_place_in_the_vec() {
    let gib = Order::new(18);
    let design = HeadPageUnchecked::build(&Plan {
        frames: 4 * gib.pages() + 1,
        ..plan()
    })
    .expect("descriptors of 4 GiB");
    let units: Vec<_> = (0..4)
        .map(|n| design.alloc(Extent::new(Pfn(1 << 20) + n * gib.pages(), gib), Kind::File))
        .collect();
    let mut bio = Bio::new(4, 0, Op::Read, units[0]);
    let mut add =
        |n: usize, len, offset| design.add_unit::<Linux6_12>(&mut bio, units[n], len, offset);
    let size = gib.bytes() as u32;
    assert_eq!(add(0, 4096, size - 4096), 4096);
    for n in 1..4 {
        assert_eq!(add(n, size, 0), size);
    }
    let ends = |vec: &mm::block::Bvec<_>| u64::from(vec.offset) + u64::from(vec.len);
    let ends: Vec<u64> = bio.vecs().iter().map(ends).collect();
    assert_eq!(
        ends,
        [3 * gib.bytes(), gib.bytes()],
        "the last would end at 2^32"
    );
}

/// From user memory a caller has tails: each becomes its head and an offset, and no assertion
/// finds one in a vec.
#[test]
fn a_tail_from_user_memory_becomes_its_head() {
    let design = HeadPage::build(&plan()).expect("a small design can be built");
    let head = design.alloc(Extent::new(Pfn(1 << 20), Order::new(3)), Kind::Anon);
    let mut bio = Bio::new(8, 0, Op::Read, head);
    for n in [1, 6] {
        let page = design.user_page(head, n).expect("memory of any kind");
        assert!(Memmap::is_tail(page.0));
        let (page, offset) = design.name_user_page(page).expect("32 bits are enough");
        assert_eq!((page, offset), (head, n as u32 * 4096));
        let added = add_page::<Linux6_12, _>(&design, &mut bio, page, 4096, offset);
        assert_eq!(added, 4096);
    }
    assert_eq!((bio.vecs().len(), design.violations()), (2, 0));
}

/// The last page that an offset reaches ends at 2^32, which `bv_offset + bv_len` wraps to 0, and
/// the short cut for a vec within its first page would be taken: no vec is set.
#[test]
fn a_vec_that_would_end_at_4_gib_is_refused() {
    let design = HeadPageUnchecked::build(&plan()).expect("a small design can be built");
    let head = design.alloc(Extent::new(Pfn(1 << 20), Order::new(0)), Kind::File);
    let last = u32::MAX - 4095;
    for (len, taken) in [(4095, 4095), (4096, 0)] {
        let mut bio = Bio::new(4, 0, Op::Read, head);
        assert_eq!(
            add_page::<Linux6_12, _>(&design, &mut bio, head, len, last),
            taken
        );
        let mut bio = Bio::new(4, 0, Op::Read, head);
        assert_eq!(
            add_page::<Linux6_1, _>(&design, &mut bio, head, len, last),
            taken
        );
        assert_eq!(bio.vecs().len(), usize::from(taken > 0));
    }
    assert_eq!(design.nth_page(head, 1 << 20), None, "beyond 4 GiB");
}
