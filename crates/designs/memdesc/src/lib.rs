//! # A typed word a frame, and descriptors allocated apart
//!
//! Wilcox's plan for memory descriptors (memdesc), and what it costs.
//!
//! Anonymous memory and page cache have little in common with page tables, slabs,
//! zsmalloc, kernel stacks and pipe buffers: only the first two are mapped to user space
//! and sit on the LRU. So each kind of memory has a descriptor of its own type, one per
//! *allocation*, and a frame holds no more than a word (`words.rs`): what type it
//! belongs to and where that descriptor is. There are no tail pages to be handed around.
//!
//! Code that does not care for the type (memcg, the block layer, compaction) works on the
//! broadest thing there is, a unit of memory: [`Mem`], the common prefix of all types.
//! How memcg locks one is the thread's open question, answered here in three ways: a
//! function per type, a cast to the prefix, a generic function that looks at the tag.
//!
//! Costs that the other designs do not have: an allocation needs a descriptor from a slab cache
//! (`store.rs`), which may have no memory for one, and what physically follows an allocation is
//! found through the words. A descriptor that was returned describes something else at once
//! (`SLAB_TYPESAFE_BY_RCU`), so a walk that found one through a frame's word takes a reference and
//! looks at the word again ([`Design::leads_to`]).

#![forbid(unsafe_code)]

mod accounting;
mod block_io;
mod sheaf;
mod store;
mod types;
mod words;

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use mm::memcg::{self, MemcgTree};
use mm::memmap;
use mm::{BuildError, Descriptor, DescriptorArray, Design, NoMemory, Plan, PowerArray, Slot};
use physmem::{Extent, Kind, Order, Pfn};

use store::Store;
use words::Words;

/// Any unit of memory: a pointer to the common prefix of the typed descriptors.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Mem<'a>(&'a Slot);

mm::slot_pointer!(Mem);

impl Mem<'_> {
    /// The type.
    #[inline]
    fn kind(self) -> Kind {
        types::kind(self.0.flags.load(Relaxed))
    }

    /// Base pages.
    #[inline]
    fn pages(self) -> u64 {
        1 << types::order(self.0.flags.load(Relaxed))
    }

    /// The first frame, counted from the first that is described.
    #[inline]
    fn frame(self) -> u64 {
        types::frame(self.0.flags.load(Relaxed))
    }
}

/// The memdesc design.
#[derive(Debug)]
pub struct MemDesc {
    words: Words,
    store: Store,
    memory: MemcgTree,
}

impl MemDesc {
    /// The unit that a frame belongs to, of any type and whatever its references; `None`
    /// where it is free.
    #[inline]
    fn unit(&self, pfn: Pfn) -> Option<Mem<'_>> {
        let word = self.words.at(pfn).load(Acquire);
        (!words::is_free(word)).then(|| Mem(self.store.slots().resolve(word)))
    }

    /// The first frame of a unit.
    #[inline]
    fn pfn(&self, mem: Mem<'_>) -> Pfn {
        self.words.base() + mem.frame()
    }

    /// Takes `n` descriptors (`kmem_cache_alloc_bulk`), linked through `word2`: all or none.
    fn alloc_chain(&self, n: u64) -> Result<u64, NoMemory> {
        let mut chain = 0;
        for taken in 0..n {
            let Some(slot) = self.store.alloc() else {
                for _ in 0..taken {
                    let slot = self.store.slots().resolve(chain);
                    chain = slot.word2.load(Relaxed);
                    self.store.free(slot);
                }
                return Err(NoMemory);
            };
            slot.word2.store(chain, Relaxed);
            chain = PowerArray::word_of(slot);
        }
        Ok(chain)
    }

    /// Whether this is the zero page (`is_zero_page`), which lies before the frames
    /// described.
    #[inline]
    fn is_zero_page(&self, mem: Mem<'_>) -> bool {
        self.pfn(mem) == Pfn(self.words.base().0.wrapping_sub(1))
    }

    /// The prefix of a descriptor that describes an extent.
    #[inline]
    fn prefix(&self, extent: Extent, kind: Kind) -> u64 {
        types::prefix(extent.head - self.words.base(), extent.order, kind)
    }

    /// The design with memory for `most` descriptors only, to test how it handles running out.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn with_descriptors(plan: &Plan, most: u64) -> Result<Self, BuildError> {
        Ok(Self {
            words: Words::build(plan)?,
            store: Store::limited(plan, most)?,
            memory: MemcgTree::new()?,
        })
    }

    /// Makes a descriptor one of `kind` for an extent, with every frame's word leading to it.
    fn describe<'a>(&self, slot: &'a Slot, extent: Extent, kind: Kind, references: u32) -> Mem<'a> {
        slot.flags.store(self.prefix(extent, kind), Relaxed);
        slot.mapping.store(0, Relaxed);
        types::pincount(slot).store(0, Relaxed);
        slot.private.store(0, Relaxed);
        slot.mapcount.store(u32::MAX, Relaxed);
        slot.memcg_data.store(0, Relaxed);
        // Release pairs with the Acquire of try_get.
        slot.refcount.store(references, Release);
        self.words.point(extent, slot, kind);
        Mem(slot)
    }
}

impl Design for MemDesc {
    const NAME: &'static str = "memdesc";
    const IDEA: &'static str = "a typed word a frame, and a descriptor of its type allocated apart";
    const DESCRIPTORS: &'static [Descriptor] = types::DESCRIPTORS;
    type Unit<'a> = Mem<'a>;

    fn build(plan: &Plan) -> Result<Self, BuildError> {
        Ok(Self {
            words: Words::build(plan)?,
            store: Store::build(plan)?,
            memory: MemcgTree::new()?,
        })
    }

    #[inline(never)]
    fn alloc(&self, extent: Extent, kind: Kind) -> Mem<'_> {
        // There is a descriptor for every frame, and an allocation has at least a frame: none is
        // left only where frames were described twice. Then a descriptor is shared, which the laws
        // catch.
        let slot = self.store.alloc();
        let slot = slot.unwrap_or_else(|| self.store.slots().at(0));
        self.describe(slot, extent, kind, 1)
    }

    #[inline(never)]
    fn free(&self, mem: Mem<'_>) {
        self.words.clear(self.pfn(mem), mem.pages());
        mem.0.refcount.store(0, Relaxed);
        self.store.free(mem.0);
    }

    fn split(&self, mem: Mem<'_>) -> Result<(), NoMemory> {
        let (pfn, pages, kind) = (self.pfn(mem), mem.pages(), mem.kind());
        // All descriptors first: what is half split cannot be put together again.
        let mut chain = self.alloc_chain(pages - 1)?;
        let owner = types::owner_word(mem.0);
        memcg::split_owner(&self.memory, owner, pages);
        let dirty = mem.0.flags.load(Relaxed) & memmap::PG_DIRTY;
        let references = mem.0.refcount.load(Relaxed);
        let page = |n| Extent {
            head: pfn + n,
            order: Order::BASE,
        };
        for n in 1..pages {
            let slot = self.store.slots().resolve(chain);
            chain = slot.word2.load(Relaxed);
            slot.word2.store(0, Relaxed);
            let part = self.describe(slot, page(n), kind, references);
            part.0.flags.fetch_or(dirty, Relaxed);
            types::owner_word(part.0).store(owner.load(Relaxed), Relaxed);
        }
        let prefix = self.prefix(page(0), kind);
        mem.0.flags.store(prefix | dirty, Relaxed);
        Ok(())
    }

    #[inline]
    fn lookup(&self, pfn: Pfn) -> Option<Mem<'_>> {
        if !self.words.describes(pfn) {
            return None;
        }
        self.unit(pfn)
            .filter(|mem| mem.0.refcount.load(Acquire) != 0)
    }

    /// The word again: freeing the frame cleared it before the descriptor was returned.
    #[inline]
    fn leads_to(&self, pfn: Pfn, mem: Mem<'_>) -> bool {
        self.unit(pfn) == Some(mem)
    }

    fn extent(&self, mem: Mem<'_>) -> Extent {
        let flags = mem.0.flags.load(Relaxed);
        let order = Order::try_from(u64::from(types::order(flags))).unwrap_or_default();
        Extent {
            head: self.words.base() + types::frame(flags),
            order,
        }
    }

    #[inline]
    fn kind(&self, mem: Mem<'_>) -> Kind {
        mem.kind()
    }

    #[inline]
    fn slot_of<'a>(&'a self, mem: Mem<'a>) -> &'a Slot {
        mem.0
    }

    /// A word for each frame and a descriptor for each allocation that exists.
    fn memory(&self) -> Vec<DescriptorArray<'_>> {
        vec![self.words.array(), self.store.array()]
    }
}
