//! Making, finding and paying for allocations.

pub mod compose;
pub mod footprint;
pub mod lookup;
