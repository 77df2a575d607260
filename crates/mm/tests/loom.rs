//! Every interleaving of a few threads, for what is shared without a lock.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64 as Cell, Ordering::Relaxed};
use loom::thread;

/// The modules under test, over loom's atomics.
mod sync {
    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
}

#[path = "../src/memcg/counter.rs"]
mod counter;
#[path = "../src/memcg/spin.rs"]
mod spin;

use counter::PageCounter;
use spin::SpinLock;

#[test]
fn a_counter_never_grants_more_than_its_limit_and_loses_nothing() {
    loom::model(|| {
        let counter = Arc::new(PageCounter::default());
        counter.set_max(3);
        assert_eq!((counter.max(), counter.high()), (3, u64::MAX));
        // Two fit one at a time; whoever comes first gets it.
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let counter = counter.clone();
                thread::spawn(move || counter.try_add(2))
            })
            .collect();
        let granted = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .filter(|&granted| granted)
            .count();
        assert_eq!(granted, 1);
        assert_eq!(counter.read(), 2);
        assert_eq!(counter.failures(), 1);
        assert_eq!(counter.watermark(), 2);
        counter.cancel(2);
        assert_eq!(counter.read(), 0);
    });
}

#[test]
fn charge_and_uncharge_at_once_leave_the_sum() {
    loom::model(|| {
        let counter = Arc::new(PageCounter::default());
        assert!(counter.try_add(5));
        let other = counter.clone();
        let thread = thread::spawn(move || other.cancel(5));
        assert!(counter.try_add(1));
        thread.join().unwrap();
        assert_eq!(counter.read(), 1);
    });
}

#[test]
fn one_holder_at_a_time_and_the_next_sees_what_it_wrote() {
    loom::model(|| {
        let shared = Arc::new((SpinLock::default(), Cell::new(0)));
        let add = |shared: &(SpinLock, Cell)| {
            // A load and a store, relaxed: without the lock an addition would be lost.
            shared
                .0
                .with(|| shared.1.store(shared.1.load(Relaxed) + 1, Relaxed));
        };
        let other = shared.clone();
        let thread = thread::spawn(move || add(&other));
        add(&shared);
        thread.join().unwrap();
        shared.0.lock();
        assert_eq!(shared.1.load(Relaxed), 2);
        shared.0.unlock();
    });
}
