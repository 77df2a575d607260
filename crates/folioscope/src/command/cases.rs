//! `folioscope cases run`: merge, split and map questions, answered line by line.

use std::fs::File;
use std::io::{BufRead, BufReader, stdin};

use conformance::case::{Answer, Case, parse_lines};
use conformance::evaluate::EvaluateError;
use conformance::reference;
use registry::{Cases, Held};
use serde::Serialize;

use crate::args::{CasesArgs, CasesCommand};
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::say::say;

/// A design that answers otherwise than the reference.
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
        return answer_all(stdin().lock(), "standard input", design, output);
    }
    let opened =
        File::open(&args.file).map_err(|error| Failure::Usage(format!("{file}: {error}")))?;
    answer_all(BufReader::new(opened), &file.to_string(), design, output)
}

/// The design that is to answer, with how it does: the floor has no answer, and neither has a
/// design without block IO.
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
    design: Option<Asked>,
    output: &mut Output,
) -> Result<Code, Failure> {
    let mut code = Code::Done;
    for (_, line) in parse_lines(from) {
        match line {
            Err(error) => {
                say!("folioscope: {file}: {error}");
                code = Code::Usage;
            }
            Ok(case) => {
                let fine = match design {
                    Some(design) => answer_one(&case, design, output)?,
                    None => compare(&case, output)?,
                };
                // What is answered is out, whatever a later line asks for.
                output.finish()?;
                if !fine && code == Code::Done {
                    code = Code::Wrong;
                }
            }
        }
    }
    Ok(code)
}

/// Prints the answer of one design. Whether it could be asked.
fn answer_one(case: &Case, (held, cases): Asked, output: &mut Output) -> Result<bool, Failure> {
    match (cases.evaluate)(case) {
        Ok(answer) => {
            output.json(&answer)?;
            Ok(true)
        }
        Err(error) => {
            output.json(&NotAsked {
                name: &case.name,
                error: error.to_string(),
                design: held.name,
            })?;
            Ok(false)
        }
    }
}

/// Prints the reference's answer, and a line for every design that contradicts it.
fn compare(case: &Case, output: &mut Output) -> Result<bool, Failure> {
    let expected = reference::evaluate(case);
    output.json(&expected)?;
    let mut agree = true;
    for (held, cases) in answering().filter(|(_, cases)| cases.supports(case)) {
        let (error, answer) = match (cases.evaluate)(case) {
            Ok(answer) if answer == expected => continue,
            // Descriptors for that much memory are more than a check is worth.
            Err(EvaluateError::Spread { .. }) => continue,
            Ok(answer) => ("disagrees with the reference".to_owned(), Some(answer)),
            Err(error) => (error.to_string(), None),
        };
        agree = false;
        output.json(&Disagreement {
            name: &case.name,
            error,
            design: held.name,
            reference: &expected,
            answer: answer.as_ref(),
        })?;
    }
    Ok(agree)
}
