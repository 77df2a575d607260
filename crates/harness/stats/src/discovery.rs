//! Verdicts over all rows of a run at once, so that many rows do not make many false
//! claims.

use crate::{Moderated, Verdict};

/// The share of claims that may be false, in expectation over the rows of a run.
pub const FALSE_CLAIMS: f64 = 0.05;

/// Returns the q value of each p value: the least share of false claims at which its row
/// would be claimed (Benjamini and Hochberg 1995).
#[must_use]
pub fn q_values(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let mut q = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (from_top, at) in order.into_iter().enumerate() {
        let rank = p.len() - from_top;
        least = least.min(p[at] * p.len() as f64 / rank as f64);
        q[at] = least;
    }
    q
}

/// Judges the rows of a run together, each a ratio and its floor (relative, 0.03 = 3 %).
/// "Less is better" is assumed, as in [`crate::judge`].
///
/// The near end of the interval of a row that is claimed lies beyond its floor: a q value
/// is never below its p value.
#[must_use]
pub fn judge_together(rows: &[(Moderated, f64)]) -> Vec<Verdict> {
    let p: Vec<f64> = rows
        .iter()
        .map(|(ratio, floor)| ratio.p_beyond(*floor))
        .collect();
    rows.iter()
        .zip(q_values(&p))
        .map(|((ratio, _), q)| match ratio.log {
            _ if q > FALSE_CLAIMS => Verdict::NoDifference,
            log if log < 0.0 => Verdict::Faster,
            _ => Verdict::Slower,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_values_are_those_of_the_paper() {
        // The fifteen p values of Benjamini and Hochberg (1995), section 4.1: four are
        // rejected at 5 %.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0000,
        ];
        let q = q_values(&p);
        assert_eq!(q.iter().filter(|q| **q <= 0.05).count(), 4, "{q:?}");
        assert!((q[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-12);
        assert!(q.windows(2).all(|pair| pair[0] <= pair[1]), "{q:?}");
        let reversed: Vec<f64> = p.iter().rev().copied().collect();
        let mut back = q_values(&reversed);
        back.reverse();
        assert_eq!(back, q);
        assert_eq!(q_values(&[]), Vec::<f64>::new());
    }

    fn ratio(value: f64, error: f64) -> Moderated {
        Moderated {
            log: f64::ln(value),
            error,
            freedom: 10.0,
            processes: 6,
        }
    }

    #[test]
    fn a_claimed_row_has_its_near_end_beyond_its_floor() {
        let rows: Vec<(Moderated, f64)> = (0..40)
            .map(|at| {
                (
                    ratio(0.8 + 0.01 * f64::from(at), 0.01),
                    0.01 * f64::from(at % 3),
                )
            })
            .collect();
        let verdicts = judge_together(&rows);
        for ((row, floor), verdict) in rows.iter().zip(&verdicts) {
            let interval = row.estimate();
            match verdict {
                Verdict::Faster => assert!(interval.high < 1.0 / (1.0 + floor), "{interval:?}"),
                Verdict::Slower => assert!(interval.low > 1.0 + floor, "{interval:?}"),
                Verdict::NoDifference => {}
            }
        }
        for expected in [Verdict::Faster, Verdict::NoDifference, Verdict::Slower] {
            assert!(verdicts.contains(&expected), "no row is {expected}");
        }
    }

    #[test]
    fn one_row_in_a_crowd_needs_more_evidence_than_alone() {
        let lucky = ratio(1.025, 0.01);
        assert_eq!(judge_together(&[(lucky, 0.0)]), [Verdict::Slower]);
        let mut crowd = vec![(lucky, 0.0)];
        crowd.extend((0..50).map(|_| (ratio(1.001, 0.01), 0.0)));
        assert_eq!(judge_together(&crowd)[0], Verdict::NoDifference);
    }
}
