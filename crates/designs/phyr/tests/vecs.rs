//! Tests of bio_vecs that are physical ranges: a vec outlives the page that it was made from.

use mm::block::{Bio, Op};
use mm::{BlockIo, BvPages, Design, Linux6_12, Plan, Pointer};
use phyr::Phyr;
use physmem::{Extent, Kind, Order, PAGE_SIZE, Pfn};

const BASE: Pfn = Pfn(1 << 20);

fn design(frames: u64) -> Phyr {
    let plan = Plan {
        base: BASE,
        frames,
        backing: hugemem::Backing::Base,
        seed: 1,
    };
    Phyr::build(&plan).expect("a small design can be built")
}

/// A vec keeps an address even if the page was freed or reused since: a name that is not a
/// reference.
#[test]
fn a_vec_holds_an_address_and_no_descriptor() {
    let design = design(64);
    let unit = design.alloc(Extent::new(BASE + 8, Order::new(3)), Kind::File);
    let tail = design.user_page(unit, 5).expect("any page has an address");
    let (phys, offset) = design
        .name_user_page(tail)
        .expect("any page has an address");
    assert_eq!((phys.word(), offset), ((BASE.0 + 13) * PAGE_SIZE, 0));
    assert_ne!(design.descriptor_word(phys), phys.word());
    assert_eq!(design.descriptor_word(phys), tail.word());
}

/// Neighbours of different allocations are one range: nothing but addresses is compared.
#[test]
fn ranges_merge_across_allocations() {
    let design = design(64);
    let one = design.alloc(Extent::new(BASE, Order::new(0)), Kind::Anon);
    let two = design.alloc(Extent::new(BASE + 1, Order::new(0)), Kind::Slab);
    let filler = design
        .bv_page(one)
        .expect("memory of any kind has an address");
    let mut bio = Bio::new(4, 0, Op::Read, filler);
    for unit in [one, two] {
        assert_eq!(design.add_unit::<Linux6_12>(&mut bio, unit, 4096, 0), 4096);
    }
    assert_eq!(bio.vecs().len(), 1);
    let mut units = Vec::new();
    design.for_each_unit(&bio, |run| units.push((run.unit, run.offset, run.len)));
    assert_eq!(units, [(one, 0, 4096), (two, 0, 4096)]);
}

/// Where a vec that names a head ends before 4 GiB (`headpage`'s test of the same name), a range
/// goes on: four units of 1 GiB in a row are one.
#[test]
fn an_address_fits_where_an_offset_does_not() {
    let gib = Order::new(18);
    let design = design(4 * gib.pages() + 1);
    let units: Vec<_> = (0..4)
        .map(|n| design.alloc(Extent::new(BASE + n * gib.pages(), gib), Kind::File))
        .collect();
    let filler = design.bv_page(units[0]).expect("any memory has an address");
    let mut bio = Bio::new(4, 0, Op::Read, filler);
    let size = gib.bytes() as u32;
    let mut add = |n: usize, len, at| design.add_unit::<Linux6_12>(&mut bio, units[n], len, at);
    assert_eq!(add(0, 4096, size - 4096), 4096);
    for n in 1..4 {
        assert_eq!(add(n, size, 0), size);
    }
    let vecs: Vec<_> = bio
        .vecs()
        .iter()
        .map(|vec| (design.phys(vec.page), vec.len))
        .collect();
    assert_eq!(vecs, [(BASE.phys() + gib.bytes() - 4096, 3 * size + 4096)]);
}
