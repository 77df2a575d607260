//! The walk over all frames, on flags made up as the kernel sets them.

use super::*;

const ANON: PageFlags = PageFlags::ANON.union(PageFlags::LRU);

/// Takes the census of these frames, from frame 0 on: flags, whether mapped, whether charged.
fn census(frames: impl IntoIterator<Item = (PageFlags, bool, bool)>) -> Census {
    let mut walk = Walk::default();
    for (pfn, (flags, mapped, charged)) in frames.into_iter().enumerate() {
        walk.frame(Frame {
            pfn: pfn as u64,
            flags: flags.bits(),
            mapped,
            charged,
        });
    }
    walk.finish()
}

fn compound(flags: PageFlags, order: u32) -> Vec<PageFlags> {
    let mut frames = vec![flags | PageFlags::COMPOUND_TAIL; 1 << order];
    frames[0] = flags | PageFlags::COMPOUND_HEAD;
    frames
}

fn plain(frames: Vec<PageFlags>) -> Census {
    census(frames.into_iter().map(|flags| (flags, false, false)))
}

fn counts(census: &Census) -> Vec<(&'static str, u8, u64)> {
    let counts = census.blocks.iter();
    counts
        .map(|((of, order), tally)| (of.name(), order.get(), tally.blocks))
        .collect()
}

#[test]
fn neighbours_of_one_order_stay_two_blocks_and_every_frame_is_counted_once() {
    let mut frames = compound(ANON, 2);
    frames.extend(compound(ANON, 2));
    frames.extend([PageFlags::SLAB, ANON, ANON, PageFlags::LRU]);
    frames.extend(vec![PageFlags::NOPAGE; 4]);
    let found = plain(frames);
    assert_eq!(
        counts(&found),
        [
            ("anon", 0, 2),
            ("anon", 2, 2),
            ("file", 0, 1),
            ("slab", 0, 1)
        ]
    );
    assert_eq!((found.frames, found.holes, found.torn), (12, 4, 0));
}

#[test]
fn free_frames_are_the_blocks_that_the_buddy_allocator_would_make() {
    let mut frames = vec![PageFlags::empty(); 3];
    frames.extend(vec![PageFlags::BUDDY; 5]);
    let found = plain(frames);
    // Frame 3, then 4 to 7.
    assert_eq!(
        counts(&found),
        [("free", 0, 1), ("free", 2, 1), ("unnamed", 0, 3)]
    );
    let found = plain(vec![PageFlags::BUDDY; 4096]);
    assert_eq!(counts(&found), [("free", LARGEST_FREE, 4)]);
}

#[test]
fn what_was_torn_while_it_was_looked_at_is_counted_as_base_pages() {
    // Three frames are no compound page, and a tail has no head.
    let mut frames = compound(ANON, 2);
    frames[3] = PageFlags::LRU;
    frames.push(PageFlags::SLAB | PageFlags::COMPOUND_TAIL);
    let found = plain(frames);
    assert_eq!(
        counts(&found),
        [("anon", 0, 3), ("file", 0, 1), ("slab", 0, 1)]
    );
    assert_eq!((found.frames, found.torn), (5, 4));
}

#[test]
fn frames_are_mapped_one_by_one_and_charged_as_a_whole() {
    let frames = compound(ANON, 2).into_iter().enumerate();
    // The cgroup is told of the head only.
    let found = census(frames.map(|(n, flags)| (flags, n < 2, n == 0)));
    let tally = found.blocks[&(Use::Anon, Order::new(2))];
    assert_eq!((tally.blocks, tally.mapped, tally.charged), (1, 2, 4));
}

#[test]
fn uses_follow_the_flags_and_have_names_of_their_own() {
    for (flags, of) in [
        (PageFlags::NOPAGE.bits(), None),
        (
            PageFlags::SLAB.bits() | PageFlags::OFFLINE.bits(),
            Some(Use::Unusable),
        ),
        (
            (PageFlags::HUGE | PageFlags::ANON).bits(),
            Some(Use::Hugetlb),
        ),
        (PageFlags::PGTABLE.bits(), Some(Use::PageTable)),
        (1 << KPF_RESERVED, Some(Use::Reserved)),
        (PageFlags::ZERO_PAGE.bits(), Some(Use::Reserved)),
        (PageFlags::UPTODATE.bits(), Some(Use::Unnamed)),
    ] {
        assert_eq!(Use::of(flags), of, "{flags:#x}");
    }
    for of in Use::ALL {
        assert_eq!(Use::named(of.name()), Some(of));
    }
}
