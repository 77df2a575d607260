//! Every interleaving of a few threads on the list of free descriptors.

use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;
use loom::thread;

/// The module under test, over loom's atomics.
mod sync {
    pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};
}

#[path = "../src/free_list.rs"]
mod free_list;

use free_list::FreeList;

struct World {
    list: FreeList,
    links: [AtomicU64; 3],
}

impl World {
    /// All free: 2 on top, then 1, then 0.
    fn full() -> Arc<Self> {
        let world = Self {
            list: FreeList::new(),
            links: std::array::from_fn(|_| AtomicU64::new(0)),
        };
        (0..3).for_each(|index| world.push(index));
        Arc::new(world)
    }

    fn pop(&self) -> Option<u64> {
        self.list.pop(|index| &self.links[index as usize])
    }

    fn push(&self, index: u64) {
        self.list.push(index, &self.links[index as usize]);
    }

    /// The rest, from the top.
    fn rest(&self) -> Vec<u64> {
        std::iter::from_fn(|| self.pop()).collect()
    }
}

#[test]
fn a_descriptor_is_given_to_one() {
    loom::model(|| {
        let world = World::full();
        let other = world.clone();
        let thread = thread::spawn(move || other.pop().unwrap());
        let mine = world.pop().unwrap();
        let theirs = thread.join().unwrap();
        assert_ne!(mine, theirs);
        assert_eq!(world.rest(), [0]);
    });
}

/// While one thread is about to pop, the other takes two and gives the first back: the top is
/// the same again, and what lies beneath is not (ABA).
#[test]
fn a_top_that_came_back_is_not_the_top_that_was_read() {
    loom::model(|| {
        let world = World::full();
        let other = world.clone();
        let thread = thread::spawn(move || {
            let (first, second) = (other.pop().unwrap(), other.pop().unwrap());
            other.push(first);
            second
        });
        let mine = world.pop().unwrap();
        let theirs = thread.join().unwrap();
        let mut all = world.rest();
        all.extend([mine, theirs]);
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2], "lost, or given twice");
    });
}
