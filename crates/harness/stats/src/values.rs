//! The values that a row is estimated from: one per process.

use crate::order::{lowest_third, median};

/// The process values of one row: of a time, a ratio or a bandwidth.
#[derive(Debug, Clone, PartialEq)]
pub struct RowValues {
    /// One positive value per process. A single process stands in with a value for each
    /// of [`PARTS`] interleaved parts of its rounds.
    pub(crate) values: Vec<f64>,
    /// The number of processes behind them.
    pub(crate) processes: usize,
}

/// The parts that a single process is cut into. Their spread is that of its rounds: what
/// another process would have given is not in it.
const PARTS: usize = 3;

impl RowValues {
    /// Returns the values of a time, from one list of rounds per process: the mean of the
    /// lowest third of its rounds. Noise is one-sided, so the fast rounds are those that
    /// show the work. `None` without rounds, and where a value is not positive.
    #[must_use]
    pub fn of_rounds(processes: &[Vec<f64>]) -> Option<Self> {
        let filled: Vec<&[f64]> = processes
            .iter()
            .filter(|rounds| !rounds.is_empty())
            .map(Vec::as_slice)
            .collect();
        Self::new(filled.len(), values(&filled))
    }

    /// Returns the values of the ratio of a design to the reference, in the processes that
    /// have both; processes are matched by position. Rounds are not paired: disturbances
    /// are shorter than the distance between two contenders of a round, so that pairing
    /// adds noise. `None` without a process, and where a value is not positive.
    #[must_use]
    pub fn of_ratios(design: &[Vec<f64>], reference: &[Vec<f64>]) -> Option<Self> {
        let (ours, theirs): (Vec<&[f64]>, Vec<&[f64]>) = design
            .iter()
            .zip(reference)
            .filter(|(ours, theirs)| !ours.is_empty() && !theirs.is_empty())
            .map(|(ours, theirs)| (ours.as_slice(), theirs.as_slice()))
            .unzip();
        let ratios = values(&ours)
            .into_iter()
            .zip(values(&theirs))
            .map(|(a, b)| a / b)
            .collect();
        Self::new(ours.len(), ratios)
    }

    /// Returns the values of a quantity that each process read once, a bandwidth say.
    /// `None` without one, and where one is not positive.
    #[must_use]
    pub fn of_readings(readings: &[f64]) -> Option<Self> {
        Self::new(readings.len(), readings.to_vec())
    }

    /// The number of processes behind the values.
    #[must_use]
    pub fn processes(&self) -> usize {
        self.processes
    }

    /// The median of the values on the logarithm.
    #[must_use]
    pub fn middle(&self) -> f64 {
        median(&self.logs()).map_or(f64::NAN, f64::exp)
    }

    fn new(processes: usize, values: Vec<f64>) -> Option<Self> {
        let usable = values.iter().all(|value| *value > 0.0 && value.is_finite());
        (usable && !values.is_empty()).then_some(Self { values, processes })
    }

    pub(crate) fn logs(&self) -> Vec<f64> {
        self.values.iter().map(|value| value.ln()).collect()
    }
}

fn values(processes: &[&[f64]]) -> Vec<f64> {
    let [single] = processes else {
        return processes
            .iter()
            .filter_map(|rounds| lowest_third(rounds))
            .collect();
    };
    let parts = PARTS.min(single.len());
    (0..parts)
        .filter_map(|part| {
            let rounds: Vec<f64> = single.iter().skip(part).step_by(parts).copied().collect();
            lowest_third(&rounds)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_counts_by_its_fast_rounds() {
        let rows = RowValues::of_rounds(&[vec![2.0, 9.0, 9.0], vec![], vec![3.0]]).unwrap();
        assert_eq!((rows.values, rows.processes), (vec![2.0, 3.0], 2));
    }

    #[test]
    fn ratios_are_of_the_processes_that_both_have() {
        let design = [vec![4.0, 8.0, 8.0], vec![9.0], vec![]];
        let reference = [vec![2.0, 2.0, 2.0], vec![3.0], vec![5.0], vec![6.0]];
        let rows = RowValues::of_ratios(&design, &reference).unwrap();
        assert_eq!((rows.values, rows.processes), (vec![2.0, 3.0], 2));
    }

    #[test]
    fn a_single_process_shows_the_spread_of_its_rounds() {
        let rounds = vec![1.0, 2.0, 3.0, 1.5, 2.5, 3.5, 9.0];
        let rows = RowValues::of_rounds(std::slice::from_ref(&rounds)).unwrap();
        assert_eq!((rows.values, rows.processes), (vec![1.0, 2.0, 3.0], 1));
        let one = RowValues::of_rounds(&[vec![4.0]]).unwrap();
        assert_eq!((one.values, one.processes), (vec![4.0], 1));
    }

    #[test]
    fn what_has_no_logarithm_is_no_row() {
        assert_eq!(RowValues::of_rounds(&[vec![]]), None);
        assert_eq!(RowValues::of_readings(&[1.0, 0.0]), None);
        assert_eq!(RowValues::of_ratios(&[vec![1.0]], &[vec![0.0]]), None);
    }
}
