//! Ratios out of bounds, and the list of those that are known.

use results::{Miss, MissOf};

use super::{Fidelity, Pair, Row};

fn miss_of_row(row: &Row, miss: fn(String) -> MissOf) -> Miss {
    Miss {
        miss: miss(row.primitive.clone()),
        kernel: row.kernel.clone(),
        order: row.order,
        class: row.near.clone().unwrap_or_else(|| row.class.clone()),
        cause: format!("{} against {}: {:.3}", row.model, row.real, row.ratio),
    }
}

fn miss_of_pair(pair: &Pair) -> Miss {
    Miss {
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

impl Fidelity {
    /// All that is out of bounds; each one's cause is its figures.
    pub fn misses(&self) -> impl Iterator<Item = Miss> {
        let above = self.above().map(|row| miss_of_row(row, MissOf::Above));
        let unexplained = self
            .unexplained()
            .map(|row| miss_of_row(row, MissOf::Unexplained));
        above
            .chain(unexplained)
            .chain(self.apart().map(miss_of_pair))
    }

    /// Ratios that are out of bounds and not in the list.
    pub fn unknown_misses(&self) -> Vec<Miss> {
        self.misses()
            .filter(|miss| !self.known.iter().any(|known| known.place() == miss.place()))
            .collect()
    }

    /// Returns the listed misses that are within bounds, or not measured any more.
    pub fn outdated_misses(&self) -> Vec<&Miss> {
        let misses: Vec<Miss> = self.misses().collect();
        self.known
            .iter()
            .filter(|known| !misses.iter().any(|miss| miss.place() == known.place()))
            .collect()
    }
}
