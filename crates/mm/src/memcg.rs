//! Memory cgroups, once for all designs: page counters, per-CPU stock, commit, batched
//! uncharge, statistics and the binding lock.
//!
//! The code is agnostic of types. All it asks of a unit of memory is a [`Charge`]: where
//! the owner word is, how many pages, which statistic, and whether it is kernel memory.
//! How a design finds these four is what the comparison is about.
//!
//! Per-CPU state is addressed by an explicit CPU index. The rule, as in the kernel, is
//! that one thread at a time acts for a CPU; breaking it loses counts, nothing else.

mod charge;
mod counter;
mod events;
mod group;
mod lock;
mod objects;
mod refs;
mod spin;
mod stat;
mod vmstat;

/// The parts that `counter` and `spin` are built of; their loom tests put loom's in their place.
mod sync {
    pub(super) use std::hint::spin_loop;
    pub(super) use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
}

pub use charge::{
    Charge, OverLimit, charge, move_account, split_owner, try_charge, uncharge_word, uncharge_words,
};
pub use counter::PageCounter;
pub use group::{CpuState, MAX_CPUS, MAX_GROUPS, MemCgroup, MemcgTree};
pub(crate) use group::{LISTS, list_of};
pub use lock::{LockStyle, group_of, lock_memcg, owner, unlock_memcg, with_lock};
pub use objects::{ObjectOwners, charge_kernel, uncharge_kernel};
pub use spin::SpinLock;
pub use stat::Stat;
pub use vmstat::mod_lruvec_state;
use vmstat::mod_memcg_state;
pub(crate) use vmstat::mod_zone_lru;

/// Bit 0 of the owner word: it names a slab's object vector (`MEMCG_DATA_OBJEXTS`).
pub const OWNER_SLAB: u64 = 1;
/// Bit 1 of the owner word: the charge is kernel memory (`MEMCG_DATA_KMEM`).
pub const OWNER_KMEM: u64 = 2;
/// The bits of the owner word that are flags, not address.
pub const OWNER_FLAGS: u64 = 3;
