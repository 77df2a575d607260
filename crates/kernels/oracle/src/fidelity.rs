//! How close the models come to the real kernels: instructions beside instructions, and
//! the ratios of what competes.
//!
//! Both sides are read from records: the kernels' from `bench-results/kernel`, the models'
//! from `bench-results/fidelity/model.jsonl`, with the reason for every ratio that needs one
//! in `reasons.jsonl` beside it. Nothing is measured here.

use std::collections::BTreeSet;
use std::path::Path;

use results::{KernelCount, Miss, ModelCount, Reason, State, read_lines};
use serde::Serialize;

use crate::error::OracleError;
use crate::recorded::Recorded;

mod misses;
mod pairs;

pub use pairs::Pair;
use pairs::{PAIRS, pairs_of};

/// A primitive of a model beside the same of its kernel.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Row {
    /// The primitive.
    pub primitive: String,
    /// The design.
    pub design: String,
    /// The kernel.
    pub kernel: String,
    /// Order of the allocation.
    pub order: u8,
    /// The state that the kernel met.
    pub class: String,
    /// The model's state where the kernel never met just that one: then the two differ in
    /// what happened beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<String>,
    /// The model's instructions.
    pub model: u64,
    /// The kernel's: of several exact values of one state, the most frequent.
    pub real: u64,
    /// Model over kernel.
    pub ratio: f64,
    /// The kernel code responsible, where it is known.
    pub reason: Option<String>,
}

/// All that is compared.
#[derive(Clone, Default, Debug)]
pub struct Fidelity {
    /// Primitives, in the order of the model's record.
    pub rows: Vec<Row>,
    /// Pairs, order by order.
    pub pairs: Vec<Pair>,
    /// Primitives of the kernels that no model has.
    pub unmodelled: Vec<String>,
    /// Primitives of the models that no kernel was counted for.
    pub uncounted: Vec<String>,
    /// What is known to be out of bounds, and why.
    pub known: Vec<Miss>,
}

/// The kernel's count of a state: the value that most samples had. Where the kernel never met
/// just that state, the one that differs only in what happened beside it (`held+spill1` for
/// `held`) stands in, and true is said.
fn real(
    recorded: &Recorded,
    primitive: &str,
    order: u8,
    met: Option<&State>,
) -> Option<(KernelCount, bool)> {
    let rows = || {
        let fits = |row: &&KernelCount| row.primitive == primitive && row.order == order;
        recorded.counts.rows.iter().filter(fits)
    };
    let exact = rows().filter(|row| met.is_none_or(|met| row.state.name() == met.name()));
    let near = rows().filter(|row| met.is_some_and(|met| row.state.main() == met.main()));
    let exact = exact.max_by_key(|row| row.samples).cloned();
    let near = || near.max_by_key(|row| row.samples).cloned();
    exact
        .map(|count| (count, false))
        .or_else(|| near().map(|count| (count, true)))
}

/// The folder with the models' record and the reasons, below `bench-results`.
pub const FOLDER: &str = "fidelity";
/// The models' record.
pub const MODEL_FILE: &str = "model.jsonl";
/// The reasons.
pub const REASONS_FILE: &str = "reasons.jsonl";
/// What is known to be out of bounds, with its cause.
pub const MISSES_FILE: &str = "misses.jsonl";

/// Reads both sides below `bench_results` and compares them.
///
/// # Errors
/// A record that is missing or does not read, with its path and line.
pub fn load(bench_results: &Path) -> Result<Fidelity, OracleError> {
    let folder = bench_results.join(FOLDER);
    let models: Vec<ModelCount> = read_lines(&folder.join(MODEL_FILE))?;
    let reasons: Vec<Reason> = read_lines(&folder.join(REASONS_FILE))?;
    let kernels = crate::Series::ALL
        .into_iter()
        .map(|series| crate::recorded::path(bench_results, series))
        // A kernel that was never recorded is not compared with.
        .filter(|path| path.exists())
        .map(|path| Recorded::read(&path))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Fidelity {
        known: read_lines(&folder.join(MISSES_FILE))?,
        ..compare(&models, &reasons, &kernels)
    })
}

/// Names that no row compares, each once.
fn uncompared<'a>(rows: &[Row], names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let compared = |name: &&str| rows.iter().any(|row| row.primitive == **name);
    let left: BTreeSet<&str> = names.filter(|name| !compared(name)).collect();
    left.into_iter().map(str::to_owned).collect()
}

/// Compares the models' counts with the kernels' they follow.
pub fn compare(models: &[ModelCount], reasons: &[Reason], kernels: &[Recorded]) -> Fidelity {
    let recorded = |kernel: &str| kernels.iter().find(|k| k.identity.rules == kernel);
    let reason_of = |row: &ModelCount| {
        let fits = |r: &&Reason| {
            r.primitive == row.primitive && r.kernel.as_ref().is_none_or(|k| *k == row.kernel)
        };
        reasons.iter().find(fits).map(|r| r.reason.clone())
    };
    let rows = models
        .iter()
        .filter_map(|model| {
            let met = Some(&model.state).filter(|state| !state.is_all());
            let (count, near) = real(recorded(&model.kernel)?, &model.primitive, model.order, met)?;
            (count.min > 0).then(|| Row {
                primitive: model.primitive.clone(),
                design: model.design.clone(),
                kernel: model.kernel.clone(),
                order: model.order,
                class: count.state.name().to_owned(),
                near: near.then(|| model.state.name().to_owned()),
                model: model.instructions,
                real: count.min,
                ratio: model.instructions as f64 / count.min as f64,
                reason: reason_of(model),
            })
        })
        .collect::<Vec<_>>();
    let pairs = PAIRS
        .iter()
        .flat_map(|pair| pairs_of(pair, &rows))
        .collect();
    let real = kernels.iter().flat_map(|k| &k.counts.rows);
    let unmodelled = uncompared(&rows, real.map(|row| row.primitive.as_str()));
    let uncounted = uncompared(&rows, models.iter().map(|model| model.primitive.as_str()));
    Fidelity {
        rows,
        pairs,
        unmodelled,
        uncounted,
        known: Vec::new(),
    }
}

/// Most that a model may cost, as a share of the kernel's instructions.
pub const MOST: f64 = 1.1;
/// Below this share a row wants its reason.
pub const REASON_BELOW: f64 = 0.8;
/// Most that a pair's two ratios may be apart.
pub const MAX_APART: f64 = 1.25;

impl Fidelity {
    /// Rows that cost more than [`MOST`] of the kernel's.
    pub fn above(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.ratio > MOST)
    }

    /// Rows below [`REASON_BELOW`] without a reason.
    pub fn unexplained(&self) -> impl Iterator<Item = &Row> {
        self.rows
            .iter()
            .filter(|row| row.ratio < REASON_BELOW && row.reason.is_none())
    }

    /// Pairs that are too far apart.
    pub fn apart(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(|pair| pair.apart() > MAX_APART)
    }

    /// One line for a report, with the three worst rows named.
    pub fn in_a_line(&self) -> Option<String> {
        let mut by_distance: Vec<&Row> = self.rows.iter().collect();
        by_distance.sort_by(|a, b| b.ratio.ln().abs().total_cmp(&a.ratio.ln().abs()));
        let low = self
            .rows
            .iter()
            .map(|row| row.ratio)
            .min_by(f64::total_cmp)?;
        let high = self
            .rows
            .iter()
            .map(|row| row.ratio)
            .max_by(f64::total_cmp)?;
        let mut names: Vec<&str> = self.rows.iter().map(|row| row.primitive.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut worst: Vec<String> = Vec::new();
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for row in by_distance {
            if worst.len() == 3 {
                break;
            }
            if !seen.contains(&(row.primitive.as_str(), row.kernel.as_str())) {
                seen.push((&row.primitive, &row.kernel));
                worst.push(format!(
                    "{} order {} against {} ({:.2})",
                    row.primitive, row.order, row.kernel, row.ratio
                ));
            }
        }
        let within = self
            .pairs
            .iter()
            .filter(|pair| pair.apart() <= MAX_APART)
            .count();
        Some(format!(
            "model within {low:.2} to {high:.2} of Linux 5.10/6.12 on {} primitives; worst: {}. {within} of {} \
             competing ratios within {MAX_APART} of the kernel's own",
            names.len(),
            worst.join(", "),
            self.pairs.len()
        ))
    }
}

#[cfg(test)]
#[path = "fidelity_tests.rs"]
mod tests;
