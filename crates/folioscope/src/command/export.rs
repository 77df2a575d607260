//! `folioscope export RUN...`: records in the formats of others.

use compare::Summary;
use render::Exported;

use crate::args::{ExportArgs, Format};
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::run_dir;
use crate::say::say;

pub(crate) fn run(args: &ExportArgs, output: &mut Output) -> Result<Code, Failure> {
    let store = run_dir::stored(&args.runs)?;
    if store.runs.len() > 1
        && matches!(args.format, Format::Bencher | Format::GithubActionBenchmark)
    {
        return Err(Failure::Usage(format!(
            "this format holds one run, but {} were given; export each by itself",
            store.runs.len()
        )));
    }
    let rows: Vec<Exported> = store
        .runs
        .iter()
        .flat_map(|stored| {
            render::exported(
                &stored.machine,
                &stored.name,
                &Summary::from_run(&stored.run),
            )
        })
        .collect();
    for stored in &store.runs {
        let summary = Summary::from_run(&stored.run);
        let lost = summary.failures().count();
        if lost > 0 {
            say!(
                "folioscope: {}: {lost} rows went wrong and are left out; folioscope report --full \
                 has the reasons",
                stored.place()
            );
        }
    }
    if rows.is_empty() {
        return Err(Failure::Usage(
            "nothing to export: no row of these runs has a value".to_owned(),
        ));
    }
    let text = match args.format {
        Format::Bencher => render::bencher(&rows),
        Format::Csv => render::csv(&rows),
        Format::Json => render::exported_lines(&rows),
        Format::GithubActionBenchmark => {
            let (text, left_out) = render::github_action_benchmark(&rows);
            if left_out > 0 {
                say!(
                    "folioscope: left out {left_out} rows of which more is better: the format \
                     knows only values of which less is"
                );
            }
            text
        }
    };
    match &args.out {
        None => output.text(text)?,
        Some(file) => results::write_whole(file, text.as_bytes())?,
    }
    Ok(Code::Done)
}
