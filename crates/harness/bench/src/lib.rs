//! The bench targets' ground: the operations that stand beside those counted inside real
//! kernels, and counts of instructions by callgrind.

#![forbid(unsafe_code)]

pub mod callgrind;
pub mod counts;
pub mod entries;
pub mod flame;
pub mod origin;
pub mod primitives;
pub mod profile;
