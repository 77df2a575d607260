//! Clock, interleaving, sampling and environment: how a time comes about.
//!
//! A run is a list of [`plan::Cell`]s, made by [`select::cells`]. [`session::run`] has
//! them measured by fresh processes that each call [`worker::serve`], and appends what
//! they say to the record. Inside a process, [`sampling::sample`] interleaves the designs
//! of one cell in rounds of random order, the reference twice.
#![forbid(unsafe_code)]

mod bandwidth;
mod cell;
mod child;
mod evidence;
pub mod machine;
pub mod plan;
pub mod pmu;
mod resume;
mod row;
pub mod sampling;
pub mod select;
pub mod session;
mod slow;
pub mod worker;
mod yardstick;

pub use bandwidth::Speed;
pub use cell::check;
pub use resume::{NOT_MEASURED, resumable};
