//! Reasons why a case cannot be put to a design.

use mm::{BuildError, KernelVersion};
use physmem::Kind;

use super::MAX_FRAMES;

/// Why a case could not be put to a design.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The case's memory is spread over more frames than there can be descriptors for.
    #[error(
        "the case spans {frames} page frames, more than the {MAX_FRAMES} that a design is built over"
    )]
    Spread {
        /// Frames from the first allocation to the last.
        frames: u64,
    },
    /// The design is not run under the rules of the case.
    #[error("{design} is not run under the rules of {version}")]
    Rules {
        /// The design's name.
        design: &'static str,
        /// The kernel of the case.
        version: KernelVersion,
    },
    /// The design has no way to name memory of this kind in a bio.
    #[error("{design} refuses block IO to {kind} memory")]
    Refused {
        /// The design's name.
        design: &'static str,
        /// The use of the memory.
        kind: Kind,
    },
    /// The design's vecs have nothing that could be asked for the page map of memory.
    #[error("{design} cannot tell device memory: its vecs name no page that says its page map")]
    DeviceMemory {
        /// The design's name.
        design: &'static str,
    },
    /// No descriptors.
    #[error(transparent)]
    Build(#[from] BuildError),
}
