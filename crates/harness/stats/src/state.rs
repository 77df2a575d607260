//! Whether the machine was in its fast state when a sample was taken, from a yardstick
//! beside it.
//!
//! A virtual machine that shares its cores is 1.6 to 2.1 times slower for seconds at a
//! time, by a factor that differs between workloads. So absolute times are those of the
//! fast state, and two contenders are compared within one state.

use crate::order::median;

/// How much slower than at best a yardstick may be in the fast state: 5 %.
const FAST_WITHIN: f64 = 1.05;

/// Time of a yardstick in the fast state of one machine in one run.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct FastState(f64);

impl FastState {
    /// Finds the fast state from yardsticks, one list per sample: the least of their
    /// medians, so that a single lucky reading does not make all others slow. `None`
    /// without readings.
    #[must_use]
    pub fn of<'a>(yardsticks: impl IntoIterator<Item = &'a [f64]>) -> Option<Self> {
        yardsticks
            .into_iter()
            .filter_map(median)
            .min_by(f64::total_cmp)
            .map(Self)
    }

    /// Returns the faster of two, for a run that is still going on.
    #[must_use]
    pub fn or_faster(self, that: Self) -> Self {
        Self(self.0.min(that.0))
    }

    /// Returns what the yardstick takes in it, in the unit of the readings.
    #[must_use]
    pub fn reading(self) -> f64 {
        self.0
    }

    /// Whether a sample beside this reading was taken in the fast state.
    #[must_use]
    pub fn holds(&self, yardstick: f64) -> bool {
        yardstick <= self.0 * FAST_WITHIN
    }

    /// The rounds that were made in the fast state; readings are matched by position.
    #[must_use]
    pub fn rounds(&self, rounds: &[f64], yardsticks: &[f64]) -> Vec<f64> {
        rounds
            .iter()
            .zip(yardsticks)
            .filter(|(_, yardstick)| self.holds(**yardstick))
            .map(|(round, _)| *round)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lucky_reading_is_not_the_fast_state() {
        let samples: [&[f64]; 3] = [&[0.5, 1.0, 1.01], &[1.9, 1.8, 2.0], &[]];
        let fast = FastState::of(samples).unwrap();
        assert!(fast.holds(1.04) && fast.holds(0.5) && !fast.holds(1.06));
        assert_eq!(fast.rounds(&[7.0, 8.0, 9.0], &[1.0, 1.8, 1.02]), [7.0, 9.0]);
        assert_eq!(FastState::of([]), None);
    }

    #[test]
    fn a_run_keeps_the_fastest_that_it_has_seen() {
        let first = FastState::of([[1.8].as_slice()]).unwrap();
        let second = FastState::of([[1.0].as_slice()]).unwrap();
        assert!(first.holds(1.8));
        assert!(!first.or_faster(second).holds(1.8));
        assert_eq!(first.or_faster(second), second.or_faster(first));
    }
}
