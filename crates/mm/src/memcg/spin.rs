//! `spinlock_t`, as far as an uncontended kernel goes.

use super::sync::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
    spin_loop,
};

/// A test-and-test-and-set lock.
///
/// Acquire in `lock` pairs with Release in `unlock`: what one holder wrote, the next sees.
#[repr(transparent)]
#[derive(Debug, Default)]
pub struct SpinLock(AtomicU32);

impl SpinLock {
    /// Takes the lock, spinning.
    #[inline]
    pub fn lock(&self) {
        while self
            .0
            .compare_exchange_weak(0, 1, Acquire, Relaxed)
            .is_err()
        {
            spin_loop();
            while self.0.load(Relaxed) != 0 {
                spin_loop();
            }
        }
    }

    /// Releases the lock.
    #[inline]
    pub fn unlock(&self) {
        self.0.store(0, Release);
    }

    /// Runs `critical` with the lock held. A panic inside leaves it held.
    #[inline]
    pub fn with<T>(&self, critical: impl FnOnce() -> T) -> T {
        self.lock();
        let result = critical();
        self.unlock();
        result
    }
}
