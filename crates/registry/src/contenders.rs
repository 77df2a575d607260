//! The one list of designs.

use design::{Linux5_0, Linux5_10, Linux6_12, Record, Version};

use crate::table::{self, Stamped};

/// What is known of a design without running it.
#[derive(Debug)]
pub struct DesignInfo {
    /// The name on the command line and in records.
    pub name: &'static str,
    /// The idea in one line.
    pub idea: &'static str,
    /// Whether it is the harness floor: it does no work, and its checksums mean nothing.
    pub is_floor: bool,
    /// The descriptors it keeps.
    pub records: &'static [Record],
    /// The crate it lives in, as `cargo metadata` spells it.
    pub package: &'static str,
    /// The kernel whose rules it follows unless asked otherwise.
    pub rules: Version,
}

/// A design under the rules of one kernel, with its loops.
pub(crate) struct Contender {
    pub info: DesignInfo,
    /// One table for each capability it has.
    pub loops: &'static [&'static [Stamped]],
    /// Why the loops of other capabilities are missing.
    pub lacks: &'static str,
}

/// One line for a design and a kernel: its crate, its type, the rules, its capabilities, and
/// why it lacks the others. The first line of a design has its default rules.
macro_rules! contenders {
    ($($package:literal $design:ty, $rules:ty: $($capability:ident)+ $(, $lacks:literal)?;)+) => {
        /// Every design, in the order of tables and figures.
        pub(crate) static CONTENDERS: &[Contender] = &[$(
            Contender {
                info: DesignInfo {
                    name: <$design as design::Design>::NAME,
                    idea: <$design as design::Design>::IDEA,
                    is_floor: <$design as design::Design>::IS_FLOOR,
                    records: <$design as design::Design>::RECORDS,
                    package: $package,
                    rules: <$rules as design::Rules>::VERSION,
                },
                loops: &[$(const { &table::$capability::<$design, $rules>() }),+],
                lacks: concat!("" $(, $lacks)?),
            },
        )+];
    };
}

contenders! {
    "design-flat" design_flat::Flat, Linux6_12: describe block memcg lru;
    "design-flat" design_flat::Flat, Linux5_10: block memcg;
    "design-flat" design_flat::FlatSinglePage, Linux5_0: block,
        "differs from flat in its bio_vecs only";
    "design-folio" design_folio::FolioForAll, Linux6_12: describe block memcg lru;
    "design-split" design_split::Split, Linux6_12: describe block memcg lru;
    "design-headpage" design_headpage::HeadPage, Linux6_12: describe block memcg lru;
    "design-headpage" design_headpage::HeadPageUnchecked, Linux6_12: describe block memcg lru;
    "design-null" design_null::Null, Linux6_12: describe block memcg lru;
}
