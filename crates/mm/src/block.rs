//! The block layer, once for all designs, as a kernel has one: bio, bio_vec, the
//! walks, merging, splitting, requests and mapping. The thing that a bio_vec points *at* is
//! the design's.
//!
//! Everything is generic over the design and over the [rules](crate::KernelRules) of a kernel,
//! both known at compile time. Functions that stand out of line in the kernel do so here.

mod atomic;
mod bio;
mod device;
mod discard;
mod map;
mod merge;
mod request;
mod split;
mod step;
mod walk;
mod zone;

pub use atomic::{AtomicLimits, atomic_write_segments};
pub use bio::{BIO_MAX_VECS, Bio, BioClone, Bvec, BvecIter, Op};
pub use device::{Pgmap, is_nomerge};
pub use discard::{DiscardLimits, discard_front};
pub use map::{SgEntry, TableFull, blk_recalc_rq_segments, blk_rq_map_sg};
pub use merge::{add_page, add_page_in_page_pieces, page_is_mergeable};
pub use request::{Plug, Request};
pub use split::{Cut, SplitError, bio_split_to_limits, may_need_split, split_front};
pub use walk::{
    Bvecs, Segment, Segments, UnitRange, all_segments, all_units, for_each_single_page_vec,
    for_each_unit,
};
pub use zone::{ZoneLimits, add_zone_append_page, zone_append_segments};
