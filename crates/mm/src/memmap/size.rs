//! How large an allocation is, and what lies behind it: the head says whether it is large, and
//! the second page of a large one how large.

use std::sync::atomic::Ordering::Relaxed;

use physmem::{Extent, Order, PAGE_SIZE};

use super::{Memmap, PG_HEAD};
use crate::slot::Slot;

impl Memmap {
    /// Whether a head's allocation has tails (`folio_test_large`).
    #[inline]
    pub fn is_large(head: &Slot) -> bool {
        head.flags.load(Relaxed) & PG_HEAD != 0
    }

    /// Base pages of a head's allocation (`compound_nr`, `folio_nr_pages`).
    #[inline]
    pub fn nr_pages(&self, head: &Slot) -> u64 {
        if head.flags.load(Relaxed) & PG_HEAD == 0 {
            return 1;
        }
        self.nth(head, 1).word2.load(Relaxed) >> 32
    }

    /// Order of a head's allocation (`compound_order`, `folio_order`).
    #[inline]
    pub fn order(&self, head: &Slot) -> u8 {
        if head.flags.load(Relaxed) & PG_HEAD == 0 {
            return 0;
        }
        self.nth(head, 1).word2.load(Relaxed) as u8
    }

    /// Bytes of a head's allocation, and the line of the frame behind it (`folio_size`,
    /// `folio_next`).
    ///
    /// Two tests and two loads, as gcc compiles the two; but one address of the second line,
    /// which a kernel reaches by a constant offset and [`nth`](Self::nth) by three instructions.
    #[inline]
    pub fn span<'a>(&'a self, head: &Slot) -> (u64, &'a Slot) {
        let second = self.nth(head, 1);
        let bytes = match Self::is_large(head) {
            true => PAGE_SIZE << (second.word2.load(Relaxed) as u8),
            false => PAGE_SIZE,
        };
        let next = match Self::is_large(head) {
            true => self.nth(head, second.word2.load(Relaxed) >> 32),
            false => second,
        };
        (bytes, next)
    }

    /// The frames of a head's allocation.
    pub fn extent(&self, head: &Slot) -> Extent {
        let order = Order::try_from(u64::from(self.order(head))).unwrap_or_default();
        Extent {
            head: self.pfn(head),
            order,
        }
    }
}
