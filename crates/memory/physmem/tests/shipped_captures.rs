//! The captures that ship with the project are whole, small, and what their names say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hugemem::Backing;
use physmem::capture::CapturedBacking;
use physmem::{Capture, Kind, captures};

#[test]
fn every_file_in_the_folder_ships_and_reads_back_to_its_own_bytes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let files: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            assert!(
                text.len() < 100_000,
                "{} is small enough for the repository",
                path.display()
            );
            let capture = Capture::load(&path).unwrap();
            assert_eq!(capture.to_text(), text, "{}", path.display());
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            assert_eq!(captures::by_name(&name), Some(&capture));
            name
        })
        .collect();
    assert_eq!(files, captures::names().map(str::to_owned).collect());
    // Shipped ones come first; another test may have brought one meanwhile.
    let all = captures::all().map(|(name, _)| name);
    assert!(captures::names().eq(all.take(files.len())));
    assert_eq!(captures::by_name("none"), None);
}

#[test]
fn each_capture_holds_the_orders_and_kinds_of_what_it_is_named_after() {
    let shape = |name: &str| {
        let capture = captures::by_name(name).unwrap();
        let orders: BTreeSet<u8> = capture
            .extents()
            .map(|(extent, _)| extent.order.get())
            .collect();
        let kinds: Vec<Kind> = capture.extents().map(|(_, kind)| kind).collect();
        assert!(
            kinds.iter().all(|kind| *kind == kinds[0]),
            "{name}: one kind"
        );
        assert!(capture.header.bytes >= 16 << 20, "{name}");
        (
            capture.header.backing,
            orders.into_iter().collect::<Vec<_>>(),
            kinds[0],
        )
    };
    let buffer = CapturedBacking::Buffer;
    assert_eq!(
        shape("anon-base"),
        (buffer(Backing::Base), vec![0], Kind::Anon)
    );
    assert_eq!(
        shape("anon-thp"),
        (buffer(Backing::Thp), vec![9], Kind::Anon)
    );
    assert_eq!(
        shape("hugetlb-2m"),
        (buffer(Backing::Hugetlb2M), vec![9], Kind::Anon)
    );
    assert_eq!(
        shape("process-anon"),
        (CapturedBacking::Process, vec![0], Kind::Anon)
    );
    for name in ["page-cache-read", "page-cache-written"] {
        let (backing, orders, kind) = shape(name);
        assert_eq!((backing, kind), (CapturedBacking::PageCache, Kind::File));
        assert!(
            orders.iter().any(|order| *order > 0),
            "{name}: the page cache has large folios"
        );
        assert!(
            captures::by_name(name).unwrap().header.filesystem.is_some(),
            "{name}"
        );
    }
}

#[test]
fn a_capture_of_distinct_memory_never_holds_a_frame_twice() {
    for (name, capture) in captures::all() {
        let mut extents: Vec<_> = capture.extents().map(|(extent, _)| extent).collect();
        extents.sort();
        assert!(
            extents.windows(2).all(|pair| pair[0].end() <= pair[1].head),
            "{name}"
        );
    }
}

#[test]
fn a_squeezed_capture_spans_little_more_than_it_holds_or_its_blocks_do() {
    for (name, capture) in captures::all() {
        let layout = capture.layout();
        let small = layout.squeezed(physmem::Pfn(0));
        assert_eq!(
            small.physical_runs().count(),
            layout.physical_runs().count(),
            "{name}"
        );
        let (before, after) = (layout.span().unwrap(), small.span().unwrap());
        assert!(
            after.end - after.start < (before.end - before.start) / 2,
            "{name}"
        );
    }
}
