//! The commands, one module each.

pub(crate) mod capture;
pub(crate) mod cases;
pub(crate) mod census;
pub(crate) mod claims;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod export;
pub(crate) mod fidelity;
pub(crate) mod gate;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod kernel;
pub(crate) mod kernel_build;
pub(crate) mod kernel_check;
pub(crate) mod kernel_history;
pub(crate) mod list;
pub(crate) mod lockstep;
pub(crate) mod measure;
pub(crate) mod merge;
pub(crate) mod plot;
pub(crate) mod post;
pub(crate) mod report;
pub(crate) mod resolution;
pub(crate) mod verify;
pub(crate) mod worker;
