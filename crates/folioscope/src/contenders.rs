//! The designs as types, for what cannot go through the registry's erased entries: laws
//! and case files are generic over a design.

use conformance::case::{Answer, Case};
use conformance::evaluate::{EvaluateError, evaluate};
use conformance::laws::{accounting, block, describe, lru};
use mm::{BlockIo, Design, KernelVersion};

/// A law: its capability, its name, the check. It panics where the law is broken.
pub(crate) type Law = (&'static str, &'static str, fn());

/// One design, its type erased.
pub(crate) struct Contender {
    /// Its name, as the registry has it.
    pub name: &'static str,
    /// Every law that it is held to.
    pub laws: fn() -> Vec<Law>,
    /// Whether a bio_vec ends with its page, as before v5.1: then only the rules of 5.0
    /// apply to it, and to no other design.
    single_page_vecs: bool,
    /// What it makes of a case.
    pub evaluate: fn(&Case) -> Result<Answer, EvaluateError>,
    /// The same for the referee: `None` where it does not claim to know.
    pub answer: fn(&Case) -> Option<Answer>,
}

/// The laws of the named capabilities, for one design.
macro_rules! laws {
    ($design:ty: $($capability:ident)+) => {
        || {
            let mut laws: Vec<Law> = Vec::new();
            $(laws.extend(laws!(@$capability $design));)+
            laws
        }
    };
    (@describe $design:ty) => {
        laws!(@list describe $design: every_frame_leads_to_its_allocation, references_are_counted,
            the_last_reference_is_the_last)
    };
    (@block $design:ty) => {
        laws!(@list block $design: walks_cover_the_same_bytes, vecs_sum_to_bi_size,
            merging_depends_on_order, chunks_are_added_like_folios, split_parts_add_up,
            segments_bound_the_scatterlist, scatterlists_keep_to_the_limits,
            recounts_agree_with_the_split, answers_equal_the_reference,
            end_of_io_gives_references_back, slab_io_is_as_claimed, worked_cases_come_out)
    };
    (@accounting $design:ty) => {
        laws!(@list accounting $design: usage_is_the_sum_of_charges, owners_are_kept,
            statistics_are_sums, limits_hold_and_refusals_change_nothing,
            the_stock_batches_and_large_charges_bypass_it, the_root_group_is_not_charged,
            the_lock_keeps_the_owner, concurrent_charges_lose_nothing)
    };
    (@lru $design:ty) => {
        laws!(@list lru $design: lists_are_queues, a_pfn_walk_sees_what_is_there,
            concurrent_isolation_loses_nothing)
    };
    (@list $capability:ident $design:ty: $($law:ident),+) => {
        [$((stringify!($capability), stringify!($law), $capability::$law::<$design> as fn())),+]
    };
}

macro_rules! contender {
    ($design:ty: $($capability:ident)+) => {
        Contender {
            name: <$design as Design>::NAME,
            laws: laws!($design: $($capability)+),
            single_page_vecs: <$design as BlockIo>::SINGLE_PAGE_VECS,
            evaluate: evaluate::<$design>,
            answer: oracle::answer_of::<$design>,
        }
    };
}

impl Contender {
    /// Whether it is run under the rules of the case.
    pub(crate) fn supports(&self, case: &Case) -> bool {
        (case.rules == KernelVersion::V5_0) == self.single_page_vecs
    }
}

/// Every design but the harness floor, which does no work and keeps no law.
pub(crate) static ALL: [Contender; 6] = [
    contender!(flat::Flat: describe block accounting lru),
    contender!(flat::FlatSinglePage: block),
    contender!(folio::FolioForAll: describe block accounting lru),
    contender!(split::Split: describe block accounting lru),
    contender!(headpage::HeadPage: describe block accounting lru),
    contender!(headpage::HeadPageUnchecked: describe block accounting lru),
];

/// The design of this name.
pub(crate) fn by_name(name: &str) -> Option<&'static Contender> {
    ALL.iter().find(|contender| contender.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registered_design_that_works_is_held_to_the_laws() {
        let registered = registry::designs()
            .iter()
            .filter(|design| !design.is_floor)
            .map(|design| design.name);
        assert!(registered.eq(ALL.iter().map(|contender| contender.name)));
    }
}
