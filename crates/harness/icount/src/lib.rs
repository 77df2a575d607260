//! Exact counts of instructions, by callgrind, and of lines of descriptor, by the tracer: of
//! every timed loop, for the gate, and of the operations that stand beside those counted
//! inside real kernels, for fidelity.

#![forbid(unsafe_code)]

pub mod callgrind;
pub mod counts;
pub mod entries;
pub mod flame;
pub mod loop_lines;
pub mod origin;
pub mod primitives;
pub mod profile;
