//! The walk over pages, on flags made up as the kernel sets them.

use super::*;
use crate::capture::Run;

const ANON: PageFlags = PageFlags::ANON.union(PageFlags::LRU);

/// Frames 0 to 2047 with these allocations; the rest is free.
fn walk(
    used: &[(u64, u8, PageFlags)],
) -> Walk<impl FnMut(u64, u64) -> Result<Vec<PageFlags>, hugemem::Error> + use<>> {
    let mut all = vec![PageFlags::BUDDY; 2048];
    for (head, order, flags) in used {
        let pages = 1 << order;
        for pfn in *head..*head + pages {
            let place = match pfn {
                _ if pages == 1 => PageFlags::empty(),
                pfn if pfn == *head => PageFlags::COMPOUND_HEAD,
                _ => PageFlags::COMPOUND_TAIL,
            };
            all[pfn as usize] = *flags | place;
        }
    }
    Walk::new(move |pfn, count| {
        Ok(all
            .iter()
            .skip(pfn as usize)
            .take(count as usize)
            .copied()
            .collect())
    })
}

fn present(pfns: impl IntoIterator<Item = u64>) -> Vec<Page> {
    pfns.into_iter().map(|pfn| Page::Present { pfn }).collect()
}

fn run(pfn: u64, order: u8, kind: Kind, count: u64, descending: bool) -> Run {
    Run {
        first: Extent::new(Pfn(pfn), Order::new(order)),
        kind,
        count,
        descending,
    }
}

#[test]
fn large_folios_come_out_as_one_allocation_each_across_blocks_of_flags() {
    let mut walk = walk(&[(0, 10, ANON), (1024, 9, ANON), (1536, 9, PageFlags::LRU)]);
    walk.pages(&present(0..2048)).unwrap();
    let capture = walk
        .finish("all".into(), CapturedBacking::Process, None)
        .unwrap();
    assert_eq!(
        capture.runs,
        [
            run(0, 10, Kind::Anon, 1, false),
            run(1024, 9, Kind::Anon, 1, false),
            run(1536, 9, Kind::File, 1, false)
        ]
    );
    assert_eq!(
        (capture.header.bytes, capture.header.pages),
        (2048 * 4096, 2048)
    );
    assert_eq!((capture.header.partial, capture.header.skipped), (0, 0));
}

#[test]
fn a_folio_that_is_mapped_in_part_counts_whole_and_is_named_partial() {
    let mut walk = walk(&[(64, 4, ANON), (80, 4, ANON)]);
    // Its middle, then a hole, then the rest of it, then the neighbour whole.
    walk.pages(&present(68..72)).unwrap();
    walk.pages(&[Page::Absent]).unwrap();
    walk.pages(&present(72..96)).unwrap();
    let capture = walk
        .finish("parts".into(), CapturedBacking::Process, None)
        .unwrap();
    assert_eq!(
        capture.runs,
        [
            run(64, 4, Kind::Anon, 1, false),
            run(64, 4, Kind::Anon, 2, false)
        ]
    );
    assert_eq!(capture.header.partial, 2);
    assert_eq!(
        (capture.header.bytes, capture.header.pages),
        (28 * 4096, 48)
    );
}

#[test]
fn the_same_frame_met_twice_is_two_allocations_in_order() {
    let mut walk = walk(&[(7, 0, ANON), (8, 0, ANON)]);
    walk.pages(&present([7, 7, 8, 7])).unwrap();
    let capture = walk
        .finish("twice".into(), CapturedBacking::Process, None)
        .unwrap();
    let heads: Vec<u64> = capture.extents().map(|(extent, _)| extent.head.0).collect();
    assert_eq!(heads, [7, 7, 8, 7]);
}

#[test]
fn base_pages_in_descending_order_are_one_run() {
    let used: Vec<_> = (100..132).map(|pfn| (pfn, 0, ANON)).collect();
    let mut walk = walk(&used);
    walk.pages(&present((100..132).rev())).unwrap();
    let capture = walk
        .finish("down".into(), CapturedBacking::Process, None)
        .unwrap();
    assert_eq!(capture.runs, [run(131, 0, Kind::Anon, 32, true)]);
}

#[test]
fn zero_pages_nameless_memory_and_torn_folios_are_skipped_and_counted() {
    let mut walk = walk(&[
        (1, 0, PageFlags::ZERO_PAGE),
        (2, 0, PageFlags::empty()),
        (3, 0, PageFlags::COMPOUND_TAIL),
        (4, 2, ANON),
        (5, 0, ANON),
        (9, 0, ANON),
        (12, 2, ANON),
        (15, 0, ANON),
    ]);
    walk.pages(&present([1, 2, 3, 4, 9, 12])).unwrap();
    let capture = walk
        .finish("odd".into(), CapturedBacking::Process, None)
        .unwrap();
    // 4 is a head whose tails are gone: a base page by now. 12 is a head with two tails, which
    // no folio has.
    assert_eq!(
        capture.runs,
        [
            run(4, 0, Kind::Anon, 1, false),
            run(9, 0, Kind::Anon, 1, false)
        ]
    );
    assert_eq!(capture.header.skipped, 4);
}

#[test]
fn kinds_follow_the_flags_of_the_head() {
    for (flags, kind) in [
        (PageFlags::SLAB, Some(Kind::Slab)),
        (PageFlags::PGTABLE, Some(Kind::PageTable)),
        (PageFlags::BUDDY, Some(Kind::Free)),
        (
            PageFlags::HUGE | PageFlags::ANON | PageFlags::UPTODATE,
            Some(Kind::Anon),
        ),
        (PageFlags::HUGE | PageFlags::UPTODATE, Some(Kind::File)),
        (PageFlags::LRU | PageFlags::SWAPBACKED, Some(Kind::File)),
        (PageFlags::ANON | PageFlags::HWPOISON, None),
        (PageFlags::NOPAGE, None),
        (PageFlags::empty(), None),
    ] {
        assert_eq!(kind_of(flags), kind, "{flags:?}");
    }
}

#[test]
fn nothing_present_is_an_error_that_says_of_what() {
    let mut walk = walk(&[]);
    walk.pages(&[Page::Absent, Page::Swapped]).unwrap();
    let error = walk
        .finish("a dry well".into(), CapturedBacking::Process, None)
        .unwrap_err();
    assert!(error.to_string().contains("a dry well"), "{error}");
}
