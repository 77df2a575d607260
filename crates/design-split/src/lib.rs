//! The split design.
