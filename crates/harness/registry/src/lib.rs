//! The list of designs, and every workload stamped out for every one of them.
//!
//! Types end here: an [`Entry`] is a function pointer to a loop that was made for one
//! design. Who measures calls it once per run and knows neither the design's type nor the
//! workload's. A new design is one line in `contenders.rs`.
//!
//! * [`designs`], [`workloads()`], [`entries`]: what there is.
//! * [`design()`], [`workload`], [`workloads_matching`], [`entry`]: by name, with the near
//!   matches where there is none.
//! * [`enter_all`]: several designs set up at once, so that they can be interleaved.
//! * [`plan`]: what is run when nobody says otherwise.
#![forbid(unsafe_code)]

mod contenders;
mod entries;
mod find;
mod plan;
mod resident;
mod symbols;
mod table;

pub use contenders::DesignInfo;
pub use entries::{Enter, Entry, designs, entries, entry, workloads};
pub use find::{Unknown, design, workload, workloads_matching};
pub use plan::{Planned, plan};
pub use resident::{Request, Resident, enter_all};
pub use symbols::{CodeError, EntryCode, entry_codes};
pub use workloads::{
    Job, LinearRead, MemoryOf, Param, Params, Quantity, Setup, SetupError, Workload,
};
