//! Memory on no LRU list that its driver moves (`__PageMovable`).

use std::sync::atomic::Ordering::Relaxed;

use crate::{Lru, memmap};

/// Isolates a unit on no list that its driver moves, and gives it back (`isolate_movable_page`,
/// `putback_movable_page`): nobody waits for its lock, and under it what was seen without is
/// looked at again. What the driver itself does is left out.
#[inline]
pub fn isolate_movable_and_putback<'a, D: Lru>(
    design: &'a D,
    unit: D::Unit<'a>,
    leads_to: impl FnOnce() -> bool,
) -> bool {
    if !design.try_get(unit) {
        return false;
    }
    let slot = design.slot_of(unit);
    let isolated = leads_to() && memmap::folio_trylock(slot) && {
        let is_free_to_take = memmap::is_movable(slot)
            && slot.flags.fetch_or(memmap::PG_ISOLATED, Relaxed) & memmap::PG_ISOLATED == 0;
        memmap::folio_unlock(slot);
        is_free_to_take
    };
    if isolated {
        memmap::folio_lock(slot);
        slot.flags.fetch_and(!memmap::PG_ISOLATED, Relaxed);
        memmap::folio_unlock(slot);
    }
    design.put_and_free(unit);
    isolated
}
