//! Kernel memory: pages, each by its own (`__memcg_kmem_charge_page`), and slab objects by
//! bytes through a stock of their own. Both are charged to a `struct obj_cgroup`, which
//! outlives its group, and reach the group through it; pages since v5.11.
//!
//! Left out: the stock's reference to the `obj_cgroup` that it caches, and the bytes of slab
//! statistics that it gathers (`mod_objcg_state`).

use std::sync::atomic::{
    AtomicI64, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use super::charge::{Charge, OverLimit, drain_stock, refill_stock, try_charge, uncharge_counters};
use super::group::{CpuRefs, CpuState, MAX_CPUS, MemCgroup, MemcgTree, add_on_cpu};
use super::{OWNER_FLAGS, OWNER_KMEM, OWNER_SLAB, Stat, mod_memcg_state};
use crate::rules::{KernelRules, KernelVersion};
use crate::slot::PowerArray;

/// The target of charges of kernel memory (`struct obj_cgroup`). It lies in the group's own block
/// of memory, so that its word leads there as any owner word does; accounting does not use
/// that and follows `memcg`, as a kernel must.
#[repr(C, align(64))]
#[derive(Debug, Default)]
pub struct ObjCgroup {
    /// The word of the group (`memcg`); another's once the group is removed.
    pub(super) memcg: AtomicU64,
    /// Bytes charged beyond what objects hold, for whichever CPU comes next
    /// (`nr_charged_bytes`).
    bytes: AtomicI64,
    /// References held by pages and objects, a count for each CPU (`refcnt`).
    refs: [CpuRefs; MAX_CPUS],
}

impl ObjCgroup {
    fn word(&self) -> u64 {
        PowerArray::word_of(self)
    }

    /// References held by pages and objects.
    pub(super) fn refs(&self) -> i64 {
        self.refs.iter().map(|on| on.0.load(Relaxed)).sum()
    }

    /// `obj_cgroup_get`, `obj_cgroup_put`: within a read section, as every `percpu_ref`.
    #[inline]
    pub(super) fn add_refs<V: KernelRules>(&self, state: &CpuState, cpu: usize, n: i64) {
        let is_counted = V::VERSION >= KernelVersion::V6_1;
        if is_counted {
            state.rcu_read_lock();
        }
        add_on_cpu(&self.refs[cpu % MAX_CPUS].0, n);
        if is_counted {
            state.rcu_read_unlock();
        }
    }

    /// The group, with a reference (`get_mem_cgroup_from_objcg`).
    #[inline]
    fn hold_group<'a, V: KernelRules>(&self, memory: &'a MemcgTree, cpu: usize) -> &'a MemCgroup {
        let (state, is_counted) = (memory.cpu(cpu), V::VERSION >= KernelVersion::V6_1);
        if is_counted {
            state.rcu_read_lock();
        }
        let group = memory.resolve(self.memcg.load(Acquire));
        state.css_add::<V>(cpu, group, 1);
        if is_counted {
            state.rcu_read_unlock();
        }
        group
    }
}

/// Charges a unit of kernel memory, whole (`__memcg_kmem_charge_page`). Charges to the root
/// group are not counted.
///
/// # Errors
/// [`OverLimit`].
#[inline(never)]
pub fn charge_kernel<V: KernelRules>(
    memory: &MemcgTree,
    cpu: usize,
    group: &MemCgroup,
    unit: Charge<'_>,
) -> Result<(), OverLimit> {
    if memory.is_root(group) {
        return Ok(());
    }
    let state = memory.cpu(cpu);
    let word = if V::VERSION < KernelVersion::V6_1 {
        try_charge::<V>(memory, cpu, group, unit.pages)?;
        state.css_add::<V>(cpu, group, 1);
        group.word()
    } else {
        charge_pages::<V>(memory, cpu, &group.objcg, unit.pages)?;
        group.objcg.add_refs::<V>(state, cpu, 1);
        group.objcg.word()
    };
    // Release pairs with the Acquire of those who follow the owner word to the group.
    unit.owner.store(word | OWNER_KMEM, Release);
    Ok(())
}

/// Uncharges a unit of kernel memory (`__memcg_kmem_uncharge_page`). Unlike user memory it
/// refills the stock.
#[inline(never)]
pub fn uncharge_kernel<V: KernelRules>(
    memory: &MemcgTree,
    cpu: usize,
    owner: &AtomicU64,
    pages: u64,
) {
    let word = owner.load(Acquire);
    if word & OWNER_KMEM == 0 {
        return;
    }
    let group = memory.resolve(word);
    if V::VERSION < KernelVersion::V6_1 {
        refill_stock::<V>(memory, cpu, group, pages as u32);
        owner.store(0, Relaxed);
        memory.cpu(cpu).css_add::<V>(cpu, group, -1);
    } else {
        uncharge_pages::<V>(memory, cpu, &group.objcg, pages);
        owner.store(0, Relaxed);
        group.objcg.add_refs::<V>(memory.cpu(cpu), cpu, -1);
    }
}

/// `obj_cgroup_charge_pages`.
#[inline(never)]
fn charge_pages<V: KernelRules>(
    memory: &MemcgTree,
    cpu: usize,
    objcg: &ObjCgroup,
    pages: u64,
) -> Result<(), OverLimit> {
    let group = objcg.hold_group::<V>(memory, cpu);
    let charged = try_charge::<V>(memory, cpu, group, pages);
    if charged.is_ok() {
        account::<V>(memory, cpu, group, pages as i64);
    }
    memory.cpu(cpu).css_add::<V>(cpu, group, -1);
    charged
}

/// `obj_cgroup_uncharge_pages`: into the stock.
#[inline(never)]
fn uncharge_pages<V: KernelRules>(memory: &MemcgTree, cpu: usize, objcg: &ObjCgroup, pages: u64) {
    let group = objcg.hold_group::<V>(memory, cpu);
    account::<V>(memory, cpu, group, -(pages as i64));
    refill_stock::<V>(memory, cpu, group, pages as u32);
    memory.cpu(cpu).css_add::<V>(cpu, group, -1);
}

/// `memcg_account_kmem` with cgroup v2, which has no counter of kernel memory: the statistic
/// alone, since v5.18.
#[inline]
pub(super) fn account<V: KernelRules>(
    memory: &MemcgTree,
    cpu: usize,
    group: &MemCgroup,
    pages: i64,
) {
    if V::VERSION >= KernelVersion::V6_1 {
        mod_memcg_state(memory, cpu, group, Stat::Kmem, pages);
    }
}

/// The vectors that say whose each object of a slab is (`slabobj_ext`), for slabs that are
/// not charged themselves.
#[derive(Debug)]
pub struct ObjectOwners(PowerArray<AtomicU64>);

impl ObjectOwners {
    /// Vectors for `objects` objects in all.
    ///
    /// # Errors
    /// No memory.
    pub fn new(objects: u64) -> Result<Self, hugemem::Error> {
        Ok(Self(PowerArray::map(objects, hugemem::Backing::Base)?))
    }

    /// Lets a slab's owner word lead to the vector that begins at an object's number
    /// (`alloc_slab_obj_exts`).
    pub fn attach(&self, slab_owner: &AtomicU64, first: u64) {
        let word = PowerArray::word_of(self.0.at(first));
        slab_owner.store(word | OWNER_SLAB, Release);
    }

    /// Whether the object of a number, counted over all vectors, is charged.
    pub fn is_owned(&self, number: u64) -> bool {
        self.0.at(number).load(Acquire) != 0
    }

    /// The word of object `index` of a slab.
    #[inline]
    fn of(&self, slab_owner: &AtomicU64, index: u64) -> &AtomicU64 {
        self.0
            .offset(self.0.resolve(slab_owner.load(Acquire)), index)
    }

    /// Charges an object of a slab (`__memcg_slab_post_alloc_hook`, once the slab is found).
    ///
    /// # Errors
    /// [`OverLimit`].
    #[inline]
    pub fn charge<V: KernelRules>(
        &self,
        (memory, cpu, group): (&MemcgTree, usize, &MemCgroup),
        (slab_owner, index, bytes): (&AtomicU64, u64, u32),
    ) -> Result<(), OverLimit> {
        memory.charge_object::<V>(cpu, group, bytes)?;
        group.objcg.add_refs::<V>(memory.cpu(cpu), cpu, 1);
        let word = self.of(slab_owner, index);
        word.store(group.objcg.word(), Release);
        Ok(())
    }

    /// Uncharges it (`__memcg_slab_free_hook`): whose it is, the vector says.
    #[inline]
    pub fn uncharge<V: KernelRules>(
        &self,
        (memory, cpu): (&MemcgTree, usize),
        (slab_owner, index, bytes): (&AtomicU64, u64, u32),
    ) {
        let word = self.of(slab_owner, index);
        let objcg = word.load(Acquire);
        if objcg & !OWNER_FLAGS == 0 {
            return;
        }
        let group = memory.resolve(objcg);
        word.store(0, Relaxed);
        memory.uncharge_object::<V>(cpu, group, bytes);
        group.objcg.add_refs::<V>(memory.cpu(cpu), cpu, -1);
    }
}

const PAGE: u32 = 4096;

impl MemcgTree {
    /// Empties every CPU's stock, objects' included; only while no CPU is charging. Pages that
    /// no object is left in go back too, as when an `obj_cgroup` is released.
    pub fn drain<V: KernelRules>(&self) {
        for cpu in 0..MAX_CPUS {
            self.drain_objects::<V>(cpu);
            let stock = self.cpu(cpu);
            stock.drain.store(0, Relaxed);
            drain_stock(self, stock);
        }
        for group in self.groups() {
            let pages = group.objcg.bytes.load(Relaxed) / i64::from(PAGE);
            group
                .objcg
                .bytes
                .fetch_sub(pages * i64::from(PAGE), Relaxed);
            if pages != 0 {
                account::<V>(self, 0, group, -pages);
                uncharge_counters(self, group, pages as u64);
            }
        }
    }

    /// Charges bytes of a slab object (`obj_cgroup_charge`): from this CPU's byte stock,
    /// otherwise whole pages, the rest of the last one going into the byte stock.
    ///
    /// # Errors
    /// [`OverLimit`].
    pub fn charge_object<V: KernelRules>(
        &self,
        cpu: usize,
        group: &MemCgroup,
        bytes: u32,
    ) -> Result<(), OverLimit> {
        let stock = self.cpu(cpu);
        let have = stock.object_bytes.load(Relaxed);
        if stock.cached_object.load(Relaxed) == group.objcg.word() && have >= bytes {
            stock.object_bytes.store(have - bytes, Relaxed);
            return Ok(());
        }
        let pages = bytes.div_ceil(PAGE);
        charge_pages::<V>(self, cpu, &group.objcg, u64::from(pages))?;
        if !bytes.is_multiple_of(PAGE) {
            // What was in stock may add up to more than a page: it stays for the next object.
            self.refill_objects::<V>(cpu, group, pages * PAGE - bytes, false);
        }
        Ok(())
    }

    /// Returns bytes of a slab object to this CPU's byte stock (`obj_cgroup_uncharge`).
    pub fn uncharge_object<V: KernelRules>(&self, cpu: usize, group: &MemCgroup, bytes: u32) {
        self.refill_objects::<V>(cpu, group, bytes, true);
    }

    /// `refill_obj_stock`: another group's bytes are drained first; whole pages beyond one go
    /// back to the group where that is allowed.
    #[inline(never)]
    fn refill_objects<V: KernelRules>(
        &self,
        cpu: usize,
        group: &MemCgroup,
        bytes: u32,
        may_uncharge: bool,
    ) {
        let (stock, objcg) = (self.cpu(cpu), &group.objcg);
        let mut may_uncharge = may_uncharge;
        if stock.cached_object.load(Relaxed) != objcg.word() {
            self.drain_objects::<V>(cpu);
            stock.cached_object.store(objcg.word(), Relaxed);
            // What an earlier drain left over of a page comes back into stock.
            let left = if objcg.bytes.load(Relaxed) != 0 {
                objcg.bytes.swap(0, Relaxed)
            } else {
                0
            };
            stock.object_bytes.store(left as u32, Relaxed);
            may_uncharge = true;
        }
        let total = stock.object_bytes.load(Relaxed) + bytes;
        if may_uncharge && total > PAGE {
            stock.object_bytes.store(total % PAGE, Relaxed);
            uncharge_pages::<V>(self, cpu, objcg, u64::from(total / PAGE));
        } else {
            stock.object_bytes.store(total, Relaxed);
        }
    }

    /// `drain_obj_stock`: whole pages to the group, the rest waits for whoever comes next.
    #[inline(never)]
    fn drain_objects<V: KernelRules>(&self, cpu: usize) {
        let stock = self.cpu(cpu);
        let word = stock.cached_object.swap(0, Relaxed);
        if word == 0 {
            return;
        }
        let objcg = &self.resolve(word).objcg;
        let bytes = stock.object_bytes.swap(0, Relaxed);
        let pages = bytes / PAGE;
        if pages != 0 {
            uncharge_pages::<V>(self, cpu, objcg, u64::from(pages));
        }
        objcg.bytes.fetch_add(i64::from(bytes % PAGE), Relaxed);
    }
}
