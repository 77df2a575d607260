//! Changes that our patches make to a kernel's answers: small cases worked by hand.

use conformance::case::{Add, Answer, By, Case, Limits, Refusal, Taken, generate_one};
use conformance::reference::{Change, build_in, depends_on_names, evaluate, evaluate_in};
use mm::KernelVersion::{V5_10, V6_12, V7_2};

const PFN: u64 = 0x4000;
const BASE: u64 = PFN * 4096;

fn page(index: u64) -> Add {
    Add {
        pfn: PFN + index,
        order: 0,
        offset: 0,
        len: 4096,
        bio: 0,
        by: By::Page,
        pgmap: None,
    }
}

/// Part of an allocation of 16 pages.
fn large(offset: u32, len: u32) -> Add {
    Add {
        order: 4,
        offset,
        len,
        ..page(0)
    }
}

fn case(rules: mm::KernelVersion, max_vecs: u16, limits: Limits, adds: &[Add]) -> Case {
    let case = Case {
        max_vecs,
        limits,
        adds: adds.to_vec(),
        ..Case::new("by hand", rules)
    };
    case.check().expect("such memory can exist");
    case
}

fn taken(answer: Answer) -> Taken {
    match answer {
        Answer::Taken(taken) => taken,
        Answer::Refused(refused) => panic!("{refused:?}"),
    }
}

#[test]
fn head_pages_change_the_table_and_nothing_that_the_device_sees() {
    // A tail page, its neighbour after it, and another page.
    let adds = [large(3 * 4096, 4096), large(4 * 4096, 512), page(40)];
    let case = case(V6_12, 8, Limits::default(), &adds);
    let stock = taken(evaluate(&case));
    let heads = taken(evaluate_in(&case, Some(Change::HeadPages)));
    assert_eq!(stock.vecs, [(PFN + 3, 0, 4096 + 512), (PFN + 40, 0, 4096)]);
    assert_eq!(
        heads.vecs,
        [(PFN, 3 * 4096, 4096 + 512), (PFN + 40, 0, 4096)]
    );
    assert_eq!(heads.bios, stock.bios);
    assert_eq!(
        (heads.sp_segments, heads.chunks),
        (stock.sp_segments, stock.chunks)
    );
}

#[test]
fn a_vec_in_one_page_takes_the_short_cut_wherever_its_head_is() {
    // Segments smaller than a page, which 6.12 lets a device with a virtual boundary state: only
    // the short cut makes one segment of a page there, and it looks at the offset in the page.
    let limits = Limits {
        max_segment_size: Some(1024),
        virt_boundary_mask: Some(0xfff),
        ..Limits::default()
    };
    let case = case(V6_12, 8, limits, &[large(4096, 4096)]);
    let stock = taken(evaluate(&case));
    assert_eq!(stock.bios[0].segments, 1);
    assert_eq!(
        taken(evaluate_in(&case, Some(Change::HeadPages))).bios,
        stock.bios
    );
}

#[test]
fn the_rest_of_a_vec_is_seen_from_its_page_where_vecs_name_heads() {
    // Neighbours of order 0 in one vec, cut where the first page ends: what is left begins 4096
    // bytes past what the vec names, so 6.12 misses the short cut and its patch does not.
    let limits = Limits {
        max_segment_size: Some(512),
        virt_boundary_mask: Some(0xffff),
        ..Limits::default()
    };
    let first = Add {
        offset: 3584,
        len: 512,
        ..page(0)
    };
    let second = Add {
        len: 1024,
        ..page(1)
    };
    let case = case(V6_12, 8, limits, &[first, second]);
    let bytes = |change| {
        let bios = taken(evaluate_in(&case, change)).bios;
        bios.iter().map(|bio| bio.bytes).collect::<Vec<_>>()
    };
    assert_eq!(bytes(None), [512, 512, 512]);
    assert_eq!(bytes(Some(Change::HeadPages)), [512, 1024]);
    assert!(depends_on_names(&case));
}

#[test]
fn a_virtual_boundary_counts_from_the_head() {
    let limits = Limits {
        virt_boundary_mask: Some(0xffff),
        ..Limits::default()
    };
    // The second vec begins at a page, but inside 64 KiB of its allocation.
    let behind = Add {
        pfn: PFN + 32,
        ..large(4096, 4096)
    };
    let case = case(V6_12, 8, limits, &[large(0, 65536), behind]);
    assert_eq!(taken(evaluate(&case)).bios.len(), 1);
    assert_eq!(
        taken(evaluate_in(&case, Some(Change::HeadPages)))
            .bios
            .len(),
        2
    );
}

#[test]
fn a_vec_within_its_head_is_joined_there_and_nowhere_else() {
    // Two pieces of one allocation, then the allocation after it.
    let behind = Add {
        pfn: PFN + 16,
        ..large(0, 4096)
    };
    let adds = [large(14 * 4096, 4096), large(15 * 4096, 4096), behind];
    let roomy = case(V6_12, 8, Limits::default(), &adds);
    let joined = taken(evaluate_in(&roomy, Some(Change::HeadPages)));
    let apart = taken(evaluate_in(&roomy, Some(Change::WithinHead)));
    assert_eq!(joined.vecs, [(PFN, 14 * 4096, 3 * 4096)]);
    assert_eq!(
        apart.vecs,
        [(PFN, 14 * 4096, 2 * 4096), (PFN + 16, 0, 4096)]
    );
    // The walk by folio meets the same, and the device an entry more.
    assert_eq!((joined.chunks, apart.chunks), (2, 2));
    assert_eq!((joined.bios[0].sg.len(), apart.bios[0].sg.len()), (1, 2));

    let full = case(V6_12, 1, Limits::default(), &adds);
    let apart = taken(evaluate_in(&full, Some(Change::WithinHead)));
    assert_eq!(apart.accepted, [4096, 4096, 0]);
}

#[test]
fn without_merging_7_2_joins_neighbours_where_it_maps() {
    let adds = [page(0), page(1), page(40)];
    let case = case(V7_2, 8, Limits::default(), &adds);
    let answer = taken(evaluate_in(&case, Some(Change::NoMerge)));
    assert_eq!(answer.vecs.len(), 3);
    assert_eq!(answer.bios[0].segments, 3);
    assert_eq!(answer.bios[0].sg, [(BASE, 8192), (BASE + 40 * 4096, 4096)]);
}

#[test]
fn a_physical_range_meets_a_virtual_boundary_by_its_address() {
    let limits = Limits {
        virt_boundary_mask: Some(0x1fff),
        ..Limits::default()
    };
    let case_of = |adds: &[Add]| case(V7_2, 8, limits, adds);
    let bios_of = |case: &Case, change| taken(evaluate_in(case, change)).bios.len();
    // An odd page ends with 8 KiB of memory, and an even one begins there; counted from its
    // page, each ends in the middle.
    let even = case_of(&[large(4096, 4096), page(34)]);
    assert_eq!(bios_of(&even, None), 2);
    assert_eq!(bios_of(&even, Some(Change::PhysRanges)), 1);
    let odd = case_of(&[large(4096, 4096), page(33)]);
    assert_eq!(bios_of(&odd, Some(Change::PhysRanges)), 2);
    // The table is written down as the kernel has it.
    let (stock, ranges) = (
        taken(evaluate(&even)),
        taken(evaluate_in(&even, Some(Change::PhysRanges))),
    );
    assert_eq!(stock.vecs, ranges.vecs);
}

#[test]
fn without_merging_every_call_is_a_vec_and_a_segment() {
    let adds = [page(0), page(1), page(2)];
    let full = case(V6_12, 2, Limits::default(), &adds);
    let answer = taken(evaluate_in(&full, Some(Change::NoMerge)));
    assert_eq!(answer.accepted, [4096, 4096, 0]);
    assert_eq!(taken(evaluate(&full)).accepted, [4096; 3]);

    let roomy = case(V6_12, 8, Limits::default(), &adds);
    let answer = taken(evaluate_in(&roomy, Some(Change::NoMerge)));
    assert_eq!(answer.vecs.len(), 3);
    assert_eq!(answer.bios[0].segments, 3);
    assert_eq!(answer.bios[0].sg.len(), 3);
}

#[test]
fn single_pages_are_joined_where_a_bio_is_split_and_mapped() {
    let case = case(
        V5_10,
        32,
        Limits::default(),
        &[large(512, 3 * 4096), page(40)],
    );
    let answer = taken(evaluate_in(&case, Some(Change::SinglePage)));
    assert_eq!(
        answer.vecs,
        [
            (PFN, 512, 3584),
            (PFN + 1, 0, 4096),
            (PFN + 2, 0, 4096),
            (PFN + 3, 0, 512),
            (PFN + 40, 0, 4096),
        ]
    );
    assert_eq!(answer.bios[0].segments, 2);
    assert_eq!(
        answer.bios[0].sg,
        [(BASE + 512, 3 * 4096), (BASE + 40 * 4096, 4096)]
    );
    assert_eq!(answer.sp_segments, 5);
}

#[test]
fn an_add_of_pages_that_find_no_room_takes_none() {
    let adds = [large(0, 512), large(512, 4096), page(40)];
    // The second add ends its first page in the vec that is there, and needs one vec more.
    for (vecs, accepted) in [
        (1, [512, 0, 0]),
        (2, [512, 4096, 0]),
        (3, [512, 4096, 4096]),
    ] {
        let case = case(V5_10, vecs, Limits::default(), &adds);
        let built = build_in(&case, Some(Change::SinglePage));
        assert_eq!(built.accepted, accepted, "{vecs}");
    }
}

/// A check that could not fail would not be one: the random cases tell the patched kernel
/// from the stock one, and the patches from each other.
#[test]
fn random_cases_tell_each_patch_from_its_kernel() {
    for (rules, change, cases, least) in [
        (V6_12, Change::HeadPages, 200, 60),
        (V6_12, Change::WithinHead, 200, 60),
        (V6_12, Change::NoMerge, 200, 60),
        (V7_2, Change::NoMerge, 200, 60),
        // Only a virtual boundary wider than a page sees it.
        (V7_2, Change::PhysRanges, 5000, 0),
        (V5_10, Change::SinglePage, 200, 60),
    ] {
        let (mut differ, mut sent) = (0, 0);
        for number in 0..cases {
            let case = generate_one(7, number, rules);
            let (stock, patched) = (evaluate(&case), evaluate_in(&case, Some(change)));
            differ += usize::from(stock != patched);
            if let (Answer::Taken(stock), Answer::Taken(patched)) = (stock, patched) {
                sent += usize::from(stock.bios != patched.bios);
            }
        }
        assert!(
            differ > least,
            "{change:?}: {differ} of {cases} cases differ"
        );
        assert!(sent > 0, "{change:?}: no case goes out another way");
    }
}

#[test]
fn a_gap_in_the_first_page_stops_the_kernel_and_is_told() {
    // Two pieces of one page that do not touch: nothing is left in front of the cut.
    let limits = Limits {
        max_segments: Some(1),
        ..Limits::default()
    };
    let case = case(V5_10, 8, limits, &[large(0, 256), large(1024, 256)]);
    let answer = evaluate_in(&case, Some(Change::SinglePage));
    let refused = matches!(&answer, Answer::Refused(r) if r.error == Refusal::Bug);
    assert!(refused, "{answer:?}");
}
