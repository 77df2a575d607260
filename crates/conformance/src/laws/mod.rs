//! Laws: what every design must do, as public generic functions, and the one list of them.
//!
//! Laws are sorted by the [`Capability`] whose trait they need. The list is the macro `laws_of`;
//! the functions [`describe()`], [`block()`], [`memcg()`] and [`lru()`] hand out its laws for a
//! design, as data. The registry does so for every contender, which makes them tests there and
//! what `folioscope verify` holds; a capability that a design claims and lacks does not compile.
//!
//! A law panics with the design, the rules and a case that breaks it. Laws over random cases run
//! [`cases_per_law`] of them; a failing case is shrunk before it is printed.

pub mod block;
mod cases;
mod charging;
pub mod describe;
mod listing;
pub mod lru;
pub mod memcg;
mod world;

pub use cases::cases_per_law;

use mm::{BlockIo, Capability, Design, Lru, Memcg};

/// A law, its design erased.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// The capability whose trait it needs.
    pub capability: Capability,
    /// The name of its function.
    pub name: &'static str,
    /// Panics where the law is broken.
    pub check: fn(),
}

impl std::fmt::Display for Law {
    /// `block/segments_bound_the_scatterlist`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.capability, self.name)
    }
}

/// The one list of laws: hands those of a capability to the macro `$then`, which is handed
/// `$with` too.
#[doc(hidden)]
#[macro_export]
macro_rules! laws_of {
    (describe, $then:ident $($with:tt)*) => {
        $crate::$then! { describe Describe [
            every_frame_leads_to_its_allocation
            references_are_counted
            the_last_reference_is_the_last
            what_a_frame_leads_to_is_not_another_frames
        ] $($with)* }
    };
    (block, $then:ident $($with:tt)*) => {
        $crate::$then! { block Block [
            walks_cover_the_same_bytes
            vecs_sum_to_bi_size
            merging_depends_on_order
            chunks_are_added_like_folios
            user_pages_name_the_same_bytes
            split_parts_add_up
            segments_bound_the_scatterlist
            scatterlists_keep_to_the_limits
            recounts_agree_with_the_split
            answers_equal_the_reference
            end_of_io_gives_references_back
            slab_io_is_as_claimed
            worked_cases_come_out
        ] $($with)* }
    };
    (memcg, $then:ident $($with:tt)*) => {
        $crate::$then! { memcg Memcg [
            usage_is_the_sum_of_charges
            owners_are_kept
            statistics_are_sums
            charges_change_no_description
            limits_hold_and_refusals_change_nothing
            the_stock_batches_and_large_charges_bypass_it
            objects_are_charged_by_bytes
            the_root_group_is_not_charged
            the_lock_keeps_the_owner
            concurrent_charges_lose_nothing
        ] $($with)* }
    };
    (lru, $then:ident $($with:tt)*) => {
        $crate::$then! { lru Lru [
            lists_are_queues
            a_pfn_walk_sees_what_is_there
            lists_change_neither_charges_nor_descriptions
            concurrent_isolation_loses_nothing
            walks_and_isolation_at_once_lose_nothing
            a_walk_against_freeing_frees_each_once
            what_drivers_move_is_isolated_too
            a_walk_passes_what_is_frozen_or_not_compound
            a_walk_steps_as_its_kernel_does
            ledgers_come_out
        ] $($with)* }
    };
}

/// The laws of a capability as an array.
#[doc(hidden)]
#[macro_export]
macro_rules! law_array {
    ($capability:ident $word:ident [$($law:ident)+] $design:ty) => {
        [$($crate::laws::Law {
            capability: Capability::$word,
            name: stringify!($law),
            check: $capability::$law::<$design>,
        }),+]
    };
}

/// The laws of describing memory, for one design.
pub const fn describe<D: Design>() -> [Law; 4] {
    laws_of!(describe, law_array D)
}

/// The laws of block IO, for one design.
pub const fn block<D: BlockIo>() -> [Law; 13] {
    laws_of!(block, law_array D)
}

/// The laws of accounting, for one design.
pub const fn memcg<D: Memcg>() -> [Law; 10] {
    laws_of!(memcg, law_array D)
}

/// The laws of reclaim's lists and compaction's walk, for one design.
pub const fn lru<D: Lru>() -> [Law; 10] {
    laws_of!(lru, law_array D)
}
