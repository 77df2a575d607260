//! The headpage design.
