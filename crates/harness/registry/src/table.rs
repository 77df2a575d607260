//! Loops stamped out for a design: one table for each capability.
//!
//! A capability that a design lacks does not compile here, so a design's line in the list
//! cannot promise what the design does not have.
//!
//! Public for the macro that lines are made with, and not part of the interface.

use mm::{BlockIo, Design, KernelRules, Lru, Memcg};
use workloads::{Setup, SetupError, Then, Workload, accounting, code, iteration, layout, merging};

/// How a workload is entered, its design erased.
#[derive(Clone, Copy, Debug)]
pub enum Stamp {
    /// Sets up a job and hands it on; and where its loops are.
    Timed(
        fn(&Setup, Then<'_>) -> Result<(), SetupError>,
        fn() -> Vec<usize>,
    ),
    /// Works out a number.
    Value(fn(&Setup) -> Result<f64, SetupError>),
    /// Reads the size of the loops in the running executable.
    Code,
}

/// A workload and its stamp.
pub type Stamped = (&'static Workload, Stamp);

macro_rules! stamped {
    ($design:ident, $rules:ident: $($family:ident :: $name:ident),+ $(,)?) => {
        [$((&$family::$name::WORKLOAD, Stamp::Timed($family::$name::enter::<$design, $rules>, $family::$name::loops::<$design, $rules>))),+]
    };
}

/// Workloads that need nothing but a description of memory.
pub const fn describe<D: Design, V: KernelRules>() -> [Stamped; 4] {
    [
        (
            &layout::compose::WORKLOAD,
            Stamp::Timed(
                layout::compose::enter::<D, V>,
                layout::compose::loops::<D, V>,
            ),
        ),
        (
            &layout::lookup::WORKLOAD,
            Stamp::Timed(layout::lookup::enter::<D, V>, layout::lookup::loops::<D, V>),
        ),
        (
            &layout::footprint::WORKLOAD,
            Stamp::Value(layout::footprint::value::<D, V>),
        ),
        (&code::size::WORKLOAD, Stamp::Code),
    ]
}

/// Workloads that need bios.
pub const fn block<D: BlockIo, V: KernelRules>() -> [Stamped; 9] {
    stamped!(D, V: iteration::segments, iteration::bvecs, iteration::chunks, iteration::end_io,
        merging::add, merging::map_sg, merging::count_segments, merging::split, merging::slab_io)
}

/// Workloads that need accounting.
pub const fn memcg<D, V: KernelRules>() -> [Stamped; 6]
where
    D: Memcg + 'static,
    for<'a> D::Unit<'a>: Send + Sync,
{
    stamped!(D, V: accounting::charge, accounting::uncharge, accounting::stat, accounting::lock,
        accounting::contention, code::dispatch)
}

/// Workloads that need LRU lists.
pub const fn lru<D: Lru, V: KernelRules>() -> [Stamped; 2] {
    stamped!(D, V: iteration::pfn_scan, iteration::lru_scan)
}
