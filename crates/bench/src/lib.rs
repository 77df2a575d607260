//! Criterion and iai-callgrind bench targets.
