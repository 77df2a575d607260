//! `folioscope claims --check N`: the rows of one claim, measured here.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use compare::claims::{Judged, Records};
use measure::assignment::Cell;
use measure::plan::{Plan, REFERENCE};
use results::look::is_kernel;
use results::{Claim, ResultKind, Ruling, Term};

use crate::args::{ClaimsArgs, MeasureArgs, Which};
use crate::command::measure::Run;
use crate::command::report::summary;
use crate::failure::{Code, Failure};
use crate::kernels;
use crate::output::Output;
use crate::say::say;

/// Default budget of a check, in seconds.
const BUDGET_S: f64 = 50.0;

pub(super) fn run(
    id: u32,
    args: &ClaimsArgs,
    records: &Records,
    start: Instant,
    output: &mut Output,
) -> Result<Code, Failure> {
    let claims = &records.claims.claims;
    let claim = claims
        .iter()
        .find(|claim| claim.id == id)
        .ok_or_else(|| Failure::Usage(format!("no claim {id}; there are 1 to {}", claims.len())))?;
    let measured = match claim.expected {
        Ruling::NotMeasurable => None,
        _ => measure(claim, args, start)?,
    };
    if measured.is_none() {
        say!("folioscope: nothing was measured here: the records alone judge claim {id}");
    }
    let judged = records.judge(measured.as_ref());
    let here = judged
        .into_iter()
        .find(|judged| judged.id == id)
        .ok_or_else(|| Failure::Wrong(format!("claim {id} was not judged")))?;
    let (code, words) = outcome(&here);
    if args.json {
        output.text(render::claims_json(std::slice::from_ref(&here)))?;
        say!("folioscope: {words}");
    } else {
        output.text(render::claims_text(
            std::slice::from_ref(&here),
            "this machine",
        ))?;
        output.line("")?;
        output.line(words)?;
    }
    Ok(code)
}

/// The exit code, and the same in words.
fn outcome(here: &Judged) -> (Code, String) {
    let (verdict, expected, id) = (here.verdict, here.expected, here.id);
    if !verdict.is_answer() {
        let why = match verdict == Ruling::Undecided && cfg!(debug_assertions) {
            true => "; the times of a debug build prove nothing, run cargo folioscope claims",
            false => "",
        };
        let words = format!("Claim {id} cannot be judged here: {verdict}{why}.");
        return (Code::Usage, words);
    }
    if !expected.is_answer() {
        let words = format!("Claim {id}, here: {verdict}. By the committed results: {expected}.");
        return (Code::Done, words);
    }
    match here.stands() {
        true => (
            Code::Done,
            format!("The verdict of claim {id} stands here: {verdict}."),
        ),
        false => (
            Code::Beyond,
            format!("The verdict of claim {id} does not stand here: {verdict}, not {expected}."),
        ),
    }
}

/// Measures those rows of a claim that this machine can. `None` where the claim rests on
/// recorded counts alone, or where none of its contenders is here.
fn measure(
    claim: &Claim,
    args: &ClaimsArgs,
    start: Instant,
) -> Result<Option<compare::Summary>, Failure> {
    let of_run = |term: &&Term| matches!(term.kind, ResultKind::Time | ResultKind::Value);
    let terms: Vec<&Term> = claim.terms().filter(of_run).collect();
    let mut which = which(&terms);
    if which.design.is_empty() && which.kernels.is_empty() {
        return Ok(None);
    }
    if which.design.is_empty() {
        which.design.push(REFERENCE.to_owned());
    }
    let wanted = |cell: &Cell| terms.iter().any(|term| is_about(term, cell));
    let plan = kernels::named(which.change(Plan::default()))?;
    if !plan.cells()?.iter().any(wanted) {
        return Ok(None);
    }
    let args = MeasureArgs {
        which,
        budget: Some(args.budget.unwrap_or(BUDGET_S)),
        seed: None,
        processes: None,
        out: None,
        resume: false,
        // The verdict says of a debug build that its times prove nothing.
        allow_debug: true,
        json: false,
    };
    let mut run = Run::prepare(&args, start)?;
    run.keep(wanted);
    let measured = run.measure(Duration::from_millis(500))?;
    if measured.code == Code::Interrupted {
        return Err(Failure::Wrong("interrupted: nothing is judged".to_owned()));
    }
    say!("folioscope: {}: the record", measured.folder.display());
    summary(&measured.folder).map(Some)
}

/// The workloads and contenders of these terms, as far as they are here.
fn which(terms: &[&Term]) -> Which {
    let workloads: BTreeSet<&String> = terms.iter().map(|term| &term.what).collect();
    let mut which = Which {
        workload: workloads.into_iter().cloned().collect(),
        ..Which::default()
    };
    let contenders: BTreeSet<&String> = terms.iter().map(|term| &term.of).collect();
    for name in contenders {
        let here = match is_kernel(name) {
            true => kernels::of_built(std::slice::from_ref(name)).map(|_| &mut which.kernels),
            false => registry::contender(name)
                .map(|_| &mut which.design)
                .map_err(Failure::from),
        };
        match here {
            Ok(list) => list.push(name.clone()),
            Err(why) => say!("folioscope: left out: {why}"),
        }
    }
    which
}

/// Whether a claim's term is about this row of the plan.
fn is_about(term: &Term, cell: &Cell) -> bool {
    term.what == cell.workload
        && term.params.get("rules") == cell.params.get("rules")
        && term
            .params
            .iter()
            .all(|(name, value)| cell.params.get(name) == Some(value))
}
