//! The array of `struct page`: one 64-byte line per frame, compound pages by head and
//! tail, page types, buddy marks. Flat pages, folios and head pages are three ways of
//! referring to the same lines.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use physmem::{Extent, Kind, Order, PAGE_SHIFT, Pfn, PhysAddr};

use crate::lru::{self, PG_LRU};
use crate::slot::{PowerArray, SLOT_SIZE, Slot, TAIL};
use crate::traits::{BuildError, Descriptor, Field, Plan};

mod page;
mod scan;
mod state;

pub use page::Page;
pub use state::{
    folio_lock, folio_mark_dirty, folio_trylock, folio_unlock, is_dirty, is_movable, page_ref_add,
    page_ref_add_unless_zero, page_ref_inc, page_ref_sub_and_test, pgmap, pincount, same_pgmap,
    set_dirty_lock,
};

/// `PG_locked`.
pub const PG_LOCKED: u64 = 1;
/// `PG_dirty`.
pub const PG_DIRTY: u64 = 1 << 4;
/// `PG_head`: the first page of a compound one.
pub const PG_HEAD: u64 = 1 << 6;
/// `PG_swapcache`: `mapping` is not the mapping then.
pub const PG_SWAPCACHE: u64 = 1 << 10;
/// `PG_reclaim`: to be reclaimed once it is clean.
pub const PG_RECLAIM: u64 = 1 << 16;
/// `PG_swapbacked`: its place, if it has one, is in swap.
pub const PG_SWAPBACKED: u64 = 1 << 17;
/// `PG_workingset`: refaulted after eviction.
pub const PG_WORKINGSET: u64 = 1 << 9;
/// The zone's bits in the flags word; all set means `ZONE_DEVICE`.
pub const ZONE_MASK: u64 = 7 << 61;
/// Where the flags say which node the memory is on (`NODES_PGSHIFT`), above it the zone.
const NODE_SHIFT: u32 = 58;
/// The node's bits once shifted down.
const NODE_MASK: u64 = 7;
/// `PAGE_MAPPING_ANON` in `mapping`: anonymous memory.
pub const MAPPING_ANON: u64 = 1;
/// `PAGE_MAPPING_MOVABLE` in `mapping`: memory that its driver knows how to move.
pub const MAPPING_MOVABLE: u64 = 2;
/// `PG_isolated`, of such memory only: taken from its driver.
pub const PG_ISOLATED: u64 = PG_RECLAIM;
/// The value of `mapping` in a tail (`TAIL_MAPPING`).
const TAIL_MAPPING: u64 = 0xdead_0000_0000_0400;
/// `_mapcount` of a page that is not mapped.
const UNMAPPED: u32 = u32::MAX;

/// `page_type` (v6.12): the top byte of `_mapcount` for what is never mapped. Kernel
/// stacks and pipe buffers have none in the kernel; the model tags them in order to
/// account them.
const PGTY_BUDDY: u32 = 0xf0;
const PGTY_TABLE: u32 = 0xf2;
const PGTY_SLAB: u32 = 0xf5;
const PGTY_ZSMALLOC: u32 = 0xf6;
const PGTY_STACK: u32 = 0xf7;
const PGTY_PIPE: u32 = 0xf8;

/// Base pages of a pageblock (`pageblock_nr_pages`): compaction moves nothing as large.
pub const PAGEBLOCK_PAGES: u64 = 512;

/// The layout of `struct page` as [`Slot`] has it.
pub const STRUCT_PAGE: Descriptor = Descriptor {
    name: "struct page",
    bytes: SLOT_SIZE as usize,
    fields: &[
        Field {
            name: "flags",
            offset: std::mem::offset_of!(Slot, flags),
            size: 8,
        },
        Field {
            name: "lru.next | compound_head",
            offset: std::mem::offset_of!(Slot, word1),
            size: 8,
        },
        Field {
            name: "lru.prev | order, nr_pages",
            offset: std::mem::offset_of!(Slot, word2),
            size: 8,
        },
        Field {
            name: "mapping",
            offset: std::mem::offset_of!(Slot, mapping),
            size: 8,
        },
        Field {
            name: "index",
            offset: std::mem::offset_of!(Slot, index),
            size: 8,
        },
        Field {
            name: "private",
            offset: std::mem::offset_of!(Slot, private),
            size: 8,
        },
        Field {
            name: "_mapcount | page_type",
            offset: std::mem::offset_of!(Slot, mapcount),
            size: 4,
        },
        Field {
            name: "_refcount",
            offset: std::mem::offset_of!(Slot, refcount),
            size: 4,
        },
        Field {
            name: "memcg_data",
            offset: std::mem::offset_of!(Slot, memcg_data),
            size: 8,
        },
    ],
};

/// The array, and the frames it describes.
#[derive(Debug)]
pub struct Memmap {
    slots: PowerArray<Slot>,
    base: Pfn,
    frames: u64,
    /// Frame number of the (imaginary) page at address 0, so that `page_to_pfn` is one
    /// shift and one addition, as with the kernel's `vmemmap_base`.
    bias: u64,
    /// The frame of the zero page (`zero_pfn`).
    zero: Pfn,
}

impl Memmap {
    /// Allocates the lines of `plan.frames` frames, all of them free.
    pub fn build(plan: &Plan) -> Result<Self, BuildError> {
        let slots = PowerArray::map(plan.frames + lru::HEADS, plan.backing)?;
        lru::init_heads(&slots);
        let bias = plan.base.0.wrapping_sub(slots.base_word() / SLOT_SIZE);
        let map = Self {
            slots,
            base: plan.base,
            frames: plan.frames,
            bias,
            zero: Pfn(plan.base.0.wrapping_sub(1)),
        };
        for pfn in 0..plan.frames {
            map.slots.at(pfn).mapcount.store(UNMAPPED, Relaxed);
        }
        Ok(map)
    }

    /// The lines.
    #[inline]
    pub fn slots(&self) -> &PowerArray<Slot> {
        &self.slots
    }

    /// The line of a frame (`pfn_to_page`); some line for a frame that is not described.
    #[inline]
    pub fn page(&self, pfn: Pfn) -> &Slot {
        self.slots.at(pfn.0.wrapping_sub(self.base.0))
    }

    /// Whether a frame is described (`pfn_valid`).
    #[inline]
    pub fn describes(&self, pfn: Pfn) -> bool {
        pfn.0.wrapping_sub(self.base.0) < self.frames
    }

    /// The frame of a line (`page_to_pfn`).
    #[inline]
    pub fn pfn(&self, page: &Slot) -> Pfn {
        Pfn((PowerArray::word_of(page) / SLOT_SIZE).wrapping_add(self.bias))
    }

    /// The address of a frame's first byte (`page_to_phys`).
    #[inline]
    pub fn phys(&self, page: &Slot) -> PhysAddr {
        self.pfn(page).0 << PAGE_SHIFT
    }

    /// The line `n` frames further on (`page + n`, `nth_page`).
    #[inline]
    pub fn nth<'a>(&'a self, page: &Slot, n: u64) -> &'a Slot {
        self.slots.offset(page, n)
    }

    /// Frames between two lines (`page - head`).
    #[inline]
    pub fn distance(&self, page: &Slot, head: &Slot) -> u64 {
        PowerArray::word_of(page).wrapping_sub(PowerArray::word_of(head)) / SLOT_SIZE
    }

    /// The head of the compound page that a line belongs to, or the line itself
    /// (`compound_head` up to v7.0): a load, a test and, in a tail, the address without
    /// its low bit.
    #[inline]
    pub fn compound_head<'a>(&'a self, page: &'a Slot) -> &'a Slot {
        page.head()
    }

    /// Whether the line is a tail (`PageTail`).
    #[inline]
    pub fn is_tail(page: &Slot) -> bool {
        page.word1.load(Relaxed) & TAIL != 0
    }

    /// Whether a head is a slab's (`PageSlab`, `folio_test_slab`).
    #[inline]
    pub fn is_slab(head: &Slot) -> bool {
        head.mapcount.load(Relaxed) >> 24 == PGTY_SLAB
    }

    /// Whether this is the zero page, whose pins are not counted (`is_zero_page`). It lies
    /// outside the frames described.
    #[inline]
    pub fn is_zero_page(&self, page: &Slot) -> bool {
        self.pfn(page) == self.zero
    }

    /// The node that memory is on (`page_to_nid`): 0, where the model has put all of it.
    #[inline]
    pub fn node(page: &Slot) -> u64 {
        page.flags.load(Relaxed) >> NODE_SHIFT & NODE_MASK
    }

    /// Whether a head's allocation has tails (`folio_test_large`).
    #[inline]
    pub fn is_large(head: &Slot) -> bool {
        head.flags.load(Relaxed) & PG_HEAD != 0
    }

    /// Whether the line belongs to a compound page (`PageCompound`).
    #[inline]
    pub fn is_compound(page: &Slot) -> bool {
        page.flags.load(Relaxed) & PG_HEAD != 0 || Self::is_tail(page)
    }

    /// Base pages of a head's allocation (`compound_nr`, `folio_nr_pages`).
    #[inline]
    pub fn nr_pages(&self, head: &Slot) -> u64 {
        if head.flags.load(Relaxed) & PG_HEAD == 0 {
            return 1;
        }
        self.nth(head, 1).word2.load(Relaxed) >> 32
    }

    /// Order of a head's allocation (`compound_order`, `folio_order`).
    #[inline]
    pub fn order(&self, head: &Slot) -> u8 {
        if head.flags.load(Relaxed) & PG_HEAD == 0 {
            return 0;
        }
        self.nth(head, 1).word2.load(Relaxed) as u8
    }

    /// The frames of a head's allocation.
    pub fn extent(&self, head: &Slot) -> Extent {
        let order = Order::try_from(u64::from(self.order(head))).unwrap_or_default();
        Extent {
            head: self.pfn(head),
            order,
        }
    }

    /// The use of a head's allocation: the page type where there is one, else the
    /// low bit of `mapping`.
    #[inline]
    pub fn kind(head: &Slot) -> Kind {
        match head.mapcount.load(Relaxed) >> 24 {
            PGTY_BUDDY => Kind::Free,
            PGTY_TABLE => Kind::PageTable,
            PGTY_SLAB => Kind::Slab,
            PGTY_ZSMALLOC => Kind::Zsmalloc,
            PGTY_STACK => Kind::KernelStack,
            PGTY_PIPE => Kind::PipeBuffer,
            _ if head.mapping.load(Relaxed) & MAPPING_ANON != 0 => Kind::Anon,
            _ => Kind::File,
        }
    }

    /// Makes an allocation with one reference (`prep_new_page`, `prep_compound_page`):
    /// every tail gets the head's address.
    #[inline(never)]
    pub fn alloc(&self, extent: Extent, kind: Kind) -> &Slot {
        let head = self.page(extent.head);
        let (page_type, mapping) = match kind {
            Kind::Anon => (UNMAPPED, MAPPING_ANON),
            Kind::File => (UNMAPPED, 0),
            Kind::Slab => (PGTY_SLAB << 24, 0),
            Kind::PageTable => (PGTY_TABLE << 24, 0),
            Kind::KernelStack => (PGTY_STACK << 24, 0),
            Kind::PipeBuffer => (PGTY_PIPE << 24, 0),
            Kind::Zsmalloc => (PGTY_ZSMALLOC << 24, 0),
            Kind::Free => (PGTY_BUDDY << 24, 0),
        };
        head.mapping.store(mapping, Relaxed);
        head.mapcount.store(page_type, Relaxed);
        head.private.store(0, Relaxed);
        head.memcg_data.store(0, Relaxed);
        head.word1.clear(Relaxed);
        let order = extent.order.get();
        head.flags.store(0, Relaxed);
        if order > 0 {
            self.prep_compound_page(head, order);
        }
        // Release pairs with the Acquire of try_get: a holder of a reference sees the rest.
        head.refcount.store(1, Release);
        head
    }

    /// Makes frames one compound page (`prep_compound_page`): every tail gets the head's
    /// address.
    #[inline(never)]
    pub fn prep_compound_page(&self, head: &Slot, order: u8) {
        let pages = 1_u64 << order;
        head.flags
            .store(head.flags.load(Relaxed) | PG_HEAD, Relaxed);
        self.slots.link_tails(head, pages - 1, |tail| {
            tail.mapping.store(TAIL_MAPPING, Relaxed);
            // Takes a free block's mark from frames that it reached to.
            tail.mapcount.store(UNMAPPED, Relaxed);
        });
        let first = self.nth(head, 1);
        first.word2.store(pages << 32 | u64::from(order), Relaxed);
        state::pincount_of(first).store(0, Relaxed);
    }

    /// Undoes [`Self::alloc`] (`free_pages_prepare`): every tail is visited.
    #[inline(never)]
    pub fn free(&self, head: &Slot) {
        let pages = self.nr_pages(head);
        head.refcount.store(0, Relaxed);
        for tail in self.slots.behind(head, pages - 1) {
            tail.mapping.store(0, Relaxed);
            tail.word1.clear(Relaxed);
        }
        head.flags.store(0, Relaxed);
        head.mapping.store(0, Relaxed);
        head.memcg_data.store(0, Relaxed);
        head.mapcount.store(UNMAPPED, Relaxed);
    }

    /// Splits an allocation into base pages with its owner, type and references
    /// (`__split_huge_page`, `split_page_owner`).
    #[inline(never)]
    pub fn split(&self, head: &Slot) {
        let pages = self.nr_pages(head);
        let flags = head.flags.load(Relaxed) & !PG_HEAD;
        let references = head.refcount.load(Relaxed);
        for tail in self.slots.behind(head, pages - 1) {
            tail.mapping.store(head.mapping.load(Relaxed), Relaxed);
            tail.mapcount.store(head.mapcount.load(Relaxed), Relaxed);
            tail.memcg_data
                .store(head.memcg_data.load(Relaxed), Relaxed);
            tail.word1.clear(Relaxed);
            tail.flags.store(flags & !PG_LRU, Relaxed);
            tail.refcount.store(references, Release);
        }
        head.flags.store(flags, Relaxed);
    }

    /// Marks a free block (`set_buddy_order`).
    pub fn mark_free(&self, extent: Extent) {
        let head = self.page(extent.head);
        head.private.store(u64::from(extent.order.get()), Relaxed);
        head.mapcount.store(PGTY_BUDDY << 24, Relaxed);
    }

    /// References of a head's allocation (`page_count`).
    #[inline]
    pub fn refcount(&self, head: &Slot) -> u32 {
        head.refcount.load(Acquire)
    }

    /// Bytes of the described frames' lines.
    pub fn bytes(&self) -> u64 {
        self.frames * SLOT_SIZE
    }
}
