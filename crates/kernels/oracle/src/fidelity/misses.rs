//! What is out of bounds, and the list of what is known to be.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Fidelity, Pair, Row};

/// What a miss is one of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MissOf {
    /// A primitive that costs more than [`super::MOST`] of the kernel's.
    Above(String),
    /// A primitive below [`super::REASON_BELOW`] without a reason.
    Unexplained(String),
    /// A pair whose ratios are further apart than [`super::MAX_APART`].
    Apart(String),
}

/// Something out of bounds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Miss {
    /// What is, by name.
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
    /// What it is, whatever its cause.
    fn place(&self) -> (&MissOf, &str, u8, &str) {
        (&self.miss, &self.kernel, self.order, &self.class)
    }

    fn of_row(row: &Row, miss: fn(String) -> MissOf) -> Self {
        Self {
            miss: miss(row.primitive.clone()),
            kernel: row.kernel.clone(),
            order: row.order,
            class: row.near.clone().unwrap_or_else(|| row.class.clone()),
            cause: format!("{} against {}: {:.3}", row.model, row.real, row.ratio),
        }
    }

    fn of_pair(pair: &Pair) -> Self {
        Self {
            miss: MissOf::Apart(pair.pair.clone()),
            kernel: pair.kernel.clone(),
            order: pair.order,
            class: String::new(),
            cause: format!(
                "{:.3} against {:.3}: {:.3} apart",
                pair.model_ratio,
                pair.real_ratio,
                pair.apart()
            ),
        }
    }
}

impl Fidelity {
    /// All that is out of bounds; each one's cause is its figures.
    pub fn misses(&self) -> impl Iterator<Item = Miss> {
        let above = self.above().map(|row| Miss::of_row(row, MissOf::Above));
        let unexplained = self
            .unexplained()
            .map(|row| Miss::of_row(row, MissOf::Unexplained));
        above
            .chain(unexplained)
            .chain(self.apart().map(Miss::of_pair))
    }

    /// What is out of bounds and not known to be.
    pub fn unknown_misses(&self) -> Vec<Miss> {
        self.misses()
            .filter(|miss| !self.known.iter().any(|known| known.place() == miss.place()))
            .collect()
    }

    /// What is said to be out of bounds and is not, or not any more.
    pub fn outdated_misses(&self) -> Vec<&Miss> {
        let misses: Vec<Miss> = self.misses().collect();
        self.known
            .iter()
            .filter(|known| !misses.iter().any(|miss| miss.place() == known.place()))
            .collect()
    }
}
