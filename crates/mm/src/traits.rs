//! What a design must say of itself: one trait per capability.
//!
//! The traits are safe and not object-safe on purpose. A wrong design gives wrong
//! answers, which the laws catch, never undefined behaviour; and no `dyn` stands in a
//! timed loop.

use std::sync::atomic::AtomicU64;

use hugemem::{Backing, Proof};
use physmem::{Extent, Kind, Pfn, PhysAddr};

use crate::block::{self, Bio, Run};
use crate::memcg::{self, Charge, LockStyle, MemCgroup, MemcgTree, OverLimit, Stat};
use crate::rules::KernelRules;
use crate::slot::{PowerArray, Slot};

/// What a design is built for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The first frame; a multiple of the largest order used.
    pub base: Pfn,
    /// Frames described.
    pub frames: u64,
    /// The memory that the descriptors themselves lie on.
    pub backing: Backing,
}

/// Why a design could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No memory for descriptors.
    #[error("no memory for the descriptors: {0}")]
    Memory(#[from] hugemem::Error),
}

/// A field of a descriptor, for the docs, the size assertions and the memory plot.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name as in the kernel.
    pub name: &'static str,
    /// Bytes from the descriptor's start.
    pub offset: usize,
    /// Bytes.
    pub size: usize,
}

/// One kind of descriptor that a design keeps.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// Name as in the kernel or in the thread.
    pub name: &'static str,
    /// Bytes of one.
    pub bytes: usize,
    /// What it holds.
    pub fields: &'static [Field],
}

/// One answer to how physical memory is described.
pub trait Design: Sized + Send + Sync {
    /// The name on the command line and in records: `flat`.
    const NAME: &'static str;
    /// One line for `folioscope list`: the idea.
    const IDEA: &'static str;
    /// Whether this is the harness floor: it does no work, and its answers are not checked.
    const IS_FLOOR: bool = false;
    /// The descriptors.
    const DESCRIPTORS: &'static [Descriptor];
    /// What other subsystems hold to name an allocation: a page, a folio, a head page,
    /// a typed reference. One pointer.
    type Unit<'a>: Copy + Eq + Send + Sync + std::fmt::Debug
    where
        Self: 'a;

    /// Allocates and populates descriptors; every frame starts free.
    fn build(plan: &Plan) -> Result<Self, BuildError>;

    /// Makes an allocation out of free frames, with one reference (`prep_compound_page`
    /// and friends).
    fn alloc(&self, extent: Extent, kind: Kind) -> Self::Unit<'_>;

    /// Records that an extent of free frames is one free block, as a PFN walk meets it
    /// (`set_buddy_order`). Composing frames of it takes the mark from those frames only:
    /// the caller marks what is left of a block anew.
    fn mark_free(&self, extent: Extent);

    /// Returns an allocation's frames to the free ones, whatever its reference count.
    fn free(&self, unit: Self::Unit<'_>);

    /// Splits an allocation that is on no LRU list into ones of order 0 of the same kind,
    /// owner and reference count (`split_page`, `folio_split`), each findable by
    /// [`Self::lookup`].
    fn split(&self, unit: Self::Unit<'_>);

    /// What a PFN walk does to find the allocation that a frame belongs to: `None` for a
    /// free frame or one that is not described.
    fn lookup(&self, pfn: Pfn) -> Option<Self::Unit<'_>>;

    /// The frames of an allocation.
    fn extent(&self, unit: Self::Unit<'_>) -> Extent;

    /// What an allocation is used for.
    fn kind(&self, unit: Self::Unit<'_>) -> Kind;

    /// A unit as a word (`(unsigned long)folio`).
    fn unit_word(unit: Self::Unit<'_>) -> u64;

    /// Takes a reference (`get_page`, `folio_get`).
    fn get(&self, unit: Self::Unit<'_>);

    /// Takes a reference unless there is none left (`get_page_unless_zero`,
    /// `folio_try_get`).
    fn try_get(&self, unit: Self::Unit<'_>) -> bool;

    /// Drops a reference; true where it was the last, and the allocation is then
    /// dissolved by the caller (`put_page_testzero`).
    fn put(&self, unit: Self::Unit<'_>) -> bool;

    /// References held.
    fn refcount(&self, unit: Self::Unit<'_>) -> u32;

    /// Whether the allocation holds data that was written to and not yet stored.
    fn is_dirty(&self, unit: Self::Unit<'_>) -> bool;

    /// Bytes of descriptor that the frames described now cost: per-frame ones for all
    /// frames, typed ones for each allocation that exists.
    fn descriptor_bytes(&self) -> u64;

    /// What memory the descriptors really lie on.
    fn memory(&self) -> Vec<Result<Proof, hugemem::Error>>;
}

/// Whether a design takes block IO to slab memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlabIo {
    /// Taken, with a reference on the slab for the time of the IO.
    Counted,
    /// Taken; slab memory has no reference count of its own in this design.
    Uncounted,
    /// Refused: a bio_vec cannot name slab memory.
    Refused,
}

/// Bios over this design's memory: what a bio_vec points at, and how an allocation is
/// added, walked and released. The block layer itself is [`crate::block`], the same for
/// every design.
pub trait BlockIo: Design {
    /// What a bio_vec points at: one pointer.
    type BvPage<'a>: Copy + Eq + Send + Sync + std::fmt::Debug
    where
        Self: 'a;

    /// Block IO to slab memory: taken or refused.
    const SLAB_IO: SlabIo;

    /// Whether a vec ends with its page, as before v5.1: such a design is only run under
    /// 5.0 rules, and the others under all later ones.
    const SINGLE_PAGE_VECS: bool = false;

    /// The reference for base page `page` of an allocation, and what is left of the
    /// page's byte offset: designs that only name whole units answer the unit and
    /// `page * 4096`. `None` where the design refuses IO to memory of this kind.
    fn bv_page<'a>(&'a self, unit: Self::Unit<'a>, page: u64) -> Option<(Self::BvPage<'a>, u32)>;

    /// A reference as the word that a bio_vec stores (`(unsigned long)bv_page`).
    fn bv_page_word(page: Self::BvPage<'_>) -> u64;

    /// The physical address that offset 0 of a reference means (`page_to_phys`).
    fn phys(&self, page: Self::BvPage<'_>) -> PhysAddr;

    /// The reference and offset that a single-page walk hands out for byte `offset` of
    /// `page`: page designs step to the page itself, designs that name units keep theirs.
    fn page_at<'a>(&'a self, page: Self::BvPage<'a>, offset: u32) -> (Self::BvPage<'a>, u32);

    /// Whether two references are both ordinary memory, or of one device
    /// (`zone_device_pages_have_same_pgmap`, v6.2 and later).
    fn same_pgmap(&self, a: Self::BvPage<'_>, b: Self::BvPage<'_>) -> bool;

    /// Whether `a + a_end` bytes is reached by the same descriptor arithmetic as
    /// `b + b_offset`; true wherever the memmap is one virtual array.
    fn memmap_contiguous(
        &self,
        a: Self::BvPage<'_>,
        a_end: u64,
        b: Self::BvPage<'_>,
        b_offset: u32,
    ) -> bool;

    /// Looks whether a page added anew is refaulting (`PageWorkingset`, in
    /// `__bio_add_page` up to v6.1).
    fn note_workingset(&self, page: Self::BvPage<'_>) -> bool;

    /// The unit that byte `offset` of `page` lies in, and the offset in the unit
    /// (`page_folio`: where flat pages pay `compound_head`).
    fn unit_at<'a>(&'a self, page: Self::BvPage<'a>, offset: u32) -> (Self::Unit<'a>, u64);

    /// Bytes of a unit (`folio_size`).
    fn unit_bytes(&self, unit: Self::Unit<'_>) -> u64;

    /// The unit physically behind this one (`folio_next`).
    fn next_unit<'a>(&'a self, unit: Self::Unit<'a>) -> Self::Unit<'a>;

    /// Adds a piece to a bio (`bio_add_page`): `len` or 0 bytes.
    fn add_page<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Self::BvPage<'a>>,
        page: Self::BvPage<'a>,
        len: u32,
        offset: u32,
    ) -> u32 {
        block::add_page::<V, Self>(self, bio, page, len, offset)
    }

    /// Adds a part of an allocation in the largest steps that the design has
    /// (`bio_add_folio`; a page at a time where there is nothing larger). Returns the
    /// bytes added.
    fn add_unit<'a, V: KernelRules>(
        &'a self,
        bio: &mut Bio<Self::BvPage<'a>>,
        unit: Self::Unit<'a>,
        len: u32,
        offset: u32,
    ) -> u32;

    /// Walks a bio a base page at a time (`bio_for_each_segment`).
    #[inline]
    fn for_each_segment<'a>(
        &'a self,
        bio: &Bio<Self::BvPage<'a>>,
        visit: impl FnMut(block::Segment<Self::BvPage<'a>>),
    ) {
        block::Segments::new(self, bio).for_each(visit);
    }

    /// Walks a bio a vec at a time (`bio_for_each_bvec`).
    #[inline]
    fn for_each_bvec<'a>(
        &'a self,
        bio: &Bio<Self::BvPage<'a>>,
        visit: impl FnMut(block::Segment<Self::BvPage<'a>>),
    ) {
        block::Bvecs::new(bio).for_each(visit);
    }

    /// Walks a bio by the design's own unit (`bio_for_each_folio_all`).
    #[inline]
    fn for_each_unit<'a>(
        &'a self,
        bio: &Bio<Self::BvPage<'a>>,
        visit: impl FnMut(Run<Self::Unit<'a>>),
    ) {
        block::for_each_run(self, bio, visit);
    }

    /// Takes the references that [`Self::end_io`] drops (`bio_iov_iter_get_pages`' pins).
    fn pin<'a>(&'a self, bio: &Bio<Self::BvPage<'a>>);

    /// End of a read into user memory: marks what was written dirty and drops the pins
    /// (`bio_set_pages_dirty` + `bio_release_pages`). Returns the bytes released.
    fn end_io<'a>(&'a self, bio: &Bio<Self::BvPage<'a>>) -> u64;
}

/// Charging memory to memory cgroups.
///
/// The machinery is [`crate::memcg`], the same for every design; what differs is how a
/// design finds the owner word, the page count and the statistics index of a unit, and
/// how the binding is locked.
pub trait Memcg: Design {
    /// The ways this design can lock the binding of a unit to its group.
    const LOCK_STYLES: &'static [LockStyle] = &[LockStyle::Native];

    /// The cgroup tree, its counters and per-CPU state.
    fn groups(&self) -> &MemcgTree;

    /// The owner word, page count and kind of a unit: all that type-agnostic code needs.
    fn charge_of<'a>(&'a self, unit: Self::Unit<'a>) -> Charge<'a>;

    /// The owner word of a unit, as `style` finds it; what `lock_page_memcg` pays before
    /// it can look whether a move is under way.
    fn owner_word<'a>(&'a self, unit: Self::Unit<'a>, style: LockStyle) -> &'a AtomicU64;

    /// Charges a unit to a group on a CPU (`mem_cgroup_charge`): counters or stock, then
    /// commit of the owner word.
    #[inline]
    fn charge<'a, V: KernelRules>(
        &'a self,
        cpu: usize,
        group: &MemCgroup,
        unit: Self::Unit<'a>,
    ) -> Result<(), OverLimit> {
        memcg::charge::<V>(self.groups(), cpu, group, self.charge_of(unit))
    }

    /// Uncharges one unit directly (`mem_cgroup_uncharge`).
    #[inline]
    fn uncharge<'a, V: KernelRules>(&'a self, cpu: usize, unit: Self::Unit<'a>) {
        memcg::uncharge::<V>(self.groups(), cpu, self.charge_of(unit));
    }

    /// Uncharges many, a run of the same owner at a time (`mem_cgroup_uncharge_list`).
    #[inline]
    fn uncharge_batch<'a, V: KernelRules>(&'a self, cpu: usize, units: &[Self::Unit<'a>]) {
        memcg::uncharge_batch::<V>(self.groups(), cpu, units.iter().map(|&c| self.charge_of(c)));
    }

    /// Adds `pages` to the statistic of the unit's kind: its group's and its lruvec's where
    /// it has an owner, the root's otherwise (`mod_lruvec_page_state`).
    #[inline]
    fn mod_stat<'a>(&'a self, cpu: usize, unit: Self::Unit<'a>, pages: i64) {
        let charge = self.charge_of(unit);
        let group = memcg::group_of(self.groups(), charge.owner);
        memcg::mod_lruvec_state(self.groups(), cpu, group, Stat::of(charge.kind), pages);
    }

    /// The owner, if charged (`folio_memcg`).
    #[inline]
    fn owner<'a>(&'a self, unit: Self::Unit<'a>) -> Option<&'a MemCgroup> {
        memcg::owner(self.groups(), self.charge_of(unit).owner)
    }

    /// Runs `critical` with the binding of unit and owner locked against moves
    /// (`lock_page_memcg`, `folio_memcg_lock`, until v6.13). `style` is a constant at every
    /// call, so the choice costs nothing.
    #[inline]
    fn with_memcg_lock<'a, T>(
        &'a self,
        unit: Self::Unit<'a>,
        style: LockStyle,
        critical: impl FnOnce() -> T,
    ) -> T {
        memcg::with_lock::<Self, _>(self.groups(), || self.owner_word(unit, style), critical)
    }

    /// Moves a unit's charge, statistic and reference to another group
    /// (`mem_cgroup_move_account`, until v6.13).
    fn move_charge<'a>(&'a self, cpu: usize, unit: Self::Unit<'a>, to: &MemCgroup) {
        memcg::move_account(self.groups(), cpu, self.charge_of(unit), to);
    }
}

/// Reclaim's lists and compaction's walk. The list machinery is [`crate::lru`]; a design
/// says where a unit's list words and flags are, and how a frame leads to a unit.
pub trait Lru: Memcg {
    /// The array that the units' list words point into. Its last slots, from
    /// [`lru::heads_start`](crate::lru::heads_start) on, are the lists' heads.
    fn slots(&self) -> &PowerArray<Slot>;

    /// The slot with a unit's flags and list words.
    fn slot_of<'a>(&'a self, unit: Self::Unit<'a>) -> &'a Slot;

    /// The unit whose flags and list words a slot holds; only asked of slots that were
    /// put on a list.
    fn unit_of<'a>(&'a self, slot: &'a Slot) -> Self::Unit<'a>;

    /// Adds units to the heads of their lists ([`lru::add`](crate::lru::add)).
    #[inline]
    fn lru_add<'a>(&'a self, cpu: usize, units: &[Self::Unit<'a>]) {
        crate::lru::add(self, cpu, units);
    }

    /// Takes up to `want` units off the tail of a group's list, with a reference each
    /// ([`lru::isolate`](crate::lru::isolate)).
    #[inline]
    fn lru_isolate<'a>(
        &'a self,
        cpu: usize,
        group: &MemCgroup,
        kind: Kind,
        want: usize,
        out: &mut Vec<Self::Unit<'a>>,
    ) -> usize {
        crate::lru::isolate(self, cpu, group, kind, want, out)
    }

    /// Puts isolated units back and drops their references
    /// ([`lru::putback`](crate::lru::putback)).
    #[inline]
    fn lru_putback<'a>(&'a self, cpu: usize, units: &[Self::Unit<'a>]) {
        crate::lru::putback(self, cpu, units);
    }

    /// Compaction's walk over `pfns` frames from `start` (`isolate_migratepages_block`):
    /// what it saw and, where asked, what it isolated and put back.
    fn pfn_scan(&self, cpu: usize, start: Pfn, pfns: u64, isolate: bool) -> Scan;
}

/// What a PFN walk saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scan {
    /// Free frames skipped.
    pub free: u64,
    /// Allocations on an LRU list and movable.
    pub movable: u64,
    /// Base pages in them.
    pub movable_pages: u64,
    /// Allocations that are neither free nor on an LRU list.
    pub unmovable: u64,
    /// Allocations too large for compaction (the pageblock's order or more).
    pub large: u64,
    /// Allocations taken off their list and put back, where asked.
    pub isolated: u64,
}
