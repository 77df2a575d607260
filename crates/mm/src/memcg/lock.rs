//! The lock between a unit and its group.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use super::OWNER_FLAGS;
use super::group::{MemCgroup, MemcgTree};
use crate::rules::{KernelRules, KernelVersion};

/// How the binding of a unit is locked, the open question of the 2021 thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockStyle {
    /// The design has one function (`lock_page_memcg`, `folio_memcg_lock`).
    Native,
    /// `lock_anon_memcg()` and `lock_file_memcg()`: the caller knows the type.
    PerType,
    /// The same two functions, where the caller must look which one it needs.
    WhichType,
    /// The typed pointer is cast to the common prefix first.
    CastToCommon,
    /// `lock_<generic>_memcg()`: any unit of memory, found by its tag.
    Generic,
}

impl LockStyle {
    /// The style as parameters spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::PerType => "per-type",
            Self::WhichType => "which-type",
            Self::CastToCommon => "cast-to-common",
            Self::Generic => "generic",
        }
    }
}

/// Keeps the unit whose owner word is given bound to its group (`lock_page_memcg`,
/// `folio_memcg_lock`): one load and one branch unless a move is under way, then the
/// group's spinlock and a recheck.
///
/// `T` is whose function it is: a design's, or one of its types' where each has its own. The
/// read section around it is counted where kernels are preemptible, as Debian's 6.x.
#[inline(never)]
pub fn lock_memcg<T: ?Sized, V: KernelRules>(memory: &MemcgTree, cpu: usize, owner: &AtomicU64) {
    if V::VERSION >= KernelVersion::V6_1 {
        memory.cpu(cpu).rcu_read_lock();
    }
    loop {
        // Acquire pairs with the Release of commit: the group's fields are there.
        let word = owner.load(Acquire);
        if word & !OWNER_FLAGS == 0 {
            return;
        }
        let group = memory.resolve(word);
        // Acquire pairs with the Release in `begin_move`: a reader that does not see the move
        // finished its critical section before the mover waited for it (RCU in the kernel).
        if group.moving.load(Acquire) == 0 {
            return;
        }
        group.move_lock.lock();
        if owner.load(Acquire) == word {
            group.move_lock_task.store(task(cpu), Relaxed);
            return;
        }
        group.move_lock.unlock();
    }
}

/// Ends what [`lock_memcg`] began for the same owner word (`unlock_page_memcg`,
/// `folio_memcg_unlock`). The word is looked at again, and the group is asked who has its
/// spinlock: nobody tells unlock whether lock had to take it.
#[inline(never)]
pub fn unlock_memcg<T: ?Sized, V: KernelRules>(memory: &MemcgTree, cpu: usize, owner: &AtomicU64) {
    let word = owner.load(Acquire);
    if word & !OWNER_FLAGS != 0 {
        let group = memory.resolve(word);
        if group.move_lock_task.load(Relaxed) == task(cpu) {
            group.move_lock_task.store(0, Relaxed);
            group.move_lock.unlock();
        }
    }
    if V::VERSION >= KernelVersion::V6_1 {
        memory.cpu(cpu).rcu_read_unlock();
    }
}

/// The task that acts for a CPU (`current`); 0 is nobody.
#[inline]
const fn task(cpu: usize) -> u32 {
    cpu as u32 + 1
}

/// Runs `critical` between lock and unlock. The owner word is looked up again for the unlock,
/// which in the kernel is handed the page or folio, not the word.
#[inline]
pub fn with_lock<'a, T: ?Sized, V: KernelRules, R>(
    memory: &MemcgTree,
    cpu: usize,
    owner: impl Fn() -> &'a AtomicU64,
    critical: impl FnOnce() -> R,
) -> R {
    lock_memcg::<T, V>(memory, cpu, owner());
    let result = critical();
    unlock_memcg::<T, V>(memory, cpu, owner());
    result
}

impl MemCgroup {
    /// Announces that charges will move out of this group (`mem_cgroup_start_move`). The
    /// kernel then waits for an RCU grace period; here the caller must make sure that no thread is
    /// inside a critical section that began before.
    pub fn begin_move(&self) {
        self.moving.fetch_add(1, Release);
    }

    /// Ends a move.
    pub fn end_move(&self) {
        self.moving.fetch_sub(1, Release);
    }

    /// Whether charges are moving out of this group.
    pub fn is_moving(&self) -> bool {
        self.moving.load(Relaxed) != 0
    }
}

/// The group that an owner word names; `None` where the unit is not charged
/// (`folio_memcg`).
#[inline]
pub fn owner<'a>(memory: &'a MemcgTree, owner: &AtomicU64) -> Option<&'a MemCgroup> {
    let word = owner.load(Acquire);
    (word & !OWNER_FLAGS != 0).then(|| memory.resolve(word))
}

/// The group whose lruvec a unit belongs to: its owner's, the root's where it is not
/// charged (`folio_lruvec`).
#[inline]
pub fn group_of<'a>(memory: &'a MemcgTree, owner_word: &AtomicU64) -> &'a MemCgroup {
    owner(memory, owner_word).unwrap_or_else(|| memory.root())
}

/// Binds a charged unit to another group (`mem_cgroup_move_account`), with the old
/// group's lock held; counters and references are the caller's.
pub(super) fn rebind(memory: &MemcgTree, owner: &AtomicU64, to: &MemCgroup) -> Option<u64> {
    let word = owner.load(Acquire);
    if word & !OWNER_FLAGS == 0 {
        return None;
    }
    let from = memory.resolve(word);
    from.move_lock.with(|| {
        owner
            .compare_exchange(word, to.word() | word & OWNER_FLAGS, Release, Relaxed)
            .ok()
    })
}
