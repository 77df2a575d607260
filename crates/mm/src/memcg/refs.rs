//! References to a group: a count per CPU while the group lives, one for all once it is
//! dying (`struct percpu_ref`), and the read sections that order the two.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::group::{CpuState, MAX_CPUS, MemCgroup, MemcgTree, add_on_cpu};
use crate::rules::{KernelRules, KernelVersion};

/// `__PERCPU_REF_ATOMIC`: the count is one for all CPUs.
const ATOMIC: u32 = 1;
/// `__PERCPU_REF_DEAD`.
const DEAD: u32 = 2;

impl MemCgroup {
    /// References held by charges.
    pub fn refs(&self) -> i64 {
        let on_cpus: i64 = self.cpu_refs.iter().map(|on| on.0.load(Relaxed)).sum();
        on_cpus + self.refs.count.load(Relaxed)
    }

    /// Adds `n` references, or drops them (`css_get_many`, `css_put_many`).
    #[inline]
    pub(super) fn add_refs(&self, cpu: usize, n: i64) {
        if self.refs.no_ref.load(Relaxed) != 0 {
            return;
        }
        if self.refs.mode.load(Relaxed) & (ATOMIC | DEAD) != 0 {
            self.refs.count.fetch_add(n, Relaxed);
        } else {
            add_on_cpu(&self.cpu_refs[cpu % MAX_CPUS].0, n);
        }
    }
}

impl CpuState {
    /// [`MemCgroup::add_refs`] in a read section of its own where the kernel's read sections are
    /// counted: Debian builds 6.x with preemptible RCU, 5.10 without.
    #[inline]
    pub(super) fn css_add<V: KernelRules>(&self, cpu: usize, group: &MemCgroup, n: i64) {
        if V::VERSION >= KernelVersion::V6_1 {
            self.rcu_read_lock();
            group.add_refs(cpu, n);
            self.rcu_read_unlock();
        } else {
            group.add_refs(cpu, n);
        }
    }

    /// Enters a read section (`__rcu_read_lock`).
    #[inline(never)]
    pub(super) fn rcu_read_lock(&self) {
        let nesting = self.rcu_nesting.load(Relaxed) + 1;
        self.rcu_nesting.store(nesting, Relaxed);
    }

    /// Leaves a read section (`__rcu_read_unlock`).
    #[inline(never)]
    pub(super) fn rcu_read_unlock(&self) {
        let nesting = self.rcu_nesting.load(Relaxed).wrapping_sub(1);
        // Release pairs with the Acquire of `is_quiescent`: what was read was read before.
        self.rcu_nesting.store(nesting, Release);
        if nesting == 0 && self.rcu_special.load(Relaxed) != 0 {
            self.rcu_special.store(0, Release);
        }
    }
}

impl MemcgTree {
    /// Whether no CPU is in a read section that began before (what a grace period waits
    /// for). CPUs that are in one are marked, and say so when they leave it.
    pub fn is_quiescent(&self) -> bool {
        (0..MAX_CPUS).map(|cpu| self.cpu(cpu)).all(|state| {
            let outside = state.rcu_nesting.load(Acquire) == 0;
            if !outside {
                state.rcu_special.store(1, Relaxed);
            }
            outside
        })
    }

    /// Makes a group's references one count for all CPUs, as when it is removed
    /// (`percpu_ref_kill`). Waits for the read sections under way; as with moves, the
    /// caller must know of those that begin at the same moment.
    pub fn kill_refs(&self, group: &MemCgroup) {
        group.refs.mode.store(ATOMIC | DEAD, Release);
        while !self.is_quiescent() {
            std::hint::spin_loop();
        }
        for on in &group.cpu_refs {
            let held = on.0.swap(0, Relaxed);
            group.refs.count.fetch_add(held, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Linux6_12;

    #[test]
    fn a_killed_group_keeps_its_references_and_counts_on_in_one_place() {
        let memory = MemcgTree::new().unwrap();
        let group = memory.chain(2);
        memory.cpu(3).css_add::<Linux6_12>(3, group, 5);
        memory.cpu(0).css_add::<Linux6_12>(0, group, -2);
        memory.kill_refs(group);
        assert_eq!(group.refs(), 3);
        memory.cpu(1).css_add::<Linux6_12>(1, group, 4);
        assert_eq!(group.refs(), 7);
        assert!(group.cpu_refs.iter().all(|on| on.0.load(Relaxed) == 0));
    }

    #[test]
    fn a_reader_holds_up_who_waits_for_readers_until_its_outermost_section_ends() {
        let memory = MemcgTree::new().unwrap();
        memory.cpu(2).rcu_read_lock();
        memory.cpu(2).rcu_read_lock();
        assert!(!memory.is_quiescent());
        memory.cpu(2).rcu_read_unlock();
        assert!(!memory.is_quiescent());
        memory.cpu(2).rcu_read_unlock();
        assert!(memory.is_quiescent());
        assert_eq!(memory.cpu(2).rcu_special.load(Relaxed), 0);
    }

    #[test]
    fn the_root_is_never_counted() {
        let memory = MemcgTree::new().unwrap();
        memory.cpu(0).css_add::<Linux6_12>(0, memory.root(), 1);
        assert_eq!(memory.root().refs(), 0);
    }
}
