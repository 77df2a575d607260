//! Builds in lock-step: one process of the new build and two of the old one take turns of a
//! tenth of a millisecond on one CPU, driven by a parent that may be any build.
//!
//! A disturbance that lasts longer than a turn hits all three alike. The second old process gives a
//! row without any real difference in the same session: what the method calls different there is a
//! false alarm. The three take turns on the same memory as well, since where a process's pages lie
//! is a larger difference than many a change of code.
//!
//! [`protocol`] is what parent and processes say to each other, a JSON line each; [`serve`] is a
//! process's side, [`session`] the parent's.

mod peer;
pub mod protocol;
mod serve;
pub mod session;

pub use serve::serve;
