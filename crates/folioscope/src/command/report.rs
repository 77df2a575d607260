//! `folioscope report RUN`: the mail text of a record.

use std::path::Path;

use compare::Summary;
use compare::claims::Records;
use compare::kernel_history::kernel_history;
use render::{Context, WorkloadNote};
use results::{CLAIMS_FILE, Claims, REPORT_FILE, Run, Tail};

use crate::args::ReportArgs;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::run_dir;

/// The claims as the tool was built with them.
const CLAIMS: &str = include_str!("../../../../bench-results/claims.jsonl");

pub(crate) fn run(args: &ReportArgs, output: &mut Output) -> Result<Code, Failure> {
    let summary = summary(run_dir::existing(&args.run)?)?;
    if args.json {
        output.text(render::json_lines(&summary))?;
    } else if args.markdown && !args.full && args.section.is_none() {
        let screen = render::first_screen(&summary, &context(&summary));
        output.text(format!("```text\n{screen}```\n"))?;
    } else if args.markdown {
        let text = render::report(&summary, &context(&summary)).markdown();
        match &args.section {
            None => output.text(text)?,
            Some(heading) => output.text(section(&text, heading).ok_or_else(|| {
                Failure::Usage(format!("no heading of this report has `{heading}`"))
            })?)?,
        }
    } else {
        // A record is left as it is unless told otherwise: it may be committed, or not ours.
        let text = match args.write {
            true => write(&args.run, &summary)?,
            false => render::mail(&summary, &context(&summary)),
        };
        output.text(match args.full {
            true => text,
            false => render::first_screen(&summary, &context(&summary)),
        })?;
    }
    Ok(Code::Done)
}

/// The text under the first heading that has `wanted`, up to the next heading of its
/// level or above.
fn section(text: &str, wanted: &str) -> Option<String> {
    let level = |line: &str| {
        let marks = line.bytes().take_while(|&b| b == b'#').count();
        (marks > 0 && line[marks..].starts_with(' ')).then_some(marks)
    };
    let mut lines = text
        .lines()
        .skip_while(|line| level(line).is_none() || !line.contains(wanted));
    let top = level(lines.next()?)?;
    let body: Vec<&str> = lines
        .take_while(|line| level(line).is_none_or(|l| l > top))
        .collect();
    Some(body.join("\n").trim().to_owned() + "\n")
}

/// Reads a run and sums it up. An interrupted run is read as far as it is whole.
///
/// # Errors
/// A record that is damaged, with file, line and field.
pub(crate) fn summary(folder: &Path) -> Result<Summary, Failure> {
    let env = results::read_environment(&folder.join(results::ENV_FILE))?;
    let tail = if env.finished {
        Tail::Refuse
    } else {
        Tail::Drop
    };
    let run = Run::load(folder, tail)?;
    if run.rows.is_empty() {
        return Err(Failure::Usage(format!(
            "{}: nothing was measured in this run; resume it: folioscope compare --resume --out {0}",
            folder.display()
        )));
    }
    Ok(Summary::from_run(&run))
}

/// Writes the mail text of a run beside it, and returns it.
///
/// # Errors
/// If the disk refuses.
pub(crate) fn write(folder: &Path, summary: &Summary) -> Result<String, Failure> {
    let text = render::mail(summary, &context(summary));
    results::write_whole(&folder.join(REPORT_FILE), text.as_bytes())?;
    Ok(text)
}

/// The facts that the report needs and no record holds: the workloads' own words.
pub(crate) fn context(summary: &Summary) -> Context {
    let note = |workload: &workloads::Workload| WorkloadNote {
        id: workload.id.to_owned(),
        question: workload.asks.to_owned(),
        favours: workload.favours.to_owned(),
        unfair: workload.unfair.to_owned(),
    };
    let context = Context {
        notes: workloads::every().map(note).collect(),
        fidelity: crate::command::fidelity::in_a_line(summary),
        ..Context::default()
    };
    // Outside of a checkout there is nothing to judge claims by, but rows to show.
    let Ok(records) = Records::read(&run_dir::store()) else {
        let built_in = Claims::from_bytes(CLAIMS.as_bytes(), Path::new(CLAIMS_FILE));
        return Context {
            screen: built_in.map(|claims| claims.screen).unwrap_or_default(),
            ..context
        };
    };
    let kernels = records.kernels();
    Context {
        claims: records.judge(Some(summary)),
        kernels: kernels
            .iter()
            .map(|kernel| kernel.identity.version().to_owned())
            .collect(),
        history: kernel_history(kernels, records.traffic()),
        screen: records.claims.screen,
        ..context
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use results::Claims;

    use super::{CLAIMS, section};

    #[test]
    fn the_claims_that_are_built_in_read() {
        let claims = Claims::from_bytes(CLAIMS.as_bytes(), Path::new("claims.jsonl"));
        let claims = claims.unwrap_or_else(|error| panic!("{error}"));
        assert!(!claims.screen.rows.is_empty() && claims.screen.orders == [0, 9]);
    }

    #[test]
    fn a_section_ends_at_the_next_heading_of_its_level() {
        let text = "# a\none\n## b\ntwo\n### c\nthree\n## d\nfour\n";
        assert_eq!(section(text, "b").as_deref(), Some("two\n### c\nthree\n"));
        assert_eq!(section(text, "d").as_deref(), Some("four\n"));
        assert_eq!(section(text, "e"), None);
    }
}
