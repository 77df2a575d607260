//! The laws of block IO catch designs that are wrong in one thing, and pass one that is not.

use conformance::laws::block as law;

#[path = "broken/design.rs"]
mod design_under_test;

use design_under_test::{Broken, fault};

mod sound {
    use super::{Broken, fault};

    conformance::conformance!(Broken<{ fault::NONE }>, block);
}

/// Whether a law fails on a design.
fn catches(law: impl FnOnce() + std::panic::UnwindSafe) -> bool {
    std::panic::catch_unwind(law).is_err()
}

#[test]
fn a_walk_that_steps_too_far_is_caught() {
    assert!(catches(
        law::walks_cover_the_same_bytes::<Broken<{ fault::NEXT_PAGE }>>
    ));
}

#[test]
fn units_that_are_too_long_are_caught() {
    assert!(catches(
        law::walks_cover_the_same_bytes::<Broken<{ fault::LONG_UNITS }>>
    ));
    assert!(catches(
        law::worked_cases_come_out::<Broken<{ fault::LONG_UNITS }>>
    ));
}

#[test]
fn a_lost_reference_is_caught() {
    assert!(catches(
        law::end_of_io_gives_references_back::<Broken<{ fault::LEAKS }>>
    ));
}

#[test]
fn memory_read_into_and_left_clean_is_caught() {
    assert!(catches(
        law::end_of_io_gives_references_back::<Broken<{ fault::STAYS_CLEAN }>>
    ));
}

#[test]
fn false_claims_about_slab_memory_are_caught() {
    assert!(catches(
        law::slab_io_is_as_claimed::<Broken<{ fault::REFUSES_SLAB }>>
    ));
    assert!(catches(
        law::slab_io_is_as_claimed::<Broken<{ fault::UNCOUNTED_SLAB }>>
    ));
}

#[test]
fn a_merge_that_never_happens_is_caught() {
    assert!(catches(
        law::merging_depends_on_order::<Broken<{ fault::NO_MERGE }>>
    ));
    assert!(catches(
        law::chunks_are_added_like_folios::<Broken<{ fault::NO_MERGE }>>
    ));
    assert!(catches(
        law::answers_equal_the_reference::<Broken<{ fault::NO_MERGE }>>
    ));
}

#[test]
fn lost_bytes_are_caught() {
    assert!(catches(
        law::chunks_are_added_like_folios::<Broken<{ fault::LOSES_BYTES }>>
    ));
}

#[test]
fn memory_that_is_elsewhere_is_caught() {
    assert!(catches(
        law::answers_equal_the_reference::<Broken<{ fault::WRONG_PHYS }>>
    ));
    assert!(catches(
        law::scatterlists_keep_to_the_limits::<Broken<{ fault::WRONG_PHYS }>>
    ));
}
