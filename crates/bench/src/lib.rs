//! The bench targets' ground: the operations that stand beside those counted inside real
//! kernels, and counts of instructions by callgrind.

#![forbid(unsafe_code)]

pub mod callgrind;
pub mod entries;
pub mod primitives;
