//! The protocol between a parent and its processes in lock-step: one JSON object a line.
//!
//! Builds of different revisions speak it with one another: a change of these types is a new
//! [`VERSION`].

use std::path::PathBuf;

use hugemem::Backing;
use results::{Git, Params, Status};
use serde::{Deserialize, Serialize};

/// The version of these types.
pub const VERSION: u32 = 1;

/// The greeting of a process: the build that it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`] of its build.
    pub lockstep: u32,
    /// The revision of its sources.
    pub git: Option<Git>,
    /// Its compiler.
    pub rustc: String,
    /// Its target.
    pub target: String,
    /// `optimised` or `debug`.
    pub profile: String,
}

/// A loop to be set up.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Identifier of the workload.
    pub workload: String,
    /// Name of the design.
    pub design: String,
    /// Parameters, complete.
    pub params: Params,
    /// The backing of its descriptors.
    pub backing: Backing,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// Shift of its memory: the same for all that are compared.
    pub arena_shift: u64,
    /// Memory to borrow, where it is lent.
    pub memory: Option<PathBuf>,
    /// Nanoseconds that a turn should take.
    pub turn_ns: u64,
    /// Percent by which it is slowed down.
    pub burn_percent: f64,
}

/// A request of the parent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Set this up.
    Enter(Box<Task>),
    /// Take a turn of this many calls.
    Turn(u64),
    /// Tear it down.
    Leave,
}

/// An answer of a process.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is set up.
    Ready {
        /// Calls that fill a turn.
        iters: u64,
        /// Elements of one call.
        elements: u64,
        /// The checksum of one call.
        checksum: u64,
        /// Memory that its descriptors lie on.
        memory: String,
    },
    /// The turn took this many nanoseconds.
    Took(u64),
    /// It is torn down.
    Left,
    /// It could not be done: nothing is set up now.
    No(Status),
}
