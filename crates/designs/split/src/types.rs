//! The typed descriptors: what each holds, and the prefix that all share.
//!
//! A descriptor is one 64-byte line. The kernel's own proposal needs 80 bytes for memory
//! that has everything; a type that holds only what it uses fits a line, which is a part
//! of what the split promises, and is said so in the footprint workload.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use mm::{Descriptor, Field, SLOT_SIZE, Slot};
use physmem::{Extent, Kind, Pfn};

/// Where the type starts in the prefix word; below are the `PG_*` bits.
const KIND_SHIFT: u32 = 12;
/// Where the order starts.
const ORDER_SHIFT: u32 = 16;
/// Where the frame number starts: 40 bits, 4 PiB of memory.
const PFN_SHIFT: u32 = 24;

/// The prefix of a new descriptor: where, how large, what; no `PG_*` bit set.
#[inline]
pub(crate) fn prefix(extent: Extent, kind: Kind) -> u64 {
    extent.head.0 << PFN_SHIFT
        | u64::from(extent.order.get()) << ORDER_SHIFT
        | (kind as u64) << KIND_SHIFT
}

/// The type in a prefix.
#[inline]
pub(crate) fn kind(prefix: u64) -> Kind {
    Kind::from_bits((prefix >> KIND_SHIFT & 15) as u8)
}

/// The order in a prefix.
#[inline]
pub(crate) fn order(prefix: u64) -> u8 {
    (prefix >> ORDER_SHIFT) as u8
}

/// The first frame in a prefix.
#[inline]
pub(crate) fn pfn(prefix: u64) -> Pfn {
    Pfn(prefix >> PFN_SHIFT)
}

/// Where a descriptor of any type keeps the word that accounting needs: a slab keeps its
/// vector of object owners, all others their one owner at the same offset.
#[inline]
pub(crate) fn owner_word(slot: &Slot) -> &AtomicU64 {
    match kind(slot.flags.load(Relaxed)) {
        Kind::Slab => &slot.private,
        _ => &slot.memcg_data,
    }
}

const PREFIX: Field = Field {
    name: "type, order, pfn, flags",
    offset: offset_of!(Slot, flags),
    size: 8,
};
const REFCOUNT: Field = Field {
    name: "refcount",
    offset: offset_of!(Slot, refcount),
    size: 4,
};
const OWNER: Field = Field {
    name: "memcg",
    offset: offset_of!(Slot, memcg_data),
    size: 8,
};
const MAPCOUNT: Field = Field {
    name: "mapcount",
    offset: offset_of!(Slot, mapcount),
    size: 4,
};
const LRU_NEXT: Field = Field {
    name: "lru.next",
    offset: offset_of!(Slot, word1),
    size: 8,
};
const LRU_PREV: Field = Field {
    name: "lru.prev",
    offset: offset_of!(Slot, word2),
    size: 8,
};

const fn field(name: &'static str, offset: usize) -> Field {
    Field {
        name,
        offset,
        size: 8,
    }
}

const fn record(name: &'static str, fields: &'static [Field]) -> Descriptor {
    Descriptor {
        name,
        bytes: SLOT_SIZE as usize,
        fields,
    }
}

/// Every descriptor of the design, the word of a frame first.
pub(crate) const DESCRIPTORS: &[Descriptor] = &[
    Descriptor {
        name: "frame word",
        bytes: 8,
        fields: &[field("descriptor | type", 0)],
    },
    record(
        "anon_mem",
        &[
            PREFIX,
            LRU_NEXT,
            LRU_PREV,
            field("anon_vma", offset_of!(Slot, mapping)),
            field("index", offset_of!(Slot, index)),
            field("swap", offset_of!(Slot, private)),
            MAPCOUNT,
            REFCOUNT,
            OWNER,
        ],
    ),
    record(
        "file_mem",
        &[
            PREFIX,
            LRU_NEXT,
            LRU_PREV,
            field("address_space", offset_of!(Slot, mapping)),
            field("index", offset_of!(Slot, index)),
            field("private", offset_of!(Slot, private)),
            MAPCOUNT,
            REFCOUNT,
            OWNER,
        ],
    ),
    record(
        "slab",
        &[
            PREFIX,
            field("slab_cache", offset_of!(Slot, word1)),
            field("freelist", offset_of!(Slot, word2)),
            field("counters", offset_of!(Slot, mapping)),
            field("obj_exts", offset_of!(Slot, private)),
            REFCOUNT,
        ],
    ),
    record(
        "ptdesc",
        &[
            PREFIX,
            field("pt_mm", offset_of!(Slot, mapping)),
            field("ptl", offset_of!(Slot, private)),
            REFCOUNT,
            OWNER,
        ],
    ),
    record(
        "stack_mem",
        &[
            PREFIX,
            field("task", offset_of!(Slot, mapping)),
            REFCOUNT,
            OWNER,
        ],
    ),
    record(
        "pipe_mem",
        &[
            PREFIX,
            field("pipe", offset_of!(Slot, mapping)),
            REFCOUNT,
            OWNER,
        ],
    ),
    record(
        "zpdesc",
        &[
            PREFIX,
            field("zspage", offset_of!(Slot, mapping)),
            REFCOUNT,
            OWNER,
        ],
    ),
];
