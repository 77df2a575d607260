//! Records of the models beside the kernels: counts, reasons, what is known to be out of
//! bounds.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::State;

/// The instructions of a model's primitive, counted by callgrind.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCount {
    /// The primitive, named as on the kernel's side.
    pub primitive: String,
    /// The design.
    pub design: String,
    /// The kernel whose rules it followed: `6.12`.
    pub kernel: String,
    /// Order of the allocation.
    pub order: u8,
    /// The state of the call; `all` where there is only one.
    #[serde(rename = "class")]
    pub state: State,
    /// Instructions. Walks include their loop, as on the kernel's side; `bio_add_page` is
    /// without its caller's on both.
    pub instructions: u64,
}

/// Why a ratio of model and kernel is as it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The primitive.
    pub primitive: String,
    /// The kernel; every one where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// The kernel code responsible, by name.
    pub reason: String,
}

/// The bound that is missed, and by which primitive or pair.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MissOf {
    /// A primitive that costs more than a model may.
    Above(String),
    /// A primitive that costs far less, without a reason.
    Unexplained(String),
    /// A pair whose ratios are too far apart.
    Apart(String),
}

/// Something out of bounds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Miss {
    /// The bound and the name.
    pub miss: MissOf,
    /// The kernel, or both of a pair.
    pub kernel: String,
    /// Order of the allocation.
    pub order: u8,
    /// The state of a primitive; empty for a pair.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// Why it is, as far as is known.
    pub cause: String,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, name) = match &self.miss {
            MissOf::Above(name) => ("costs too much", name),
            MissOf::Unexplained(name) => ("costs less without a reason", name),
            MissOf::Apart(name) => ("ratios too far apart", name),
        };
        let (kernel, order, class, cause) = (&self.kernel, self.order, &self.class, &self.cause);
        let space = if class.is_empty() { "" } else { " " };
        write!(
            f,
            "{name} order {order}{space}{class}, {kernel}: {what}: {cause}"
        )
    }
}

impl Miss {
    /// Returns what it is, whatever its cause.
    #[must_use]
    pub fn place(&self) -> (&MissOf, &str, u8, &str) {
        (&self.miss, &self.kernel, self.order, &self.class)
    }
}
