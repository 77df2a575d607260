//! A design and the slow, obvious model of what it must say, driven by the same random
//! operations.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hugemem::Backing;
use mm::memcg::MemCgroup;
use mm::{KernelRules, Lru, Plan};
use physmem::{Extent, FrameAllocator, Kind, Order, Pfn};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// Frames of a world: four pageblocks.
pub const FRAMES: u64 = 2048;
/// The first frame: aligned to every order that the worlds use.
pub const BASE: Pfn = Pfn(1 << 20);
/// Groups below the root: 1 and 2 are siblings, 3 is below 1, 4 below 3.
pub const GROUPS: usize = 5;
const PARENTS: [usize; GROUPS] = [0, 0, 0, 1, 3];

/// One random operation. Indices count modulo what there is.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Operation {
    Alloc {
        order: u8,
        kind: Kind,
    },
    Dissolve {
        unit: usize,
    },
    Split {
        unit: usize,
    },
    Get {
        unit: usize,
    },
    Put {
        unit: usize,
    },
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
    LruAdd {
        unit: usize,
        cpu: usize,
    },
    LruCycle {
        group: usize,
        kind: Kind,
        want: usize,
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
    Scan {
        start: u64,
        pfns: u64,
        isolate: bool,
    },
}

/// The kinds an allocation can have.
const KINDS: [Kind; 7] = [
    Kind::Anon,
    Kind::File,
    Kind::Slab,
    Kind::PageTable,
    Kind::KernelStack,
    Kind::PipeBuffer,
    Kind::Zsmalloc,
];

/// A sequence of operations.
pub fn operations() -> impl Strategy<Value = Vec<Operation>> {
    use Operation::*;
    let unit = || 0usize..64;
    let group = || 0usize..GROUPS;
    let cpu = || 0usize..3;
    let order = prop_oneof![4 => 0u8..=3, 1 => 4u8..=6, 1 => Just(9u8)];
    let lru_kind = || prop_oneof![Just(Kind::Anon), Just(Kind::File)];
    let operation = prop_oneof![
        6 => (order, proptest::sample::select(&KINDS[..])).prop_map(|(order, kind)| Alloc { order, kind }),
        2 => unit().prop_map(|unit| Dissolve { unit }),
        1 => unit().prop_map(|unit| Split { unit }),
        2 => unit().prop_map(|unit| Get { unit }),
        2 => unit().prop_map(|unit| Put { unit }),
        5 => (unit(), group(), cpu()).prop_map(|(unit, group, cpu)| Charge { unit, group, cpu }),
        2 => (unit(), cpu()).prop_map(|(unit, cpu)| Uncharge { unit, cpu }),
        1 => (prop::collection::vec(unit(), 1..8), cpu())
            .prop_map(|(units, cpu)| UnchargeBatch { units, cpu }),
        1 => (unit(), group(), cpu()).prop_map(|(unit, group, cpu)| Move { unit, group, cpu }),
        4 => (unit(), cpu()).prop_map(|(unit, cpu)| LruAdd { unit, cpu }),
        2 => (group(), lru_kind(), 1usize..6, cpu())
            .prop_map(|(group, kind, want, cpu)| LruCycle { group, kind, want, cpu }),
        1 => (group(), 0u64..1500).prop_map(|(group, pages)| SetMax { group, pages }),
        1 => (group(), 1u32..9000, cpu())
            .prop_map(|(group, bytes, cpu)| ObjectCharge { group, bytes, cpu }),
        2 => (0..FRAMES, 1..FRAMES, any::<bool>())
            .prop_map(|(start, pfns, isolate)| Scan { start, pfns: pfns.min(FRAMES - start), isolate }),
    ];
    prop::collection::vec(operation, 1..60)
}

/// What the model knows of an allocation.
#[derive(Clone, Debug)]
pub struct Unit {
    pub(super) extent: Extent,
    pub(super) kind: Kind,
    pub(super) references: u32,
    pub(super) owner: Option<usize>,
    pub(super) on_lru: bool,
}

/// A design beside the model.
pub struct World<D: Lru> {
    pub(super) design: D,
    pub(super) frames: FrameAllocator,
    /// By first frame.
    pub(super) units: BTreeMap<Pfn, Unit>,
    /// Heads of the lists per group and kind, newest first.
    pub(super) lists: BTreeMap<(usize, bool), Vec<Pfn>>,
    pub(super) max: [u64; GROUPS],
    /// Slab objects charged and not yet returned: group, bytes.
    pub(super) objects: Vec<(usize, u32)>,
}

impl<D: Lru> World<D> {
    /// A design over free frames, and the tree of groups.
    pub fn new() -> Self {
        let plan = Plan {
            base: BASE,
            frames: FRAMES,
            backing: Backing::Base,
        };
        let design = D::build(&plan).expect("a small design can be built");
        for parent in &PARENTS[1..] {
            let parent = nth_group(&design, *parent);
            design.groups().create(parent).expect("a few groups fit");
        }
        let frames = FrameAllocator::new(BASE..BASE + FRAMES, 1, 0.0).expect("a valid range");
        let world = Self {
            design,
            frames,
            units: BTreeMap::new(),
            lists: BTreeMap::new(),
            max: [u64::MAX; GROUPS],
            objects: Vec::new(),
        };
        world.mark_free_blocks();
        world
    }

    /// A group by number, 0 being the root.
    pub fn group(&self, index: usize) -> &MemCgroup {
        nth_group(&self.design, index)
    }

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

    pub(super) fn mark_free_blocks(&self) {
        for block in self.frames.free_blocks() {
            self.design.mark_free(block);
        }
    }

    pub(super) fn nth(&self, index: usize) -> Option<Pfn> {
        let n = self.units.len();
        (n != 0).then(|| {
            *self
                .units
                .keys()
                .nth(index % n)
                .expect("less than the length")
        })
    }

    pub(super) fn held(&self, pfn: Pfn) -> D::Unit<'_> {
        self.design
            .lookup(pfn)
            .expect("an allocation with a reference is found")
    }

    /// Frees everything the way its owners would; what must then be zero is a law.
    pub fn free_everything(&mut self) {
        for (group, bytes) in std::mem::take(&mut self.objects) {
            self.design
                .groups()
                .uncharge_object(0, nth_group(&self.design, group), bytes);
        }
        while let Some((&pfn, _)) = self.units.first_key_value() {
            self.release(pfn);
        }
        self.design.groups().drain();
        for (index, max) in self.max.iter_mut().enumerate() {
            *max = u64::MAX;
            nth_group(&self.design, index).memory.set_max(u64::MAX);
        }
    }

    /// Takes an allocation off its list, out of its group, and frees its frames.
    pub(super) fn release(&mut self, pfn: Pfn) {
        self.remove_from_list(pfn);
        let unit = self.units.remove(&pfn).expect("asked of an allocation");
        let held = self
            .design
            .lookup(pfn)
            .expect("an allocation with a reference is found");
        if unit.owner.is_some() {
            let pages = unit.extent.order.pages() as i64;
            self.design.mod_stat(0, held, -pages);
            self.design.uncharge::<mm::Linux6_12>(0, held);
        }
        self.design.free(held);
        self.frames
            .free(unit.extent)
            .expect("the model allocated it");
        self.mark_free_blocks();
    }

    pub(super) fn list_of(unit: &Unit) -> (usize, bool) {
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

pub(super) fn nth_group<D: Lru>(design: &D, index: usize) -> &MemCgroup {
    design
        .groups()
        .groups()
        .nth(index)
        .expect("the tree was built with this many")
}

/// Runs a law over random sequences: after every operation `check`, and after the
/// sequence everything is freed and `after` sees what is left.
pub fn for_all_sequences<D: Lru, V: KernelRules>(
    law: &str,
    check: impl Fn(&World<D>) -> Result<(), TestCaseError>,
    after: impl Fn(&World<D>) -> Result<(), TestCaseError>,
) {
    let spare = RefCell::new(None);
    try_sequences(law, D::NAME, &|operations| {
        // A world that a failing case left behind is not used again.
        let mut world = spare.take().unwrap_or_else(World::<D>::new);
        for operation in operations {
            world.apply::<V>(operation)?;
            check(&world)?;
        }
        world.free_everything();
        after(&world)?;
        *spare.borrow_mut() = Some(world);
        Ok(())
    });
}

/// The same with the design erased: what makes and shrinks sequences is compiled once, not
/// once for every law of every design.
fn try_sequences(
    law: &str,
    design: &str,
    hold: &dyn Fn(&[Operation]) -> Result<(), TestCaseError>,
) {
    let config = Config {
        cases: super::cases_per_law() as u32,
        failure_persistence: None,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&operations(), |operations| hold(&operations));
    if let Err(error) = result {
        panic!("{law} does not hold for {design}: {error}");
    }
}

/// An order that is known to be valid.
pub(super) fn order(order: u8) -> Order {
    Order::try_from(u64::from(order)).expect("the strategies make valid orders")
}
