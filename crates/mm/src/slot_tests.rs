//! Slots: where a tail leads.

use super::*;

fn array(len: u64) -> PowerArray<Slot> {
    PowerArray::map(len, Backing::Base).unwrap()
}

#[test]
fn a_slot_leads_to_itself_until_it_is_made_a_tail_and_when_it_is_none_any_more() {
    let slots = array(64);
    let (head, tail) = (slots.at(8), slots.at(11));
    assert!(std::ptr::eq(tail.head(), tail));
    slots.link_tails(head, 7, |_| ());
    for n in 0..64 {
        let leads_to = if (9..16).contains(&n) { 8 } else { n };
        assert_eq!(slots.index_of(slots.at(n).head()), leads_to, "slot {n}");
    }
    tail.word1.clear(Relaxed);
    assert!(std::ptr::eq(tail.head(), tail));
}

#[test]
fn a_slot_on_a_list_is_no_tail() {
    let slots = array(64);
    let (one, other) = (slots.at(3), slots.at(4));
    one.word1.point_at(other, Relaxed);
    assert!(std::ptr::eq(one.head(), one));
    assert!(std::ptr::eq(slots.resolve(one.word1.load(Relaxed)), other));
}

#[test]
fn tails_end_with_the_array_however_many_are_asked_for() {
    let slots = array(64);
    let (len, mut prepared) = (slots.len(), 0);
    slots.link_tails(slots.at(len - 3), u64::MAX, |_| prepared += 1);
    assert_eq!(prepared, 2);
    assert_eq!(slots.index_of(slots.at(len - 1).head()), len - 3);
    slots.link_tails(slots.at(len - 1), 5, |_| prepared += 1);
    assert_eq!(prepared, 2, "nothing lies behind the last");
    assert_eq!(
        slots.index_of(slots.at(0).head()),
        0,
        "and it does not go round"
    );
}

#[test]
fn a_head_of_another_array_stands_for_the_slot_at_its_place() {
    let (slots, others) = (array(64), array(64));
    slots.link_tails(others.at(5), 2, |_| ());
    assert!(std::ptr::eq(slots.at(6).head(), slots.at(5)));
    assert!(std::ptr::eq(others.at(6).head(), others.at(6)));
}
