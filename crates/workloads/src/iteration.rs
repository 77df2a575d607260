//! Walks: over a bio in three granularities, over page frames, over LRU lists.

pub mod bvecs;
pub mod chunks;
pub mod end_io;
pub mod lru_scan;
pub mod pfn_scan;
pub mod segments;

use crate::fixture::Fixture;
use crate::{Setup, SetupError};

/// Every byte of every IO is visited once, in order.
pub(crate) fn every_byte(setup: &Setup) -> Result<u64, SetupError> {
    Ok(Fixture::shared(setup)?.digest())
}
