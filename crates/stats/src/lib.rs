//! Medians, bootstrap intervals, noise floors: pure functions over samples.
