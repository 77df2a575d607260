//! Noise floors: how different what is the same appears on a machine.

use crate::order::quantile;
use crate::{Estimate, Moderated};

/// No floor is below this: half a per cent is less than what moving a function by a
/// cache line does, whatever the control copies happen to show.
pub const MIN_FLOOR: f64 = 0.005;

/// The noise floor of one run as a relative difference (0.03 = 3 %), from its A/A pairs:
/// the ratios of the reference design's second copy to its first, one per row.
///
/// It is the distance from 1 that 95 % of the pairs stay within; with fewer than 20
/// pairs that is close to the largest. `None` without a pair: then nothing can be
/// claimed.
#[must_use]
pub fn run_floor(control_ratios: &[Estimate]) -> Option<f64> {
    let distances: Vec<f64> = control_ratios
        .iter()
        .filter(|ratio| ratio.value > 0.0)
        .map(|ratio| ratio.value.ln().abs().exp_m1())
        .collect();
    quantile(&distances, 0.95).map(|floor| floor.max(MIN_FLOOR))
}

/// The floor of a row within one run of one build (0.01 = 1 %): nothing below it is
/// claimed, however narrow the interval. Code placement is not in an A/A pair, which is
/// the same function twice.
pub const MIN_ROW_FLOOR: f64 = 0.01;

/// The floor of one row: as far as the A/A pair beside it strayed, at least as far as the
/// rows of its class do (`class`, see [`run_floor`], for rows with more than one thread),
/// and at least [`MIN_ROW_FLOOR`]. `None` without an A/A pair: nothing can be claimed.
#[must_use]
pub fn row_floor(control: Option<&Moderated>, class: Option<f64>) -> Option<f64> {
    let strayed = control?.log.abs().exp_m1();
    Some(strayed.max(class.unwrap_or(0.0)).max(MIN_ROW_FLOOR))
}

/// A row's own floor from its past relative changes between runs that should be the
/// same (0.03 = 3 %, either sign): third quartile plus three interquartile ranges of
/// their sizes, as rustc-perf's significance threshold. `None` below 5 changes, which
/// tell nothing about quartiles.
#[must_use]
pub fn historic_floor(past_changes: &[f64]) -> Option<f64> {
    if past_changes.len() < 5 {
        return None;
    }
    let sizes: Vec<f64> = past_changes.iter().map(|change| change.abs()).collect();
    let first = quantile(&sizes, 0.25)?;
    let third = quantile(&sizes, 0.75)?;
    Some((third + 3.0 * (third - first)).max(MIN_FLOOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(value: f64) -> Estimate {
        Estimate {
            value,
            low: value,
            high: value,
            processes: 3,
        }
    }

    #[test]
    fn the_floor_is_as_far_as_the_control_copies_stray_in_either_direction() {
        let mut pairs: Vec<Estimate> = (0..95).map(|_| around(1.01)).collect();
        pairs.extend((0..5).map(|_| around(1.0 / 1.2)));
        let floor = run_floor(&pairs).unwrap();
        assert!(
            (0.01..0.03).contains(&floor),
            "{floor}: one in twenty is left out"
        );
        pairs.extend((0..5).map(|_| around(1.0 / 1.2)));
        let floor = run_floor(&pairs).unwrap();
        assert!(
            (floor - 0.2).abs() < 1e-9,
            "{floor}: slow and fast outliers count the same"
        );
    }

    #[test]
    fn a_perfect_control_still_leaves_the_least_floor() {
        assert_eq!(run_floor(&[around(1.0)]), Some(MIN_FLOOR));
        assert_eq!(run_floor(&[]), None);
    }

    #[test]
    fn a_row_has_the_floor_of_the_pair_beside_it() {
        let control = |value: f64| Moderated {
            log: value.ln(),
            error: 0.01,
            freedom: 4.0,
            processes: 3,
        };
        assert_eq!(row_floor(Some(&control(1.002)), None), Some(MIN_ROW_FLOOR));
        let slow = row_floor(Some(&control(1.08)), None).unwrap();
        let fast = row_floor(Some(&control(1.0 / 1.08)), None).unwrap();
        assert!((slow - 0.08).abs() < 1e-9 && (fast - 0.08).abs() < 1e-9);
        assert_eq!(row_floor(Some(&control(1.02)), Some(0.3)), Some(0.3));
        assert_eq!(row_floor(None, Some(0.3)), None);
    }

    #[test]
    fn the_historic_floor_is_q3_plus_3_iqr_of_the_sizes() {
        // Sizes 0, 1, 2, 3, 4 %: quartiles 1 and 3 %, so 3 + 3 x 2 = 9 %.
        let floor = historic_floor(&[0.0, -0.01, 0.02, -0.03, 0.04]).unwrap();
        assert!((floor - 0.09).abs() < 1e-12, "{floor}");
        assert_eq!(historic_floor(&[0.01; 4]), None);
    }
}
