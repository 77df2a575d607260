//! LRU lists, once for all designs: two lists per group threaded through the
//! descriptors' own words, one lock per lruvec, relocked only where the lruvec changes.

use std::sync::atomic::Ordering::{AcqRel, Relaxed};

use physmem::Kind;

use crate::Lru;
use crate::memcg::{MAX_GROUPS, MemCgroup, Stat, mod_lruvec_state, mod_zone_lru};
use crate::slot::{PowerArray, Slot};

/// `PG_lru` in [`Slot::flags`]: on a list. Designs leave this bit to this module.
pub const PG_LRU: u64 = 1 << 5;

/// Slots that an array needs after its descriptors for the heads of all lists.
pub const HEADS: u64 = (MAX_GROUPS * crate::memcg::LISTS) as u64;

/// The first slot that is a list head: the last [`HEADS`] of the array.
#[inline]
pub fn heads_start(slots: &PowerArray<Slot>) -> u64 {
    slots.len() - HEADS
}

/// Makes every list empty; called once by a design's `build`.
pub fn init_heads(slots: &PowerArray<Slot>) {
    for index in heads_start(slots)..slots.len() {
        let head = slots.at(index);
        let word = PowerArray::word_of(head);
        head.word1.point_at(head, Relaxed);
        head.word2.store(word, Relaxed);
    }
}

#[inline]
fn head_of<'a, D: Lru>(design: &'a D, group: &MemCgroup, kind: Kind) -> &'a Slot {
    let slots = design.slots();
    let list = design.groups().index_of(group) * crate::memcg::LISTS as u64
        + crate::memcg::list_of(kind) as u64;
    slots.at(heads_start(slots) + list)
}

/// Links `entry` after `at` (`list_add`). The lruvec's lock orders all accesses.
#[inline]
fn list_add(slots: &PowerArray<Slot>, entry: &Slot, at: &Slot) {
    let next = slots.resolve(at.word1.load(Relaxed));
    let word = PowerArray::word_of(entry);
    next.word2.store(word, Relaxed);
    entry.word1.point_at(next, Relaxed);
    entry.word2.store(PowerArray::word_of(at), Relaxed);
    at.word1.point_at(entry, Relaxed);
}

/// Unlinks `entry` (`list_del`): not where its neighbours do not name it, and afterwards it
/// names none.
#[inline]
fn list_del(slots: &PowerArray<Slot>, entry: &Slot) {
    if list_del_entry_valid(slots, entry) {
        let next = slots.resolve(entry.word1.load(Relaxed));
        let prev = slots.resolve(entry.word2.load(Relaxed));
        next.word2.store(PowerArray::word_of(prev), Relaxed);
        prev.word1.point_at(next, Relaxed);
    }
    entry.word1.clear(Relaxed);
    entry.word2.store(0, Relaxed);
}

/// Whether both neighbours name `entry` (`__list_del_entry_valid`, of kernels with
/// `CONFIG_DEBUG_LIST` or `CONFIG_LIST_HARDENED`, as distributions ship them).
#[inline(never)]
fn list_del_entry_valid(slots: &PowerArray<Slot>, entry: &Slot) -> bool {
    let word = PowerArray::word_of(entry);
    let (next, prev) = (entry.word1.load(Relaxed), entry.word2.load(Relaxed));
    if next == 0 || prev == 0 {
        return false;
    }
    slots.resolve(prev).word1.load(Relaxed) == word
        && slots.resolve(next).word2.load(Relaxed) == word
}

/// `update_lru_size`: the group's count and the lruvec's statistic.
#[inline]
fn update_size<D: Lru>(
    design: &D,
    cpu: usize,
    group: &MemCgroup,
    kind: Kind,
    units: i64,
    pages: i64,
) {
    let list = crate::memcg::list_of(kind);
    mod_lruvec_state(design.groups(), cpu, group, Stat::of_lru(kind), pages);
    mod_zone_lru(design.groups(), cpu, list, pages);
    mem_cgroup_update_lru_size(group, list, units);
}

/// The group's own count, whose sign the kernel checks (`mem_cgroup_update_lru_size`).
#[inline(never)]
fn mem_cgroup_update_lru_size(group: &MemCgroup, list: usize, units: i64) {
    let size = &group.lru_size[list];
    let now = (size.load(Relaxed) as i64).wrapping_add(units);
    size.store(now.max(0) as u64, Relaxed);
}

/// Holds at most one lruvec's lock and changes it only where the lruvec changes
/// (`folio_lruvec_relock_irqsave`).
struct Relock<'a>(Option<&'a MemCgroup>);

impl<'a> Relock<'a> {
    #[inline]
    fn switch_to(&mut self, group: &'a MemCgroup) {
        if self.0.is_some_and(|held| std::ptr::eq(held, group)) {
            return;
        }
        self.release();
        group.lru_lock.lock();
        self.0 = Some(group);
    }

    #[inline]
    fn release(&mut self) {
        if let Some(held) = self.0.take() {
            held.lru_lock.unlock();
        }
    }
}

/// Adds units to the heads of their lists (`folio_batch_move_lru` of a full batch).
pub fn add<'a, D: Lru>(design: &'a D, cpu: usize, units: &[D::Unit<'a>]) {
    let mut lock = Relock(None);
    for &unit in units {
        let charge = design.charge_of(unit);
        let group = crate::memcg::group_of(design.groups(), charge.owner);
        lock.switch_to(group);
        let slot = design.slot_of(unit);
        slot.flags.fetch_or(PG_LRU, AcqRel);
        list_add(design.slots(), slot, head_of(design, group, charge.kind));
        update_size(design, cpu, group, charge.kind, 1, charge.pages as i64);
    }
    lock.release();
}

/// Takes up to `want` units off the tail of a group's list into `out`, with a reference
/// each (`isolate_lru_folios`). Returns how many.
pub fn isolate<'a, D: Lru>(
    design: &'a D,
    cpu: usize,
    group: &MemCgroup,
    kind: Kind,
    want: usize,
    out: &mut Vec<D::Unit<'a>>,
) -> usize {
    let slots = design.slots();
    let head = head_of(design, group, kind);
    let mut taken = 0;
    let mut pages = 0;
    group.lru_lock.lock();
    while taken < want {
        let tail = slots.resolve(head.word2.load(Relaxed));
        if std::ptr::eq(tail, head) {
            break;
        }
        let unit = design.unit_of(tail);
        // What is being freed under us has no reference left: leave it to its owner.
        if !design.try_get(unit) {
            break;
        }
        if tail.flags.fetch_and(!PG_LRU, AcqRel) & PG_LRU == 0 {
            // Another one is taking it off, and holds a reference: ours is not the last.
            design.put(unit);
            break;
        }
        list_del(slots, tail);
        pages += design.charge_of(unit).pages as i64;
        out.push(unit);
        taken += 1;
    }
    update_size(design, cpu, group, kind, -(taken as i64), -pages);
    group.lru_lock.unlock();
    taken
}

/// Puts isolated units back at the heads of their lists and drops their references
/// (`move_folios_to_lru`).
pub fn putback<'a, D: Lru>(design: &'a D, cpu: usize, units: &[D::Unit<'a>]) {
    add(design, cpu, units);
    for &unit in units {
        folio_put(design, cpu, unit);
    }
}

/// Drops a reference; with the last one the unit leaves its list and is freed (`folio_put`,
/// `__page_cache_release`). It must not be charged any more.
#[inline]
pub fn folio_put<'a, D: Lru>(design: &'a D, cpu: usize, unit: D::Unit<'a>) {
    if design.put(unit) {
        release(design, cpu, unit);
    }
}

/// `__folio_put`.
#[cold]
#[inline(never)]
fn release<'a, D: Lru>(design: &'a D, cpu: usize, unit: D::Unit<'a>) {
    if design.slot_of(unit).flags.fetch_and(!PG_LRU, AcqRel) & PG_LRU != 0 {
        take_off(design, cpu, unit);
    }
    design.free(unit);
}

/// Unlinks a unit whose [`PG_LRU`] the caller has cleared (`lruvec_del_folio`).
#[inline]
fn take_off<'a, D: Lru>(design: &'a D, cpu: usize, unit: D::Unit<'a>) {
    let charge = design.charge_of(unit);
    let group = crate::memcg::group_of(design.groups(), charge.owner);
    group.lru_lock.lock();
    list_del(design.slots(), design.slot_of(unit));
    update_size(design, cpu, group, charge.kind, -1, -(charge.pages as i64));
    group.lru_lock.unlock();
}

/// Takes one unit off whatever list it is on, with a reference, the way compaction does
/// once a frame looks movable; false where it lost a race or was on no list.
#[inline]
pub fn isolate_one<'a, D: Lru>(design: &'a D, cpu: usize, unit: D::Unit<'a>) -> bool {
    design.try_get(unit) && isolate_held(design, cpu, unit)
}

/// [`isolate_one`] of a unit that the caller has a reference to, which is dropped where the
/// unit is on no list.
#[inline]
fn isolate_held<'a, D: Lru>(design: &'a D, cpu: usize, unit: D::Unit<'a>) -> bool {
    let slot = design.slot_of(unit);
    if slot.flags.fetch_and(!PG_LRU, AcqRel) & PG_LRU == 0 {
        design.put_and_free(unit);
        return false;
    }
    take_off(design, cpu, unit);
    true
}

/// Isolates the unit that a frame led to and puts it back, as a compaction that found no target
/// would. `leads_to` is asked with the reference held: where a descriptor may describe
/// something else by then, the frame is looked at again.
#[inline]
pub fn isolate_and_putback<'a, D: Lru>(
    design: &'a D,
    cpu: usize,
    unit: D::Unit<'a>,
    leads_to: impl FnOnce() -> bool,
) -> bool {
    if !design.try_get(unit) {
        return false;
    }
    if !leads_to() {
        folio_put(design, cpu, unit);
        return false;
    }
    let isolated = isolate_held(design, cpu, unit);
    if isolated {
        putback(design, cpu, &[unit]);
    }
    isolated
}

/// Units on a group's list for a kind, counted by walking it: slow, for laws.
pub fn count<D: Lru>(design: &D, group: &MemCgroup, kind: Kind) -> u64 {
    let slots = design.slots();
    let head = head_of(design, group, kind);
    group.lru_lock.with(|| {
        let mut slot = slots.resolve(head.word1.load(Relaxed));
        let mut units = 0;
        while !std::ptr::eq(slot, head) && units <= slots.len() {
            units += 1;
            slot = slots.resolve(slot.word1.load(Relaxed));
        }
        units
    })
}
