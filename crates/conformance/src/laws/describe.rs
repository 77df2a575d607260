//! Laws of describing memory: frames lead to their allocation, references count. They need
//! `Design` only.

use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Release},
};

use mm::{Design, Linux6_12};
use physmem::{Extent, Kind, Order, Pfn};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::cases::rounds;
use super::world::{BASE, Describing, FRAMES, World, for_all_sequences};

/// Frames of allocations lead to them, and free frames lead nowhere.
fn frames_lead_to_allocations<D: Design>(world: &World<D>) -> Result<(), TestCaseError> {
    let mut pfn = BASE;
    while pfn < BASE + FRAMES {
        let Some((&head, unit)) = world
            .units
            .range(..=pfn)
            .next_back()
            .filter(|(_, c)| c.extent.contains(pfn))
        else {
            prop_assert!(
                world.design.lookup(pfn).is_none(),
                "free frame {pfn} leads somewhere"
            );
            pfn = pfn + 1;
            continue;
        };
        // First, second, middle and last frame: what a tail's encoding can get wrong.
        let pages = unit.extent.order.pages();
        for n in [0, 1, pages / 2, pages - 1]
            .into_iter()
            .filter(|&n| n < pages)
        {
            let found = world.design.lookup(head + n);
            prop_assert!(found.is_some(), "frame {} leads nowhere", head + n);
            let found = found.expect("just asserted");
            prop_assert_eq!(world.design.extent(found), unit.extent);
            prop_assert_eq!(world.design.kind(found), unit.kind);
        }
        pfn = unit.extent.end();
    }
    Ok(())
}

/// References are what was taken less what was dropped.
fn references_add_up<D: Design>(world: &World<D>) -> Result<(), TestCaseError> {
    for (&pfn, unit) in &world.units {
        prop_assert_eq!(world.design.refcount(world.held(pfn)), unit.references);
    }
    Ok(())
}

/// Checks the description of an allocation after any operation.
pub(super) fn description_is_right<D: Design>(world: &World<D>) -> Result<(), TestCaseError> {
    frames_lead_to_allocations(world)?;
    references_add_up(world)
}

/// No frame leads anywhere, nor do those outside.
pub(super) fn nothing_is_described<D: Design>(world: &World<D>) -> Result<(), TestCaseError> {
    let outside = [Pfn(BASE.0 - 1), BASE + FRAMES];
    prop_assert!(outside.iter().all(|&p| world.design.lookup(p).is_none()));
    prop_assert!((0..FRAMES).all(|n| world.design.lookup(BASE + n).is_none()));
    Ok(())
}

/// Every frame of an allocation leads to it, and no free frame leads anywhere.
pub fn every_frame_leads_to_its_allocation<D: Design>() {
    for_all_sequences::<D, Linux6_12, Describing>(
        "every frame leads to its allocation",
        frames_lead_to_allocations,
        nothing_is_described,
    );
}

/// References are what was taken less what was dropped.
pub fn references_are_counted<D: Design>() {
    for_all_sequences::<D, Linux6_12, Describing>(
        "references are counted",
        references_add_up,
        |_| Ok(()),
    );
}

/// The last reference is reported as such, and none can be taken after it.
pub fn the_last_reference_is_the_last<D: Design>() {
    let world = World::<D>::new();
    for order in [0u8, 1, 9] {
        let extent = physmem::Extent::new(BASE, super::world::order(order));
        let unit = world.design.alloc(extent, physmem::Kind::Anon);
        assert!(world.design.try_get(unit));
        assert!(
            !world.design.put(unit),
            "{}: one of two is not the last",
            D::NAME
        );
        assert!(world.design.put(unit), "{}: the last is the last", D::NAME);
        assert!(
            !world.design.try_get(unit),
            "{}: taken from nothing",
            D::NAME
        );
        world.design.free(unit);
    }
}

/// A reference taken through a frame is to that frame's allocation, and is the last one only once,
/// even if the frame is freed and its descriptor reused meanwhile.
pub fn what_a_frame_leads_to_is_not_another_frames<D: Design>() {
    /// Rounds during which the walk looked, too: threads that the machine lets run one after the
    /// other show no race.
    const AT_ONCE: usize = 200_000;
    let enough = rounds(AT_ONCE) as u64;
    // After as many as this, fewer must do.
    let most = 200 * enough;
    let world = World::<D>::new();
    let design = &world.design;
    let page = |n| Extent::new(BASE + n, Order::BASE);
    // One after the other: what was found before the frame was freed.
    let found = design.alloc(page(0), Kind::Anon);
    assert!(design.leads_to(BASE, found), "{}", D::NAME);
    design.free(found);
    let other = design.alloc(page(1), Kind::Anon);
    let still = design.leads_to(BASE, found);
    assert!(!still, "{}: a frame leads where it led before", D::NAME);
    design.free(other);

    // And at once.
    let (done, looks) = (AtomicBool::new(false), AtomicU64::new(0));
    let wrong = std::thread::scope(|scope| {
        let walk = scope.spawn(|| {
            let mut wrong = 0;
            while !done.load(Acquire) {
                if let Some(unit) = design.try_get_at(BASE) {
                    wrong += usize::from(design.extent(unit) != page(0));
                    design.put_and_free(unit);
                }
                looks.fetch_add(1, Release);
            }
            wrong
        });
        // The owner: memory comes and goes at two frames, one after the other.
        let (mut at_once, mut seen) = (0, 0);
        for n in 0..most {
            let now = looks.load(Acquire);
            at_once += u64::from(now != seen);
            seen = now;
            if at_once >= enough {
                break;
            }
            let extent = page(n % 2);
            let unit = design.alloc(extent, Kind::Anon);
            if design.put(unit) {
                design.free(unit);
                continue;
            }
            // The walk has the last reference: the frame is free once the walk has freed it,
            // which it does before it looks again.
            while design.lookup(extent.head).is_some() && !walk.is_finished() {
                std::thread::yield_now();
            }
            let before = looks.load(Acquire);
            while looks.load(Acquire) == before && !walk.is_finished() {
                std::thread::yield_now();
            }
        }
        done.store(true, Release);
        walk.join().expect("the walk does not panic")
    });
    assert_eq!(wrong, 0, "{}: a frame leads to another's memory", D::NAME);
    for n in 0..2 {
        assert!(
            design.lookup(BASE + n).is_none(),
            "{}: never freed",
            D::NAME
        );
    }
}
