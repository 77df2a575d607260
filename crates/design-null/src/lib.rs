//! The null design.
