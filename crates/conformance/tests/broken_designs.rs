//! The laws catch designs that are wrong in one thing, and pass those that are not.

use std::collections::BTreeSet;
use std::io::Cursor;

use conformance::case::{Case, parse_lines};
use conformance::evaluate::{EvaluateError, evaluate};
use conformance::laws::{Law, block as law, describe, lru, memcg};
use conformance::reference;
use mm::KernelVersion;

#[path = "broken/description.rs"]
mod description;
#[path = "broken/design.rs"]
mod design_under_test;

use description::{Misled, fault as misled};
use design_under_test::{Broken, fault};

/// Laws that nothing keeps would catch every fault.
#[test]
fn a_design_without_a_fault_passes_every_law() {
    type Sound = Broken<{ fault::NONE }>;
    type SoundDescription = Misled<{ misled::NONE }>;
    let lists: [&[Law]; 7] = [
        &conformance::laws::describe::<Sound>(),
        &conformance::laws::block::<Sound>(),
        &conformance::laws::memcg::<Sound>(),
        &conformance::laws::lru::<Sound>(),
        &conformance::laws::describe::<SoundDescription>(),
        &conformance::laws::memcg::<SoundDescription>(),
        &conformance::laws::lru::<SoundDescription>(),
    ];
    let held: Vec<String> = lists
        .iter()
        .flat_map(|laws| laws.iter())
        .map(|law| {
            (law.check)();
            law.to_string()
        })
        .collect();
    let names: BTreeSet<&String> = held.iter().collect();
    assert!(names.len() >= 28, "{names:#?}");
}

#[test]
fn frames_that_lead_nowhere_are_caught() {
    assert!(catches(
        describe::every_frame_leads_to_its_allocation::<Misled<{ misled::LOSES_TAILS }>>
    ));
}

#[test]
fn references_that_are_not_counted_are_caught() {
    type Keeps = Misled<{ misled::KEEPS_REFERENCES }>;
    assert!(catches(describe::references_are_counted::<Keeps>));
    assert!(catches(describe::the_last_reference_is_the_last::<Keeps>));
    assert!(catches(
        describe::the_last_reference_is_the_last::<Misled<{ misled::RESURRECTS }>>
    ));
}

#[test]
fn a_charge_that_disturbs_the_description_is_caught() {
    assert!(catches(
        memcg::charges_change_no_description::<Misled<{ misled::CHARGE_REFERS }>>
    ));
}

#[test]
fn a_lock_that_takes_a_tail_for_its_unit_is_caught() {
    assert!(catches(
        conformance::laws::memcg::the_lock_keeps_the_owner::<Misled<{ misled::LOCKS_TAILS }>>
    ));
    conformance::laws::memcg::the_lock_keeps_the_owner::<Misled<{ misled::NONE }>>();
}

#[test]
fn a_list_that_disturbs_charges_is_caught() {
    assert!(catches(
        lru::lists_change_neither_charges_nor_descriptions::<Misled<{ misled::LIST_DISOWNS }>>
    ));
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
fn references_that_a_bio_never_took_are_missed_when_dropped() {
    assert!(catches(
        law::end_of_io_gives_references_back::<Broken<{ fault::DROPS_UNPINNED }>>
    ));
}

#[test]
fn a_tail_that_becomes_its_head_and_no_more_is_caught() {
    assert!(catches(
        law::user_pages_name_the_same_bytes::<Broken<{ fault::FIRST_OF_ALL }>>
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

/// The worked cases are few and exact: a design is asked each of them, too.
#[test]
fn a_sound_design_answers_the_worked_cases() {
    let mut asked = 0;
    for (line, case) in parse_lines(Cursor::new(include_str!("../cases/bio.jsonl"))) {
        let case = case.unwrap_or_else(|error| panic!("{error}"));
        if case.rules == KernelVersion::V5_0 {
            continue;
        }
        let is = evaluate::<Broken<{ fault::NONE }>>(&case).expect("it can be asked");
        assert_eq!(is, reference::evaluate(&case), "line {line}: {}", case.name);
        asked += 1;
    }
    assert!(asked > 100, "{asked}");
}

/// The block layer is not compiled for such rules.
#[test]
fn rules_that_a_design_is_not_run_under_are_refused() {
    let case = Case::new("old", KernelVersion::V5_0);
    let asked = evaluate::<Broken<{ fault::NONE }>>(&case);
    assert!(
        matches!(
            asked,
            Err(EvaluateError::Rules {
                design: "broken",
                ..
            })
        ),
        "{asked:?}"
    );
}

#[test]
fn page_maps_that_are_mixed_up_are_caught() {
    assert!(catches(
        law::answers_equal_the_reference::<Broken<{ fault::ONE_PGMAP }>>
    ));
}

#[test]
fn counters_that_do_not_come_out_are_caught() {
    let laws: [fn(); 3] = [
        lru::ledgers_come_out::<Misled<{ misled::KEEPS_REFERENCES }>>,
        lru::ledgers_come_out::<Misled<{ misled::CHARGE_REFERS }>>,
        lru::ledgers_come_out::<Misled<{ misled::LIST_DISOWNS }>>,
    ];
    for (number, law) in laws.into_iter().enumerate() {
        assert!(catches(law), "{number}");
    }
}
