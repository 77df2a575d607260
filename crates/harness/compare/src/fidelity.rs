//! How close the models come to the real kernels: instructions beside instructions, and
//! the ratios of what competes.
//!
//! Both sides come from records: the kernels' from `bench-results/kernel`, the models'
//! from `bench-results/fidelity/model.jsonl`, with the reason for every ratio that needs one
//! in `reasons.jsonl` beside it.

use std::collections::BTreeSet;

use results::{CountedKernel, FidelityRecord, KernelCount, Miss, ModelCount, Reason, State};
use serde::Serialize;

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
    /// The state that the kernel was in.
    pub class: String,
    /// The model's state where the kernel was never in exactly that one: then the two differ in
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
    /// Misses that are known, with their causes.
    pub known: Vec<Miss>,
}

/// The kernel's count of a state: the value that most samples had. Where the kernel was never in
/// just that state, the one that differs only in what happened beside it (`held+spill1` for `held`)
/// stands in, and the flag is true.
fn real(
    recorded: &CountedKernel,
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

/// Names that no row compares, each once.
fn uncompared<'a>(rows: &[Row], names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let compared = |name: &&str| rows.iter().any(|row| row.primitive == **name);
    let left: BTreeSet<&str> = names.filter(|name| !compared(name)).collect();
    left.into_iter().map(str::to_owned).collect()
}

/// The most that a model may cost, as a share of the kernel's instructions.
pub const MAX_SHARE: f64 = 1.1;
/// Below this share a row needs a reason.
pub const REASON_BELOW: f64 = 0.8;
/// The most that a pair's two ratios may be apart.
pub const MAX_APART: f64 = 1.25;

impl Fidelity {
    /// Compares the models' counts with the kernels' they follow.
    pub fn of(record: &FidelityRecord, kernels: &[CountedKernel]) -> Self {
        let FidelityRecord {
            models,
            reasons,
            known,
        } = record;
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
                let (count, near) =
                    real(recorded(&model.kernel)?, &model.primitive, model.order, met)?;
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
        Self {
            rows,
            pairs,
            unmodelled,
            uncounted,
            known: known.clone(),
        }
    }

    /// Rows that cost more than [`MAX_SHARE`] of the kernel's.
    pub fn above(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.ratio > MAX_SHARE)
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
}

#[cfg(test)]
#[path = "fidelity_tests.rs"]
mod tests;
