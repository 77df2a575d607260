//! The traits that every design implements, the vocabulary they share, and the
//! descriptor slots they are built from.

mod rules;

pub use rules::{QueueLimits, SECTOR_SIZE, Version};
