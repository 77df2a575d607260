//! Functions of user memory only. Each function belongs to a type: a slab or a page table
//! cannot be marked dirty, and nobody has to check whether it is one.
//!
//! ```compile_fail,E0599
//! fn mark(table: split::PtDesc<'_>) {
//!     table.set_dirty_lock();
//! }
//! ```
//!
//! ```
//! fn mark(memory: split::AnonMem<'_>) {
//!     memory.set_dirty_lock();
//! }
//! ```

use std::sync::atomic::Ordering::Relaxed;

use mm::Slot;
use mm::memmap::{self, PG_DIRTY, PG_RECLAIM, PG_SWAPBACKED, PG_SWAPCACHE};

use crate::{AnonMem, FileMem, View};

impl AnonMem<'_> {
    /// The swap cache that it is in, as a word; 0 where it is in none (`folio_mapping` of
    /// anonymous memory).
    #[inline]
    fn swap_cache(self) -> u64 {
        let slot = self.mem().0;
        let flags = slot.flags.load(Relaxed);
        if flags & PG_SWAPBACKED != 0 && flags & PG_SWAPCACHE != 0 {
            slot.private.load(Relaxed)
        } else {
            0
        }
    }

    /// Locks, marks dirty and unlocks (`folio_mark_dirty_lock`).
    #[inline(never)]
    pub fn set_dirty_lock(self) {
        memmap::folio_lock(self.mem().0);
        mark_dirty(self.mem().0, self.swap_cache());
        memmap::folio_unlock(self.mem().0);
    }
}

impl FileMem<'_> {
    /// Locks, marks dirty and unlocks (`folio_mark_dirty_lock`). Its file is in one word, without a
    /// look at what else that word could be.
    #[inline(never)]
    pub fn set_dirty_lock(self) {
        memmap::folio_lock(self.mem().0);
        mark_dirty(self.mem().0, self.mem().0.mapping.load(Relaxed));
        memmap::folio_unlock(self.mem().0);
    }
}

/// Marks dirty what belongs to a file or to the swap cache, or to neither (`filemap_dirty_folio`,
/// `noop_dirty_folio`).
#[inline]
fn mark_dirty(slot: &Slot, mapping: u64) {
    if mapping != 0 && slot.flags.load(Relaxed) & PG_RECLAIM != 0 {
        slot.flags.fetch_and(!PG_RECLAIM, Relaxed);
    }
    if slot.flags.load(Relaxed) & PG_DIRTY == 0 {
        slot.flags.fetch_or(PG_DIRTY, Relaxed);
    }
}
