//! The calls that are counted, made without counting: each operation checks its own answer.

use std::collections::BTreeSet;

use icount::{entries, primitives};

fn labels() -> Vec<primitives::Label> {
    let mut labels = Vec::new();
    primitives::run(&mut |label| labels.push(label)).expect("every operation answers right");
    labels
}

#[test]
fn every_primitive_is_called_on_flat_and_on_folio_at_every_order() {
    let labels = labels();
    for primitive in [
        "bio_add_folio",
        "bio_for_each_segment",
        "bio_for_each_folio_all",
        "end_io_release",
        "end_io_dirty_base",
        "blk_rq_map_sg",
        "recount",
        "put_page_head",
        "memcg_charge",
        "memcg_uncharge_base_pages",
    ] {
        let called: BTreeSet<(&str, u8)> = labels
            .iter()
            .filter(|label| label.primitive == primitive)
            .map(|label| (label.design, label.order))
            .collect();
        let wanted: BTreeSet<(&str, u8)> = ["flat", "folio"]
            .into_iter()
            .flat_map(|design| primitives::ORDERS.map(|order| (design, order)))
            .collect();
        assert_eq!(called, wanted, "{primitive}");
    }
}

#[test]
fn charges_meet_the_states_that_the_kernels_counts_are_sorted_by() {
    let labels = labels();
    let states = |design, order| -> BTreeSet<String> {
        labels
            .iter()
            .filter(|l| l.primitive == "memcg_charge" && l.design == design && l.order == order)
            .map(|l| l.class.clone())
            .collect()
    };
    let of = |classes: &[&str]| -> BTreeSet<String> {
        classes.iter().map(|&class| class.to_owned()).collect()
    };
    assert_eq!(states("folio", 0), of(&["hit", "miss", "miss+wm"]));
    // A large page is beyond the batch: no stock, no surplus.
    assert_eq!(states("folio", 9), of(&["exact", "exact+wm"]));
    assert_eq!(states("flat", 9), of(&["exact+event", "exact+wm+event"]));
}

#[test]
fn entries_of_a_family_are_called_once_for_each_design_that_has_them() {
    let mut said = Vec::new();
    entries::calls(
        &entries::of_family("merging"),
        &|design| design != "null",
        entries::Watched::ByNobody,
        &mut |label| said.push(label),
    )
    .expect("every entry can be set up");
    let once: BTreeSet<_> = said.iter().collect();
    assert_eq!(once.len(), said.len(), "no label twice");
    for design in ["flat", "folio", "split", "memdesc", "headpage"] {
        let of_design = format!("merging/add {design} 6.12 ");
        let orders = said
            .iter()
            .filter(|label| label.starts_with(&of_design))
            .count();
        assert_eq!(orders, entries::ORDERS.len(), "{design}");
    }
}
