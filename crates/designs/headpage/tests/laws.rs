//! The laws, stamped for head pages with and without assertions, and what the assertions
//! catch.

use headpage::{HeadPage, HeadPageUnchecked};
use mm::memmap::Memmap;
use mm::{Design, Plan};
use physmem::{Extent, Kind, Order, Pfn};

conformance::conformance!(HeadPage, describe, block, memcg, lru);

mod unchecked {
    use super::HeadPageUnchecked;

    conformance::conformance!(HeadPageUnchecked, describe, block, memcg, lru);
}

fn plan() -> Plan {
    Plan {
        base: Pfn(1 << 20),
        frames: 64,
        backing: hugemem::Backing::Base,
        seed: 1,
    }
}

#[test]
fn an_assertion_catches_a_tail_page() {
    let design = HeadPage::build(&plan()).expect("a small design can be built");
    let head = design.alloc(Extent::new(Pfn(1 << 20), Order::new(3)), Kind::File);
    design.get(head);
    design.put(head);
    assert_eq!(design.violations(), 0, "a head page is no violation");
    let tail = design.page(Pfn((1 << 20) + 5));
    assert!(Memmap::is_tail(tail.0));
    design.get(tail);
    assert_eq!(design.violations(), 1);
}

#[test]
fn without_assertions_a_tail_page_goes_unseen() {
    let design = HeadPageUnchecked::build(&plan()).expect("a small design can be built");
    let head = design.alloc(Extent::new(Pfn(1 << 20), Order::new(3)), Kind::File);
    design.get(design.page(Pfn((1 << 20) + 5)));
    assert_eq!(design.violations(), 0);
    assert_eq!(
        design.refcount(head),
        1,
        "the reference went to the tail, and is lost"
    );
}
