//! The list of free descriptors: a stack that threads push to and pop from without a lock.

use super::sync::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// The index part of the list's head.
const INDEX_MASK: u64 = 0xffff_ffff;
/// One more pop or push, so that a head that was read never compares equal after the list
/// changed underneath (SLUB's transaction id).
const TRANSACTION: u64 = 1 << 32;

/// Index + 1 of the first free descriptor (0: none), and a transaction number. Each free
/// descriptor's link holds the index + 1 of the next.
#[derive(Debug)]
pub(crate) struct FreeList(AtomicU64);

impl FreeList {
    /// An empty list.
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Takes the index that was returned last.
    #[inline]
    pub(crate) fn pop<'a>(&self, link: impl Fn(u64) -> &'a AtomicU64) -> Option<u64> {
        let mut head = self.0.load(Acquire);
        while head & INDEX_MASK != 0 {
            let index = (head & INDEX_MASK) - 1;
            // May be stale, if another thread took the index: then the exchange fails.
            let next = link(index).load(Relaxed) & INDEX_MASK;
            let new = (head & !INDEX_MASK).wrapping_add(TRANSACTION) | next;
            match self.0.compare_exchange_weak(head, new, AcqRel, Acquire) {
                Ok(_) => return Some(index),
                Err(now) => head = now,
            }
        }
        None
    }

    /// Returns an index, whose link is given.
    #[inline]
    pub(crate) fn push(&self, index: u64, link: &AtomicU64) {
        let mut head = self.0.load(Relaxed);
        loop {
            link.store(head & INDEX_MASK, Relaxed);
            let new = (head & !INDEX_MASK).wrapping_add(TRANSACTION) | (index + 1);
            // Release (of AcqRel) pairs with the Acquire in pop: who takes the index sees
            // the link.
            match self.0.compare_exchange_weak(head, new, AcqRel, Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }
}
