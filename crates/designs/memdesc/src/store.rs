//! The slab cache that typed descriptors come from: what `kmem_cache_alloc` and
//! `kmem_cache_free` do for a cache with `SLAB_TYPESAFE_BY_RCU`, and in which order.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use mm::{BuildError, DescriptorArray, Plan, PowerArray, SLOT_SIZE, Slot, lru};

use crate::sheaf::{CAPACITY, CPUS, Sheaf, Sheaves};

/// Descriptors of a slab: a page of them.
pub(crate) const SLAB_OBJECTS: u64 = 4096 / SLOT_SIZE;

/// The cache.
///
/// The order in which descriptors are handed out has nothing to do with the order in which the
/// memory that they describe is met. A slab's page may lie anywhere, as the buddy allocator had
/// it; the objects of a slab come in random order (`shuffle_freelist`,
/// `CONFIG_SLAB_FREELIST_RANDOM`, which distributions set); what was freed last is used first.
/// So descriptors that were allocated one after the other share slabs, and no more.
#[derive(Debug)]
pub(crate) struct Store {
    slots: PowerArray<Slot>,
    sheaves: Sheaves,
    /// The descriptors that no CPU has at hand; the lock is the node's `list_lock`.
    node: Mutex<Node>,
    /// Descriptors outside [`Node`]: in use, or at hand in a sheaf.
    out: AtomicU64,
}

#[derive(Debug)]
struct Node {
    /// Indices that were returned, the last on top.
    returned: Vec<u32>,
    /// Descriptors from here on in the order of slabs and objects were never used.
    fresh: u64,
    slabs: Permutation,
    seed: u64,
    /// Descriptors that may yet be handed out.
    left: u64,
}

impl Node {
    fn take(&mut self) -> Option<u64> {
        self.left = self.left.checked_sub(1)?;
        if let Some(index) = self.returned.pop() {
            return Some(u64::from(index));
        }
        let slab = self.slabs.at(self.fresh / SLAB_OBJECTS);
        let objects = Permutation::new(SLAB_OBJECTS, self.seed ^ slab.wrapping_mul(0x9e37_79b9));
        let object = objects.at(self.fresh % SLAB_OBJECTS);
        self.fresh += 1;
        Some(slab * SLAB_OBJECTS + object)
    }

    fn give(&mut self, index: u64) {
        self.left += 1;
        self.returned.push(index as u32);
    }
}

impl Store {
    /// A cache that can describe every frame by itself, whatever lies unused in sheaves.
    pub(crate) fn build(plan: &Plan) -> Result<Self, BuildError> {
        Self::limited(plan, u64::MAX)
    }

    /// The same with memory for `most` descriptors only.
    pub(crate) fn limited(plan: &Plan, most: u64) -> Result<Self, BuildError> {
        let spare = CPUS as u64 * CAPACITY;
        let objects = (plan.frames + spare).next_multiple_of(SLAB_OBJECTS);
        let slots = PowerArray::map(objects + lru::HEADS, plan.backing)?;
        lru::init_heads(&slots);
        let slabs = lru::heads_start(&slots) / SLAB_OBJECTS;
        Ok(Self {
            sheaves: Sheaves::new(),
            node: Mutex::new(Node {
                returned: Vec::new(),
                fresh: 0,
                slabs: Permutation::new(slabs, plan.seed),
                seed: plan.seed,
                left: most.min(slabs * SLAB_OBJECTS),
            }),
            out: AtomicU64::new(0),
            slots,
        })
    }

    /// The array that words and lists point into.
    #[inline]
    pub(crate) fn slots(&self) -> &PowerArray<Slot> {
        &self.slots
    }

    /// Takes a descriptor (`kmem_cache_alloc`); `None` where there is no memory for one.
    #[inline]
    pub(crate) fn alloc(&self) -> Option<&Slot> {
        match self.sheaves.local(Sheaf::pop).flatten() {
            Some(word) => Some(self.slots.resolve(word)),
            None => self.alloc_slow(),
        }
    }

    /// Fills this CPU's sheaf from the node (`__pcs_replace_empty_main`) and takes one.
    #[cold]
    #[inline(never)]
    fn alloc_slow(&self) -> Option<&Slot> {
        let mut node = self.node.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = self.slots.at(node.take()?);
        let mut taken = 1;
        self.sheaves.local(|sheaf| {
            while taken < CAPACITY
                && let Some(index) = node.take()
            {
                sheaf.push(self.slots.at(index));
                taken += 1;
            }
        });
        self.out.fetch_add(taken, Relaxed);
        Some(slot)
    }

    /// Returns a descriptor (`kmem_cache_free`). Its memory stays a descriptor, and may describe
    /// something else at once: a walk that found it without holding it looks again.
    #[inline]
    pub(crate) fn free(&self, slot: &Slot) {
        if self.sheaves.local(|sheaf| sheaf.push(slot)) != Some(true) {
            self.free_slow(slot);
        }
    }

    /// Returns half of this CPU's sheaf to the node (`__pcs_replace_full_main`), and one more.
    #[cold]
    #[inline(never)]
    fn free_slow(&self, slot: &Slot) {
        let mut node = self.node.lock().unwrap_or_else(PoisonError::into_inner);
        let mut given = 1;
        self.sheaves.local(|sheaf| {
            while sheaf.len() > CAPACITY / 2
                && let Some(word) = sheaf.pop()
            {
                node.give(self.slots.index_of(self.slots.resolve(word)));
                given += 1;
            }
        });
        node.give(self.slots.index_of(slot));
        self.out.fetch_sub(given, Relaxed);
    }

    /// The cost of the descriptors in use.
    pub(crate) fn array(&self) -> DescriptorArray<'_> {
        let in_use = self
            .out
            .load(Relaxed)
            .saturating_sub(self.sheaves.at_hand());
        DescriptorArray {
            bytes: in_use * SLOT_SIZE,
            mapping: self.slots.mapping(),
        }
    }
}

/// The numbers below a bound in an order that a seed draws, without a table of them.
#[derive(Clone, Copy, Debug)]
struct Permutation {
    bound: u64,
    bits: u32,
    key: u64,
}

impl Permutation {
    fn new(bound: u64, seed: u64) -> Self {
        Self {
            bound,
            bits: u64::BITS - bound.saturating_sub(1).leading_zeros(),
            // Spreads small seeds over all bits (the step of splitmix64).
            key: (seed ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        }
    }

    /// The `n`th number, modulo the bound; each once.
    fn at(self, n: u64) -> u64 {
        let mut x = n % self.bound.max(1);
        // Numbers of so many bits are mixed one to one; one beyond the bound is mixed again,
        // which ends since it leads back to where it came from.
        loop {
            x = self.mix(x);
            if x < self.bound.max(1) {
                return x;
            }
        }
    }

    fn mix(self, mut x: u64) -> u64 {
        let mask = (1_u64 << self.bits) - 1;
        let half = self.bits.div_ceil(2).max(1);
        for round in 0..3 {
            x = (x ^ self.key.rotate_right(round * 21)) & mask;
            x = x.wrapping_mul(0xd6e8_feb8_6659_fd93) & mask;
            x ^= x >> half;
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_has_every_number_once_and_depends_on_the_seed() {
        for bound in [1, 2, 63, 64, 100, 4099] {
            let drawn = |seed| -> Vec<u64> {
                (0..bound)
                    .map(|n| Permutation::new(bound, seed).at(n))
                    .collect()
            };
            let mut sorted = drawn(7);
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..bound), "{bound}");
            assert_eq!(drawn(7), drawn(7));
            assert!(bound < 63 || drawn(7) != drawn(8), "{bound}");
        }
    }
}
