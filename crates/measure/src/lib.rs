//! Clock, interleaving, sampling and environment: how a time comes about.
#![forbid(unsafe_code)]

pub mod machine;
pub mod pmu;
pub mod sampling;
