//! `folioscope compare`: verify, measure, report, plot.

use std::time::{Duration, Instant};

use crate::args::CompareArgs;
use crate::command::measure::Run;
use crate::command::{plot, report, verify};
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::say::say;

/// The seconds of the budget that report and figures take at most.
const SPARE_S: f64 = 8.0;
/// The largest part of the budget that is kept for them.
const SPARE_SHARE: f64 = 0.25;

/// Random cases per law; `cargo test` and `folioscope verify` take more.
const CASES: u32 = 100;
/// The same for a first look.
const QUICK_CASES: u32 = 20;

pub(crate) fn run(
    args: &CompareArgs,
    start: Instant,
    output: &mut Output,
) -> Result<Code, Failure> {
    let run = Run::prepare(&args.measure, start)?;
    let cases = if run.plan().quick { QUICK_CASES } else { CASES };
    let begun = Instant::now();
    let verified = verify::apart(&run.plan().design, cases)?;
    // It is a part of the budget: where it is a large one, the user sees why rows are missing.
    say!(
        "folioscope: {}, in {:.0} s; every answer is checked before it is timed",
        verified.in_words(),
        begun.elapsed().as_secs_f64()
    );
    if verified.wrong().next().is_some() {
        for line in verified.wrong() {
            say!("{} {}: {}", line.design, line.name, line.why);
        }
        return Err(Failure::Wrong(
            "verification failed, nothing was timed; run `folioscope verify` for details"
                .to_owned(),
        ));
    }
    if run.plan().kernels.is_empty() {
        say!(
            "folioscope: real kernels can stand beside the designs: folioscope kernel build 5.10 \
             6.12, then compare --kernels"
        );
    }
    let spare = Duration::from_secs_f64((run.budget_s() * SPARE_SHARE).min(SPARE_S));
    let measured = run.measure(spare)?;
    if measured.code == Code::Interrupted {
        measured.tell();
        return Ok(measured.code);
    }
    let summary = report::summary(&measured.folder)?;
    let text = report::write(&measured.folder, &summary).map_err(|failure| {
        let folder = measured.folder.display();
        Failure::Wrong(format!(
            "{failure}\nAll that was measured is in {folder}; `folioscope report {folder}` and \
             `folioscope plot {folder}` go on from there"
        ))
    })?;
    if args.measure.json {
        output.text(render::json_lines(&summary))?;
    } else {
        output.text(match args.full {
            true => text,
            false => render::first_screen(&summary, &report::context(&summary)),
        })?;
    }
    output.finish()?;
    let figures = plot::draw(&measured.folder, &summary, None).map_err(|failure| {
        let folder = measured.folder.display();
        Failure::Wrong(format!(
            "{failure}\nAll that was measured is in {folder}, and so is the report; once there is \
             room, `folioscope plot {folder}` draws the figures"
        ))
    })?;
    measured.tell();
    say!(
        "folioscope: {}: report.txt with all rows, {} figures and the record",
        measured.folder.display(),
        figures.len() / 2
    );
    let failed = summary.failures().next().is_some();
    Ok(if failed { Code::Wrong } else { measured.code })
}
