//! `folioscope post`: a mail with the claims, and figures beside it.

use std::path::Path;

use compare::Summary;
use render::{Context, Figure};
use results::look::{is_kernel, stock_of};

use crate::args::PostArgs;
use crate::command::claims;
use crate::command::report::{context, summary};
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::run_dir::{self, Among};

/// The name of the mail beside its figures.
const MAIL_FILE: &str = "mail.txt";
/// The figures of a run that go with a mail.
const FIGURES: [&str; 1] = ["cost-order-iteration"];

pub(crate) fn run(args: &PostArgs, output: &mut Output) -> Result<Code, Failure> {
    let folder = match &args.run {
        Some(run) => run_dir::existing(run)?.to_owned(),
        None => run_dir::with_kernels(Among::Kept)?,
    };
    let summary = summary(&folder)?;
    let claims = claims::records()?.judge_beside(&summary, &claims::others(&folder)?);
    let context = Context {
        claims,
        ..context(&summary)
    };
    let known = |id: &&u32| context.claims.iter().any(|claim| claim.id == **id);
    if let Some(unknown) = args.claims.iter().find(|id| !known(id)) {
        return Err(Failure::Usage(format!(
            "no claim {unknown}; there are 1 to {}",
            context.claims.len()
        )));
    }
    let mail = render::post(&summary, &context, &args.claims, args.code.as_deref());
    match &args.out {
        None => output.text(mail)?,
        Some(out) => write(out, &mail, &summary, &context, output)?,
    }
    Ok(Code::Done)
}

fn write(
    out: &Path,
    mail: &str,
    summary: &Summary,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    std::fs::create_dir_all(out)
        .map_err(|error| Failure::Wrong(format!("{}: {error}", out.display())))?;
    let file = out.join(MAIL_FILE);
    results::write_whole(&file, mail.as_bytes())?;
    output.line(file.display())?;
    // A reader of a mail sees what its table has, and the kernels as they were released.
    let shown = summary.clone().only(|name| {
        name == summary.reference
            || context.screen.contenders.iter().any(|one| one == name)
            || is_kernel(name) && stock_of(name) == name
    });
    let mut figures: Vec<Figure> = render::figures(&shown);
    figures.retain(|figure| FIGURES.contains(&figure.name.as_str()));
    figures.extend(render::kernel_history_figure(
        &context.kernels,
        &context.history,
    ));
    let written =
        render::write_figures(&figures, out).map_err(|error| Failure::Wrong(error.to_string()))?;
    written
        .iter()
        .try_for_each(|path| output.line(path.display()))
}
