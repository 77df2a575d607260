//! What each random operation does to the design and to the model; where the two can be
//! compared at once, they are.

use mm::{KernelRules, Lru, Scan};
use physmem::{Kind, Pfn};
use proptest::prop_assert_eq;
use proptest::test_runner::TestCaseError;

use super::world::{BASE, FRAMES, GROUPS, Operation, Unit, World, nth_group, order};

impl<D: Lru> World<D> {
    /// Applies one operation to both.
    #[inline(never)]
    pub fn apply<V: KernelRules>(&mut self, operation: &Operation) -> Result<(), TestCaseError> {
        use Operation::*;
        match *operation {
            Alloc { order, kind } => self.alloc(order, kind),
            Dissolve { unit } => {
                if let Some(pfn) = self.nth(unit) {
                    self.release(pfn);
                }
            }
            Split { unit } => self.split(unit),
            Get { unit } => {
                if let Some(pfn) = self.nth(unit) {
                    self.design.get(self.held(pfn));
                    self.chunk_mut(pfn).references += 1;
                }
            }
            Put { unit } => {
                // The last reference is dropped by freeing, which is its own operation.
                if let Some(pfn) = self.nth(unit)
                    && self.units[&pfn].references > 1
                {
                    let last = self.design.put(self.held(pfn));
                    prop_assert_eq!(last, false, "not the last reference");
                    self.chunk_mut(pfn).references -= 1;
                }
            }
            Charge { unit, group, cpu } => self.charge::<V>(unit, group, cpu)?,
            Uncharge { unit, cpu } => self.uncharge::<V>(&[unit], cpu, false),
            UnchargeBatch { ref units, cpu } => self.uncharge::<V>(units, cpu, true),
            Move { unit, group, cpu } => self.move_charge(unit, group, cpu)?,
            LruAdd { unit, cpu } => self.lru_add(unit, cpu),
            LruCycle {
                group,
                kind,
                want,
                cpu,
            } => self.lru_cycle(group, kind, want, cpu)?,
            SetMax { group, pages } => {
                if group != 0 {
                    // memory_max_write drains every stock: a stock filled under the old
                    // limit must not serve charges beyond the new one.
                    self.design.groups().drain();
                    self.max[group] = pages;
                    nth_group(&self.design, group).memory.set_max(pages);
                }
            }
            ObjectCharge { group, bytes, cpu } => {
                let to = nth_group(&self.design, group);
                let memory = self.design.groups();
                if group != 0 && memory.charge_object::<V>(cpu, to, bytes).is_ok() {
                    self.objects.push((group, bytes));
                }
            }
            Scan {
                start,
                pfns,
                isolate,
            } => {
                let seen = self.design.pfn_scan(0, BASE + start, pfns, isolate);
                let expected = self.scan(BASE + start, pfns, isolate);
                prop_assert_eq!(
                    seen,
                    expected,
                    "a walk over {} frames from +{}",
                    pfns,
                    start
                );
                if isolate {
                    self.rotate_scanned(BASE + start, pfns);
                }
            }
        }
        Ok(())
    }

    fn chunk_mut(&mut self, pfn: Pfn) -> &mut Unit {
        self.units.get_mut(&pfn).expect("asked of an allocation")
    }

    fn alloc(&mut self, size: u8, kind: Kind) {
        if let Some(extent) = self.frames.alloc(order(size)) {
            self.design.alloc(extent, kind);
            let unit = Unit {
                extent,
                kind,
                references: 1,
                owner: None,
                on_lru: false,
            };
            self.units.insert(extent.head, unit);
            self.mark_free_blocks();
        }
    }

    fn split(&mut self, index: usize) {
        let Some(pfn) = self.nth(index) else { return };
        let whole = self.units[&pfn].clone();
        // The allocator frees blocks as it gave them, so shattered ones are put together
        // again by nobody: only what has order 0..=3 is worth a case.
        if whole.on_lru || whole.extent.order.get() == 0 || whole.extent.order.get() > 3 {
            return;
        }
        self.design.split(self.held(pfn));
        self.frames
            .free(whole.extent)
            .expect("the model allocated it");
        for n in 0..whole.extent.order.pages() {
            let part = self.alloc_at(pfn + n);
            self.units.insert(
                part.head,
                Unit {
                    extent: part,
                    ..whole.clone()
                },
            );
        }
        self.mark_free_blocks();
    }

    fn charge<V: KernelRules>(
        &mut self,
        index: usize,
        group: usize,
        cpu: usize,
    ) -> Result<(), TestCaseError> {
        let Some(pfn) = self.nth(index) else {
            return Ok(());
        };
        let unit = &self.units[&pfn];
        if unit.owner.is_some() || unit.on_lru {
            return Ok(());
        }
        let pages = unit.extent.order.pages();
        let fits = Self::ancestry(group).all(|g| {
            let objects: u64 = self.objects_pages(g);
            self.charged(g, |_| true) + objects + pages <= self.max[g]
        });
        let held = self.held(pfn);
        let result = self.design.charge::<V>(cpu, self.group(group), held);
        // Bytes in the stock of another CPU may hold a page that the model does not know
        // of, and so may a stock that only its own CPU can drain: a refusal is then right.
        if result.is_err() {
            let tight = Self::ancestry(group).any(|g| self.max[g] != u64::MAX);
            prop_assert_eq!(tight, true, "refused without a limit");
            return Ok(());
        }
        prop_assert_eq!(fits, true, "{} pages fit no more, yet were charged", pages);
        if group != 0 {
            self.design.mod_stat(cpu, held, pages as i64);
            self.chunk_mut(pfn).owner = Some(group);
        }
        Ok(())
    }

    /// Fewest pages that the objects charged to a group and below it must hold.
    pub(super) fn objects_pages(&self, group: usize) -> u64 {
        (1..GROUPS)
            .filter(|&g| Self::ancestry(g).any(|a| a == group))
            .map(|g| {
                let bytes: u64 = self
                    .objects
                    .iter()
                    .filter(|o| o.0 == g)
                    .map(|o| u64::from(o.1))
                    .sum();
                bytes.div_ceil(4096)
            })
            .sum()
    }

    fn uncharge<V: KernelRules>(&mut self, indices: &[usize], cpu: usize, batch: bool) {
        let mut heads: Vec<Pfn> = indices.iter().filter_map(|&i| self.nth(i)).collect();
        heads.sort_unstable();
        heads.dedup();
        heads.retain(|pfn| !self.units[pfn].on_lru);
        for pfn in &heads {
            if self.units[pfn].owner.is_some() {
                let pages = self.units[pfn].extent.order.pages() as i64;
                self.design.mod_stat(cpu, self.held(*pfn), -pages);
            }
        }
        {
            let held: Vec<_> = heads.iter().map(|&pfn| self.held(pfn)).collect();
            if batch {
                self.design.uncharge_batch::<V>(cpu, &held);
            } else {
                held.iter().for_each(|&h| self.design.uncharge::<V>(cpu, h));
            }
        }
        for pfn in heads {
            self.chunk_mut(pfn).owner = None;
        }
    }

    fn move_charge(&mut self, index: usize, to: usize, cpu: usize) -> Result<(), TestCaseError> {
        let Some(pfn) = self.nth(index) else {
            return Ok(());
        };
        let unit = &self.units[&pfn];
        let Some(from) = unit.owner else {
            return Ok(());
        };
        // Charges move between groups with no limit in the way, off the lists.
        if to == 0 || from == to || unit.on_lru || !unit.kind.is_lru() {
            return Ok(());
        }
        if Self::ancestry(to).any(|g| self.max[g] != u64::MAX) {
            return Ok(());
        }
        let (design, group) = (&self.design, self.group(from));
        group.begin_move();
        design.move_charge(cpu, self.held(pfn), self.group(to));
        group.end_move();
        self.chunk_mut(pfn).owner = Some(to);
        Ok(())
    }

    fn lru_add(&mut self, index: usize, cpu: usize) {
        let Some(pfn) = self.nth(index) else { return };
        let unit = &self.units[&pfn];
        if unit.on_lru || !unit.kind.is_lru() {
            return;
        }
        let list = Self::list_of(unit);
        self.design.lru_add(cpu, &[self.held(pfn)]);
        self.lists.entry(list).or_default().insert(0, pfn);
        self.chunk_mut(pfn).on_lru = true;
    }

    /// Isolates from the tail and puts back at the head: the list is a queue.
    fn lru_cycle(
        &mut self,
        group: usize,
        kind: Kind,
        want: usize,
        cpu: usize,
    ) -> Result<(), TestCaseError> {
        let mut out = Vec::new();
        let taken = self
            .design
            .lru_isolate(cpu, self.group(group), kind, want, &mut out);
        let list = self.lists.entry((group, kind == Kind::Anon)).or_default();
        let expected: Vec<Pfn> = (0..want).map_while(|_| list.pop()).collect();
        let got: Vec<Pfn> = out.iter().map(|&c| self.design.extent(c).head).collect();
        prop_assert_eq!(taken, expected.len());
        prop_assert_eq!(&got, &expected, "the tail of the list, oldest first");
        self.design.lru_putback(cpu, &out);
        for pfn in expected {
            list.insert(0, pfn);
        }
        Ok(())
    }

    /// What a walk must see, from the model alone.
    fn scan(&self, start: Pfn, pfns: u64, isolate: bool) -> Scan {
        let end = start + pfns;
        let mut scan = Scan::default();
        let mut taken = vec![false; FRAMES as usize];
        for unit in self.units.values() {
            let extent = unit.extent;
            for pfn in extent.head.0..extent.end().0 {
                taken[(pfn - BASE.0) as usize] = true;
            }
            if extent.head < start || extent.head >= end {
                continue;
            }
            if extent.order.get() >= 9 {
                scan.large += 1;
            } else if unit.on_lru {
                scan.movable += 1;
                scan.movable_pages += extent.order.pages();
            } else {
                scan.unmovable += 1;
            }
        }
        let walked = (start.0 - BASE.0) as usize..(end.0 - BASE.0) as usize;
        scan.free = taken[walked].iter().filter(|&&t| !t).count() as u64;
        scan.isolated = if isolate { scan.movable } else { 0 };
        scan
    }

    /// Isolating and putting back moves what was scanned to the heads of its lists.
    fn rotate_scanned(&mut self, start: Pfn, pfns: u64) {
        let end = start + pfns;
        for (&pfn, unit) in &self.units {
            if unit.on_lru && unit.extent.order.get() < 9 && start <= pfn && pfn < end {
                let list = self
                    .lists
                    .get_mut(&Self::list_of(unit))
                    .expect("it is on a list");
                list.retain(|&p| p != pfn);
                list.insert(0, pfn);
            }
        }
    }

    /// The single frame `pfn` out of the allocator, which has just been given it back.
    fn alloc_at(&mut self, pfn: Pfn) -> physmem::Extent {
        let mut others = Vec::new();
        loop {
            let extent = self
                .frames
                .alloc(order(0))
                .expect("the frame was just freed");
            if extent.head == pfn {
                for other in others {
                    self.frames.free(other).expect("allocated above");
                }
                return extent;
            }
            others.push(extent);
        }
    }
}
