//! 95 % intervals by a hierarchical bootstrap: processes are drawn again, and within
//! each of them its rounds.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::order::{median_in_place, quantile_of_sorted};

/// Draws of rounds per process.
const ROUND_DRAWS: usize = 200;
/// Draws of processes.
const PROCESS_DRAWS: usize = 1000;

/// By how much the percentile interval of the median of `n` processes must be widened to
/// cover the true median in about 95 of 100 cases, indexed by `n`. Found by simulation
/// of normal process effects with round noise of a sixth of them up to their size
/// (`tests/coverage.rs` holds it to that): the percentile bootstrap does not know how
/// few processes it has and covers 75 % at `n` = 3. The table goes up and down because
/// the quantiles of so few values are steps.
const WIDEN: [f64; 13] = [
    1.0, 1.0, 1.0, 2.0, 1.25, 1.1, 1.15, 1.4, 1.2, 1.1, 1.1, 1.1, 1.15,
];

/// A value with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Median over processes of the medians over their rounds.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
    /// Processes behind it. Below 3 the spread between processes is not in the interval.
    pub processes: usize,
}

impl Estimate {
    /// A value that is exact.
    #[must_use]
    pub fn exact(value: f64) -> Self {
        Self {
            value,
            low: value,
            high: value,
            processes: 0,
        }
    }

    /// Half the width of the interval, for `value ± half`.
    #[must_use]
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// The end of the interval of a ratio that is nearest to 1, which is what may be said
    /// of it; 1 where the interval holds 1.
    #[must_use]
    pub fn near_end(&self) -> f64 {
        if self.low > 1.0 {
            self.low
        } else {
            self.high.min(1.0)
        }
    }

    /// This over that: the quotient of two independent estimates, their relative errors
    /// added as squares. `None` where either is not positive.
    #[must_use]
    pub fn over(&self, that: &Self) -> Option<Self> {
        if self.value <= 0.0 || that.value <= 0.0 {
            return None;
        }
        let value = self.value / that.value;
        let relative = (self.half_width() / self.value).hypot(that.half_width() / that.value);
        Some(Self {
            value,
            // A relative error is a distance of logarithms: symmetric for faster and slower.
            low: value * (-relative).exp(),
            high: value * relative.exp(),
            processes: self.processes.min(that.processes),
        })
    }
}

/// Estimates the median of `processes`, each a list of its rounds, with its interval.
/// Empty processes are left out; `None` if nothing is left.
///
/// The same input and seed give the same interval.
#[must_use]
pub fn estimate(processes: &[Vec<f64>], seed: u64) -> Option<Estimate> {
    let processes: Vec<&Vec<f64>> = processes
        .iter()
        .filter(|rounds| !rounds.is_empty())
        .collect();
    if processes.is_empty() {
        return None;
    }
    let count = processes.len();
    let mut medians: Vec<f64> = processes
        .iter()
        .filter_map(|rounds| median_in_place(&mut rounds.to_vec()))
        .collect();
    let value = median_in_place(&mut medians)?;

    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let drawn: Vec<Vec<f64>> = processes
        .iter()
        .map(|rounds| medians_of_draws(rounds, &mut random))
        .collect();
    let mut again = vec![0.0; count];
    let mut centres: Vec<f64> = (0..PROCESS_DRAWS)
        .filter_map(|_| {
            for slot in &mut again {
                let process = &drawn[random.random_range(0..count)];
                *slot = process[random.random_range(0..process.len())];
            }
            median_in_place(&mut again)
        })
        .collect();
    centres.sort_by(f64::total_cmp);
    let low = quantile_of_sorted(&centres, 0.025)?;
    let high = quantile_of_sorted(&centres, 0.975)?;
    let widen = WIDEN.get(count).copied().unwrap_or(1.1);
    let half = (high - low) / 2.0 * widen;
    Some(Estimate {
        value,
        // Symmetric and widened, but never narrower than the bootstrap's own interval.
        low: (value - half).min(low),
        high: (value + half).max(high),
        processes: count,
    })
}

fn medians_of_draws(rounds: &[f64], random: &mut Pcg64Mcg) -> Vec<f64> {
    let mut draw = vec![0.0; rounds.len()];
    (0..ROUND_DRAWS)
        .filter_map(|_| {
            for slot in &mut draw {
                *slot = rounds[random.random_range(0..rounds.len())];
            }
            median_in_place(&mut draw)
        })
        .collect()
}

/// Estimates the ratio of one design to the reference from their interleaved rounds:
/// round by round first, so that what disturbs both cancels. Processes are matched by
/// position, rounds by position within them; rounds in which the reference took no time
/// are left out. `None` if nothing matches.
#[must_use]
pub fn ratio_estimate(design: &[Vec<f64>], reference: &[Vec<f64>], seed: u64) -> Option<Estimate> {
    let ratios: Vec<Vec<f64>> = design
        .iter()
        .zip(reference)
        .map(|(ours, theirs)| {
            ours.iter()
                .zip(theirs)
                .filter(|(_, b)| **b > 0.0)
                .map(|(a, b)| a / b)
                .collect()
        })
        .collect();
    estimate(&ratios, seed)
}
