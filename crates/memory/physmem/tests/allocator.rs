//! The laws of the buddy allocator.

use physmem::allocator::ConfigError;
use physmem::{Extent, FrameAllocator, Order, Pfn};
use proptest::prelude::*;

fn cases() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1000)
    }
}

/// A step of the allocator's user.
#[derive(Clone, Debug)]
enum Step {
    Alloc(u8),
    /// Frees one of what is there.
    Free(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0_u8..=10).prop_map(Step::Alloc),
        2 => any::<prop::sample::Index>().prop_map(Step::Free),
    ];
    proptest::collection::vec(step, 0..200)
}

fn memory(start: u64, frames: u64, seed: u64, fragmentation: f64) -> FrameAllocator {
    FrameAllocator::new(Pfn(start)..Pfn(start + frames), seed, fragmentation).unwrap()
}

fn fragmentation() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.0..1.0]
}

/// Does the steps and gives what is allocated at the end and all that ever was.
fn run(memory: &mut FrameAllocator, steps: &[Step]) -> (Vec<Extent>, Vec<Option<Extent>>) {
    let (mut live, mut log): (Vec<Extent>, Vec<_>) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Alloc(order) => {
                let got = memory.alloc(Order::new(*order));
                live.extend(got);
                log.push(got);
            }
            Step::Free(index) if !live.is_empty() => {
                let extent = live.swap_remove(index.index(live.len()));
                memory.free(extent).unwrap();
            }
            Step::Free(_) => {}
        }
    }
    (live, log)
}

/// Free and used blocks together: every frame once.
fn assert_partition(memory: &FrameAllocator) {
    let mut blocks: Vec<Extent> = memory
        .free_blocks()
        .chain(memory.allocated_blocks())
        .collect();
    blocks.sort();
    let mut next = memory.range().start;
    for block in blocks {
        assert_eq!(block.head, next, "a gap or an overlap");
        next = block.end();
    }
    assert_eq!(next, memory.range().end);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_frame_has_one_owner_and_orders_are_as_asked(
        start in 0_u64..5000, frames in 1_u64..6000, seed in any::<u64>(), f in fragmentation(), steps in steps(),
    ) {
        let mut memory = memory(start, frames, seed, f);
        let (live, log) = run(&mut memory, &steps);
        assert_partition(&memory);
        let asked = steps.iter().filter_map(|step| match step { Step::Alloc(order) => Some(*order), Step::Free(_) => None });
        for (extent, order) in log.iter().zip(asked) {
            prop_assert!(extent.is_none_or(|extent| extent.order.get() == order));
        }
        let mut used: Vec<Extent> = live.iter().chain(memory.held()).copied().collect();
        used.sort();
        prop_assert_eq!(used, memory.allocated_blocks().collect::<Vec<_>>());
        let free: u64 = memory.free_blocks().map(|block| block.order.pages()).sum();
        prop_assert_eq!(memory.free_frames(), free);
    }

    #[test]
    fn no_free_block_has_a_free_buddy(
        start in 0_u64..5000, frames in 1_u64..6000, seed in any::<u64>(), f in fragmentation(), steps in steps(),
    ) {
        let mut memory = memory(start, frames, seed, f);
        run(&mut memory, &steps);
        let blocks: Vec<Extent> = memory.free_blocks().collect();
        for pair in blocks.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let buddies = a.order == b.order && a.head.0 ^ a.order.pages() == b.head.0;
            prop_assert!(!buddies || a.order.get() == physmem::MAX_ORDER, "{:?} {:?}", a, b);
        }
    }

    #[test]
    fn all_that_is_freed_merges_back_to_the_unbroken_range(
        start in 0_u64..5000, frames in 1_u64..6000, seed in any::<u64>(), f in fragmentation(), steps in steps(),
    ) {
        let mut memory = memory(start, frames, seed, f);
        let (live, _) = run(&mut memory, &steps);
        for extent in live {
            memory.free(extent).unwrap();
        }
        memory.release_held();
        let untouched: Vec<Extent> = self::memory(start, frames, 0, 0.0).free_blocks().collect();
        prop_assert_eq!(memory.free_blocks().collect::<Vec<_>>(), untouched);
        prop_assert_eq!(memory.free_frames(), frames);
    }

    #[test]
    fn an_allocation_fails_only_if_no_free_block_is_large_enough(
        frames in 1_u64..6000, seed in any::<u64>(), f in fragmentation(), steps in steps(), order in 0_u8..=10,
    ) {
        let mut memory = memory(0, frames, seed, f);
        run(&mut memory, &steps);
        let largest = memory.free_blocks().map(|block| block.order.get()).max();
        let got = memory.alloc(Order::new(order));
        prop_assert_eq!(got.is_some(), largest.is_some_and(|largest| largest >= order));
    }

    #[test]
    fn the_same_seed_gives_the_same_extents(
        frames in 1_u64..6000, seed in any::<u64>(), f in fragmentation(), steps in steps(),
    ) {
        let (mut one, mut other) = (memory(0, frames, seed, f), memory(0, frames, seed, f));
        prop_assert_eq!(run(&mut one, &steps), run(&mut other, &steps));
        prop_assert_eq!(one.held(), other.held());
    }

    #[test]
    fn what_was_not_handed_out_as_such_cannot_be_freed(
        seed in any::<u64>(), f in fragmentation(), steps in steps(), head in 0_u64..5000, order in 0_u8..4,
    ) {
        let order = Order::new(order);
        let mut memory = memory(64, 4096, seed, f);
        let (live, _) = run(&mut memory, &steps);
        let extent = Extent::new(Pfn(head / order.pages() * order.pages()), order);
        let before: Vec<Extent> = memory.free_blocks().collect();
        if live.contains(&extent) {
            memory.free(extent).unwrap();
            prop_assert_eq!(memory.free(extent).unwrap_err().extent, extent, "freed twice");
        } else {
            prop_assert_eq!(memory.free(extent).unwrap_err().extent, extent);
            prop_assert_eq!(memory.free_blocks().collect::<Vec<_>>(), before, "nothing changed");
        }
    }
}

#[test]
fn unbroken_memory_hands_out_ascending_neighbours() {
    let mut memory = memory(4096, 4096, 1, 0.0);
    let mut heads = (0..600).map(|_| memory.alloc(Order::BASE).unwrap().head.0);
    assert!(heads.by_ref().eq(4096..4696));
}

#[test]
fn fragmentation_takes_large_blocks_and_neighbourhood_away_by_degrees() {
    let frames = 1 << 16;
    let whole = |f| {
        let mut memory = memory(0, frames, 7, f);
        let mut count = 0_u64;
        while memory.alloc(Order::PMD).is_some() {
            count += 1;
        }
        count
    };
    let neighbours = |f| {
        let mut memory = memory(0, frames, 7, f);
        let heads: Vec<u64> = (0..1000)
            .map(|_| memory.alloc(Order::BASE).unwrap().head.0)
            .collect();
        heads
            .windows(2)
            .filter(|pair| pair[1] == pair[0] + 1)
            .count()
    };
    let huge: Vec<u64> = [0.0, 0.25, 0.75, 1.0].map(whole).to_vec();
    assert_eq!((huge[0], huge[3]), (frames / 512, 0));
    assert!(huge.is_sorted_by(|a, b| a > b), "{huge:?}");
    assert_eq!(neighbours(0.0), 999);
    assert!(
        neighbours(1.0) < 700 && neighbours(1.0) < neighbours(0.1),
        "{} {}",
        neighbours(0.1),
        neighbours(1.0)
    );
}

#[test]
fn seeds_differ_and_a_stream_is_the_same_for_ever() {
    let heads = |seed| {
        let mut memory = memory(0, 2048, seed, 1.0);
        (0..6)
            .map(|_| memory.alloc(Order::BASE).unwrap().head.0)
            .collect::<Vec<_>>()
    };
    assert_ne!(heads(1), heads(2));
    // Results are compared across versions by seed: a change here breaks that.
    assert_eq!(heads(1), [308, 452, 56, 279, 1046, 472]);
}

#[test]
fn a_gigantic_page_comes_whole_from_a_gib() {
    let mut memory = memory(1 << 18, 2 << 18, 0, 0.0);
    let giga = memory.alloc(Order::PUD).unwrap();
    assert_eq!(giga, Extent::new(Pfn(1 << 18), Order::PUD));
    memory.free(giga).unwrap();
    assert_eq!(memory.free_blocks().count(), 2);
}

#[test]
fn nonsense_is_refused() {
    let new = |start, end, f| FrameAllocator::new(Pfn(start)..Pfn(end), 0, f).unwrap_err();
    assert_eq!(new(5, 5, 0.0), ConfigError::Frames(0));
    assert_eq!(new(6, 5, 0.0), ConfigError::Frames(0));
    assert!(matches!(new(0, 1 << 40, 0.0), ConfigError::Frames(_)));
    assert_eq!(new(0, 5, 1.5), ConfigError::Fragmentation(1.5));
    assert!(matches!(new(0, 5, f64::NAN), ConfigError::Fragmentation(_)));
}
