//! Tests of block IO to slab memory where bio_vecs name folios.

use folio_bvec::FolioBvecDesign;
use mm::block::{Bio, Op, add_page};
use mm::{BlockIo, BvPages, Design, Linux6_1, Linux6_12, Plan};
use physmem::{Extent, Kind, Order, Pfn};

const BASE: Pfn = Pfn(1 << 20);

fn design<const SLAB: bool>() -> FolioBvecDesign<SLAB> {
    let plan = Plan {
        base: BASE,
        frames: 64,
        backing: hugemem::Backing::Base,
        seed: 1,
    };
    FolioBvecDesign::build(&plan).expect("a small design can be built")
}

#[test]
fn slab_memory_has_a_name_where_it_is_a_subtype() {
    let design = design::<true>();
    let slab = design.alloc(Extent::new(BASE, Order::new(1)), Kind::Slab);
    let page = design.user_page(slab, 1).expect("a slab is a folio");
    assert_eq!(design.name_user_page(page), Some((slab, 4096)));
}

/// By neither way in: from the allocation, nor from a page of it.
#[test]
fn slab_memory_has_no_name_where_it_is_none() {
    let design = design::<false>();
    let slab = design.alloc(Extent::new(BASE, Order::new(1)), Kind::Slab);
    assert_eq!(design.bv_page(slab), None);
    assert_eq!(design.nth_page(slab, 1), None);
    assert!(design.user_page(slab, 1).is_none());
    // The page after a file's, which a slab has since taken.
    let file = design.alloc(Extent::new(BASE + 2, Order::new(1)), Kind::File);
    let page = design
        .user_page(file, 1)
        .expect("a file's memory is a folio");
    assert_eq!(design.name_user_page(page), Some((file, 4096)));
    design.free(file);
    design.alloc(Extent::new(BASE + 2, Order::new(1)), Kind::Slab);
    assert_eq!(design.name_user_page(page), None);
}

/// `bv_offset` has 32 bits, counted from the folio's start: a piece that ends beyond them is
/// refused, not cut off.
#[test]
fn an_offset_beyond_32_bits_is_refused() {
    let design = design::<true>();
    let folio = design.alloc(Extent::new(BASE, Order::new(0)), Kind::File);
    let last = u32::MAX - 4095;
    for (len, taken) in [(4095, 4095), (4096, 0)] {
        let mut bio = Bio::new(4, 0, Op::Read, folio);
        let added = add_page::<Linux6_12, _>(&design, &mut bio, folio, len, last);
        assert_eq!(added, taken);
        let mut bio = Bio::new(4, 0, Op::Read, folio);
        assert_eq!(
            add_page::<Linux6_1, _>(&design, &mut bio, folio, len, last),
            taken
        );
        assert_eq!(bio.vecs().len(), usize::from(taken > 0));
    }
    assert_eq!(design.nth_page(folio, 1 << 20), None);
}

/// No type test where the caller holds a folio: the whole is one vec.
#[test]
fn a_folio_is_one_vec() {
    let design = design::<false>();
    let folio = design.alloc(Extent::new(BASE, Order::new(4)), Kind::Anon);
    let mut bio = Bio::new(4, 0, Op::Read, folio);
    assert_eq!(
        design.add_unit::<Linux6_12>(&mut bio, folio, 60 << 10, 4096),
        60 << 10
    );
    let vecs: Vec<_> = bio
        .vecs()
        .iter()
        .map(|vec| (vec.page, vec.offset, vec.len))
        .collect();
    assert_eq!(vecs, [(folio, 4096, 60 << 10)]);
}
