//! Slab objects: charged by bytes through a stock of their own.

use std::sync::atomic::Ordering::Relaxed;

use super::charge::{OverLimit, drain_stock, try_charge, uncharge_counters};
use super::group::{CpuState, MAX_CPUS, MemCgroup, MemcgTree};
use crate::rules::KernelRules;

impl MemcgTree {
    /// Empties every CPU's stock, objects' included; only while no CPU is charging.
    pub fn drain(&self) {
        for cpu in 0..MAX_CPUS {
            let stock = self.cpu(cpu);
            stock.drain.store(0, Relaxed);
            drain_stock(self, stock);
            self.drain_objects(stock);
        }
    }

    /// Charges bytes of a slab object (`obj_cgroup_charge`): from this CPU's byte stock,
    /// otherwise whole pages, the rest of the last one going into the byte stock.
    pub fn charge_object<V: KernelRules>(
        &self,
        cpu: usize,
        group: &MemCgroup,
        bytes: u32,
    ) -> Result<(), OverLimit> {
        let stock = self.cpu(cpu);
        let have = stock.object_bytes.load(Relaxed);
        if stock.cached_object.load(Relaxed) == group.word() && have >= bytes {
            stock.object_bytes.store(have - bytes, Relaxed);
            return Ok(());
        }
        let pages = u64::from(bytes.div_ceil(4096));
        try_charge::<V>(self, cpu, group, pages)?;
        for level in self.ancestry(group) {
            level.kmem.try_add(pages);
        }
        self.refill_objects(stock, group, (pages * 4096) as u32 - bytes);
        Ok(())
    }

    /// Returns bytes of a slab object to this CPU's byte stock (`obj_cgroup_uncharge`).
    pub fn uncharge_object(&self, cpu: usize, group: &MemCgroup, bytes: u32) {
        self.refill_objects(self.cpu(cpu), group, bytes);
    }

    /// `refill_obj_stock`: another group's bytes are drained first; what exceeds a page
    /// goes back to the counters.
    fn refill_objects(&self, stock: &CpuState, group: &MemCgroup, bytes: u32) {
        if stock.cached_object.load(Relaxed) != group.word() {
            self.drain_objects(stock);
            stock.cached_object.store(group.word(), Relaxed);
            // What an earlier drain left over of a page comes back into stock.
            let left = group.object_bytes.swap(0, Relaxed);
            stock.object_bytes.store(left as u32, Relaxed);
        }
        let total = stock.object_bytes.load(Relaxed) + bytes;
        stock.object_bytes.store(total % 4096, Relaxed);
        if total >= 4096 {
            self.uncharge_objects(group, u64::from(total / 4096));
        }
    }

    /// `drain_obj_stock`: whole pages to the counters, the rest waits in the group.
    fn drain_objects(&self, stock: &CpuState) {
        let word = stock.cached_object.swap(0, Relaxed);
        if word == 0 {
            return;
        }
        let group = self.resolve(word);
        let bytes = stock.object_bytes.swap(0, Relaxed);
        let total = group.object_bytes.fetch_add(i64::from(bytes), Relaxed) + i64::from(bytes);
        let pages = (total / 4096) as u64;
        if pages != 0 {
            group.object_bytes.fetch_sub(pages as i64 * 4096, Relaxed);
            self.uncharge_objects(group, pages);
        }
    }

    fn uncharge_objects(&self, group: &MemCgroup, pages: u64) {
        uncharge_counters(self, group, pages);
        for level in self.ancestry(group) {
            level.kmem.cancel(pages);
        }
    }
}
