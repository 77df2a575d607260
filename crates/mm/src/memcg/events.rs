//! Page-in and page-out events of a group, and the look at its thresholds that they pace.

use std::sync::atomic::Ordering::Relaxed;

use super::group::{MemCgroup, MemcgTree};

/// Events that a CPU keeps to itself (`MEMCG_CHARGE_BATCH` as the events use it).
const EVENT_BATCH: u32 = 32;
/// Page events between two looks at the thresholds (`THRESHOLDS_EVENTS_TARGET`).
const LOOK_EVERY: u64 = 128;

/// Page-ins and page-outs (`mem_cgroup_charge_statistics`, `__count_memcg_events`).
#[inline(never)]
pub(super) fn count_events(memory: &MemcgTree, group: &MemCgroup, cpu: usize, n: u32, pages: u64) {
    let on = memory.on(group, cpu);
    let events = on.events.load(Relaxed).wrapping_add(n);
    if events > EVENT_BATCH {
        group.events.fetch_add(u64::from(events), Relaxed);
        on.events.store(0, Relaxed);
    } else {
        on.events.store(events, Relaxed);
    }
    let page_events = on.page_events.load(Relaxed).wrapping_add(pages);
    on.page_events.store(page_events, Relaxed);
}

/// Whether it is time to look at thresholds (`memcg_check_events`); the model has none set,
/// so there is nothing to see.
#[inline(never)]
pub(super) fn check_events(memory: &MemcgTree, group: &MemCgroup, cpu: usize) {
    let on = memory.on(group, cpu);
    let page_events = on.page_events.load(Relaxed);
    if (page_events.wrapping_sub(on.next_look.load(Relaxed)) as i64) < 0 {
        return;
    }
    on.next_look.store(page_events + LOOK_EVERY, Relaxed);
}
