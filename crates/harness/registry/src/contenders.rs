//! The one list of designs.

use mm::{Descriptor, KernelVersion, Linux5_0, Linux5_10, Linux6_12};

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
    pub records: &'static [Descriptor],
    /// The crate it lives in, as `cargo metadata` spells it.
    pub package: &'static str,
    /// The kernel whose rules it follows unless asked otherwise.
    pub rules: KernelVersion,
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
                    name: <$design as mm::Design>::NAME,
                    idea: <$design as mm::Design>::IDEA,
                    is_floor: <$design as mm::Design>::IS_FLOOR,
                    records: <$design as mm::Design>::DESCRIPTORS,
                    package: $package,
                    rules: <$rules as mm::KernelRules>::VERSION,
                },
                loops: &[$(const { &table::$capability::<$design, $rules>() }),+],
                lacks: concat!("" $(, $lacks)?),
            },
        )+];
    };
}

contenders! {
    "flat" flat::Flat, Linux6_12: describe block memcg lru;
    "flat" flat::Flat, Linux5_10: block memcg;
    "flat" flat::FlatSinglePage, Linux5_0: block,
        "differs from flat in its bio_vecs only";
    "folio" folio::FolioForAll, Linux6_12: describe block memcg lru;
    "split" split::Split, Linux6_12: describe block memcg lru;
    "headpage" headpage::HeadPage, Linux6_12: describe block memcg lru;
    "headpage" headpage::HeadPageUnchecked, Linux6_12: describe block memcg lru;
    "null" null::Null, Linux6_12: describe block memcg lru;
}
