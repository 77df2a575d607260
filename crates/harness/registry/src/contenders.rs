//! The one list of contenders, in the order of tables and figures.
//!
//! A line has
//!
//! * what it is: a `model`, or the `floor` of the harness, which no law holds for;
//! * its type, as `package::Type` (a crate in `crates/designs`);
//! * the kernels whose rules it is run under, its own first, each with the capabilities whose
//!   loops are stamped out for it: a capability that the type lacks does not compile;
//! * how it is drawn: `drawn LETTER COLOUR MARKER DASH`, all but the dash its own, and
//!   `as "SHORT"` where nine characters of its name say too little. A look that was published
//!   stays as it is: readers compare figures of different years;
//! * `order-invariant LOOPS`: the workloads whose cost for one allocation does not depend on
//!   its order, to which the gate holds it;
//! * `variant of "NAME"`: a design that keeps the very same descriptors. Rows that ask for
//!   descriptors only are not put to both;
//! * `refereed by "KERNEL"`: the real kernel, by its name as a contender, whose answer to the
//!   debate it models: it is held to that kernel's times. One with a patch of ours
//!   (`crates/kernels/patches`) is meant where no release gave that answer. `and with
//!   PARAMETER=VALUE by "KERNEL"`: the same for its rows with that parameter, which such a kernel
//!   answers in the row without it;
//! * `lacks "WHY"`: why it lacks capabilities that it could have.
//!
//! Everything that iterates over designs iterates over this list: the laws that `folioscope
//! verify` runs, `folioscope kernel check`, the workloads, the plan, the gate, the
//! callgrind bench, the check of machine code for panics, the study of sensitivity, and the
//! figures.

/// Workloads in which a design that has a step of its own takes one for an allocation of
/// any order: walking it, and adding it to a bio.
pub const BY_UNIT: &[&str] = &["iteration/chunks", "merging/add"];

/// Hands every line to the macro `$then`.
#[doc(hidden)]
#[macro_export]
macro_rules! lines {
    ($then:ident) => {
        $then! {
            (model flat::Flat: Linux6_12 [describe block memcg lru] Linux5_10 [block memcg] Linux6_1 [memcg], drawn 'f' BLACK Circle Solid, refereed by "linux-5.10")
            (model flat::FlatSinglePage: Linux5_0 [block], drawn 'p' SKY Ring Dashed, variant of "flat", refereed by "linux-5.10+single-page", lacks "differs from flat in its bio_vecs only")
            (model folio::FolioForAll: Linux6_12 [describe block memcg lru] Linux6_1 [memcg], drawn 'o' BLUE Square Solid, order-invariant BY_UNIT, refereed by "linux-6.12" and with merge=no by "linux-6.12+no-merge")
            (model split::Split: Linux6_12 [describe block memcg lru] Linux6_1 [memcg], drawn 's' LIME Hourglass Solid, order-invariant BY_UNIT)
            (model memdesc::MemDesc: Linux6_12 [describe block memcg lru] Linux6_1 [memcg], drawn 'm' VERMILION Up Solid, order-invariant BY_UNIT)
            (model headpage::HeadPage: Linux6_12 [describe block memcg lru] Linux6_1 [memcg], drawn 'h' GREEN Diamond Solid, order-invariant BY_UNIT, refereed by "linux-6.12+headpage+headpage-assert")
            (model headpage::HeadPageUnchecked: Linux6_12 [describe block memcg lru], drawn 'n' PURPLE Kite Dashed as "hp-noass", order-invariant BY_UNIT, variant of "headpage", refereed by "linux-6.12+headpage")
            (model folio_bvec::FolioBvec: Linux6_12 [block], drawn 'b' BROWN Left Solid, order-invariant BY_UNIT, lacks "differs from folio in its bio_vecs only")
            (model folio_bvec::FolioBvecNoSlab: Linux6_12 [block], drawn 'r' ROSE Right Dashed as "no-slab", order-invariant BY_UNIT, variant of "folio-bvec", lacks "differs from folio in its bio_vecs only")
            (model phyr::Phyr: Linux6_12 [block], drawn 'y' ORANGE Star Solid, order-invariant BY_UNIT, lacks "differs from flat in its bio_vecs only")
            (floor null::Null: Linux6_12 [describe block memcg lru] Linux6_1 [memcg], drawn '0' GREY None Dotted)
        }
    };
}

lines!(contenders);
