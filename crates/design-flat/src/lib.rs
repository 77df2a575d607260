//! The flat design.
