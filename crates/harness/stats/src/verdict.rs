//! Verdicts: faster, slower, or no difference seen.

use std::fmt;

use crate::Estimate;
use crate::order::median;

/// The verdict on a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The interval lies below 1 by more than the floor.
    Faster,
    /// The interval reaches into the floor: nothing is claimed.
    NoDifference,
    /// The interval lies above 1 by more than the floor.
    Slower,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Faster => "faster",
            Self::NoDifference => "no difference seen",
            Self::Slower => "slower",
        })
    }
}

/// Judges a ratio of times to the reference against a floor (relative, 0.03 = 3 %).
/// "Less is better" is assumed: times and bytes.
#[must_use]
pub fn judge(ratio: &Estimate, floor: f64) -> Verdict {
    let bound = 1.0 + floor.max(0.0);
    if ratio.high < 1.0 / bound {
        Verdict::Faster
    } else if ratio.low > bound {
        Verdict::Slower
    } else {
        Verdict::NoDifference
    }
}

/// Judges one row of two runs from several witnesses of the same change (its time, its
/// ratio to the reference): only what all of them claim is claimed. No witness, no
/// claim.
///
/// A change of the machine moves the time and not the ratio; a disturbed reference
/// moves the ratio and not the time; a real change moves both.
#[must_use]
pub fn judge_change(witnesses: &[Estimate], floor: f64) -> Verdict {
    let mut verdicts = witnesses.iter().map(|witness| judge(witness, floor));
    let Some(first) = verdicts.next() else {
        return Verdict::NoDifference;
    };
    if verdicts.all(|verdict| verdict == first) {
        first
    } else {
        Verdict::NoDifference
    }
}

/// How all rows together moved between two runs: the median of their quotients of times
/// (1.05 = everything 5 % slower). 1 without rows.
///
/// Whether the machine did that or the code, it does not tell.
#[must_use]
pub fn moved_together(time_quotients: &[f64]) -> f64 {
    median(time_quotients)
        .filter(|moved| *moved > 0.0)
        .unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(low: f64, high: f64) -> Estimate {
        Estimate {
            value: (low + high) / 2.0,
            low,
            high,
            processes: 3,
        }
    }

    #[test]
    fn only_what_lies_beyond_the_floor_is_claimed() {
        assert_eq!(judge(&ratio(0.90, 0.95), 0.04), Verdict::Faster);
        assert_eq!(judge(&ratio(0.90, 0.97), 0.04), Verdict::NoDifference);
        assert_eq!(judge(&ratio(1.05, 1.30), 0.04), Verdict::Slower);
        assert_eq!(judge(&ratio(1.03, 1.30), 0.04), Verdict::NoDifference);
        assert_eq!(judge(&ratio(0.20, 5.00), 0.0), Verdict::NoDifference);
    }

    #[test]
    fn swapping_the_sides_swaps_the_verdict() {
        for (low, high) in [(1.041, 1.06), (1.039, 1.06), (0.5, 0.96), (0.5, 0.97)] {
            let there = judge(&ratio(low, high), 0.04);
            let back = judge(&ratio(1.0 / high, 1.0 / low), 0.04);
            match there {
                Verdict::Faster => assert_eq!(back, Verdict::Slower),
                Verdict::Slower => assert_eq!(back, Verdict::Faster),
                Verdict::NoDifference => assert_eq!(back, Verdict::NoDifference),
            }
        }
    }

    #[test]
    fn witnesses_must_agree() {
        let (up, down, same) = (ratio(1.2, 1.3), ratio(0.7, 0.8), ratio(0.99, 1.01));
        assert_eq!(judge_change(&[up, up], 0.05), Verdict::Slower);
        assert_eq!(judge_change(&[up, same], 0.05), Verdict::NoDifference);
        assert_eq!(judge_change(&[up, down], 0.05), Verdict::NoDifference);
        assert_eq!(judge_change(&[down], 0.05), Verdict::Faster);
        assert_eq!(judge_change(&[], 0.05), Verdict::NoDifference);
    }

    #[test]
    fn what_most_rows_share_is_how_they_moved_together() {
        assert!((moved_together(&[1.05, 1.05, 1.05, 3.0, 0.9]) - 1.05).abs() < 1e-12);
        assert!((moved_together(&[]) - 1.0).abs() < 1e-12);
    }
}
