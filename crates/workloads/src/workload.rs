//! The description of a workload.

use mm::Capability;

use crate::params::{self, ParamSpec};
use crate::{Fixture, Params, Setup, SetupError};

/// A question put to every design that has the capability.
#[derive(Debug)]
pub struct Workload {
    /// The id, `family/name`, stable for ever.
    pub id: &'static str,
    /// The capability that a design needs.
    pub capability: Capability,
    /// The question, in one line.
    pub asks: &'static str,
    /// The measurement, the predictions of each side of the debate, and the reasons.
    pub analysis: &'static str,
    /// The design that it favours.
    pub favours: &'static str,
    /// The unfairness that is known.
    pub unfair: &'static str,
    /// The element that is counted: `page`, `allocation`.
    pub unit: &'static str,
    /// The parameter on the x axis; empty for none.
    pub axis: &'static str,
    /// The parameters that it takes.
    pub params: &'static [ParamSpec],
    /// The memory that it works on and the IOs over it, for a kernel that is to do the same;
    /// `None` where no single kernel can.
    pub fixture: Option<MakeFixture>,
    /// Whether it is a time or a number.
    pub quantity: Quantity,
}

/// Makes the memory and the IOs that parameters ask for.
pub type MakeFixture = fn(&Setup) -> Result<Fixture, SetupError>;

/// The result of a workload.
#[derive(Clone, Copy, Debug)]
pub enum Quantity {
    /// A time, and a checksum that every design must answer, found without any design.
    Time(fn(&Setup) -> Result<u64, SetupError>),
    /// An exact number.
    Value {
        /// The quantity: `descriptor-bytes`.
        quantity: &'static str,
        /// Its unit: `byte/GiB`.
        unit: &'static str,
        /// Whether less is better.
        less_is_better: bool,
    },
}

impl Workload {
    /// The part of the id before the slash.
    pub fn family(&self) -> &'static str {
        self.id
            .split_once('/')
            .map_or(self.id, |(family, _)| family)
    }

    /// Whether it is timed.
    pub fn is_timed(&self) -> bool {
        matches!(self.quantity, Quantity::Time(_))
    }

    /// Fills in what is not set, and refuses what the workload does not take.
    ///
    /// # Errors
    /// [`SetupError::Param`] names the parameter and what it takes.
    pub fn complete(&self, params: &Params) -> Result<Params, SetupError> {
        params::complete(self.params, params)
    }

    /// The checksum that every design must answer, from a computation that knows none;
    /// `None` for a value.
    ///
    /// # Errors
    /// As setting up a job.
    pub fn expected(&self, setup: &Setup) -> Result<Option<u64>, SetupError> {
        match self.quantity {
            Quantity::Time(expected) => expected(setup).map(Some),
            Quantity::Value { .. } => Ok(None),
        }
    }
}
