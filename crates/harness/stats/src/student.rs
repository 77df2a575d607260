//! Student's t distribution, from the incomplete beta function; infinitely many degrees
//! of freedom are the normal distribution.

use special::Beta;

/// Degrees of freedom from which on t stands for the normal distribution: their 97.5 %
/// quantiles differ by 0.02 %, and the inverse of the incomplete beta function loses
/// digits beyond.
const NORMAL_FROM: f64 = 1e4;

/// Returns the value that |t| with `freedom` degrees of freedom exceeds with
/// `probability`: the half-width of a `1 - probability` interval in standard errors.
#[must_use]
pub fn two_sided_quantile(probability: f64, freedom: f64) -> f64 {
    let freedom = freedom.min(NORMAL_FROM);
    let half = freedom / 2.0;
    let x = probability.inv_inc_beta(half, 0.5, half.ln_beta(0.5));
    (freedom * (1.0 - x) / x).sqrt()
}

/// Returns the probability that |t| with `freedom` degrees of freedom exceeds `t`.
#[must_use]
pub fn two_sided_tail(t: f64, freedom: f64) -> f64 {
    let freedom = freedom.min(NORMAL_FROM);
    let half = freedom / 2.0;
    let x = freedom / t.mul_add(t, freedom);
    x.inc_beta(half, 0.5, half.ln_beta(0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (freedom, quantile) in [
            (1.0, 12.706_205),
            (2.0, 4.302_653),
            (5.0, 2.570_582),
            (8.0, 2.306_004),
            (30.0, 2.042_272),
            (f64::INFINITY, 1.959_964),
        ] {
            let ours = two_sided_quantile(0.05, freedom);
            assert!(
                (ours - quantile).abs() < 3e-4,
                "{freedom} degrees: {ours}, not {quantile}"
            );
        }
    }

    #[test]
    fn the_tail_is_the_inverse_of_the_quantile() {
        for freedom in [0.7, 1.0, 2.0, 4.5, 11.0, 300.0, f64::INFINITY] {
            for probability in [0.9, 0.3, 0.05, 1e-3] {
                let back = two_sided_tail(two_sided_quantile(probability, freedom), freedom);
                assert!(
                    (back / probability - 1.0).abs() < 1e-9,
                    "{freedom} degrees: {probability} became {back}"
                );
            }
        }
        assert!((two_sided_tail(0.0, 3.0) - 1.0).abs() < 1e-12);
    }
}
