//! Intervals of a row from its process values, on the logarithm, with a variance that is
//! moderated by all rows of the run.
//!
//! Three to nine processes say little about their own spread. The rows of a run say much
//! about each other's: their variances are taken as draws from a scaled inverse
//! chi-square distribution whose parameters the run itself gives (Smyth 2004, "Linear
//! models and empirical Bayes methods", as in limma). A row then has the degrees of
//! freedom of its own processes and of that prior.

use special::Gamma;

use crate::order::median_in_place;
use crate::student::{two_sided_quantile, two_sided_tail};
use crate::{Estimate, RowValues};

/// The error that an interval called 95 % leaves.
const ALPHA: f64 = 0.05;

/// The standard deviation of the median of n normal values in units of that of their
/// mean, indexed by n.
const MEDIAN_COSTS: [f64; 10] = [
    1.0, 1.0, 1.0, 1.160, 1.092, 1.198, 1.135, 1.214, 1.160, 1.223,
];
/// The same for many values: the square root of pi/2.
const MEDIAN_COSTS_AT_MOST: f64 = 1.253;

/// How the variances of a run's rows are distributed: how much a row may be expected to
/// scatter before its own processes are looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// The degrees of freedom that the other rows are worth; infinite where all rows
    /// scatter alike.
    pub freedom: f64,
    /// The variance of the logarithm of a process value.
    pub variance: f64,
    /// The degrees of freedom of all rows together, which no row can exceed.
    pub pooled: f64,
    /// Whether the variance is that between processes; else that of rounds in one.
    pub between: bool,
}

impl Prior {
    /// Estimates the prior from the rows of a run. Rows with a single value say nothing.
    /// `None` if no row scatters: nothing is known then.
    #[must_use]
    pub fn of_rows<'a>(rows: impl IntoIterator<Item = &'a RowValues>) -> Option<Self> {
        let (several, single): (Vec<&RowValues>, Vec<&RowValues>) =
            rows.into_iter().partition(|row| row.processes > 1);
        // Of rows with one process only the spread of rounds is known, which is another.
        let between = !several.is_empty();
        let mut spreads: Vec<(f64, f64)> = if between { several } else { single }
            .into_iter()
            .filter_map(|row| spread(&row.logs()))
            .collect();
        let middle =
            median_in_place(&mut spreads.iter().map(|spread| spread.0).collect::<Vec<_>>())?;
        let least = if middle > 0.0 {
            // A variance of exactly 0 (equal readings of a coarse clock) has no logarithm.
            middle * 1e-5
        } else {
            let sum: f64 = spreads.iter().map(|spread| spread.0).sum();
            sum / spreads.len() as f64 * 1e-5
        };
        if least <= 0.0 {
            return None;
        }
        for spread in &mut spreads {
            spread.0 = spread.0.max(least);
        }
        let count = spreads.len() as f64;
        let pooled = spreads.iter().map(|(_, freedom)| freedom).sum();
        let levels: Vec<f64> = spreads
            .iter()
            .map(|(variance, freedom)| {
                variance.ln() - (freedom / 2.0).digamma() + (freedom / 2.0).ln()
            })
            .collect();
        let mean = levels.iter().sum::<f64>() / count;
        let chance = spreads
            .iter()
            .map(|(_, freedom)| (freedom / 2.0).trigamma())
            .sum::<f64>()
            / count;
        let scatter = levels
            .iter()
            .map(|level| (level - mean).powi(2))
            .sum::<f64>()
            / (count - 1.0).max(1.0)
            - chance;
        // No more scatter than chance explains: all rows have one variance.
        if scatter <= 0.0 {
            return Some(Self {
                freedom: f64::INFINITY,
                variance: mean.exp(),
                pooled,
                between,
            });
        }
        let half = inverse_trigamma(scatter);
        Some(Self {
            freedom: 2.0 * half,
            variance: (mean + half.digamma() - half.ln()).exp(),
            pooled,
            between,
        })
    }
}

/// Returns x with trigamma(x) = `y`, by Newton's method on 1/trigamma, which is nearly a
/// straight line (Smyth 2004, appendix).
fn inverse_trigamma(y: f64) -> f64 {
    if y > 1e7 {
        return y.sqrt().recip();
    }
    if y < 1e-6 {
        return y.recip();
    }
    let mut x = 0.5 + y.recip();
    for _ in 0..50 {
        let here = x.trigamma();
        // The derivative of trigamma by a difference: it only has to point the way.
        let step = x * 1e-5;
        let slope = ((x + step).trigamma() - (x - step).trigamma()) / (2.0 * step);
        let move_by = here * (1.0 - here / y) / slope;
        x += move_by;
        if -move_by / x < 1e-8 {
            break;
        }
    }
    x
}

/// The variance and its degrees of freedom; `None` for a single value.
fn spread(logs: &[f64]) -> Option<(f64, f64)> {
    let freedom = logs.len().checked_sub(1).filter(|freedom| *freedom > 0)? as f64;
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
    Some((squares / freedom, freedom))
}

/// A positive quantity (a time, a ratio, a bandwidth) on the logarithm, with its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moderated {
    /// The logarithm of the value.
    pub log: f64,
    /// The standard error of the logarithm.
    pub error: f64,
    /// The degrees of freedom behind the error.
    pub freedom: f64,
    /// The number of processes behind the value.
    pub processes: usize,
}

impl Moderated {
    /// Estimates a row from its process values: their median, with an error from their
    /// variance, moderated by the run's. `None` where neither the row nor the run says how
    /// much it scatters.
    #[must_use]
    pub fn of(row: &RowValues, prior: Option<&Prior>) -> Option<Self> {
        let mut logs = row.logs();
        if row.processes == 1 && prior.is_some_and(|prior| prior.between) {
            logs = vec![median_in_place(&mut logs)?];
        }
        let (own, own_freedom) = spread(&logs).unwrap_or((0.0, 0.0));
        let (variance, freedom) = match prior {
            None => (own, own_freedom),
            Some(prior) if prior.freedom.is_infinite() => (prior.variance, prior.pooled),
            Some(prior) => {
                let freedom = prior.freedom + own_freedom;
                let variance = (prior.freedom * prior.variance + own_freedom * own) / freedom;
                (variance, freedom.min(prior.pooled.max(own_freedom)))
            }
        };
        if freedom <= 0.0 {
            return None;
        }
        let count = logs.len();
        let costs = MEDIAN_COSTS
            .get(count)
            .copied()
            .unwrap_or(MEDIAN_COSTS_AT_MOST);
        Some(Self {
            log: median_in_place(&mut logs)?,
            error: costs * (variance / count as f64).sqrt(),
            freedom,
            processes: row.processes,
        })
    }

    /// The value with its 95 % interval, which never reaches 0.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        let half = self.error * two_sided_quantile(ALPHA, self.freedom);
        Estimate {
            value: self.log.exp(),
            low: (self.log - half).exp(),
            high: (self.log + half).exp(),
            processes: self.processes,
        }
    }

    /// This over that, both independent: errors add as squares, degrees of freedom by
    /// Welch and Satterthwaite.
    #[must_use]
    pub fn over(&self, that: &Self) -> Self {
        let (ours, theirs) = (self.error.powi(2), that.error.powi(2));
        let both = ours + theirs;
        let freedom = if both > 0.0 {
            both.powi(2) / (ours.powi(2) / self.freedom + theirs.powi(2) / that.freedom)
        } else {
            self.freedom.min(that.freedom)
        };
        Self {
            log: self.log - that.log,
            error: both.sqrt(),
            freedom,
            processes: self.processes.min(that.processes),
        }
    }

    /// The probability of a distance from 1 as large as this one's if the truth lies
    /// within `floor` (relative, 0.01 = 1 %) of 1: small means that it does not.
    #[must_use]
    pub fn p_beyond(&self, floor: f64) -> f64 {
        let beyond = self.log.abs() - floor.max(0.0).ln_1p();
        if beyond <= 0.0 {
            1.0
        } else if self.error <= 0.0 {
            0.0
        } else {
            two_sided_tail(beyond / self.error, self.freedom)
        }
    }

    /// The least difference from 1 that would be claimed beyond `floor` if it were
    /// estimated exactly right (0.02 = 2 %).
    #[must_use]
    pub fn can_see(&self, floor: f64) -> f64 {
        let half = self.error * two_sided_quantile(ALPHA, self.freedom);
        (floor.max(0.0).ln_1p() + half).exp_m1()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[f64]) -> RowValues {
        RowValues::of_readings(values).unwrap()
    }

    #[test]
    fn trigamma_is_inverted() {
        for x in [0.02, 0.3, 1.0, 2.5, 40.0, 3000.0] {
            let back = inverse_trigamma(x.trigamma());
            assert!((back / x - 1.0).abs() < 1e-6, "{x} became {back}");
        }
    }

    #[test]
    fn a_row_borrows_from_the_others_what_its_own_processes_cannot_say() {
        let rows: Vec<RowValues> = (0..60)
            .map(|at| row(&[1.0, 1.0 + 0.001 * f64::from(at % 7 + 1), 0.998]))
            .collect();
        let prior = Prior::of_rows(&rows).unwrap();
        let lucky = row(&[1.0, 1.0 + 1e-9, 1.0 - 1e-9]);
        let alone = Moderated::of(&lucky, None).unwrap();
        let moderated = Moderated::of(&lucky, Some(&prior)).unwrap();
        assert!(moderated.error > 1000.0 * alone.error, "{moderated:?}");
        assert!(moderated.freedom > alone.freedom);
        let unlucky = row(&[1.0, 1.5, 0.7]);
        let alone = Moderated::of(&unlucky, None).unwrap().estimate();
        let moderated = Moderated::of(&unlucky, Some(&prior)).unwrap().estimate();
        assert!(moderated.half_width() < alone.half_width());
        assert!(moderated.low > 0.0 && alone.low > 0.0, "{alone:?}");
    }

    #[test]
    fn rows_that_all_scatter_alike_share_one_variance() {
        let rows = vec![row(&[1.0, 1.01, 0.99]); 50];
        let prior = Prior::of_rows(&rows).unwrap();
        assert!(prior.freedom.is_infinite());
        let moderated = Moderated::of(&rows[0], Some(&prior)).unwrap();
        assert!((moderated.freedom - 100.0).abs() < 1e-9, "{moderated:?}");
    }

    #[test]
    fn a_row_of_one_process_is_as_unsure_as_the_others_make_it() {
        let mut rows = vec![row(&[1.0, 1.05, 0.95]); 20];
        rows.push(RowValues::of_rounds(&[vec![1.0, 1.001, 0.999, 1.0]]).unwrap());
        let prior = Prior::of_rows(&rows).unwrap();
        assert!(prior.between);
        let several = Moderated::of(&rows[0], Some(&prior)).unwrap();
        let single = Moderated::of(&rows[20], Some(&prior)).unwrap();
        assert!(single.error > several.error, "{single:?}");
        assert_eq!(single.processes, 1);
        let alone = Prior::of_rows(&rows[20..]).unwrap();
        assert!(!alone.between);
        assert!(Moderated::of(&rows[20], Some(&alone)).unwrap().error < 0.01);
    }

    #[test]
    fn nothing_is_estimated_where_nothing_scatters() {
        assert_eq!(Prior::of_rows(&[row(&[2.0]), row(&[3.0, 3.0])]), None);
        assert_eq!(Moderated::of(&row(&[2.0]), None), None);
    }

    #[test]
    fn a_quotient_is_less_sure_than_its_sides() {
        let a = Moderated::of(&row(&[2.0, 2.1, 1.9]), None).unwrap();
        let b = Moderated::of(&row(&[1.0, 1.01, 0.99]), None).unwrap();
        let quotient = a.over(&b);
        assert!((quotient.log - 2.0_f64.ln()).abs() < 1e-12);
        assert!(quotient.error > a.error && quotient.error < a.error + b.error);
        assert!((2.0..=4.0).contains(&quotient.freedom), "{quotient:?}");
    }

    #[test]
    fn p_is_5_percent_where_the_near_end_touches_the_floor() {
        let ratio = Moderated {
            log: 0.0,
            error: 0.01,
            freedom: 4.0,
            processes: 3,
        };
        let far = Moderated {
            log: ratio.can_see(0.02).ln_1p(),
            ..ratio
        };
        assert!((far.p_beyond(0.02) - 0.05).abs() < 1e-6, "{far:?}");
        assert!((far.estimate().low - 1.02).abs() < 1e-6);
        let faster = Moderated {
            log: -far.log,
            ..far
        };
        assert!((faster.p_beyond(0.02) - far.p_beyond(0.02)).abs() < 1e-12);
        assert!((ratio.p_beyond(0.0) - 1.0).abs() < 1e-12);
    }
}
