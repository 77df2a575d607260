//! Operations on one allocation through its head: references, locking, dirtying.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use physmem::{Extent, Kind, Order};

use super::{MAPPING_ANON, MAPPING_MOVABLE, Memmap, PG_DIRTY, PG_HEAD, PG_LOCKED, PG_RECLAIM};
use super::{PG_SWAPBACKED, PG_SWAPCACHE, UNMAPPED, ZONE_MASK};
use crate::block::Pgmap;
use crate::slot::Slot;

/// The bits of `mapping` that are flags, not address (`PAGE_MAPPING_FLAGS`).
const MAPPING_FLAGS: u64 = 3;

/// Takes a reference (`page_ref_inc`).
#[inline]
pub fn page_ref_inc(head: &Slot) {
    head.refcount.fetch_add(1, Relaxed);
}

/// Takes `n` references (`page_ref_add`).
#[inline]
pub fn page_ref_add(head: &Slot, n: u32) {
    head.refcount.fetch_add(n, Relaxed);
}

/// Takes a reference unless there is none (`page_ref_add_unless(page, 1, 0)`).
#[inline]
pub fn page_ref_add_unless_zero(head: &Slot) -> bool {
    // Acquire pairs with the Release of compose.
    head.refcount
        .fetch_update(Acquire, Relaxed, |n| (n != 0).then(|| n + 1))
        .is_ok()
}

/// Drops `n` references; true where they were the last (`page_ref_sub_and_test`).
#[inline]
pub fn page_ref_sub_and_test(head: &Slot, n: u32) -> bool {
    // AcqRel: the last one to drop sees all that the others did before they dropped.
    head.refcount.fetch_sub(n, AcqRel) == n
}

/// Where a large folio counts its pins (`_pincount`).
#[inline]
pub fn pincount<'a>(map: &'a Memmap, head: &Slot) -> &'a AtomicU64 {
    pincount_of(map.nth(head, 1))
}

/// The same, from the first tail, which has no use for `index`.
#[inline]
pub(super) fn pincount_of(first_tail: &Slot) -> &AtomicU64 {
    &first_tail.index
}

/// Locks (`folio_lock`'s fast path); the model has no waiters, so contention only spins.
#[inline]
pub fn folio_lock(head: &Slot) {
    while head.flags.fetch_or(PG_LOCKED, Acquire) & PG_LOCKED != 0 {
        std::hint::spin_loop();
    }
}

/// Locks unless somebody has the lock (`folio_trylock`).
#[inline]
pub fn folio_trylock(head: &Slot) -> bool {
    head.flags.fetch_or(PG_LOCKED, Acquire) & PG_LOCKED == 0
}

/// Whether its driver moves it (`__PageMovable`).
#[inline]
pub fn is_movable(head: &Slot) -> bool {
    head.mapping.load(Relaxed) & (MAPPING_ANON | MAPPING_MOVABLE) == MAPPING_MOVABLE
}

/// Unlocks (`folio_unlock`).
#[inline(never)]
pub fn folio_unlock(head: &Slot) {
    head.flags.fetch_and(!PG_LOCKED, Release);
}

/// The file that an allocation belongs to, as a word; 0 for slabs, anonymous memory and
/// what belongs to nobody (`folio_mapping`).
#[inline(never)]
fn folio_mapping(head: &Slot) -> u64 {
    if Memmap::is_slab(head) {
        return 0;
    }
    let flags = head.flags.load(Relaxed);
    if flags & PG_SWAPBACKED != 0 && flags & PG_SWAPCACHE != 0 {
        return head.private.load(Relaxed);
    }
    let mapping = head.mapping.load(Relaxed);
    if mapping & MAPPING_FLAGS != 0 {
        0
    } else {
        mapping
    }
}

/// Marks dirty; false where it was so already (`folio_mark_dirty`).
#[inline(never)]
pub fn folio_mark_dirty(head: &Slot) -> bool {
    if folio_mapping(head) != 0 && head.flags.load(Relaxed) & PG_RECLAIM != 0 {
        head.flags.fetch_and(!PG_RECLAIM, Relaxed);
    }
    // The kernel asks the file's `dirty_folio`; page cache without private data ends here.
    if head.flags.load(Relaxed) & PG_DIRTY != 0 {
        return false;
    }
    head.flags.fetch_or(PG_DIRTY, Relaxed) & PG_DIRTY == 0
}

/// Locks, marks dirty and unlocks (`folio_mark_dirty_lock`).
#[inline]
pub fn set_dirty_lock(head: &Slot) {
    folio_lock(head);
    folio_mark_dirty(head);
    folio_unlock(head);
}

/// Whether two lines are both ordinary memory, or of one device's
/// (`zone_device_pages_have_same_pgmap`).
#[inline]
pub fn same_pgmap(a: &Slot, b: &Slot) -> bool {
    let is_device = |page: &Slot| page.flags.load(Relaxed) & ZONE_MASK == ZONE_MASK;
    if is_device(a) != is_device(b) {
        return false;
    }
    !is_device(a) || a.mapping.load(Relaxed) == b.mapping.load(Relaxed)
}

/// The page map of a page (`page_pgmap`); `None` for ordinary memory.
#[inline]
pub fn pgmap(page: &Slot) -> Option<Pgmap> {
    let is_device = page.flags.load(Relaxed) & ZONE_MASK == ZONE_MASK;
    is_device.then(|| Pgmap::from_word(page.mapping.load(Relaxed)))
}

/// Whether an allocation is dirty (`PageDirty`).
#[inline]
pub fn is_dirty(head: &Slot) -> bool {
    head.flags.load(Relaxed) & PG_DIRTY != 0
}

impl Memmap {
    /// Makes an allocation without `__GFP_COMP`: the first page has the reference and the type,
    /// the later ones have neither, and do not lead to it.
    pub fn alloc_without_comp(&self, extent: Extent, kind: Kind) -> &Slot {
        let first = self.alloc(Extent::new(extent.head, Order::BASE), kind);
        for later in self.slots.behind(first, extent.order.pages() - 1) {
            // Takes a free block's mark from frames that it reached to.
            later.mapcount.store(UNMAPPED, Relaxed);
        }
        first
    }

    /// Makes every page of a head's allocation one of a page map, or of ordinary memory again
    /// (`memmap_init_zone_device`). The word of each page is its own, as a page's is up to v6.14;
    /// later kernels read the head's, which says the same.
    pub fn set_pgmap(&self, head: &Slot, pgmap: Option<Pgmap>) {
        for n in 0..self.nr_pages(head) {
            let page = self.nth(head, n);
            page.flags.fetch_and(!ZONE_MASK, Relaxed);
            if pgmap.is_some() {
                page.flags.fetch_or(ZONE_MASK, Relaxed);
            }
            page.mapping.store(pgmap.map_or(0, Pgmap::word), Relaxed);
        }
    }

    /// Whether a page that nobody has a reference to says that it is in use: a head, a page type or
    /// a mapping, as a frozen allocation has. A page that is free in a CPU's list has none of them,
    /// nor has a later page of an allocation without `__GFP_COMP`.
    #[cold]
    #[inline(never)]
    pub(super) fn is_frozen(page: &Slot) -> bool {
        page.flags.load(Relaxed) & PG_HEAD != 0
            || page.mapcount.load(Relaxed) != UNMAPPED
            || page.mapping.load(Relaxed) != 0
    }
}
