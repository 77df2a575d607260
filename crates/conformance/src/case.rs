//! Case files: one merge, split and map question per JSON line, and its answer.
//!
//! # The question
//!
//! `{"name","rules","max_vecs","limits":{…},"start_sector","adds":[{"pfn","order","offset","len","bio","by"}]}`
//!
//! - `rules`: the kernel whose rules apply: `5.0`, `5.10`, `6.1`, `6.12`, `7.1` or `7.2`.
//! - `max_vecs`: the table of *each* bio, 1 to 256; 256 when missing.
//! - `limits`: what the driver states; see [`Limits`] for what each kernel makes of it.
//! - `start_sector`: where the first bio starts, in 512-byte sectors; 0 when missing.
//! - `adds`: calls in order. `pfn` is the head of *one* compound allocation of 2^`order` pages,
//!   aligned to it; the bytes are `offset..offset + len` of that allocation. Adds that name the
//!   same `pfn` mean the same allocation; allocations may not overlap otherwise.
//!
//! The other fields are ours, all optional:
//!
//! - `bio` (0 when missing): which bio the add goes to. Numbers start at 0, never fall and never
//!   skip. Bio k + 1 starts at the sector at which bio k ends. All bios are built first, then
//!   submitted in order under one plug of a queue without scheduler, so the kernel may merge
//!   them into one request. A bio that took nothing is not submitted.
//! - `by` (`"page"` when missing): the call that is made.
//! - `pgmap` of an add (ordinary memory when missing): the memory is a device's, of the page map
//!   with this number; adds that name the same `pfn` agree. Such an allocation is one page under
//!   rules before 7.1, where the later pages of a large one do not say their page map.
//! - `p2pdma` of the case: the numbers of page maps whose memory is another PCI device's
//!   (`MEMORY_DEVICE_PCI_P2PDMA`); the others are of a type that is mapped like ordinary memory
//!   (`MEMORY_DEVICE_GENERIC`, `MEMORY_DEVICE_FS_DAX`).
//! - `op` of the case (`"read"` when missing): `"atomic-write"` submits `REQ_OP_WRITE | REQ_ATOMIC`
//!   (v6.11 and later), which is never cut: a bio that does not fit, or whose size is not what
//!   the device says of atomic writes (`limits`, `atomic_write_*`), fails.
//!   `"discard"` submits one bio of `sectors` sectors and no memory: `adds` is empty, and the answer
//!   has the requests that the bio is cut into, each one segment and nothing to map.
//!   `"zone-append"` appends each bio to a zone of `chunk_sectors` sectors: bio k to the k-th zone
//!   from `start_sector` on. It is neither cut nor merged.
//! - `held` of the case: the submitter holds the memory as `get_user_pages` does, one reference
//!   for each add and each page that it touches (from v6.3 on a pin), and lets go with
//!   `bio_release_pages` once the IO has ended. The answer says what is still held of each
//!   allocation: nothing, unless adds shared a page of a vec, which is released once for the vec.
//!   Submitters that know (`same_page`) drop the second reference at once; here nobody does.
//! - `clones` of the case: the bios are not submitted, but these parts of them are, in this
//!   order: `{"bio","skip","sectors"}` is `bio_alloc_clone` (5.10: `bio_clone_fast`) and then
//!   `bio_trim(clone, skip, sectors)`. The parts of a bio come in its order and do not overlap.
//!   The walk by page (`sp_segments`) is over the clones; the walk by allocation is for a bio's
//!   owner only and stays over the bios. 5.0 is asked no such case.
//!
//! # What one add is, per kernel
//!
//! | rules | `by: "page"` | `by: "folio"` |
//! |---|---|---|
//! | 5.0 | `bio_add_page` for each 4 KiB page in turn, since a vec holds at most one page; an add that runs out of vecs goes on in a further bio, which the following adds of that number then go to | the parser refuses it |
//! | 5.10 | one `bio_add_page(page + offset / 4096, len, offset % 4096)` | the parser refuses it: v5.16 brought `bio_add_folio` |
//! | 6.1 | the same | one `bio_add_folio`, which hands `bio_add_page` the head page and the *whole* offset |
//! | 6.12, 7.x | the same | one `bio_add_folio`, which finds the page first: same as `"page"` |
//!
//! A vec keeps the page and offset of the call that opened it, so under 6.1 a folio's vec may
//! have an offset beyond 4096, elsewhere never. User buffers that a kernel adds page by page
//! are written as one add per page.
//!
//! # What device memory changes, per kernel
//!
//! | rules | adding | merging bios | mapping |
//! |---|---|---|---|
//! | 5.0, 5.10, 6.1 | nothing: `page_is_mergeable` does not ask | nothing | nothing |
//! | 6.12 | no piece joins a vec of another page map, or of ordinary memory (`bvec_try_merge_page`, v6.2); memory of another PCI device shares no bio with other memory (`zone_device_pages_compatible`, 6.12.86): the add is refused | a gap is one though neighbours touch, where their page maps differ (`biovec_phys_mergeable`, 6.12.88) | no entry goes on across page maps (the same) |
//! | 7.x | the same | the same, and a bio with memory of another PCI device is merged with no other (`__bio_add_page`, v6.17) | the same |
//!
//! The scatterlist is the end of it: which bus addresses a driver gets, or that it gets none
//! (`pci_p2pdma_state`, `blk_dma_map_iter_start`, `pci_p2pdma_map_segment`), depends on where the
//! devices are, and is left out. So is what `get_user_pages` refuses (`FOLL_PCI_P2PDMA`).
//!
//! # Zone appends, per kernel
//!
//! | rules | one add | submitting |
//! |---|---|---|
//! | 5.0 | the parser refuses the operation: v5.8 brought it | |
//! | 5.10, 6.1 | `bio_add_hw_page`, which 5.10 calls from `__bio_iov_append_get_pages` and later kernels from `bio_add_zone_append_page`: refused beyond `max_zone_append_sectors`, `max_sectors`, `max_segments` or across a virtual boundary; a vec grows within a segment, but a piece that opens one may be longer | `blk_check_zone_append` fails what does not begin a zone or is too large; what would be cut (a vec of several segments, an end off the physical block) goes out whole with the segments counted, and `bio_split` warns |
//! | 6.12 | the same, but for `max_sectors`; and a piece is shortened to `max_segment_size`: `accepted` says how much of it was taken | the same check; what would be cut fails (`bio_split_zone_append`) |
//! | 7.x | `bio_add_page`, as for any bio | the same as 6.12 |
//!
//! All zones are sequential and empty. Without `max_zone_append_sectors` kernels from v6.10 on write
//! in place of appending (zone write plugging), which is left out.
//!
//! # The answer
//!
//! See [`Answer`]. `bios` has one entry for each *request* that reaches the driver, in order of
//! sector; with a single bio these are the parts of its split. Where the kernel refuses the
//! limits, or fails any part of any bio, the whole answer is the refusal.
//!
//! One rule is the model's own: below 6.12 nothing checks that a bio's size is a whole number
//! of sectors, the callers see to it; the model answers `EINVAL`.

use std::collections::BTreeMap;

pub use mm::KernelVersion;
use serde::{Deserialize, Serialize};

mod answer;
mod atomic;
mod bound;
mod clones;
mod device;
mod discard;
mod generate;
mod invariants;
mod limits;
mod parse;
pub mod shrink;
mod zone;

pub use answer::{Answer, Refusal, Refused, Request, Taken};
pub use atomic::Operation;
pub use bound::MAX_ENTRIES;
pub use clones::CloneOf;
pub use generate::{WINDOW_PAGES, generate, generate_for_models, generate_more, generate_one};
pub use invariants::invariants;
pub use limits::Limits;
pub use parse::{CaseError, CaseLine, parse_all_lines, parse_lines};

/// Bytes in a page.
pub(crate) const PAGE_SIZE: u64 = 4096;
/// Entries of the largest vec table (`BIO_MAX_VECS`).
pub const BIO_MAX_VECS: u16 = 256;
/// The largest allocation a case may name: a 1 GiB page.
pub const MAX_ORDER: u8 = 18;

/// One line of a case file. The module's page documents the fields.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Label of the answer.
    pub name: String,
    /// The kernel whose rules apply.
    #[serde(with = "version_name")]
    pub rules: KernelVersion,
    /// Entries of each bio's vec table.
    #[serde(default = "default_max_vecs")]
    pub max_vecs: u16,
    /// The limits that the driver states of its queue.
    #[serde(default)]
    pub limits: Limits,
    /// Where the first bio starts, in 512-byte sectors.
    #[serde(default)]
    pub start_sector: u64,
    /// The operation of all bios.
    #[serde(default, skip_serializing_if = "Operation::is_read")]
    pub op: Operation,
    /// The sectors of a discard, 0 for all else.
    #[serde(default, skip_serializing_if = "is_no_sector")]
    pub sectors: u32,
    /// The page maps, among those that adds name, of another PCI device's memory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub p2pdma: Vec<u32>,
    /// Whether the submitter holds the pages, and the answer says what is held in the end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub held: bool,
    /// Parts of the bios that are submitted in their place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clones: Vec<CloneOf>,
    /// The calls, in order.
    pub adds: Vec<Add>,
}

/// One call that adds memory to a bio.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The first page frame of the allocation.
    pub pfn: u64,
    /// The allocation has 2^`order` pages.
    #[serde(default)]
    pub order: u8,
    /// The first byte, counted from the allocation's start.
    #[serde(default)]
    pub offset: u32,
    /// Bytes.
    pub len: u32,
    /// The bio it is added to.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bio: u16,
    /// The function that is called.
    #[serde(default, skip_serializing_if = "By::is_page")]
    pub by: By,
    /// The page map that the memory belongs to, where it is a device's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pgmap: Option<u32>,
}

/// The function that an add calls.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// `bio_add_page`.
    #[default]
    Page,
    /// `bio_add_folio` (v5.16 and later).
    Folio,
}

impl By {
    fn is_page(&self) -> bool {
        *self == Self::Page
    }
}

fn is_zero(n: &u16) -> bool {
    *n == 0
}

fn is_no_sector(n: &u32) -> bool {
    *n == 0
}

fn is_false(yes: &bool) -> bool {
    !yes
}

fn default_max_vecs() -> u16 {
    BIO_MAX_VECS
}

/// A field that makes a case impossible, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Impossible {
    /// The field, as a path: `adds[3].len`.
    pub field: String,
    /// Why no kernel could be asked this.
    pub reason: String,
}

impl Case {
    /// A case that adds nothing and states nothing.
    pub fn new(name: &str, rules: KernelVersion) -> Self {
        Self {
            name: name.to_owned(),
            rules,
            max_vecs: BIO_MAX_VECS,
            limits: Limits::default(),
            start_sector: 0,
            op: Operation::Read,
            sectors: 0,
            p2pdma: Vec::new(),
            held: false,
            clones: Vec::new(),
            adds: Vec::new(),
        }
    }

    /// The allocations that the adds name: first page frame to order.
    pub fn allocations(&self) -> BTreeMap<u64, u8> {
        self.adds.iter().map(|add| (add.pfn, add.order)).collect()
    }

    /// Checks that such memory and such calls can exist, and that the answer is small enough to be
    /// written down ([`MAX_ENTRIES`]).
    ///
    /// # Errors
    /// The first field that is out of range, misaligned or contradicts another.
    pub fn check(&self) -> Result<(), Impossible> {
        let no = |field: String, reason: String| Err(Impossible { field, reason });
        if !(1..=BIO_MAX_VECS).contains(&self.max_vecs) {
            return no(
                "max_vecs".into(),
                format!("{} is not in 1..=256", self.max_vecs),
            );
        }
        // A disk's size in bytes is a signed 64-bit number.
        if self.start_sector >= 1 << 53 {
            return no(
                "start_sector".into(),
                "beyond any disk (2^53 sectors)".into(),
            );
        }
        let mut bio = 0;
        for (i, add) in self.adds.iter().enumerate() {
            let at = |field: &str| format!("adds[{i}].{field}");
            if add.order > MAX_ORDER {
                return no(
                    at("order"),
                    format!("{} is above {MAX_ORDER}, a 1 GiB page", add.order),
                );
            }
            let pages = 1_u64 << add.order;
            if !add.pfn.is_multiple_of(pages) {
                return no(
                    at("pfn"),
                    format!("{} is not aligned to {pages} pages", add.pfn),
                );
            }
            if add.pfn.saturating_add(pages) > 1 << 40 {
                return no(at("pfn"), "beyond 52 bits of physical address".into());
            }
            if add.len == 0 {
                return no(at("len"), "nothing to add".into());
            }
            if u64::from(add.offset) + u64::from(add.len) > PAGE_SIZE << add.order {
                return no(at("len"), "reaches beyond the end of the allocation".into());
            }
            if add.bio != bio && (i == 0 || add.bio != bio + 1) {
                return no(
                    at("bio"),
                    "numbers start at 0, never fall and never skip".into(),
                );
            }
            bio = add.bio;
            if add.by == By::Folio && self.rules < KernelVersion::V6_1 {
                return no(
                    at("by"),
                    format!("Linux {} has no bio_add_folio", self.rules),
                );
            }
        }
        self.check_overlap()?;
        self.check_device_memory()?;
        self.check_operation()?;
        self.check_answer()?;
        self.check_clones()
    }

    fn check_overlap(&self) -> Result<(), Impossible> {
        let mut by_pfn: Vec<(u64, u8, usize)> = self
            .adds
            .iter()
            .enumerate()
            .map(|(i, add)| (add.pfn, add.order, i))
            .collect();
        by_pfn.sort_unstable();
        for pair in by_pfn.windows(2) {
            let ((pfn, order, first), (next, next_order, second)) = (pair[0], pair[1]);
            let same = pfn == next && order == next_order;
            if !same && next < pfn + (1 << order) {
                return Err(Impossible {
                    field: format!("adds[{}].pfn", first.max(second)),
                    reason: format!("overlaps the allocation of adds[{}]", first.min(second)),
                });
            }
        }
        Ok(())
    }
}

mod version_name {
    //! `rules` travels as the kernel's name.

    use mm::KernelVersion;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        version: &KernelVersion,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.serialize_str(version.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<KernelVersion, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
