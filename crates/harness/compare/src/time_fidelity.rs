//! How close the models come to real kernels in time: rows of one run in which both stood in
//! the same rounds, over the same allocations.
//!
//! A kernel is compiled by gcc: a ratio holds a difference of compilers too.

use std::path::Path;

use results::look::{is_kernel_of, stock_of};
use results::{Param, Params, RecordError, read_list};
use serde::{Deserialize, Serialize};
use stats::Estimate;

use crate::summary::{Case, RULES, Summary};

/// Reasons of misses, below `bench-results`.
pub const REASONS: &str = "fidelity/time-reasons.jsonl";
/// The least and the most that a model may take, as a share of its kernel's time.
pub const BOUNDS: (f64, f64) = (0.8, 1.25);
/// The most that a pair's two ratios may be apart.
pub const MAX_APART: f64 = 1.25;

/// Why a model takes another time than its kernel does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeReason {
    /// The workload.
    pub workload: String,
    /// The kernel. What is said of a released one holds for the same with a patch of ours, where
    /// nothing else is said of that.
    pub kernel: String,
    /// The parameters of the rows that it is about; all rows of the workload without.
    #[serde(default, skip_serializing_if = "Params::is_empty")]
    pub params: Params,
    /// The code responsible, on either side.
    pub reason: String,
}

/// A value with its interval, in a record.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Interval {
    /// The value.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
}

impl From<Estimate> for Interval {
    fn from(estimate: Estimate) -> Self {
        Self {
            value: estimate.value,
            low: estimate.low,
            high: estimate.high,
        }
    }
}

/// A model beside its kernel in one row.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TimeRow {
    /// The workload.
    pub workload: String,
    /// Its parameters.
    pub params: Params,
    /// The model.
    pub design: String,
    /// Its kernel.
    pub kernel: String,
    /// The unit of one element.
    pub unit: String,
    /// Nanoseconds an element of the model.
    pub model_ns: Interval,
    /// Nanoseconds an element of the kernel.
    pub real_ns: Interval,
    /// Model over kernel.
    pub ratio: Interval,
    /// Why it is out of bounds; `None` where it is within, or the cause is unknown.
    pub reason: Option<String>,
    /// Whether the model was asked to do what this kernel is built for: [`Refereed::asked`].
    #[serde(skip)]
    pub asked: bool,
}

impl TimeRow {
    /// Whether the ratio itself lies outside of [`BOUNDS`].
    pub fn is_miss(&self) -> bool {
        !(BOUNDS.0..=BOUNDS.1).contains(&self.ratio.value)
    }

    /// Whether its entire interval does, so that noise does not explain it.
    pub fn is_surely_a_miss(&self) -> bool {
        self.ratio.low > BOUNDS.1 || self.ratio.high < BOUNDS.0
    }
}

/// Two models beside their two kernels in one row.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TimePair {
    /// The workload.
    pub workload: String,
    /// Its parameters.
    pub params: Params,
    /// The parameters of the row of each model, which name the rules where they are its own.
    #[serde(skip)]
    pub rows: [Params; 2],
    /// The models.
    pub designs: [String; 2],
    /// Their kernels.
    pub kernels: [String; 2],
    /// The first model over the second.
    pub model_ratio: Interval,
    /// The first kernel over the second.
    pub real_ratio: Interval,
    /// How far the two ratios are apart: the greater over the lesser.
    pub apart: f64,
    /// The near end of its 95 % interval; 1 where the two ratios may be equal.
    pub apart_at_least: f64,
    /// The cause if they are too far apart: the reasons of its rows, which may be within bounds.
    pub reason: Option<String>,
}

impl TimePair {
    /// Whether the entire interval is beyond [`MAX_APART`], so that noise does not explain it.
    pub fn is_surely_apart(&self) -> bool {
        self.apart_at_least > MAX_APART
    }

    /// Whether a row is one of the pair's two.
    fn holds(&self, row: &TimeRow) -> bool {
        (0..2).any(|at| {
            (&row.workload, &row.params, &row.design)
                == (&self.workload, &self.rows[at], &self.designs[at])
        })
    }
}

/// All that is compared.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct TimeFidelity {
    /// Rows, in the order of the run.
    pub rows: Vec<TimeRow>,
    /// Competing pairs, in the same order.
    pub pairs: Vec<TimePair>,
    /// Reasons for what is within bounds, or not compared.
    pub outdated: Vec<TimeReason>,
}

/// A model and the kernel that referees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refereed<'a> {
    /// The model.
    pub design: &'a str,
    /// The kernel.
    pub kernel: &'a str,
    /// A parameter that puts to the model what the kernel is built to do: `merge=no`. The kernel
    /// is measured in the row that is the same without it.
    pub asked: Option<(&'a str, &'a str)>,
}

impl<'a> Refereed<'a> {
    /// A model that does as this kernel does without being asked.
    #[must_use]
    pub fn new(design: &'a str, kernel: &'a str) -> Self {
        Self {
            design,
            kernel,
            asked: None,
        }
    }

    /// The row of its kernel beside a row of the model; `None` where it has none there.
    fn real<'s>(self, summary: &'s Summary, case: &'s Case) -> Option<&'s Case> {
        let Some((name, value)) = self.asked else {
            return Some(case);
        };
        if case.params.get(name)?.to_string() != value {
            return None;
        }
        let params = without(&case.params, name);
        let same = |other: &&Case| other.workload == case.workload && other.params == params;
        summary.cases().find(same)
    }
}

/// A row of a model, and that of its kernel.
#[derive(Clone, Copy)]
struct Beside<'s> {
    of: Refereed<'s>,
    model: &'s Case,
    real: &'s Case,
}

impl Beside<'_> {
    /// Whether both are the same question, apart from what is put to the models alone.
    fn asks_as(&self, other: &Self) -> bool {
        self.real.workload == other.real.workload && self.params().eq(other.params())
    }

    fn params(&self) -> impl Iterator<Item = (&String, &Param)> {
        let all = self.real.params.iter();
        all.filter(|(name, _)| *name != RULES)
    }
}

/// The parameters but for this one.
fn without(params: &Params, name: &str) -> Params {
    let mut params = params.clone();
    params.remove(name);
    params
}

impl TimeFidelity {
    /// Compares the models of a run with the kernels in it.
    ///
    /// Where the run has rows of a workload under a kernel's rules, its model is timed in
    /// those; in the others it follows the rules of another kernel.
    pub fn of(summary: &Summary, refereed: &[Refereed<'_>], reasons: &[TimeReason]) -> Self {
        let mut found = Self::default();
        // In the order of `refereed`, each with the rows of its own.
        let mut beside: Vec<Vec<Beside<'_>>> = vec![Vec::new(); refereed.len()];
        for case in summary.cases() {
            for (&of, beside) in refereed.iter().zip(&mut beside) {
                if is_ruled_by(summary, case, of)
                    && let Some(real) = of.real(summary, case)
                {
                    let two = Beside {
                        of,
                        model: case,
                        real,
                    };
                    if let Some(row) = row(two, reasons) {
                        found.rows.push(row);
                        beside.push(two);
                    }
                }
            }
        }
        for (at, first) in beside.iter().enumerate() {
            for second in beside.iter().skip(at + 1) {
                for one in first {
                    let same = second
                        .iter()
                        .find(|other| competes(one.of, other.of) && one.asks_as(other));
                    found
                        .pairs
                        .extend(same.and_then(|other| pair(*one, *other)));
                }
            }
        }
        for pair in &mut found.pairs {
            pair.reason = (pair.apart > MAX_APART)
                .then(|| reason_of_pair(pair, &found.rows, reasons))
                .flatten();
        }
        let used = |reason: &TimeReason| {
            let of = |row: &TimeRow| {
                fits(reason, row, &row.kernel) || fits(reason, row, stock_of(&row.kernel))
            };
            let is_apart = |row: &TimeRow| found.apart().any(|pair| pair.holds(row));
            let counts = |row: &TimeRow| of(row) && (row.is_miss() || is_apart(row));
            found.rows.iter().any(counts)
        };
        found.outdated = reasons.iter().filter(|r| !used(r)).cloned().collect();
        found
    }

    /// Rows out of bounds.
    pub fn misses(&self) -> impl Iterator<Item = &TimeRow> {
        self.rows.iter().filter(|row| row.is_miss())
    }

    /// Pairs that are too far apart.
    pub fn apart(&self) -> impl Iterator<Item = &TimePair> {
        self.pairs.iter().filter(|pair| pair.apart > MAX_APART)
    }
}

/// Reads the reasons below `bench_results`.
///
/// # Errors
/// [`RecordError`] for a file that does not read; that there is none is no error.
pub fn reasons(bench_results: &Path) -> Result<Vec<TimeReason>, RecordError> {
    let path = bench_results.join(REASONS);
    if path.exists() {
        read_list(&path)
    } else {
        Ok(Vec::new())
    }
}

/// Whether a reason is about a row, of this kernel.
fn fits(reason: &TimeReason, row: &TimeRow, kernel: &str) -> bool {
    (reason.workload.as_str(), reason.kernel.as_str()) == (row.workload.as_str(), kernel)
        && reason
            .params
            .iter()
            .all(|(name, value)| row.params.get(name) == Some(value))
}

/// The reason of a row: that of its kernel, or of its kernel without the patch.
fn reason_of(row: &TimeRow, reasons: &[TimeReason]) -> Option<String> {
    let of = |kernel: &str| reasons.iter().find(|reason| fits(reason, row, kernel));
    let stock = stock_of(&row.kernel);
    of(&row.kernel)
        .map(|own| own.reason.clone())
        .or_else(|| of(stock).map(|shared| format!("as {stock}: {}", shared.reason)))
}

/// The reasons of the two rows of a pair, joined.
fn reason_of_pair(pair: &TimePair, rows: &[TimeRow], reasons: &[TimeReason]) -> Option<String> {
    let known: Vec<String> = rows
        .iter()
        .filter(|row| pair.holds(row))
        .filter_map(|row| Some(format!("{}: {}", row.design, reason_of(row, reasons)?)))
        .collect();
    (!known.is_empty()).then(|| known.join("; "))
}

fn row(two: Beside<'_>, reasons: &[TimeReason]) -> Option<TimeRow> {
    let (case, real) = (two.model, two.real);
    let Refereed { design, kernel, .. } = two.of;
    let (model_ns, real_ns) = (case.time(design)?, real.time(kernel)?);
    let ratio = case.over(design, (real, kernel))?;
    let mut row = TimeRow {
        workload: case.workload.clone(),
        params: case.params.clone(),
        design: design.to_owned(),
        kernel: kernel.to_owned(),
        unit: case.unit.clone(),
        model_ns: model_ns.into(),
        real_ns: real_ns.into(),
        ratio: ratio.into(),
        reason: None,
        asked: two.of.asked.is_some(),
    };
    if row.is_miss() {
        row.reason = reason_of(&row, reasons);
    }
    Some(row)
}

/// Whether a model that a kernel referees stands beside it in this row: in that of the kernel's
/// rules where the run has one, even one without a time, in that of no rules otherwise.
fn is_ruled_by(summary: &Summary, case: &Case, of: Refereed<'_>) -> bool {
    let Refereed { design, kernel, .. } = of;
    let ruled = |case: &Case| {
        case.cells.contains_key(design)
            && case
                .rules()
                .is_some_and(|rules| is_kernel_of(kernel, &rules))
    };
    ruled(case)
        || case.rules().is_none()
            && !summary
                .cases()
                .any(|other| other.workload == case.workload && ruled(other))
}

/// Whether the difference between two kernels is that of two answers: two releases, or a
/// release and itself with a patch. A patch to one release beside another release is both.
fn competes(first: Refereed<'_>, second: Refereed<'_>) -> bool {
    let is_stock = |of: Refereed<'_>| stock_of(of.kernel) == of.kernel;
    if first.asked.or(second.asked).is_some() {
        // One patch beside another is neither.
        return is_stock(first) && stock_of(second.kernel) == first.kernel
            || is_stock(second) && stock_of(first.kernel) == second.kernel;
    }
    is_stock(first) && is_stock(second) || stock_of(first.kernel) == stock_of(second.kernel)
}

/// Two models, each in a row of its own question, and their two kernels.
fn pair(first: Beside<'_>, second: Beside<'_>) -> Option<TimePair> {
    let (one, other) = (first.of, second.of);
    let model = first.model.over(one.design, (second.model, other.design))?;
    // The kernels stand in one row wherever both are asked.
    let real = first
        .real
        .over(one.kernel, (first.real, other.kernel))
        .or_else(|| second.real.over(one.kernel, (second.real, other.kernel)))
        .or_else(|| first.real.over(one.kernel, (second.real, other.kernel)))?;
    let apart = model.over(&real)?;
    Some(TimePair {
        workload: first.model.workload.clone(),
        params: second.model.params.clone(),
        rows: [first.model.params.clone(), second.model.params.clone()],
        designs: [one.design.to_owned(), other.design.to_owned()],
        kernels: [one.kernel.to_owned(), other.kernel.to_owned()],
        model_ratio: model.into(),
        real_ratio: real.into(),
        apart: apart.value.max(apart.value.recip()),
        apart_at_least: apart.low.max(apart.high.recip()).max(1.0),
        reason: None,
    })
}
