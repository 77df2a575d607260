//! The clock that rounds are timed with.

use std::time::Duration;

use hugemem::process::Clock;

/// The clock: no adjustment of the time of day moves it.
pub const CLOCK: Clock = Clock::MonotonicRaw;
/// Its name in records.
pub const CLOCK_NAME: &str = "CLOCK_MONOTONIC_RAW";

/// A duration as messages and rounds have it.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
