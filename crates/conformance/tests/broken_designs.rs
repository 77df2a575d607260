//! The laws catch designs that are wrong in one thing, and pass those that are not.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::process::Command;

use conformance::case::parse_lines;
use conformance::evaluate::evaluate;
use conformance::laws::{Law, block as law, describe, lru, memcg};
use conformance::reference;
use mm::KernelVersion;

#[path = "broken/description.rs"]
mod description;
#[path = "broken/design.rs"]
mod design_under_test;

use description::{Misled, fault as misled};
use design_under_test::{Broken, fault};

mod sound {
    use super::{Broken, fault};

    conformance::conformance!(Broken<{ fault::NONE }>, describe, block, memcg, lru);
}

mod sound_description {
    use super::{Misled, misled};

    conformance::conformance!(Misled<{ misled::NONE }>, describe, memcg, lru);
}

/// The laws that verification runs and the tests that a design's crate has are the same set.
#[test]
fn every_law_on_the_list_is_a_test_and_nothing_else() {
    type Sound = Broken<{ fault::NONE }>;
    let lists: [&[Law]; 4] = [
        &conformance::laws::describe::<Sound>(),
        &conformance::laws::block::<Sound>(),
        &conformance::laws::memcg::<Sound>(),
        &conformance::laws::lru::<Sound>(),
    ];
    let listed: Vec<String> = lists
        .iter()
        .flat_map(|laws| laws.iter())
        .map(|law| format!("broken_designs::sound::{}::{}", law.capability, law.name))
        .collect();
    let own = std::env::current_exe().expect("this program is a file");
    let output = Command::new(own)
        .args(["--list", "--format", "terse"])
        .output()
        .expect("it starts");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let stamped: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .filter(|name| name.starts_with("broken_designs::sound::"))
        .collect();
    assert_eq!(listed.len(), stamped.len(), "a law is listed twice");
    assert_eq!(
        listed.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        stamped
    );
    assert!(stamped.len() >= 28, "{stamped:#?}");
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
