//! Where typed descriptors come from: a store like a slab cache, last freed first used.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

use design::{BuildError, Plan, PowerArray, SLOT_SIZE, Slot, lru};

/// The index part of the list's head.
const INDEX_MASK: u64 = 0xffff_ffff;
/// One more pop or push, so that a head that was read never compares equal after the list
/// changed underneath (SLUB's transaction id).
const TRANSACTION: u64 = 1 << 32;

/// The descriptors, and a list of the free ones.
#[derive(Debug)]
pub(crate) struct Store {
    slots: PowerArray<Slot>,
    /// Number of descriptors; behind them are the LRU lists' heads.
    capacity: u64,
    /// Index + 1 of the first free descriptor (0: none), and a transaction number.
    free: AtomicU64,
    /// Descriptors from here on were never used.
    fresh: AtomicU64,
    /// Descriptors in use.
    live: AtomicU64,
}

impl Store {
    /// A store that can describe every frame by itself.
    pub(crate) fn build(plan: &Plan) -> Result<Self, BuildError> {
        let slots = PowerArray::map(plan.frames + lru::HEADS, plan.backing)?;
        lru::init_heads(&slots);
        Ok(Self {
            slots,
            capacity: plan.frames,
            free: AtomicU64::new(0),
            fresh: AtomicU64::new(0),
            live: AtomicU64::new(0),
        })
    }

    /// The array that words and lists point into.
    #[inline]
    pub(crate) fn slots(&self) -> &PowerArray<Slot> {
        &self.slots
    }

    /// Takes a descriptor. Each is in use by at most one allocation, and an allocation has
    /// at least a frame, so there is always one unless frames were described twice: then a
    /// descriptor is shared, which the laws see.
    #[inline]
    pub(crate) fn alloc(&self) -> &Slot {
        self.live.fetch_add(1, Relaxed);
        let mut head = self.free.load(Acquire);
        while head & INDEX_MASK != 0 {
            let slot = self.slots.at((head & INDEX_MASK) - 1);
            // May be stale, if another thread took the slot: then the exchange fails.
            let next = slot.word2.load(Relaxed) & INDEX_MASK;
            let new = (head & !INDEX_MASK).wrapping_add(TRANSACTION) | next;
            match self.free.compare_exchange_weak(head, new, AcqRel, Acquire) {
                Ok(_) => return slot,
                Err(now) => head = now,
            }
        }
        self.slots
            .at(self.fresh.fetch_add(1, Relaxed) % self.capacity.max(1))
    }

    /// Returns a descriptor.
    #[inline]
    pub(crate) fn free(&self, slot: &Slot) {
        self.live.fetch_sub(1, Relaxed);
        let index = self.slots.index_of(slot) + 1;
        let mut head = self.free.load(Relaxed);
        loop {
            slot.word2.store(head & INDEX_MASK, Relaxed);
            let new = (head & !INDEX_MASK).wrapping_add(TRANSACTION) | index;
            // Release (of AcqRel) pairs with the Acquire in alloc: who takes the slot sees
            // the link.
            match self.free.compare_exchange_weak(head, new, AcqRel, Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Bytes of the descriptors in use.
    pub(crate) fn bytes(&self) -> u64 {
        self.live.load(Relaxed) * SLOT_SIZE
    }
}
