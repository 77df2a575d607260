//! Laws: what every design must do, as public generic functions, and the macro that stamps
//! them as named tests.
//!
//! A design's own crate has one line in its tests:
//!
//! ```ignore
//! conformance::conformance!(flat::Flat, describe, block, accounting, lru);
//! ```
//!
//! Each word is a capability, a module here and a module of tests there. A capability that a
//! design lacks is left out; one that it claims and does not have does not compile.
//!
//! A law panics with the design, the rules and a case that breaks it. Laws over random cases
//! run [`cases_per_law`] of them; a failing case is made small before it is printed.

pub mod accounting;
pub mod block;
mod cases;
pub mod describe;
pub mod lru;
mod operate;
mod world;

pub use cases::cases_per_law;

/// Stamps the laws of the named capabilities as tests of a design: one `#[test]` per law,
/// in a module per capability.
#[macro_export]
macro_rules! conformance {
    ($design:ty, $($capability:ident),+ $(,)?) => {
        $($crate::laws_of!($capability, $design);)+
    };
}

/// One module of tests: the laws of one capability for one design.
#[doc(hidden)]
#[macro_export]
macro_rules! laws_of {
    (block, $design:ty) => {
        $crate::stamp_laws!(
            block,
            $design,
            walks_cover_the_same_bytes,
            vecs_sum_to_bi_size,
            merging_depends_on_order,
            chunks_are_added_like_folios,
            split_parts_add_up,
            segments_bound_the_scatterlist,
            scatterlists_keep_to_the_limits,
            recounts_agree_with_the_split,
            answers_equal_the_reference,
            end_of_io_gives_references_back,
            slab_io_is_as_claimed,
            worked_cases_come_out,
        );
    };
    (describe, $design:ty) => {
        $crate::stamp_laws!(
            describe,
            $design,
            every_frame_leads_to_its_allocation,
            references_are_counted,
            the_last_reference_is_the_last,
        );
    };
    (accounting, $design:ty) => {
        $crate::stamp_laws!(
            accounting,
            $design,
            usage_is_the_sum_of_charges,
            owners_are_kept,
            statistics_are_sums,
            limits_hold_and_refusals_change_nothing,
            the_stock_batches_and_large_charges_bypass_it,
            the_root_group_is_not_charged,
            the_lock_keeps_the_owner,
            concurrent_charges_lose_nothing,
        );
    };
    (lru, $design:ty) => {
        $crate::stamp_laws!(
            lru,
            $design,
            lists_are_queues,
            a_pfn_walk_sees_what_is_there,
            concurrent_isolation_loses_nothing,
        );
    };
}

/// A module with one `#[test]` per law, each named for its law.
#[doc(hidden)]
#[macro_export]
macro_rules! stamp_laws {
    ($capability:ident, $design:ty, $($law:ident),+ $(,)?) => {
        mod $capability {
            #[allow(unused_imports, reason = "the design may be named relative to the test file")]
            use super::*;
            $(
                #[test]
                fn $law() {
                    $crate::laws::$capability::$law::<$design>();
                }
            )+
        }
    };
}
