//! Where typed descriptors come from: a store like a slab cache, last freed first used.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use mm::{BuildError, DescriptorArray, Plan, PowerArray, SLOT_SIZE, Slot, lru};

use crate::free_list::FreeList;

/// The descriptors, and a list of the free ones.
#[derive(Debug)]
pub(crate) struct Store {
    slots: PowerArray<Slot>,
    /// Number of descriptors; behind them are the LRU lists' heads.
    capacity: u64,
    /// Those that were used and given back, linked through `word2`.
    free: FreeList,
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
            free: FreeList::new(),
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
        if let Some(index) = self.free.pop(|index| &self.slots.at(index).word2) {
            return self.slots.at(index);
        }
        self.slots
            .at(self.fresh.fetch_add(1, Relaxed) % self.capacity.max(1))
    }

    /// Returns a descriptor.
    #[inline]
    pub(crate) fn free(&self, slot: &Slot) {
        self.live.fetch_sub(1, Relaxed);
        self.free.push(self.slots.index_of(slot), &slot.word2);
    }

    /// The cost of the descriptors in use.
    pub(crate) fn array(&self) -> DescriptorArray {
        DescriptorArray {
            bytes: self.live.load(Relaxed) * SLOT_SIZE,
            proof: self.slots.proof(),
        }
    }
}
