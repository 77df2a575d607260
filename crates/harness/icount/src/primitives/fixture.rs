//! The fixture of the operations: a design over fresh frames, and the argument of every one.

use std::cell::Cell;

use hugemem::Backing;
use mm::block::{Bio, Bvec, Op};
use mm::memcg::MemCgroup;
use mm::memmap::STRUCT_PAGE;
use mm::{BlockIo, Design, KernelRules, Lru, Plan, Pointer};
use physmem::{Extent, Kind, Order, Pfn};
use results::Class;
use trace::announce;

use super::{Label, Say};

/// Vecs of every bio (`COUNT_MAX_VECS`).
pub(super) const MAX_VECS: u16 = 256;
/// Levels of the group below the root, as on the kernel's side.
const DEPTH: usize = 2;
const BASE: Pfn = Pfn(1 << 18);
const FRAMES: u64 = 1 << 13;

/// Why the operations could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Unbuilt {
    /// No design.
    #[error(transparent)]
    Build(#[from] mm::BuildError),
    /// An operation did not do what it is meant to, so its count means nothing.
    #[error("{0}: it answered {1}")]
    Wrong(Label, u64),
    /// The frames are used up.
    #[error("no frames are left for an allocation of order {0}")]
    Frames(u8),
    /// The design does not take block IO to page cache.
    #[error("{0} refuses IO to page cache")]
    Refused(&'static str),
}

/// A design whose frames are handed out one after the other.
pub(super) struct Fixture<D> {
    pub design: D,
    next: Cell<u64>,
    announced: Cell<bool>,
}

impl<D: Design> Fixture<D> {
    pub fn new() -> Result<Self, Unbuilt> {
        let plan = Plan {
            base: BASE,
            frames: FRAMES,
            backing: Backing::Base,
            seed: 1,
        };
        Ok(Self {
            design: D::build(&plan)?,
            next: Cell::new(0),
            announced: Cell::new(false),
        })
    }

    /// Fresh frames, aligned to their number.
    pub fn frames(&self, order: u8) -> Result<Extent, Unbuilt> {
        let pages = 1_u64 << order;
        let start = self.next.get().next_multiple_of(pages);
        self.next.set(start + pages);
        if start + pages > FRAMES {
            return Err(Unbuilt::Frames(order));
        }
        Ok(Extent::new(BASE + start, Order::new(order)))
    }

    /// One compound allocation.
    pub fn compound(&self, order: u8) -> Result<D::Unit<'_>, Unbuilt> {
        Ok(self.alloc(self.frames(order)?))
    }

    /// An allocation; a tracer is told where the descriptors lie, once there is one to show
    /// them: their array is aligned to its size.
    fn alloc(&self, extent: Extent) -> D::Unit<'_> {
        let unit = self.design.alloc(extent, Kind::Anon);
        let bytes = FRAMES * STRUCT_PAGE.bytes as u64;
        if !self.announced.replace(true) {
            announce::object(Class::Descriptor, unit.word() & !(bytes - 1), bytes);
        }
        unit
    }

    /// Ordinary pages, physical neighbours.
    pub fn pages(&self, order: u8) -> Result<Vec<D::Unit<'_>>, Unbuilt> {
        let extent = self.frames(order)?;
        Ok((0..extent.order.pages())
            .map(|n| Extent::new(extent.head + n, Order::new(0)))
            .map(|page| self.alloc(page))
            .collect())
    }
}

/// The first page of an allocation as a bio_vec names it.
pub(super) fn first_page<'d, D: BlockIo>(
    design: &'d D,
    unit: D::Unit<'d>,
) -> Result<D::BvPage<'d>, Unbuilt> {
    design.bv_page(unit).ok_or(Unbuilt::Refused(D::NAME))
}

/// An empty bio.
pub(super) fn empty_bio<'d, D: BlockIo>(page: D::BvPage<'d>, op: Op) -> Bio<D::BvPage<'d>> {
    Bio::new(MAX_VECS, 0, op, page)
}

/// Tells a tracer where a bio and its table lie that does not move any more.
pub(super) fn announce_bio<P: Copy>(bio: &Bio<P>) {
    announce::object(Class::Bio, address(bio), size_of_val(bio) as u64);
    let table = usize::from(MAX_VECS) * size_of::<Bvec<P>>();
    announce::add(Class::Bio, bio.vecs().as_ptr().addr() as u64, table as u64);
}

fn address<T>(object: &T) -> u64 {
    std::ptr::from_ref(object).addr() as u64
}

/// The argument of an operation (`struct count_arg`).
pub(super) struct Arg<'a, 'd, D: BlockIo> {
    pub design: &'d D,
    pub bio: &'a mut Bio<D::BvPage<'d>>,
    /// The first page.
    pub page: D::BvPage<'d>,
    /// The allocation.
    pub unit: D::Unit<'d>,
    /// Pages, or whatever the operation repeats over.
    pub nr: u32,
    /// Bytes from the start of what is added: 0, but no callee may know that.
    pub offset: u32,
    /// Results land here so that no work is elided.
    pub sink: u64,
}

/// The argument of an operation on memory cgroups and lists.
pub(super) struct MemArg<'a, 'd, D: Lru> {
    pub design: &'d D,
    pub cpu: usize,
    pub group: &'d MemCgroup,
    pub unit: D::Unit<'d>,
    pub units: &'a [D::Unit<'d>],
    pub nr: i64,
    pub sink: u64,
}

/// The group that all charges go to.
pub(super) fn group<D: Lru>(design: &D) -> &MemCgroup {
    let leaf = design.groups().chain(DEPTH);
    announce::forget(Class::Memcg);
    for group in design.groups().groups() {
        announce::add(Class::Memcg, address(group), size_of_val(group) as u64);
    }
    leaf
}

/// Reports a call, and refuses a wrong answer.
pub(super) fn told<D: Design, V: KernelRules>(
    say: Say<'_>,
    primitive: &'static str,
    order: u8,
    class: &str,
    right: bool,
    answer: u64,
) -> Result<(), Unbuilt> {
    let label = Label {
        primitive,
        design: D::NAME,
        rules: V::VERSION,
        order,
        class: class.into(),
    };
    if !right {
        return Err(Unbuilt::Wrong(label, answer));
    }
    say(label);
    Ok(())
}
