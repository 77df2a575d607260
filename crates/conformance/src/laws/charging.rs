//! Random operations on charges: in the design, and in the model.

use mm::memcg::MemCgroup;
use mm::{Design, KernelRules, Memcg, with_rules};
use physmem::Pfn;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::world::{DescribeOp, GROUPS, Level, PARENTS, Step, Unit, World, describe_operations};

/// The operations that `Memcg` adds.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum MemcgOp {
    Charge {
        unit: usize,
        group: usize,
        cpu: usize,
    },
    Uncharge {
        unit: usize,
        cpu: usize,
    },
    UnchargeBatch {
        units: Vec<usize>,
        cpu: usize,
    },
    Move {
        unit: usize,
        group: usize,
        cpu: usize,
    },
    SetMax {
        group: usize,
        pages: u64,
    },
    ObjectCharge {
        group: usize,
        bytes: u32,
        cpu: usize,
    },
}

/// Charging, uncharging and moving, beside what [`Describing`](super::world::Describing) does.
pub struct Charging;

impl<D: Memcg> Level<D> for Charging {
    type Operation = Step<DescribeOp, MemcgOp>;

    fn operations() -> BoxedStrategy<Self::Operation> {
        memcg_operations()
    }

    fn world() -> World<D> {
        let world = World::<D>::new();
        for parent in &PARENTS[1..] {
            let groups = world.design.groups();
            groups
                .create(world.group(*parent))
                .expect("a few groups fit");
        }
        world
    }

    fn apply<V: KernelRules>(
        world: &mut World<D>,
        operation: &Self::Operation,
    ) -> Result<(), TestCaseError> {
        match operation {
            Step::Below(operation) => world.describe::<Self>(operation),
            Step::Own(operation) => world.charging::<V>(operation),
        }
    }

    fn let_go(world: &mut World<D>, pfn: Pfn) {
        let unit = &world.units[&pfn];
        if unit.owner.is_some() {
            let held = world.held(pfn);
            let pages = unit.extent.order.pages() as i64;
            world.design.mod_stat(0, held, -pages);
            let is_user = unit.kind.is_lru();
            with_rules!(world.rules, V => if is_user {
                world.design.uncharge::<V>(0, held);
            } else {
                world.design.uncharge_kernel::<V>(0, held);
            });
        }
    }

    fn free_everything(world: &mut World<D>) {
        world.discharge::<Self>();
    }
}

/// Random operations that need `Memcg`; compiled once, not once for every design.
pub(super) fn memcg_operations() -> BoxedStrategy<Step<DescribeOp, MemcgOp>> {
    use MemcgOp::*;
    let unit = || 0usize..64;
    let group = || 0usize..GROUPS;
    let cpu = || 0usize..3;
    let own = prop_oneof![
        5 => (unit(), group(), cpu()).prop_map(|(unit, group, cpu)| Charge { unit, group, cpu }),
        2 => (unit(), cpu()).prop_map(|(unit, cpu)| Uncharge { unit, cpu }),
        1 => (prop::collection::vec(unit(), 1..8), cpu())
            .prop_map(|(units, cpu)| UnchargeBatch { units, cpu }),
        1 => (unit(), group(), cpu()).prop_map(|(unit, group, cpu)| Move { unit, group, cpu }),
        1 => (group(), 0u64..1500).prop_map(|(group, pages)| SetMax { group, pages }),
        1 => (group(), 1u32..9000, cpu())
            .prop_map(|(group, bytes, cpu)| ObjectCharge { group, bytes, cpu }),
    ];
    prop_oneof![
        13 => describe_operations().prop_map(Step::Below),
        11 => own.prop_map(Step::Own),
    ]
    .boxed()
}

impl<D: Design> World<D> {
    /// The group and those above it, by number, the root left out.
    pub fn ancestry(group: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(group), |&g| (g != 0).then(|| PARENTS[g])).filter(|&g| g != 0)
    }

    /// Pages charged to a group and below it, as the model has it.
    pub fn charged(&self, group: usize, only: impl Fn(&Unit) -> bool) -> u64 {
        let mine = |c: &&Unit| {
            c.owner
                .is_some_and(|o| Self::ancestry(o).any(|g| g == group))
        };
        self.units
            .values()
            .filter(mine)
            .filter(|c| only(c))
            .map(|c| c.extent.order.pages())
            .sum()
    }
}

impl<D: Memcg> World<D> {
    /// A group by number, 0 being the root.
    pub fn group(&self, index: usize) -> &MemCgroup {
        let mut groups = self.design.groups().groups();
        groups
            .nth(index)
            .expect("the tree was built with this many")
    }

    /// Returns every object, frees everything, drains the stocks and lifts the limits.
    pub(super) fn discharge<L: Level<D>>(&mut self) {
        for (group, bytes) in std::mem::take(&mut self.objects) {
            let memory = self.design.groups();
            let group = self.group(group);
            with_rules!(self.rules, V => memory.uncharge_object::<V>(0, group, bytes));
        }
        self.release_all::<L>();
        with_rules!(self.rules, V => self.design.groups().drain::<V>());
        self.max = [u64::MAX; GROUPS];
        for index in 0..GROUPS {
            self.group(index).memory.set_max(u64::MAX);
        }
    }

    /// Applies an operation that `Memcg` adds.
    #[inline(never)]
    pub(super) fn charging<V: KernelRules>(
        &mut self,
        operation: &MemcgOp,
    ) -> Result<(), TestCaseError> {
        match *operation {
            MemcgOp::Charge { unit, group, cpu } => self.charge::<V>(unit, group, cpu)?,
            MemcgOp::Uncharge { unit, cpu } => self.uncharge::<V>(&[unit], cpu, false),
            MemcgOp::UnchargeBatch { ref units, cpu } => self.uncharge::<V>(units, cpu, true),
            MemcgOp::Move { unit, group, cpu } => self.move_charge(unit, group, cpu)?,
            MemcgOp::SetMax { group, pages } => {
                if group != 0 {
                    // memory_max_write drains every stock: a stock filled under the old
                    // limit must not serve charges beyond the new one.
                    self.design.groups().drain::<V>();
                    self.max[group] = pages;
                    self.group(group).memory.set_max(pages);
                }
            }
            MemcgOp::ObjectCharge { group, bytes, cpu } => {
                let to = self.group(group);
                let memory = self.design.groups();
                if group != 0 && memory.charge_object::<V>(cpu, to, bytes).is_ok() {
                    self.objects.push((group, bytes));
                }
            }
        }
        Ok(())
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
        let to = self.group(group);
        let stocked = self.design.groups().stocked(to);
        let result = if unit.kind.is_lru() {
            self.design.charge::<V>(cpu, to, held)
        } else {
            self.design.charge_kernel::<V>(cpu, to, held)
        };
        // Bytes in the stock of another CPU may hold a page that the model does not know
        // of, and so may a stock that only its own CPU can drain: a refusal is then right.
        if result.is_err() {
            let tight = Self::ancestry(group).any(|g| self.max[g] != u64::MAX);
            prop_assert_eq!(tight, true, "refused without a limit");
            return Ok(());
        }
        // Kernel memory goes back to a stock even if its group is beyond a limit. Taking it from
        // there adds nothing to the usage.
        let is_from_stock = stocked == self.design.groups().stocked(to) + pages;
        prop_assert!(
            fits || is_from_stock,
            "{pages} pages fit no more, yet were charged"
        );
        if group != 0 {
            self.design.mod_stat(cpu, held, pages as i64);
            self.unit_mut(pfn).owner = Some(group);
        }
        Ok(())
    }

    /// The fewest pages that the objects charged to a group and below it can hold.
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
                for (&held, pfn) in held.iter().zip(&heads) {
                    if self.units[pfn].kind.is_lru() {
                        self.design.uncharge::<V>(cpu, held);
                    } else {
                        self.design.uncharge_kernel::<V>(cpu, held);
                    }
                }
            }
        }
        for pfn in heads {
            self.unit_mut(pfn).owner = None;
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
        self.unit_mut(pfn).owner = Some(to);
        Ok(())
    }
}
