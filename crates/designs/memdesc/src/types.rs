//! The typed descriptors: what each holds, and the prefix that all share.
//!
//! A descriptor is one 64-byte line. The kernel's own proposal needs 80 bytes for memory that
//! has everything: its frame number and its pins have words of their own there. Here the frame
//! number, the order and the type share the flags' word, above room for 25 `PG_*` bits (v6.12
//! has up to 25, `include/linux/page-flags.h`), which is enough for the frames of a model and
//! not for those of a machine; node, zone and `LRU_GEN` would not fit. `layout/footprint` says
//! what 80 bytes cost (`descriptors=memdesc-80`).

use std::mem::offset_of;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use mm::{Descriptor, Field, SLOT_SIZE, Slot};
use physmem::{Kind, Order};

/// Where the type starts in the prefix word; below are the `PG_*` bits.
const KIND_SHIFT: u32 = PG_BITS;
/// `__NR_PAGEFLAGS` of v6.12 with every option set.
const PG_BITS: u32 = 25;
/// Memory of a device (`ZONE_DEVICE`). It would be a type; the kinds of memory have none, so it is
/// the last of the flags' bits, which no flag of the model has.
pub(crate) const DEVICE: u64 = 1 << (PG_BITS - 1);
/// Where the order starts: 5 bits.
const ORDER_SHIFT: u32 = KIND_SHIFT + 4;
/// Where the frame number starts: 30 bits, 4 TiB from the first frame described.
const FRAME_SHIFT: u32 = ORDER_SHIFT + 5;

const _: () = assert!(physmem::MAX_ORDER < 1 << (FRAME_SHIFT - ORDER_SHIFT));

/// The prefix of a new descriptor: where (counted from the first frame described), how large,
/// what; no `PG_*` bit set.
#[inline]
pub(crate) fn prefix(frame: u64, order: Order, kind: Kind) -> u64 {
    frame << FRAME_SHIFT | u64::from(order.get()) << ORDER_SHIFT | (kind as u64) << KIND_SHIFT
}

/// The type in a prefix.
#[inline]
pub(crate) fn kind(prefix: u64) -> Kind {
    Kind::from_bits((prefix >> KIND_SHIFT & 15) as u8)
}

/// The order in a prefix.
#[inline]
pub(crate) fn order(prefix: u64) -> u8 {
    (prefix >> ORDER_SHIFT & 31) as u8
}

/// The first frame in a prefix, counted from the first described.
#[inline]
pub(crate) fn frame(prefix: u64) -> u64 {
    prefix >> FRAME_SHIFT
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

/// Where a large unit counts its pins (`_pincount`). The 80 bytes of the proposal have a word
/// for it and one for the index; here they share one, for no loop asks for the index.
#[inline]
pub(crate) fn pincount(slot: &Slot) -> &AtomicU64 {
    &slot.index
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
            field("index | pincount", offset_of!(Slot, index)),
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
            field("index | pincount", offset_of!(Slot, index)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use mm::memmap::{
        PG_DIRTY, PG_HEAD, PG_LOCKED, PG_RECLAIM, PG_SWAPBACKED, PG_SWAPCACHE, PG_WORKINGSET,
    };

    /// Flags come and go while a descriptor says what it describes.
    #[test]
    fn no_flag_is_a_part_of_the_order_the_type_or_the_frame() {
        let flags = [
            PG_LOCKED,
            PG_DIRTY,
            PG_HEAD,
            PG_SWAPCACHE,
            PG_RECLAIM,
            PG_SWAPBACKED,
            PG_WORKINGSET,
            mm::lru::PG_LRU,
            (1 << PG_BITS) - 1,
        ];
        for size in [0, 1, 9, physmem::MAX_ORDER] {
            for what in [Kind::Anon, Kind::File, Kind::Slab] {
                let plain = prefix(0x1234_5678, Order::new(size), what);
                for flag in flags {
                    for word in [plain | flag, plain & !flag] {
                        assert_eq!(order(word), size, "{flag:#x}");
                        assert_eq!(kind(word), what, "{flag:#x}");
                        assert_eq!(frame(word), 0x1234_5678, "{flag:#x}");
                    }
                }
            }
        }
    }
}
