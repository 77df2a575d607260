//! The clock that rounds are timed with.

use hugemem::process::Clock;

/// The clock: no adjustment of the time of day moves it.
pub const CLOCK: Clock = Clock::MonotonicRaw;
/// Its name in records.
pub const CLOCK_NAME: &str = "CLOCK_MONOTONIC_RAW";
