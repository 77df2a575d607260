//! The claims of the thread, judged by results: each claim's numbers are looked up, held to
//! their bounds, and its rule gives the verdict.
//!
//! A number meets a bound only with the near end of its interval, and only where its row has a
//! verdict. A row that is not there makes the claim "not measured", never an error.

mod elsewhere;
mod evidence;

use std::path::Path;

use results::look::is_kernel;
use results::{
    CLAIMS_FILE, Claim, Claims, CountedKernel, FidelityRecord, ModelCount, Number, Outcome,
    Reading, RecordError, ResultKind, Ruling, SourceCount, TrafficRecord, TrafficRow, read_kernels,
    read_list,
};
use serde::Serialize;
use stats::Verdict;

pub use elsewhere::Elsewhere;
pub use evidence::Evidence;
use evidence::Found;

use crate::lines;
use crate::summary::Summary;
use crate::time_fidelity::Interval;

/// The claims, and the records that they are judged by whatever the run.
#[derive(Clone, Debug)]
pub struct Records {
    /// The claims, and the table of the first screen.
    pub claims: Claims,
    kernels: Vec<CountedKernel>,
    models: Vec<ModelCount>,
    traffic: Vec<TrafficRow>,
    source: Vec<SourceCount>,
}

impl Records {
    /// Reads the claims and the records below `bench_results`.
    ///
    /// # Errors
    ///
    /// [`RecordError`] for a file that is missing or does not read.
    pub fn read(bench_results: &Path) -> Result<Self, RecordError> {
        let mut traffic = TrafficRecord::read(&bench_results.join(lines::MODELS))?.rows;
        for path in lines::records(&bench_results.join(lines::KERNELS))? {
            traffic.extend(TrafficRecord::read(&path)?.rows);
        }
        Ok(Self {
            claims: Claims::read(&bench_results.join(CLAIMS_FILE))?,
            kernels: read_kernels(bench_results)?,
            models: FidelityRecord::read(bench_results)?.models,
            traffic,
            source: read_list(&bench_results.join(SourceCount::FILE))?,
        })
    }

    /// The records of real kernels, oldest first.
    #[must_use]
    pub fn kernels(&self) -> &[CountedKernel] {
        &self.kernels
    }

    /// The memory traffic of models and kernels, row by row.
    #[must_use]
    pub fn traffic(&self) -> &[TrafficRow] {
        &self.traffic
    }

    /// Judges every claim by a run and these records.
    #[must_use]
    pub fn judge(&self, run: Option<&Summary>) -> Vec<Judged> {
        let evidence = Evidence {
            run,
            kernels: &self.kernels,
            models: &self.models,
            traffic: &self.traffic,
            source: &self.source,
        };
        judge(&self.claims.claims, &evidence)
    }
}

/// A claim with its numbers and its verdict.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Judged {
    /// The claim's number.
    pub id: u32,
    /// The author of the claim.
    pub who: String,
    /// The claim in a few words.
    pub short: String,
    /// The claim.
    pub claim: String,
    /// The verdict that follows from the numbers.
    pub verdict: Ruling,
    /// The verdict that the claims file states.
    pub expected: Ruling,
    /// The meaning of the verdict.
    pub because: String,
    /// The numbers.
    pub numbers: Vec<Shown>,
    /// Inputs missing from the results, each once.
    pub missing: Vec<String>,
    /// The unfairness of the evidence.
    pub unfair: String,
    /// The command that measures the rows of this claim.
    pub repeat: String,
    /// The verdicts of other runs, where the claim rests on a run and they measured it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<Elsewhere>,
}

/// A number of a claim.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Shown {
    /// Its name in the rule.
    pub key: String,
    /// The quantity in words.
    pub says: String,
    /// The rows, as the claims file names them.
    pub of: String,
    /// The rows that it is divided by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// The number with its interval; none where a row is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Interval>,
    /// The quantity: `time`, `instructions`, `descriptor lines`, `bytes`.
    pub quantity: String,
    /// The unit: `ns/page`, `instructions`, `x` for a ratio.
    pub unit: String,
    /// The source of the number.
    pub source: Source,
    /// The bounds that it is held to, in words; empty without any.
    pub bound: String,
    /// Whether it is within them.
    pub met: Met,
    /// Why there is not a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// The source of a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A model in user space.
    Model,
    /// A real kernel.
    Kernel,
    /// A real kernel with a patch of ours.
    PatchedKernel,
}

impl Source {
    /// As tables write it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Kernel => "kernel",
            Self::PatchedKernel => "patched kernel",
        }
    }
}

/// Whether a number is within its bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Met {
    /// All of its interval is.
    Yes,
    /// All of its interval is beyond them.
    No,
    /// The interval reaches across a bound, or the row has no verdict.
    Undecided,
    /// There is not a number.
    Missing,
    /// There is no bound.
    Unbounded,
}

impl Judged {
    /// Whether the verdict is the one that the claims file states.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.verdict == self.expected
    }
}

/// Judges claims by what is measured.
#[must_use]
pub fn judge(claims: &[Claim], evidence: &Evidence<'_>) -> Vec<Judged> {
    claims.iter().map(|claim| one(claim, evidence)).collect()
}

fn one(claim: &Claim, evidence: &Evidence<'_>) -> Judged {
    let numbers: Vec<Shown> = claim
        .numbers
        .iter()
        .map(|number| shown(number, evidence))
        .collect();
    let mut missing: Vec<String> = Vec::new();
    for why in numbers.iter().filter_map(|number| number.missing.as_ref()) {
        if !missing.contains(why) {
            missing.push(why.clone());
        }
    }
    Judged {
        id: claim.id,
        who: claim.who.clone(),
        short: claim.short.clone(),
        claim: claim.claim.clone(),
        verdict: ruling(&claim.rule, &numbers),
        expected: claim.expected,
        because: claim.because.clone(),
        numbers,
        missing,
        unfair: claim.unfair.clone(),
        repeat: format!("folioscope claims --check {}", claim.id),
        elsewhere: Vec::new(),
    }
}

/// The first outcome whose conditions are all met.
fn ruling(rule: &[Outcome], numbers: &[Shown]) -> Ruling {
    let met = |condition: &String| {
        let key = condition.trim_start_matches('!');
        let number = numbers.iter().find(|number| number.key == key);
        let met = number.map_or(Met::Missing, |number| number.met);
        match (condition.starts_with('!'), met) {
            (true, Met::Yes) => Met::No,
            (true, Met::No) => Met::Yes,
            (_, met) => met,
        }
    };
    let holds = |outcome: &&Outcome| outcome.when.iter().all(|key| met(key) == Met::Yes);
    if let Some(outcome) = rule.iter().find(holds) {
        return outcome.verdict;
    }
    let mut conditions = rule.iter().flat_map(|outcome| &outcome.when);
    match conditions.any(|key| met(key) == Met::Missing) {
        true => Ruling::NotMeasured,
        false => Ruling::Undecided,
    }
}

fn shown(number: &Number, evidence: &Evidence<'_>) -> Shown {
    let mut shown = Shown {
        key: number.key.clone(),
        says: number.says.clone(),
        of: number.of.to_string(),
        over: number.over.as_ref().map(Reading::to_string),
        value: None,
        quantity: quantity(number).to_owned(),
        unit: String::new(),
        source: source(number),
        bound: bound(number),
        met: Met::Missing,
        missing: None,
    };
    match value(number, evidence) {
        Ok(found) => {
            shown.met = met(number, &found);
            shown.unit = found.unit;
            shown.value = Some(found.estimate.into());
        }
        Err(why) => shown.missing = Some(why),
    }
    shown
}

/// The reading, or the ratio of the two; why there is none otherwise.
fn value<'a>(number: &Number, evidence: &Evidence<'a>) -> Result<Found<'a>, String> {
    let of = evidence.find(&number.of)?;
    match &number.over {
        None => Ok(of),
        Some(over) => of.over(&evidence.find(over)?),
    }
}

fn met(number: &Number, found: &Found<'_>) -> Met {
    if number.at_least.is_none() && number.at_most.is_none() {
        return Met::Unbounded;
    }
    if !found.judged {
        return Met::Undecided;
    }
    // What the row's own noise cannot tell from 1 is 1.
    let (mut low, mut high) = (found.estimate.low, found.estimate.high);
    if found.verdict == Some(Verdict::NoDifference) {
        (low, high) = (low.min(1.0), high.max(1.0));
    }
    let least = number.at_least.map(|bound| (low >= bound, high < bound));
    let most = number.at_most.map(|bound| (high <= bound, low > bound));
    let sides = [least, most];
    let mut sides = sides.iter().flatten();
    if sides.clone().any(|side| side.1) {
        Met::No
    } else if sides.all(|side| side.0) {
        Met::Yes
    } else {
        Met::Undecided
    }
}

fn bound(number: &Number) -> String {
    match (number.at_least, number.at_most) {
        (None, None) => String::new(),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (Some(least), Some(most)) => format!("{least} to {most}"),
    }
}

/// The least real of what a number rests on: a ratio of a kernel to a model is a model's.
fn source(number: &Number) -> Source {
    let readings = std::iter::once(&number.of).chain(&number.over);
    let of = |contender: &str| match (is_kernel(contender), contender.contains(['+', '@'])) {
        (false, _) => Source::Model,
        (true, false) => Source::Kernel,
        (true, true) => Source::PatchedKernel,
    };
    let sources: Vec<Source> = readings
        .flat_map(|reading| reading.terms.iter().map(|term| of(&term.of)))
        .collect();
    match sources.contains(&Source::Model) {
        true => Source::Model,
        false => sources.into_iter().max().unwrap_or(Source::Model),
    }
}

fn quantity(number: &Number) -> &'static str {
    match number.of.terms.first().map(|term| term.kind) {
        Some(ResultKind::Time) | None => "time",
        Some(ResultKind::Count) => "instructions",
        Some(ResultKind::Lines) => "descriptor lines",
        Some(ResultKind::Value) => "bytes",
        Some(ResultKind::Source) => "lines of source",
    }
}
