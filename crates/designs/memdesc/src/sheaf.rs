//! The free descriptors that each CPU has at hand: the sheaves of SLUB (v7.2; v6.12 has none), an
//! array of pointers that no other CPU touches, so that neither taking nor returning one is a
//! locked operation.

use std::cell::Cell;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Relaxed, Release},
};

use mm::{PowerArray, Slot};

/// Descriptors of a full sheaf (`calculate_sheaf_capacity` of v7.2, objects below 256 bytes).
pub(crate) const CAPACITY: u64 = 60;
/// Threads that have sheaves of their own at a time; any others take the slow path.
pub(crate) const CPUS: usize = 64;

/// The CPUs that a thread stands for now, one bit each.
static CLAIMED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static CPU: Cpu = Cpu::claim();
}

/// The CPU that a thread stands for as long as it lives.
struct Cpu(Cell<usize>);

impl Cpu {
    fn claim() -> Self {
        // Acquire (of AcqRel) pairs with the Release in drop: a thread sees the sheaves as the
        // one that stood for this CPU before left them.
        let claimed = CLAIMED.fetch_update(AcqRel, Relaxed, |used| {
            (used != u64::MAX).then(|| used | !used & used.wrapping_add(1))
        });
        Self(Cell::new(
            claimed.map_or(CPUS, |used| used.trailing_ones() as usize),
        ))
    }
}

impl Drop for Cpu {
    fn drop(&mut self) {
        if self.0.get() < CPUS {
            CLAIMED.fetch_and(!(1 << self.0.get()), Release);
        }
    }
}

/// One CPU's sheaf. Only the thread that stands for the CPU reads or writes it, so `Relaxed`
/// loads and stores do.
#[repr(align(64))]
#[derive(Debug)]
pub(crate) struct Sheaf {
    /// `local_trylock`: taken while the sheaf is in use.
    acquired: AtomicU64,
    size: AtomicU64,
    objects: [AtomicU64; CAPACITY as usize],
}

impl Sheaf {
    fn new() -> Self {
        Self {
            acquired: AtomicU64::new(0),
            size: AtomicU64::new(0),
            objects: [const { AtomicU64::new(0) }; CAPACITY as usize],
        }
    }

    /// Descriptors in it.
    #[inline]
    pub(crate) fn len(&self) -> u64 {
        self.size.load(Relaxed).min(CAPACITY)
    }

    /// Takes the word of the descriptor that was returned last (`alloc_from_pcs`).
    #[inline]
    pub(crate) fn pop(&self) -> Option<u64> {
        let size = self.size.load(Relaxed);
        let object = self.objects.get(size.wrapping_sub(1) as usize)?;
        self.size.store(size - 1, Relaxed);
        Some(object.load(Relaxed))
    }

    /// Returns a descriptor (`free_to_pcs`); false where the sheaf is full.
    #[inline]
    pub(crate) fn push(&self, slot: &Slot) -> bool {
        let size = self.size.load(Relaxed);
        let Some(object) = self.objects.get(size as usize) else {
            return false;
        };
        object.store(PowerArray::word_of(slot), Relaxed);
        self.size.store(size + 1, Relaxed);
        true
    }
}

/// The sheaves of all CPUs (`kmem_cache->cpu_sheaves`).
#[derive(Debug)]
pub(crate) struct Sheaves(Box<[Sheaf]>);

impl Sheaves {
    /// Empty ones.
    pub(crate) fn new() -> Self {
        Self((0..CPUS).map(|_| Sheaf::new()).collect())
    }

    /// Descriptors in all of them.
    pub(crate) fn at_hand(&self) -> u64 {
        self.0.iter().map(Sheaf::len).sum()
    }

    /// Runs `with` on the sheaf of this thread's CPU (`this_cpu_ptr` under `local_trylock`);
    /// `None` where the thread stands for none.
    #[inline]
    pub(crate) fn local<T>(&self, with: impl FnOnce(&Sheaf) -> T) -> Option<T> {
        let cpu = CPU.try_with(|cpu| cpu.0.get()).unwrap_or(CPUS);
        let sheaf = self.0.get(cpu)?;
        if sheaf.acquired.load(Relaxed) != 0 {
            return None;
        }
        sheaf.acquired.store(1, Relaxed);
        let done = with(sheaf);
        sheaf.acquired.store(0, Relaxed);
        Some(done)
    }
}
