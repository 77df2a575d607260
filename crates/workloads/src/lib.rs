//! Workloads: one question each, put to every design that has the capability.
//!
//! A workload is a loop that is generic over one capability and knows no design, together
//! with what it asks, what each side of the debate predicted, and what is unfair about it
//! ([`Workload`]). `enter` builds a design on its own stack, populates everything, and hands
//! the prepared [`Job`] on: references borrow the design, so a job cannot be returned, and
//! entering several designs, one inside the other, keeps all of them resident at once.
//!
//! Every timed loop is a function of its own that is never inlined and whose name begins
//! with `entry`: `workloads::iteration::segments::entry::<flat::Flat>`. Exactly that is
//! counted by the gate and disassembled. Types are erased around it, once per run. What an
//! entry repeats, where a real kernel's twin of it is counted, is a function of [`bodies`].
#![forbid(unsafe_code)]

pub mod accounting;
pub mod bodies;
mod checksum;
pub mod code;
mod fixture;
pub mod iteration;
mod job;
pub mod kernel;
pub mod layout;
pub mod merging;
pub mod params;
pub mod plan;
mod setup;
mod workload;

pub use ::params::{Param, Params};
pub use fixture::{BASE, Fixture, IoRange};
pub use job::{Job, LinearRead, MemoryOf, Outside, Then};
pub use setup::{Setup, SetupError};
pub use workload::{MakeFixture, Quantity, Workload};

/// Every workload that designs answer, in the order of reports.
pub static ALL: [&Workload; 21] = [
    &iteration::segments::WORKLOAD,
    &iteration::bvecs::WORKLOAD,
    &iteration::chunks::WORKLOAD,
    &iteration::end_io::WORKLOAD,
    &iteration::pfn_scan::WORKLOAD,
    &iteration::lru_scan::WORKLOAD,
    &merging::add::WORKLOAD,
    &merging::map_sg::WORKLOAD,
    &merging::count_segments::WORKLOAD,
    &merging::split::WORKLOAD,
    &merging::slab_io::WORKLOAD,
    &accounting::charge::WORKLOAD,
    &accounting::uncharge::WORKLOAD,
    &accounting::stat::WORKLOAD,
    &accounting::lock::WORKLOAD,
    &accounting::contention::WORKLOAD,
    &layout::compose::WORKLOAD,
    &layout::lookup::WORKLOAD,
    &layout::footprint::WORKLOAD,
    &code::dispatch::WORKLOAD,
    &code::size::WORKLOAD,
];

/// Every workload: those of designs, then those that only kernels answer.
pub fn every() -> impl Iterator<Item = &'static Workload> {
    ALL.into_iter().chain(kernel::ALL)
}

/// The workload with this id.
pub fn by_id(id: &str) -> Option<&'static Workload> {
    every().find(|workload| workload.id == id)
}
