//! Clock, interleaving, sampling and environment: how a time comes about.
//!
//! A [`plan::Plan`] says what was asked for, and its [`cells`](plan::Plan::cells) what is measured
//! for it. [`session::run`] has them measured by fresh processes that each call [`worker::serve`],
//! and appends what they say to the record. Inside a process, [`sampling::sample`] interleaves the
//! designs of one cell in rounds of random order, the reference twice.
#![forbid(unsafe_code)]

pub mod assignment;
mod bandwidth;
pub mod budget;
pub mod burning;
mod cell;
mod child;
pub mod clock;
mod evidence;
mod kernel;
pub mod lockstep;
pub mod machine;
pub mod plan;
pub mod pmu;
mod resume;
mod row;
pub mod sampling;
pub mod session;
mod slow;
mod steps;
pub mod worker;
mod yardstick;

pub use bandwidth::Speed;
pub use cell::check;
pub use kernel::Kernels;
pub use resume::{DIED, NOT_MEASURED, resumable};
pub use steps::{Stepped, step};
