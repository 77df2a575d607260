//! Exact counts of instructions, by callgrind: of every timed loop, for the gate, and of the
//! operations that stand beside those counted inside real kernels, for fidelity.

#![forbid(unsafe_code)]

pub mod callgrind;
pub mod counts;
pub mod entries;
pub mod flame;
pub mod origin;
pub mod primitives;
pub mod profile;
