//! Geometric means of ratios, and how much of each is one row.

use std::collections::BTreeSet;

use stats::{Estimate, geometric_mean};

use crate::summary::{Case, Cell, Mean, MeanRatio};

/// Means per workload and regime, then per family and regime. A row that names the rules of a
/// kernel stands beside that kernel and compares no designs: it is in no mean.
pub(crate) fn means_of(cases: &[Case]) -> Vec<Mean> {
    let mut means = Vec::new();
    let mut workloads: Vec<&str> = Vec::new();
    for case in cases {
        if !workloads.contains(&case.workload.as_str()) {
            workloads.push(&case.workload);
        }
    }
    let regimes: BTreeSet<String> = cases.iter().map(Case::regime).collect();
    for workload in workloads.iter().copied().chain([""]) {
        for regime in &regimes {
            let chosen: Vec<&Case> = cases
                .iter()
                .filter(|case| workload.is_empty() || case.workload == workload)
                .filter(|case| case.rules().is_none() && case.regime() == *regime)
                .collect();
            let mean = mean_of(workload, regime, &chosen);
            if !mean.designs.is_empty() {
                means.push(mean);
            }
        }
    }
    means
}

fn mean_of(workload: &str, regime: &str, cases: &[&Case]) -> Mean {
    let names: BTreeSet<&String> = cases.iter().flat_map(|case| case.cells.keys()).collect();
    let designs = names
        .into_iter()
        .filter_map(|design| {
            let ratios: Vec<Estimate> =
                cases.iter().filter_map(|case| case.ratio(design)).collect();
            let ratio = MeanRatio {
                mean: mean_estimate(&ratios)?,
                rows: ratios.len(),
                without_one: without_one(&ratios),
            };
            Some((design.clone(), ratio))
        })
        .collect();
    let measured = |case: &&&Case| {
        case.cells
            .values()
            .any(|cell| matches!(cell, Cell::Time { ratio: Some(_), .. }))
    };
    Mean {
        workload: workload.to_owned(),
        regime: regime.to_owned(),
        cases: cases.iter().filter(measured).count(),
        designs,
    }
}

/// The geometric mean with the interval that independent errors of its members give it.
fn mean_estimate(ratios: &[Estimate]) -> Option<Estimate> {
    let values: Vec<f64> = ratios.iter().map(|ratio| ratio.value).collect();
    let value = geometric_mean(&values)?;
    let squares: f64 = ratios
        .iter()
        .map(|ratio| ((ratio.high / ratio.low).ln() / 2.0).powi(2))
        .sum();
    let half = squares.sqrt() / ratios.len() as f64;
    let processes = ratios
        .iter()
        .map(|ratio| ratio.processes)
        .min()
        .unwrap_or(0);
    Some(Estimate {
        value,
        low: value * (-half).exp(),
        high: value * half.exp(),
        processes,
    })
}

/// The least and the greatest mean that is left when one row is taken out.
fn without_one(ratios: &[Estimate]) -> Option<(f64, f64)> {
    if ratios.len() < 2 {
        return None;
    }
    let logs: Vec<f64> = ratios.iter().map(|ratio| ratio.value.ln()).collect();
    let sum: f64 = logs.iter().sum();
    let left = (logs.len() - 1) as f64;
    let means: Vec<f64> = logs.iter().map(|log| ((sum - log) / left).exp()).collect();
    Some((
        means.iter().copied().fold(f64::INFINITY, f64::min),
        means.iter().copied().fold(0.0, f64::max),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_that_is_one_row_shows_it() {
        let rows: Vec<Estimate> = [1.0, 1.0, 1.0, 0.0001].map(Estimate::exact).to_vec();
        let (low, high) = without_one(&rows).unwrap();
        assert!((mean_estimate(&rows).unwrap().value - 0.1).abs() < 1e-9);
        assert!((high - 1.0).abs() < 1e-9, "{high}");
        assert!((low - 0.0464).abs() < 1e-4, "{low}");
        assert_eq!(without_one(&rows[..1]), None);
    }
}
