//! Looking up what a claim names: times and values in a run, counts and lines in the records
//! of kernels and models.

use results::look::KERNEL;
use results::{
    Class, CountedKernel, ModelCount, Param, Params, Reading, ResultKind, SourceCount, Term,
    TrafficRow,
};
use stats::{Estimate, Verdict, judge};

use crate::kernel_history::usual;
use crate::summary::{Case, Cell, OTHER_QUESTIONS, Summary, ValueCell};

/// The records that claims are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The run; without one no claim that rests on times is measured.
    pub run: Option<&'a Summary>,
    /// The counts of real kernels.
    pub kernels: &'a [CountedKernel],
    /// The counts of the models beside them.
    pub models: &'a [ModelCount],
    /// Lines touched, of kernels and models.
    pub traffic: &'a [TrafficRow],
    /// Lines of kernel source.
    pub source: &'a [SourceCount],
}

/// A number, and how far it may be believed.
#[derive(Clone, Debug)]
pub(super) struct Found<'a> {
    pub estimate: Estimate,
    pub unit: String,
    /// Whether every row behind it has a verdict, or needs none.
    pub judged: bool,
    /// Of a ratio of times, whether it differs from 1 at all.
    pub verdict: Option<Verdict>,
    /// The row and contender, where it is a single time.
    time: Option<(&'a Case, String)>,
    /// The largest floor of the rows behind it; 0 for what is exact.
    floor: f64,
}

impl<'a> Found<'a> {
    fn exact(value: f64, unit: &str) -> Self {
        Self {
            estimate: Estimate::exact(value),
            unit: unit.to_owned(),
            judged: true,
            verdict: None,
            time: None,
            floor: 0.0,
        }
    }

    fn plus(self, that: &Self) -> Self {
        let (a, b) = (self.estimate, that.estimate);
        Self {
            estimate: Estimate {
                value: a.value + b.value,
                // As if all errors had one sign: never narrower than it is.
                low: a.low + b.low,
                high: a.high + b.high,
                processes: a.processes.min(b.processes),
            },
            judged: self.judged && that.judged,
            floor: self.floor.max(that.floor),
            time: None,
            ..self
        }
    }

    /// This over that.
    pub fn over(&self, that: &Self) -> Result<Self, String> {
        // Two times of a run are compared process by process: more than two estimates say.
        let direct = match (&self.time, &that.time) {
            (Some((case, of)), Some((other, over))) => case.over(of, (other, over)),
            _ => None,
        };
        let ratio = direct.or_else(|| self.estimate.over(&that.estimate));
        let estimate = ratio.ok_or("a result of 0 has no ratio")?;
        let floor = self.floor.max(that.floor);
        let exact = floor == 0.0 && estimate.low == estimate.high;
        // The run itself has judged ratios to the reference, all rows together.
        let own = match (&self.time, &that.time) {
            (Some((case, of)), Some((other, over)))
                if std::ptr::eq(*case, *other) && case.ratio(over).is_none() =>
            {
                case.verdict(of)
            }
            _ => None,
        };
        Ok(Self {
            estimate,
            unit: "x".to_owned(),
            judged: self.judged && that.judged,
            verdict: match exact {
                true => None,
                false => own.or(Some(judge(&estimate, floor))),
            },
            time: None,
            floor,
        })
    }
}

impl<'a> Evidence<'a> {
    /// Looks a reading up; why it is not there otherwise.
    pub(super) fn find(&self, reading: &Reading) -> Result<Found<'a>, String> {
        let mut sum: Option<Found<'a>> = None;
        for term in &reading.terms {
            let found = self.term(term)?;
            sum = Some(match sum {
                None => found,
                Some(sum) => sum.plus(&found),
            });
        }
        sum.ok_or_else(|| "nothing is named".to_owned())
    }

    fn term(&self, term: &Term) -> Result<Found<'a>, String> {
        let mut found = match term.kind {
            ResultKind::Time => self.time(term)?,
            ResultKind::Value => self.value(term)?,
            ResultKind::Count => self.count(term)?,
            ResultKind::Lines => self.lines(term)?,
            ResultKind::Source => self.source(term)?,
        };
        if term.times != 1.0 {
            let of = found.estimate;
            found.estimate = Estimate {
                value: of.value * term.times,
                low: of.low * term.times,
                high: of.high * term.times,
                ..of
            };
            found.time = None;
        }
        Ok(found)
    }

    fn run(&self, term: &Term) -> Result<&'a Summary, String> {
        let run = self.run.ok_or("no run with times is named")?;
        let in_values = |contender: &str| {
            let mut values = run.values.iter();
            values.any(|case| case.cells.contains_key(contender))
        };
        match run.designs.contains(&term.of) || in_values(&term.of) {
            true => Ok(run),
            false => Err(format!("{} is not in the run", term.of)),
        }
    }

    fn time(&self, term: &Term) -> Result<Found<'a>, String> {
        let run = self.run(term)?;
        let fits = |case: &&Case| case.workload == term.what && has(&case.params, &term.params);
        let case = only(run.cases().filter(fits), term, |case| &case.params)?;
        match case.cells.get(&term.of) {
            Some(Cell::Time { slow: true, .. }) => {
                Err(format!("the machine was slow while {} ran", row(term)))
            }
            Some(Cell::Time { ns, verdict, .. }) => Ok(Found {
                estimate: *ns,
                unit: format!("ns/{}", case.unit),
                judged: !run.env.is_of_a_debug_build()
                    && case.floor.is_some()
                    && (verdict.is_some() || term.of == run.reference),
                verdict: None,
                time: Some((case, term.of.clone())),
                floor: case.floor.unwrap_or(0.0),
            }),
            Some(Cell::Absent(why)) => Err(format!("{}: {why}", row(term))),
            Some(Cell::Failed(why)) => Err(format!("{} went wrong: {why}", row(term))),
            None => Err(format!("no row {} in the run", row(term))),
        }
    }

    fn value(&self, term: &Term) -> Result<Found<'a>, String> {
        let run = self.run(term)?;
        let fits = |case: &&crate::ValueCase| {
            case.workload == term.what && has(&case.params, &term.params)
        };
        let case = only(run.values.iter().filter(fits), term, |case| &case.params)?;
        match case.cells.get(&term.of) {
            Some(ValueCell::Value(estimate)) => Ok(Found {
                estimate: *estimate,
                ..Found::exact(0.0, &case.unit)
            }),
            Some(ValueCell::Absent(why)) => Err(format!("{}: {why}", row(term))),
            Some(ValueCell::Failed(why)) => Err(format!("{} went wrong: {why}", row(term))),
            None => Err(format!("no row {} in the run", row(term))),
        }
    }

    fn count(&self, term: &Term) -> Result<Found<'a>, String> {
        let none = || format!("no count of {} is recorded", row(term));
        let (order, states) = (order(term)?, state(term));
        let states: Vec<&str> = states.iter().map(String::as_str).collect();
        let instructions = match term.of.strip_prefix(KERNEL) {
            Some(version) => {
                let mut kernels = self.kernels.iter();
                let kernel = kernels
                    .find(|kernel| kernel.identity.version() == version)
                    .ok_or_else(|| format!("no counts of {} are recorded", term.of))?;
                let counts = &kernel.counts;
                let absent = counts.absent.iter().find(|one| one.primitive == term.what);
                if let Some(absent) = absent {
                    return Err(format!("{}: {}", row(term), absent.reason));
                }
                let count = usual(counts, order, (&term.what, &states));
                count.map(|count| count.min)
            }
            None => {
                let fits = |count: &&ModelCount| {
                    (&count.primitive, &count.design, count.order) == (&term.what, &term.of, order)
                        && (states.is_empty() || states.contains(&count.state.main()))
                };
                let count = self.models.iter().find(fits);
                count.map(|count| count.instructions)
            }
        };
        let instructions = instructions.ok_or_else(none)?;
        Ok(Found::exact(instructions as f64, "instructions"))
    }

    fn source(&self, term: &Term) -> Result<Found<'a>, String> {
        let fits = |count: &&SourceCount| {
            count.pattern == term.what && term.of.strip_prefix(KERNEL) == Some(&count.kernel)
        };
        let found = self.source.iter().find(fits);
        let count = found.ok_or_else(|| format!("no source lines of {} are counted", row(term)))?;
        Ok(Found::exact(count.lines as f64, "lines"))
    }

    fn lines(&self, term: &Term) -> Result<Found<'a>, String> {
        let (order, states) = (order(term)?, state(term));
        let fits = |row: &&TrafficRow| {
            let of = match term.of.strip_prefix(KERNEL) {
                Some(version) => row.design.is_none() && row.kernel == version,
                None => row.design.as_ref() == Some(&term.of),
            };
            let main = row.class.split(['+', '@']).next().unwrap_or_default();
            of && (&row.primitive, row.order) == (&term.what, order)
                && (states.is_empty() || states.iter().any(|state| state == main))
        };
        let found = self.traffic.iter().filter(fits);
        let row = found
            .max_by_key(|row| row.samples)
            .ok_or_else(|| format!("no lines of {} are recorded", row(term)))?;
        let lines = row.traffic.of(Class::Descriptor).lines;
        Ok(Found::exact(f64::from(lines), "lines"))
    }
}

/// Whether a row has these parameters. One under a kernel's rules is not the same row as
/// one without.
fn has(params: &Params, wanted: &Params) -> bool {
    OTHER_QUESTIONS
        .iter()
        .all(|&name| params.get(name) == wanted.get(name))
        && wanted
            .iter()
            .all(|(name, value)| params.get(name) == Some(value))
}

/// Finds the row: of several matches, the one without further parameters. Otherwise none
/// is: the claims file says too little.
fn only<'a, T>(
    rows: impl Iterator<Item = &'a T>,
    term: &Term,
    params: impl Fn(&'a T) -> &'a Params,
) -> Result<&'a T, String> {
    let rows: Vec<&T> = rows.collect();
    match rows.as_slice() {
        [] => Err(format!("no row {} in the run", row(term))),
        [one] => Ok(*one),
        several => several
            .iter()
            .find(|row| *params(row) == term.params)
            .copied()
            .ok_or_else(|| format!("several rows are {}", row(term))),
    }
}

fn order(term: &Term) -> Result<u8, String> {
    match term.params.get("order") {
        Some(Param::Number(order)) => u8::try_from(*order).ok(),
        _ => None,
    }
    .ok_or_else(|| format!("{}: a count needs an order", row(term)))
}

fn state(term: &Term) -> Vec<String> {
    term.params
        .get("state")
        .map(ToString::to_string)
        .into_iter()
        .collect()
}

/// The name of a row for readers: without its kind and factor.
fn row(term: &Term) -> String {
    let params: String = term
        .params
        .iter()
        .map(|(name, value)| format!(" {name}={value}"))
        .collect();
    format!("{}{params}, {}", term.what, term.of)
}
