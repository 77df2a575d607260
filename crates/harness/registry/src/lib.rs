//! The list of contenders, and every workload stamped out for every one of them.
//!
//! Types end here: an [`Entry`] is a function pointer to a loop that was made for one
//! design. `measure` calls it once per run and knows neither the design's type nor the
//! workload's. A new design is one line in `contenders.rs`.
//!
//! * [`contenders()`], [`workloads()`], [`entries`]: what there is.
//! * [`contender()`], [`workload`], [`workloads_matching`], [`entry`]: by name, with the near
//!   matches where there is none.
//! * [`also`]: contenders that live elsewhere.
//! * [`looks`]: how each contender is drawn.
//! * [`held`]: the laws of each contender, and how it answers cases.
//! * [`enter_all`]: several designs set up at once, so that they can be interleaved.
//! * [`plan`]: the rows that run by default.
#![forbid(unsafe_code)]

#[macro_use]
mod contender;
mod contenders;
mod entries;
mod find;
mod plan;
mod resident;
mod symbols;
#[doc(hidden)]
pub mod table;

pub use contender::{Cases, Contender, Held, Kind};
pub use contenders::BY_UNIT;
pub use entries::{
    AlsoError, Enter, Entry, also, contenders, entries, entry, held, looks, workloads,
};
pub use find::{Unknown, contender, workload, workloads_matching};
pub use plan::{Planned, kernel_plan, plan};
pub use resident::{Request, Resident, enter_all};
pub use symbols::{CodeError, EntryCode, entry_codes, entry_codes_in, is_followed};
pub use workloads::{
    Job, LinearRead, MemoryOf, Param, Params, Quantity, Setup, SetupError, Workload,
};

/// Names that the macro [`contenders!`] uses.
#[doc(hidden)]
pub mod line {
    pub use conformance::laws;
    pub use conformance::ledger::evaluate as ledger;
    pub use results::look::{Dash, Look, Marker, palette};

    pub use mm::{
        Design, KernelRules, Linux5_0, Linux5_10, Linux6_1, Linux6_12, Linux7_1, Linux7_2,
    };

    pub use crate::contender::Run;
}
