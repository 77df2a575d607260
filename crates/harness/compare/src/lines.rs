//! How close the models come to the real kernels in memory traffic: the lines of descriptor
//! that a primitive touches.
//!
//! Lines, unlike instructions, do not depend on the compiler: a model that touches another
//! number of descriptors than its kernel does other work. So the two must be equal, or the
//! kernel code that makes the difference is named.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use results::{Class, RecordError, Traffic, TrafficRecord, TrafficRow, read_list};
use serde::{Deserialize, Serialize};

/// The models' record, below `bench-results`.
pub const MODELS: &str = "fidelity/model-lines.jsonl";
/// The reasons of differences.
pub const REASONS: &str = "fidelity/line-reasons.jsonl";
/// The folder of the kernels' records.
pub const KERNELS: &str = "kernel/lines";

/// Why a model and its kernel touch different numbers of lines.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineReason {
    /// The primitive.
    pub primitive: String,
    /// The kernel.
    pub kernel: String,
    /// The kernel code responsible, by name.
    pub reason: String,
}

/// Descriptor lines of a model's primitive beside the same of its kernel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LineRow {
    /// The primitive.
    pub primitive: String,
    /// The design.
    pub design: String,
    /// The order of the allocation.
    pub order: u8,
    /// The kernel, as `6.12`.
    pub kernel: String,
    /// The state that the kernel was in.
    pub class: String,
    /// The model's state where the kernel was never in exactly that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<String>,
    /// Descriptor lines that the model touches.
    pub model_lines: u32,
    /// Those that the kernel touches.
    pub real_lines: u32,
    /// Descriptor lines that the model writes.
    pub model_written: u32,
    /// Those that the kernel writes.
    pub real_written: u32,
    /// Why they differ; `None` where they are equal or the cause is unknown.
    pub reason: Option<String>,
}

impl LineRow {
    /// Whether both touch and write equally many.
    pub fn is_equal(&self) -> bool {
        (self.model_lines, self.model_written) == (self.real_lines, self.real_written)
    }
}

/// All that is compared.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct LineFidelity {
    /// Primitives, in the order of the models' record.
    pub rows: Vec<LineRow>,
    /// Primitives of the models that their kernel's record lacks.
    pub unpaired: Vec<String>,
    /// Reasons for what is equal, or not compared.
    pub outdated: Vec<LineReason>,
}

impl LineFidelity {
    /// Rows that differ without a reason.
    pub fn unexplained(&self) -> impl Iterator<Item = &LineRow> {
        self.rows
            .iter()
            .filter(|row| !row.is_equal() && row.reason.is_none())
    }
}

/// The state without the value that tells it from others of its name.
fn state(class: &str) -> &str {
    class.split('@').next().unwrap_or(class)
}

/// The state without what happened beside it.
fn main_state(class: &str) -> &str {
    state(class).split('+').next().unwrap_or(class)
}

/// The kernel's row of a model's: the same state, or else one that differs only in what
/// happened beside it; of several the most frequent one. The flag marks the latter.
fn real<'a>(kernels: &'a [TrafficRecord], model: &TrafficRow) -> Option<(&'a TrafficRow, bool)> {
    let rows = || {
        kernels.iter().flat_map(|k| &k.rows).filter(|row| {
            let key = |row: &TrafficRow| (row.kernel.clone(), row.primitive.clone(), row.order);
            key(row) == key(model)
        })
    };
    let any = model.class == "all";
    let exact = rows().filter(|row| any || state(&row.class) == state(&model.class));
    let near = rows().filter(|row| main_state(&row.class) == main_state(&model.class));
    let exact = exact.max_by_key(|row| row.samples);
    let near = || near.max_by_key(|row| row.samples);
    exact
        .map(|row| (row, false))
        .or_else(|| near().map(|row| (row, true)))
}

/// Compares the models' traffic with that of the kernels whose rules they follow.
pub fn compare(
    models: &[TrafficRow],
    reasons: &[LineReason],
    kernels: &[TrafficRecord],
) -> LineFidelity {
    let of = |traffic: &Traffic| traffic.of(Class::Descriptor);
    let mut found = LineFidelity::default();
    let mut unpaired = BTreeSet::new();
    for model in models {
        let Some((real, is_near)) = real(kernels, model) else {
            unpaired.insert(model.primitive.clone());
            continue;
        };
        let mut row = LineRow {
            primitive: model.primitive.clone(),
            design: model.design.clone().unwrap_or_default(),
            order: model.order,
            kernel: model.kernel.clone(),
            class: state(&real.class).to_owned(),
            near: is_near.then(|| model.class.clone()),
            model_lines: of(&model.traffic).lines,
            real_lines: of(&real.traffic).lines,
            model_written: of(&model.traffic).written,
            real_written: of(&real.traffic).written,
            reason: None,
        };
        if !row.is_equal() {
            let fits = |r: &&LineReason| r.primitive == row.primitive && r.kernel == row.kernel;
            row.reason = reasons.iter().find(fits).map(|r| r.reason.clone());
        }
        found.rows.push(row);
    }
    let used = |reason: &LineReason| {
        let fits = |row: &LineRow| {
            (&row.primitive, &row.kernel) == (&reason.primitive, &reason.kernel) && !row.is_equal()
        };
        found.rows.iter().any(fits)
    };
    found.outdated = reasons.iter().filter(|r| !used(r)).cloned().collect();
    found.unpaired = unpaired
        .into_iter()
        .filter(|name| found.rows.iter().all(|row| row.primitive != *name))
        .collect();
    found
}

/// Reads both sides below `bench_results` and compares them.
///
/// # Errors
///
/// [`RecordError`] for a record that is missing or does not read.
pub fn load(bench_results: &Path) -> Result<LineFidelity, RecordError> {
    let models = TrafficRecord::read(&bench_results.join(MODELS))?;
    let reasons: Vec<LineReason> = read_list(&bench_results.join(REASONS))?;
    let kernels = records(&bench_results.join(KERNELS))?
        .iter()
        .map(|path| TrafficRecord::read(path))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(compare(&models.rows, &reasons, &kernels))
}

/// Reads the traffic of every recorded kernel below `bench_results`, row by row.
///
/// # Errors
///
/// [`RecordError`] for a record that is missing or does not read.
pub fn of_kernels(bench_results: &Path) -> Result<Vec<TrafficRow>, RecordError> {
    let mut rows = Vec::new();
    for path in records(&bench_results.join(KERNELS))? {
        rows.extend(TrafficRecord::read(&path)?.rows);
    }
    Ok(rows)
}

/// The records of a folder, by name.
pub(crate) fn records(folder: &Path) -> Result<Vec<PathBuf>, RecordError> {
    let refuse = |source| RecordError::io(folder, source);
    let mut paths = fs::read_dir(folder)
        .map_err(&refuse)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(&refuse)?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    paths.sort();
    Ok(paths)
}
