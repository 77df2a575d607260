//! A design and the slow, obvious model of what it must say, driven by the same random
//! operations.
//!
//! The steps of a sequence depend on the capabilities that the law asks for ([`Level`]):
//! [`Describing`] needs `Design` only, [`Charging`](super::charging::Charging) adds what
//! `Memcg` does, and [`Listing`](super::listing::Listing) what `Lru` does.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hugemem::Backing;
use mm::{Design, KernelRules, KernelVersion, Plan};
use physmem::{Extent, FrameAllocator, Kind, Order, Pfn};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// Frames of a world: four pageblocks.
pub const FRAMES: u64 = 2048;
/// The first frame: aligned to every order that the worlds use.
pub const BASE: Pfn = Pfn(1 << 20);
/// Groups below the root: 1 and 2 are siblings, 3 is below 1, 4 below 3.
pub const GROUPS: usize = 5;
pub(super) const PARENTS: [usize; GROUPS] = [0, 0, 0, 1, 3];

/// An operation of a level: one that the level below has, or one of its own.
#[derive(Clone, Debug)]
pub enum Step<Below, Own> {
    /// Of the level below.
    Below(Below),
    /// Of this level.
    Own(Own),
}

/// The operations that need `Design` only. Indices count modulo what there is.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum DescribeOp {
    Alloc { order: u8, kind: Kind },
    Free { unit: usize },
    Split { unit: usize },
    Get { unit: usize },
    Put { unit: usize },
}

/// The operations that a sequence is made of, one level for each capability.
pub trait Level<D: Design>: Sized {
    /// One random operation.
    type Operation: Clone + std::fmt::Debug;

    /// The random operations.
    fn operations() -> BoxedStrategy<Self::Operation>;

    /// A design over free frames, with what the operations need.
    fn world() -> World<D> {
        World::new()
    }

    /// Applies one operation to design and model; where the two can be compared at once,
    /// they are.
    fn apply<V: KernelRules>(
        world: &mut World<D>,
        operation: &Self::Operation,
    ) -> Result<(), TestCaseError>;

    /// Marks the blocks that are free now, for walks over frames.
    fn mark_free_blocks(_: &World<D>) {}

    /// Takes an allocation out of whatever else knows it, before its frames are freed.
    fn let_go(_: &mut World<D>, _: Pfn) {}

    /// Frees everything the way its owners would; what must then be zero is a law.
    fn free_everything(world: &mut World<D>) {
        world.release_all::<Self>();
    }
}

/// Allocating, splitting, freeing, and counting references.
pub struct Describing;

impl<D: Design> Level<D> for Describing {
    type Operation = DescribeOp;

    fn operations() -> BoxedStrategy<DescribeOp> {
        describe_operations()
    }

    fn apply<V: KernelRules>(
        world: &mut World<D>,
        operation: &DescribeOp,
    ) -> Result<(), TestCaseError> {
        world.describe::<Self>(operation)
    }
}

/// Random operations that need `Design` only; compiled once, not once for every design.
pub(super) fn describe_operations() -> BoxedStrategy<DescribeOp> {
    use DescribeOp::*;
    let unit = || 0usize..64;
    let order = prop_oneof![4 => 0u8..=3, 1 => 4u8..=6, 1 => Just(9u8)];
    prop_oneof![
        6 => (order, proptest::sample::select(&KINDS[..]))
            .prop_map(|(order, kind)| Alloc { order, kind }),
        2 => unit().prop_map(|unit| Free { unit }),
        1 => unit().prop_map(|unit| Split { unit }),
        2 => unit().prop_map(|unit| Get { unit }),
        2 => unit().prop_map(|unit| Put { unit }),
    ]
    .boxed()
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

/// The model's view of an allocation.
#[derive(Clone, Debug)]
pub struct Unit {
    pub(super) extent: Extent,
    pub(super) kind: Kind,
    pub(super) references: u32,
    pub(super) owner: Option<usize>,
    pub(super) on_lru: bool,
}

/// A design beside the model.
pub struct World<D: Design> {
    pub(super) design: D,
    pub(super) frames: FrameAllocator,
    /// By first frame.
    pub(super) units: BTreeMap<Pfn, Unit>,
    /// Heads of the lists per group and kind, newest first.
    pub(super) lists: BTreeMap<(usize, bool), Vec<Pfn>>,
    pub(super) max: [u64; GROUPS],
    /// The kernel whose rules the operations follow.
    pub(super) rules: KernelVersion,
    /// Slab objects charged and not yet returned: group, bytes.
    pub(super) objects: Vec<(usize, u32)>,
}

impl<D: Design> World<D> {
    /// A design over free frames.
    pub fn new() -> Self {
        let plan = Plan {
            base: BASE,
            frames: FRAMES,
            backing: Backing::Base,
            seed: 1,
        };
        let design = D::build(&plan).expect("a small design can be built");
        let frames = FrameAllocator::new(BASE..BASE + FRAMES, 1, 0.0).expect("a valid range");
        Self {
            design,
            frames,
            units: BTreeMap::new(),
            lists: BTreeMap::new(),
            max: [u64::MAX; GROUPS],
            rules: KernelVersion::V6_12,
            objects: Vec::new(),
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

    /// Applies an operation that needs `Design` only.
    #[inline(never)]
    pub(super) fn describe<L: Level<D>>(
        &mut self,
        operation: &DescribeOp,
    ) -> Result<(), TestCaseError> {
        match *operation {
            DescribeOp::Alloc { order, kind } => self.alloc::<L>(order, kind),
            DescribeOp::Free { unit } => {
                if let Some(pfn) = self.nth(unit) {
                    self.release::<L>(pfn);
                }
            }
            DescribeOp::Split { unit } => self.split::<L>(unit),
            DescribeOp::Get { unit } => {
                if let Some(pfn) = self.nth(unit) {
                    self.design.get(self.held(pfn));
                    self.unit_mut(pfn).references += 1;
                }
            }
            DescribeOp::Put { unit } => {
                // The last reference is dropped by freeing, which is its own operation.
                if let Some(pfn) = self.nth(unit)
                    && self.units[&pfn].references > 1
                {
                    let last = self.design.put(self.held(pfn));
                    prop_assert_eq!(last, false, "not the last reference");
                    self.unit_mut(pfn).references -= 1;
                }
            }
        }
        Ok(())
    }

    pub(super) fn unit_mut(&mut self, pfn: Pfn) -> &mut Unit {
        self.units.get_mut(&pfn).expect("asked of an allocation")
    }

    fn alloc<L: Level<D>>(&mut self, size: u8, kind: Kind) {
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
            L::mark_free_blocks(self);
        }
    }

    fn split<L: Level<D>>(&mut self, index: usize) {
        let Some(pfn) = self.nth(index) else { return };
        let whole = self.units[&pfn].clone();
        // The allocator frees blocks as it handed them out, so nothing puts split ones
        // together again: only orders 0..=3 are worth a case.
        if whole.on_lru || whole.extent.order.get() == 0 || whole.extent.order.get() > 3 {
            return;
        }
        self.design
            .split(self.held(pfn))
            .expect("there is a descriptor for every frame");
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
        L::mark_free_blocks(self);
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

    /// Frees every allocation.
    pub(super) fn release_all<L: Level<D>>(&mut self) {
        while let Some((&pfn, _)) = self.units.first_key_value() {
            self.release::<L>(pfn);
        }
    }

    /// Lets an allocation go and frees its frames.
    fn release<L: Level<D>>(&mut self, pfn: Pfn) {
        L::let_go(self, pfn);
        let unit = self.units.remove(&pfn).expect("asked of an allocation");
        self.design.free(self.held(pfn));
        self.frames
            .free(unit.extent)
            .expect("the model allocated it");
        L::mark_free_blocks(self);
    }
}
/// Runs a law over random sequences of a level's operations: after every operation
/// `check`, and after the sequence everything is freed and `after` sees what is left.
pub fn for_all_sequences<D: Design, V: KernelRules, L: Level<D>>(
    law: &str,
    check: impl Fn(&World<D>) -> Result<(), TestCaseError>,
    after: impl Fn(&World<D>) -> Result<(), TestCaseError>,
) {
    let spare = RefCell::new(None);
    try_sequences(law, D::NAME, L::operations(), &|operations| {
        // A world that a failing case left behind is not used again.
        let mut world = spare.take().unwrap_or_else(L::world);
        world.rules = V::VERSION;
        for operation in operations {
            L::apply::<V>(&mut world, operation)?;
            check(&world)?;
        }
        L::free_everything(&mut world);
        after(&world)?;
        *spare.borrow_mut() = Some(world);
        Ok(())
    });
}

/// The same with the design erased: what makes and shrinks sequences is compiled once a
/// level, not once for every law of every design.
fn try_sequences<O: Clone + std::fmt::Debug>(
    law: &str,
    design: &str,
    operations: BoxedStrategy<O>,
    hold: &dyn Fn(&[O]) -> Result<(), TestCaseError>,
) {
    let config = Config {
        cases: super::cases_per_law() as u32,
        failure_persistence: None,
        ..Config::default()
    };
    let sequences = prop::collection::vec(operations, 1..60);
    let result = TestRunner::new(config).run(&sequences, |operations| hold(&operations));
    if let Err(error) = result {
        panic!("{law} does not hold for {design}: {error}");
    }
}

/// An order that is known to be valid.
pub(super) fn order(order: u8) -> Order {
    Order::try_from(u64::from(order)).expect("the strategies make valid orders")
}
