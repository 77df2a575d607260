//! `folioscope plot RUN`: the figures of a record.

use std::path::{Path, PathBuf};

use compare::Summary;

use crate::args::PlotArgs;
use crate::command::report;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::run_dir;

pub(crate) fn run(args: &PlotArgs, output: &mut Output) -> Result<Code, Failure> {
    let folder = run_dir::existing(&args.run)?;
    for figure in draw(folder, &report::summary(folder)?, args.out.as_deref())? {
        output.line(figure.display())?;
    }
    Ok(Code::Done)
}

/// Draws a run's figures into its plots folder, or into `out`, and names the files.
///
/// # Errors
/// If the disk refuses, or a figure cannot be drawn.
pub(crate) fn draw(
    folder: &Path,
    summary: &Summary,
    out: Option<&Path>,
) -> Result<Vec<PathBuf>, Failure> {
    let plots = out.map_or_else(|| folder.join(results::PLOTS_DIR), Path::to_owned);
    render::write_figures(&render::figures(summary), &plots)
        .map_err(|error| Failure::Wrong(error.to_string()))
}
