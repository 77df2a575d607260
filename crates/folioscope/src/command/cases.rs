//! `folioscope cases run`: merge, split and map questions, and sequences of charges and lists,
//! answered line by line.

use std::fs::File;
use std::io::{BufRead, BufReader, stdin};

use conformance::case::{Answer, Case, CaseLine, KernelVersion, parse_all_lines};
use conformance::evaluate::EvaluateError;
use conformance::ledger::{FILE_RULES, LedgerCase};
use conformance::reference;
use registry::{Cases, Held};
use serde::Serialize;

use crate::args::{CasesArgs, CasesCommand};
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::say::say;

/// A design whose answer differs from the reference's.
#[derive(Serialize)]
struct Disagreement<'a> {
    name: &'a str,
    error: String,
    design: &'a str,
    reference: &'a Answer,
    answer: Option<&'a Answer>,
}

/// A case that could not be put to the design that was asked for.
#[derive(Serialize)]
struct NotAsked<'a> {
    name: &'a str,
    error: String,
    design: &'a str,
}

pub(crate) fn run(args: &CasesArgs, output: &mut Output) -> Result<Code, Failure> {
    let CasesCommand::Run(args) = &args.command;
    let design = args.design.as_deref().map(named).transpose()?;
    let file = args.file.display();
    if args.file.as_os_str() == "-" {
        let from = stdin().lock();
        return answer_all(from, "standard input", args.rules, design, output);
    }
    let opened =
        File::open(&args.file).map_err(|error| Failure::Usage(format!("{file}: {error}")))?;
    answer_all(
        BufReader::new(opened),
        &file.to_string(),
        args.rules,
        design,
        output,
    )
}

/// The design that is to answer, and how it does; the floor has no answer, nor has a design without
/// block IO.
fn named(name: &str) -> Result<Asked, Failure> {
    let contender = registry::contender(name)?;
    let why = if contender.is_floor() {
        "is the harness floor"
    } else {
        "has no block IO"
    };
    answering()
        .find(|(held, _)| held.name == name)
        .ok_or_else(|| Failure::Usage(format!("`{name}` {why}: it answers nothing")))
}

/// A contender that answers cases, and how it does.
type Asked = (&'static Held, &'static Cases);

/// The contenders that answer cases.
fn answering() -> impl Iterator<Item = Asked> {
    registry::held().filter_map(|held| Some((held, held.cases()?)))
}

fn answer_all(
    from: impl BufRead,
    file: &str,
    rules: Option<KernelVersion>,
    design: Option<Asked>,
    output: &mut Output,
) -> Result<Code, Failure> {
    let mut code = Code::Done;
    for (_, line) in parse_all_lines(from, rules) {
        match line {
            Err(error) => {
                say!("folioscope: {file}: {error}");
                code = Code::Usage;
            }
            Ok(line) => {
                let said = match (&line, design) {
                    (CaseLine::Bio(case), Some(design)) => answer_one(case, design, output)?,
                    (CaseLine::Bio(case), None) => compare(case, output)?,
                    (CaseLine::Ledger(case), Some((held, _))) => ledger_of(case, held, output)?,
                    (CaseLine::Ledger(case), None) => compare_ledgers(case, output)?,
                };
                // Answers so far are printed, whatever a later line asks for.
                output.finish()?;
                // A line that could not be put leaves more unknown than one that was judged.
                if code != Code::Usage && said != Code::Done {
                    code = said;
                }
            }
        }
    }
    Ok(code)
}

/// Prints the answer of one design, if it can be asked.
fn answer_one(case: &Case, (held, cases): Asked, output: &mut Output) -> Result<Code, Failure> {
    match (cases.evaluate)(case) {
        Ok(answer) => {
            output.json(&answer)?;
            Ok(Code::Done)
        }
        Err(error) => {
            output.json(&NotAsked {
                name: &case.name,
                error: error.to_string(),
                design: held.name,
            })?;
            Ok(Code::Usage)
        }
    }
}

/// Prints the reference's answer, and a line for every design that contradicts it.
fn compare(case: &Case, output: &mut Output) -> Result<Code, Failure> {
    let expected = reference::evaluate(case);
    output.json(&expected)?;
    let mut code = Code::Done;
    for (held, cases) in answering().filter(|(_, cases)| cases.supports(case)) {
        let (error, answer) = match (cases.evaluate)(case) {
            Ok(answer) if answer == expected => continue,
            // Descriptors for that much memory are more than a check is worth, and a design that
            // cannot tell device memory contradicts nobody.
            Err(EvaluateError::Spread { .. } | EvaluateError::DeviceMemory { .. }) => continue,
            Ok(answer) => ("disagrees with the reference".to_owned(), Some(answer)),
            Err(error) => (error.to_string(), None),
        };
        code = Code::Beyond;
        output.json(&Disagreement {
            name: &case.name,
            error,
            design: held.name,
            reference: &expected,
            answer: answer.as_ref(),
        })?;
    }
    Ok(code)
}

/// The answer to a case of accounting and lists: a line a group, with its usage, its
/// statistics of anonymous and of file memory and the pages on its two lists, then a line an
/// allocation, with its group, its references and whether it is on a list.
#[derive(Serialize)]
struct Counters<'a> {
    name: &'a str,
    counters: &'a [String],
}

/// A design whose counters differ from the sums.
#[derive(Serialize)]
struct OtherCounters<'a> {
    name: &'a str,
    error: &'a str,
    design: &'a str,
    reference: &'a [String],
    counters: &'a [String],
}

/// Prints the counters of one design, if it can be asked.
fn ledger_of(case: &LedgerCase, held: &Held, output: &mut Output) -> Result<Code, Failure> {
    let none = || Err("it has no LRU lists".to_owned());
    match held.ledger().map_or_else(none, |ledger| ledger(case)) {
        Ok(counters) => output.json(&Counters {
            name: &case.name,
            counters: &counters,
        })?,
        Err(error) => {
            output.json(&NotAsked {
                name: &case.name,
                error,
                design: held.name,
            })?;
            return Ok(Code::Usage);
        }
    }
    Ok(Code::Done)
}

/// Prints the sums, and a line for every design whose counters differ.
fn compare_ledgers(case: &LedgerCase, output: &mut Output) -> Result<Code, Failure> {
    let expected = case.expected(FILE_RULES);
    output.json(&Counters {
        name: &case.name,
        counters: &expected,
    })?;
    let mut code = Code::Done;
    for (held, ledger) in registry::held().filter_map(|held| Some((held, held.ledger()?))) {
        let (error, counters) = match ledger(case) {
            Ok(counters) if counters == expected => continue,
            Ok(counters) => ("disagrees with the sums".to_owned(), counters),
            Err(error) => (error, Vec::new()),
        };
        code = Code::Beyond;
        output.json(&OtherCounters {
            name: &case.name,
            error: &error,
            design: held.name,
            reference: &expected,
            counters: &counters,
        })?;
    }
    Ok(code)
}
