//! `struct page_counter`: hierarchical usage with limits.

use super::sync::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// One level's usage in base pages, its limits and its high-water mark.
///
/// All accesses are relaxed, as the kernel's are: `usage` is exact by atomicity alone,
/// and nothing else is published through it. Limits are written only while a test or a
/// workload sets up; `watermark` is racy by design and only ever too low.
#[repr(C, align(64))]
#[derive(Debug, Default)]
pub struct PageCounter {
    /// Pages charged; the sum over the children and this level's own.
    usage: AtomicI64,
    /// Distance of `max` from `u64::MAX`, so that zeroed memory means no limit.
    max_below: AtomicU64,
    /// The same for `high`.
    high_below: AtomicU64,
    /// `memory.min`, protected from reclaim.
    min: AtomicU64,
    /// `memory.low`, protected as long as it can be.
    low: AtomicU64,
    /// Highest usage seen.
    watermark: AtomicI64,
    /// Charges refused at this level.
    failures: AtomicU64,
    /// The part of the usage under `min` that was last propagated to the parent.
    min_usage: AtomicI64,
}

impl PageCounter {
    /// Pages charged now.
    #[inline]
    pub fn read(&self) -> i64 {
        self.usage.load(Relaxed)
    }

    /// The limit in pages (`memory.max`).
    #[inline]
    pub fn max(&self) -> u64 {
        !self.max_below.load(Relaxed)
    }

    /// Sets the limit in pages.
    pub fn set_max(&self, pages: u64) {
        self.max_below.store(!pages, Relaxed);
    }

    /// Usage above which the charging task is throttled (`memory.high`).
    #[inline]
    pub fn high(&self) -> u64 {
        !self.high_below.load(Relaxed)
    }

    /// Highest usage seen; may miss a peak under concurrency.
    pub fn watermark(&self) -> i64 {
        self.watermark.load(Relaxed)
    }

    /// Charges refused at this level.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// Propagates the protected part of a level's usage (`propagate_protected_usage`):
    /// nothing unless a protection is set.
    #[inline]
    fn propagate_protected_usage(&self, usage: i64) {
        let protected = usage.min(self.min.load(Relaxed) as i64);
        if protected != self.min_usage.load(Relaxed) {
            self.min_usage.store(protected, Relaxed);
        }
        let low = usage.min(self.low.load(Relaxed) as i64);
        if low > protected {
            self.min_usage.store(low, Relaxed);
        }
    }

    /// Adds to this level alone; false, with nothing added, beyond the limit.
    #[inline]
    pub(super) fn try_add(&self, pages: u64) -> bool {
        let new = self.usage.fetch_add(pages as i64, Relaxed) + pages as i64;
        if new > self.max() as i64 && self.max() != u64::MAX {
            self.usage.fetch_sub(pages as i64, Relaxed);
            self.failures.fetch_add(1, Relaxed);
            return false;
        }
        self.propagate_protected_usage(new);
        if new > self.watermark.load(Relaxed) {
            self.watermark.store(new, Relaxed);
        }
        true
    }

    /// Takes from this level alone (`page_counter_cancel`).
    #[inline]
    pub(super) fn cancel(&self, pages: u64) {
        let new = self.usage.fetch_sub(pages as i64, Relaxed) - pages as i64;
        self.propagate_protected_usage(new);
    }
}
