//! Random operations on reclaim's lists, and the expected result of compaction's walk.

use mm::{KernelRules, Lru, Scan};
use physmem::{Kind, Pfn};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::charging::{Charging, MemcgOp, memcg_operations};
use super::world::{BASE, DescribeOp, FRAMES, GROUPS, Level, Step, Unit, World};

/// The operations that `Lru` adds.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum LruOp {
    Add {
        unit: usize,
        cpu: usize,
    },
    Cycle {
        group: usize,
        kind: Kind,
        want: usize,
        cpu: usize,
    },
    Scan {
        start: u64,
        pfns: u64,
        isolate: bool,
    },
}

/// Adding to lists, isolating and putting back, beside what [`Charging`] does.
pub struct Listing;

impl<D: Lru> Level<D> for Listing {
    type Operation = Step<Step<DescribeOp, MemcgOp>, LruOp>;

    fn operations() -> BoxedStrategy<Self::Operation> {
        lru_operations()
    }

    fn world() -> World<D> {
        let world = Charging::world();
        Self::mark_free_blocks(&world);
        world
    }

    fn apply<V: KernelRules>(
        world: &mut World<D>,
        operation: &Self::Operation,
    ) -> Result<(), TestCaseError> {
        match operation {
            Step::Below(Step::Below(operation)) => world.describe::<Self>(operation),
            Step::Below(Step::Own(operation)) => world.charging::<V>(operation),
            Step::Own(operation) => world.listing(operation),
        }
    }

    fn mark_free_blocks(world: &World<D>) {
        for block in world.frames.free_blocks() {
            world.design.mark_free(block);
        }
    }

    fn let_go(world: &mut World<D>, pfn: Pfn) {
        world.remove_from_list(pfn);
        Charging::let_go(world, pfn);
    }

    fn free_everything(world: &mut World<D>) {
        world.discharge::<Self>();
    }
}

/// Random operations that need `Lru`; compiled once, not once for every design.
fn lru_operations() -> BoxedStrategy<Step<Step<DescribeOp, MemcgOp>, LruOp>> {
    use LruOp::*;
    let cpu = || 0usize..3;
    let kind = prop_oneof![Just(Kind::Anon), Just(Kind::File)];
    let own = prop_oneof![
        4 => (0usize..64, cpu()).prop_map(|(unit, cpu)| Add { unit, cpu }),
        2 => (0..GROUPS, kind, 1usize..6, cpu())
            .prop_map(|(group, kind, want, cpu)| Cycle { group, kind, want, cpu }),
        2 => (0..FRAMES, 1..FRAMES, any::<bool>()).prop_map(|(start, pfns, isolate)| Scan {
            start,
            pfns: pfns.min(FRAMES - start),
            isolate,
        }),
    ];
    prop_oneof![
        24 => memcg_operations().prop_map(Step::Below),
        8 => own.prop_map(Step::Own),
    ]
    .boxed()
}

impl<D: Lru> World<D> {
    /// Applies an operation that `Lru` adds.
    #[inline(never)]
    fn listing(&mut self, operation: &LruOp) -> Result<(), TestCaseError> {
        match *operation {
            LruOp::Add { unit, cpu } => self.lru_add(unit, cpu),
            LruOp::Cycle {
                group,
                kind,
                want,
                cpu,
            } => self.lru_cycle(group, kind, want, cpu)?,
            LruOp::Scan {
                start,
                pfns,
                isolate,
            } => {
                let seen = self
                    .design
                    .pfn_scan::<mm::Linux6_12>(0, BASE + start, pfns, isolate);
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

    fn lru_add(&mut self, index: usize, cpu: usize) {
        let Some(pfn) = self.nth(index) else { return };
        let unit = &self.units[&pfn];
        if unit.on_lru || !unit.kind.is_lru() {
            return;
        }
        let list = Self::list_of(unit);
        self.design.lru_add(cpu, &[self.held(pfn)]);
        self.lists.entry(list).or_default().insert(0, pfn);
        self.unit_mut(pfn).on_lru = true;
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

    /// Returns the expected result of a walk, from the model alone.
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

    fn list_of(unit: &Unit) -> (usize, bool) {
        (unit.owner.unwrap_or(0), unit.kind == Kind::Anon)
    }

    /// Takes one allocation off its list by cycling the whole list through isolation.
    fn remove_from_list(&mut self, pfn: Pfn) {
        let unit = &self.units[&pfn];
        if !unit.on_lru {
            return;
        }
        let held = self.held(pfn);
        assert!(
            mm::lru::isolate_one(&self.design, 0, held),
            "on a list, yet not isolated"
        );
        self.design.put(held);
        let list = self
            .lists
            .get_mut(&Self::list_of(unit))
            .expect("it is on a list");
        list.retain(|&p| p != pfn);
        self.units.get_mut(&pfn).expect("looked at above").on_lru = false;
    }
}
