//! Tests of the types: each page leads to memory of its type, and one frame has one line.

use std::sync::atomic::Ordering::Relaxed;

use hugemem::Backing;
use mm::{Design, Lru, Memcg, Plan, Pointer};
use physmem::{Extent, Kind, Order, Pfn};
use split::{
    AnonMem, FileMem, PipeMem, PtDesc, Slab, Split, StackMem, Typed, View, WrongType, ZpDesc,
};

const BASE: Pfn = Pfn(1 << 20);

fn design() -> Split {
    Split::build(&Plan {
        base: BASE,
        frames: 64,
        backing: Backing::Base,
        seed: 1,
    })
    .expect("a small design")
}

/// Whether memory is taken for each of the types.
fn is_of(mem: split::Mem<'_>) -> [(Kind, bool); 7] {
    [
        (Kind::Anon, AnonMem::try_from(mem).is_ok()),
        (Kind::File, FileMem::try_from(mem).is_ok()),
        (Kind::Slab, Slab::try_from(mem).is_ok()),
        (Kind::PageTable, PtDesc::try_from(mem).is_ok()),
        (Kind::Zsmalloc, ZpDesc::try_from(mem).is_ok()),
        (Kind::KernelStack, StackMem::try_from(mem).is_ok()),
        (Kind::PipeBuffer, PipeMem::try_from(mem).is_ok()),
    ]
}

#[test]
fn memory_is_of_the_type_that_it_was_allocated_as_and_of_no_other() {
    for kind in Kind::ALL.into_iter().filter(|&kind| kind != Kind::Free) {
        for order in [0, 3] {
            let design = design();
            let extent = Extent::new(BASE + 8, Order::new(order));
            let unit = design.alloc(extent, kind);
            // From every page of it: a tail leads to its head.
            for n in 0..extent.order.pages() {
                let mem = design.mem(design.page(extent.head + n));
                assert_eq!(mem, unit);
                for (asked, yes) in is_of(mem) {
                    assert_eq!(yes, asked == kind, "{kind:?} taken for {asked:?}");
                }
            }
        }
    }
}

#[test]
fn another_type_is_refused_by_name_and_free_memory_is_of_none() {
    let design = design();
    let unit = design.alloc(Extent::new(BASE, Order::BASE), Kind::PageTable);
    assert_eq!(
        Slab::try_from(unit),
        Err(WrongType {
            asked: "slab",
            found: Kind::PageTable
        })
    );
    let told = Slab::try_from(unit).unwrap_err().to_string();
    assert_eq!(told, "the memory is PageTable, not slab");
    design.mark_free(Extent::new(BASE + 32, Order::new(3)));
    assert_eq!(design.mem(design.page(BASE + 32)).typed(), None);
}

#[test]
fn a_view_is_the_line_of_its_frame_and_keeps_its_owner_where_all_do() {
    let design = design();
    for (n, kind) in [(0, Kind::Anon), (1, Kind::Slab), (2, Kind::PageTable)] {
        let unit = design.alloc(Extent::new(BASE + n, Order::BASE), kind);
        unit.memcg_data().store(0x1000 + n, Relaxed);
        let owner = match unit.typed() {
            Some(Typed::AnonMem(anon)) => anon.memcg_data(),
            Some(Typed::Slab(slab)) => slab.memcg_data(),
            Some(Typed::PtDesc(table)) => table.memcg_data(),
            other => panic!("{other:?}"),
        };
        assert_eq!(owner.load(Relaxed), 0x1000 + n);
        assert!(std::ptr::eq(owner, design.charge_of(unit).owner));
        let first = design.mem(design.page(BASE)).word();
        assert_eq!(unit.word() - first, n * 64, "a line a frame, in order");
    }
}

#[test]
fn nothing_is_allocated_apart() {
    let design = design();
    let before = design.descriptor_bytes();
    design.alloc(Extent::new(BASE, Order::new(4)), Kind::File);
    assert_eq!(design.descriptor_bytes(), before);
    assert_eq!(before, 64 * 64);
    assert_eq!(design.memory().len(), 1);
}
