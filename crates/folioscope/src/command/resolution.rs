//! `folioscope resolution FILE`: the table of a resolution study, for the documents.

use std::fs;

use compare::Resolution;
use render::resolution_table;

use crate::args::ResolutionArgs;
use crate::failure::{Code, Failure};
use crate::output::Output;

pub(crate) fn run(args: &ResolutionArgs, output: &mut Output) -> Result<Code, Failure> {
    let file = args.file.display();
    let text = fs::read_to_string(&args.file)
        .map_err(|error| Failure::Usage(format!("{file}: {error}")))?;
    let lines: Vec<Resolution> = text
        .lines()
        .enumerate()
        .map(|(at, line)| {
            serde_json::from_str(line)
                .map_err(|error| Failure::Usage(format!("{file}:{}: {error}", at + 1)))
        })
        .collect::<Result<_, _>>()?;
    output.text(resolution_table(&lines))?;
    Ok(Code::Done)
}
