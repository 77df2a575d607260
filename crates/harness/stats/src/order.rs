//! Order statistics and the geometric mean.

/// The `q` quantile (0 to 1) by linear interpolation between the two nearest values;
/// `None` for an empty slice. Values must be finite.
#[must_use]
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile_of_sorted(&sorted, q)
}

/// [`quantile`] of values that are in order already.
fn quantile_of_sorted(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    let share = place - below as f64;
    Some(sorted[below] + (sorted[above] - sorted[below]) * share)
}

/// The median; `None` for an empty slice.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// [`median`] that may reorder its input, for inner loops.
pub(crate) fn median_in_place(values: &mut [f64]) -> Option<f64> {
    let len = values.len();
    if len == 0 {
        return None;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(len / 2, f64::total_cmp);
    if len % 2 == 1 {
        return Some(upper);
    }
    let lower = below
        .iter()
        .copied()
        .max_by(f64::total_cmp)
        .unwrap_or(upper);
    Some(lower + (upper - lower) * 0.5)
}

/// The mean of the lowest third of the values, of one at least; `None` for an empty slice.
#[must_use]
pub fn lowest_third(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    let count = values.len().div_ceil(3);
    if count == 0 {
        return None;
    }
    values.select_nth_unstable_by(count - 1, f64::total_cmp);
    Some(values[..count].iter().sum::<f64>() / count as f64)
}

/// Median absolute deviation from the median, unscaled; `None` for an empty slice.
#[must_use]
pub fn mad(values: &[f64]) -> Option<f64> {
    let centre = median(values)?;
    let deviations: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    median(&deviations)
}

/// Geometric mean of positive values; `None` if there are none or one is not positive.
#[must_use]
pub fn geometric_mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() || values.iter().any(|value| *value <= 0.0 || value.is_nan()) {
        return None;
    }
    let logs: f64 = values.iter().map(|value| value.ln()).sum();
    Some((logs / values.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&values, 0.0), Some(1.0));
        assert_eq!(quantile(&values, 0.5), Some(2.5));
        assert_eq!(quantile(&values, 0.75), Some(3.25));
        assert_eq!(quantile(&values, 1.0), Some(4.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn the_fast_median_agrees_with_the_plain_one() {
        for len in 0..40_u32 {
            let mut values: Vec<f64> = (0..len).map(|i| f64::from(i * 7919 % 101)).collect();
            assert_eq!(
                median(&values),
                median_in_place(&mut values.clone()),
                "{len} values"
            );
            values.reverse();
            assert_eq!(
                median(&values),
                median_in_place(&mut values),
                "{len} values"
            );
        }
    }

    #[test]
    fn the_lowest_third_is_of_one_value_at_least() {
        assert_eq!(lowest_third(&[]), None);
        assert_eq!(lowest_third(&[7.0]), Some(7.0));
        assert_eq!(lowest_third(&[9.0, 3.0, 5.0]), Some(3.0));
        assert_eq!(lowest_third(&[9.0, 3.0, 5.0, 100.0]), Some(4.0));
        assert_eq!(lowest_third(&[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]), Some(1.5));
    }

    #[test]
    fn mad_ignores_an_outlier() {
        assert_eq!(mad(&[1.0, 2.0, 3.0, 4.0, 1000.0]), Some(1.0));
    }

    #[test]
    fn geometric_mean_of_a_ratio_and_its_inverse_is_one() {
        let mean = geometric_mean(&[0.25, 4.0, 3.0, 1.0 / 3.0]).unwrap();
        assert!((mean - 1.0).abs() < 1e-12, "{mean}");
        assert_eq!(geometric_mean(&[1.0, 0.0]), None);
        assert_eq!(geometric_mean(&[]), None);
    }
}
