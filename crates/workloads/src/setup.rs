//! The setup of a workload, and the reasons why it can fail.

use hugemem::Backing;
use mm::BuildError;
use physmem::{Kind, Order};

use crate::{Param, Params};

/// The setup of a workload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    /// Parameters, completed by [`Workload::complete`](crate::Workload::complete).
    pub params: Params,
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// The memory that descriptors lie on.
    pub backing: Backing,
    /// Shifts descriptors in their array and data on the heap, so that processes differ
    /// in their memory layout: the number of the process will do.
    pub arena_shift: u64,
}

/// Why a job could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The design lacks what is asked for: a dash, with this reason, not an error.
    #[error("{0}")]
    Absent(String),
    /// A parameter that the workload does not know, or a value that it does not take.
    #[error("parameter {0}")]
    Param(String),
    /// The design could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// No memory for what is not a descriptor.
    #[error(transparent)]
    Memory(#[from] hugemem::Error),
    /// The design did not do what setting up needs: it is wrong.
    #[error("the design is wrong: {0}")]
    Wrong(String),
}

impl Setup {
    /// A number.
    ///
    /// # Errors
    /// [`SetupError::Param`] if it is not set, or a word.
    pub fn number(&self, name: &str) -> Result<u64, SetupError> {
        match self.params.get(name) {
            Some(Param::Number(n)) => Ok(*n),
            Some(Param::Text(text)) => Err(SetupError::Param(format!(
                "{name}={text}: expected a number"
            ))),
            None => Err(SetupError::Param(format!("{name}: it is not set"))),
        }
    }

    /// A word; a number as its digits.
    ///
    /// # Errors
    /// [`SetupError::Param`] if it is not set.
    pub fn word(&self, name: &str) -> Result<String, SetupError> {
        self.params
            .get(name)
            .map(ToString::to_string)
            .ok_or_else(|| SetupError::Param(format!("{name}: it is not set")))
    }

    /// The parameter `order`.
    pub(crate) fn order(&self) -> Result<Order, SetupError> {
        Order::try_from(self.number("order")?).map_err(|e| SetupError::Param(format!("order: {e}")))
    }

    /// The parameter `kind`.
    pub(crate) fn kind(&self) -> Result<Kind, SetupError> {
        self.word("kind")?
            .parse()
            .map_err(|e| SetupError::Param(format!("kind: {e}")))
    }

    /// The memory that descriptors lie on is the design's; this is how far its first
    /// allocation of `order` is moved, in allocations.
    pub(crate) fn shift(&self) -> u64 {
        self.arena_shift % 7
    }
}
