//! Layouts and zones: what is promised of their shape.

use std::collections::HashSet;

use physmem::synthetic::{MixError, Share};
use physmem::{Extent, Kind, Layout, Mix, Order, Pfn, Source, mixed_zone};
use proptest::prelude::*;

fn cases() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1000)
    }
}

fn neighbours(layout: &Layout) -> Vec<bool> {
    layout
        .extents
        .windows(2)
        .map(|pair| pair[0].0.end() == pair[1].0.head)
        .collect()
}

fn any_layout() -> impl Strategy<Value = Layout> {
    let extent = (0_u64..1 << 14, 0_u8..=10).prop_map(|(place, order)| {
        let order = Order::new(order);
        (Extent::new(Pfn(place * order.pages()), order), Kind::Anon)
    });
    proptest::collection::vec(extent, 0..40).prop_map(|extents| Layout::given("any", extents))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn contiguous_is_one_run_and_scattered_has_no_neighbours(
        start in 0_u64..1 << 30, order in 0_u8..=18, count in 1_u64..200, seed in any::<u64>(),
    ) {
        let order = Order::new(order);
        let one = Layout::contiguous(Pfn(start), order, count, Kind::File);
        let run: Vec<_> = one.physical_runs().collect();
        prop_assert_eq!((run.len(), run[0].pages, run[0].extents as u64), (1, one.pages(), count));
        prop_assert!(run[0].start >= Pfn(start));

        let many = Layout::scattered(Pfn(start), order, count, Kind::File, seed);
        let ends: HashSet<Pfn> = many.iter().map(|(extent, _)| extent.end()).collect();
        prop_assert!(many.iter().all(|(extent, _)| !ends.contains(&extent.head)));
        prop_assert_eq!(many.physical_runs().count() as u64, count);
        prop_assert_eq!(many.pages(), one.pages());
        let again = Layout::scattered(Pfn(start), order, count, Kind::File, seed);
        prop_assert_eq!(again, many);
    }

    #[test]
    fn runs_and_frames_cover_the_same_pages_in_the_same_order(layout in any_layout()) {
        let frames: Vec<Pfn> = layout.frames().collect();
        let by_run: Vec<Pfn> = layout
            .physical_runs()
            .flat_map(|run| (run.start.0..run.start.0 + run.pages).map(Pfn))
            .collect();
        prop_assert_eq!(frames.len() as u64, layout.pages());
        prop_assert_eq!(layout.bytes(), layout.pages() * 4096);
        prop_assert_eq!(frames, by_run);
        let runs: Vec<_> = layout.physical_runs().collect();
        prop_assert!(runs.windows(2).all(|pair| pair[0].start + pair[0].pages != pair[1].start), "longest");
    }

    #[test]
    fn squeezing_keeps_orders_kinds_and_who_is_whose_neighbour(layout in any_layout(), start in 0_u64..9999) {
        let small = layout.squeezed(Pfn(start));
        prop_assert_eq!(small.len(), layout.len());
        for (a, b) in layout.iter().zip(&small) {
            prop_assert_eq!((a.0.order, a.1), (b.0.order, b.1));
            // 2 MiB is the least block, and so is what is aligned within it.
            prop_assert_eq!(a.0.head.0 % 512, b.0.head.0 % 512);
        }
        prop_assert_eq!(neighbours(&layout), neighbours(&small));
        // Any two allocations, not only those met one after the other; the same stay the same.
        for (a, x) in layout.iter().zip(&small) {
            for (b, y) in layout.iter().zip(&small) {
                prop_assert_eq!(a.0.end() == b.0.head, x.0.end() == y.0.head);
                prop_assert_eq!(a.0.head == b.0.head, x.0.head == y.0.head);
            }
        }
        if let (Some(before), Some(after)) = (layout.span(), small.span()) {
            prop_assert!(after.start >= Pfn(start));
            let largest = layout.iter().map(|(extent, _)| extent.order.pages()).max().unwrap().max(512);
            let needed = (2 * layout.len() as u64) * largest;
            prop_assert!(after.end.0 - after.start.0 <= needed.min((before.end - before.start) + 2 * largest));
        }
    }

    #[test]
    fn the_first_pages_are_a_prefix_that_fits(layout in any_layout(), pages in 0_u64..5000) {
        let some = layout.first_pages(pages);
        prop_assert_eq!(&layout.extents[..some.len()], &some.extents[..]);
        prop_assert!(some.pages() <= pages || some.len() <= 1);
        if some.len() < layout.len() {
            prop_assert!(some.pages() + layout.extents[some.len()].0.order.pages() > pages);
        }
    }

    #[test]
    fn a_zone_covers_every_frame_once_with_orders_of_its_mix(
        start in 0_u64..5000, frames in 0_u64..20_000, seed in any::<u64>(),
    ) {
        let mix = Mix::typical();
        let zone = mixed_zone(Pfn(start)..Pfn(start + frames), seed, &mix);
        let mut next = Pfn(start);
        for (extent, kind) in &zone {
            prop_assert_eq!(extent.head, next);
            next = extent.end();
            let known = mix.shares().iter().any(|share| (share.kind, share.order) == (*kind, extent.order));
            prop_assert!(known || *kind == Kind::Free && extent.order.get() <= 10, "{:?} {}", extent, kind);
        }
        prop_assert_eq!(next, Pfn(start + frames));
        for pair in zone.windows(2) {
            let ((a, ka), (b, kb)) = (pair[0], pair[1]);
            let free_buddies = (ka, kb) == (Kind::Free, Kind::Free)
                && a.order == b.order
                && a.order.get() < 10
                && a.head.0 ^ a.order.pages() == b.head.0;
            prop_assert!(!free_buddies, "a buddy allocator joins {:?} and {:?}", a, b);
        }
        prop_assert_eq!(mixed_zone(Pfn(start)..Pfn(start + frames), seed, &mix), zone);
    }
}

#[test]
fn the_shares_of_a_zone_come_out_as_weighed() {
    let frames = 1 << 20;
    let mix = Mix::typical();
    let zone = mixed_zone(Pfn(0)..Pfn(frames), 3, &mix);
    let total: u32 = mix.shares().iter().map(|share| share.weight).sum();
    for kind in Kind::ALL {
        let weight: u32 = mix
            .shares()
            .iter()
            .filter(|s| s.kind == kind)
            .map(|s| s.weight)
            .sum();
        let pages: u64 = zone
            .iter()
            .filter(|(_, k)| *k == kind)
            .map(|(extent, _)| extent.order.pages())
            .sum();
        let (wanted, got) = (
            f64::from(weight) / f64::from(total),
            pages as f64 / frames as f64,
        );
        assert!(
            (wanted - got).abs() < 0.02,
            "{kind}: {wanted} wanted, {got} got"
        );
        assert!(got > 0.0, "{kind} is in the zone");
    }
}

#[test]
fn a_mix_without_base_pages_is_refused() {
    let share = |order, weight| Share {
        kind: Kind::Anon,
        order: Order::new(order),
        weight,
    };
    assert_eq!(Mix::new([share(9, 5)]), Err(MixError));
    assert_eq!(
        Mix::new([share(9, 5), share(0, 0)]),
        Err(MixError),
        "a weight of 0 is no share"
    );
    assert_eq!(
        Mix::new([share(9, 5), share(3, 0), share(0, 1)])
            .unwrap()
            .shares()
            .len(),
        2
    );
}

#[test]
fn fragmented_layouts_lose_their_neighbours_by_degrees() {
    let runs = |f| {
        Layout::fragmented(Order::BASE, 4096, Kind::Anon, 5, f)
            .unwrap()
            .physical_runs()
            .count()
    };
    assert_eq!(runs(0.0), 1);
    assert!(
        runs(0.5) > 10 && runs(1.0) > 2 * runs(0.5),
        "{} {}",
        runs(0.5),
        runs(1.0)
    );
    let none = Layout::fragmented(Order::PMD, 8, Kind::Anon, 5, 1.0).unwrap();
    assert!(none.is_empty(), "no 2 MiB is left at 1.0");
}

#[test]
fn a_layout_says_where_it_comes_from() {
    let one = Layout::scattered(Pfn(0), Order::PMD, 8, Kind::Anon, 42);
    assert_eq!(
        one.source.to_string(),
        "synthetic: 8 x order 9, scattered, seed 42"
    );
    assert_eq!(
        one.first_pages(512).squeezed(Pfn(0)).source.to_string(),
        "synthetic: 8 x order 9, scattered, first 1 allocations, gaps squeezed, seed 42"
    );
    assert!(matches!(
        one.source,
        Source::Synthetic { seed: Some(42), .. }
    ));
}
