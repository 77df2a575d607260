//! `folioscope kernel history`: the debate's outcome in the real kernels.

use std::path::Path;

use compare::kernel_history::{Line, kernel_history};

use crate::args::KernelHistoryArgs;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::run_dir;

pub(crate) fn run(args: &KernelHistoryArgs, output: &mut Output) -> Result<Code, Failure> {
    let kernels = results::read_kernels(&run_dir::committed("kernel")?)?;
    if kernels.is_empty() {
        return Err(Failure::Usage(format!(
            "no kernel is recorded below {}\n  do: ci/kernel-check --record",
            run_dir::store().join("kernel").display()
        )));
    }
    let names: Vec<String> = kernels
        .iter()
        .map(|kernel| kernel.identity.version().to_owned())
        .collect();
    let traffic = compare::lines::of_kernels(&run_dir::store())?;
    let lines = kernel_history(&kernels, &traffic);
    let mail = render::kernel_history_mail(&names, &lines);
    if let Some(folder) = &args.out {
        for file in write(folder, &names, &lines, &mail)? {
            output.line(file)?;
        }
    } else if args.markdown {
        output.text(format!("```text\n{mail}```\n"))?;
    } else if args.json {
        lines.iter().try_for_each(|line| output.json(line))?;
    } else {
        output.text(mail)?;
    }
    Ok(Code::Done)
}

/// Table, rows and figure as files; their paths.
fn write(
    folder: &Path,
    names: &[String],
    lines: &[Line],
    mail: &str,
) -> Result<Vec<String>, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Wrong(error.to_string());
    std::fs::create_dir_all(folder).map_err(|error| wrong(&error))?;
    let [text, rows] = ["history.txt", "history.jsonl"].map(|name| folder.join(name));
    results::write_whole(&text, mail)?;
    results::write_list(&rows, lines)?;
    let mut files = vec![text.display().to_string(), rows.display().to_string()];
    let figures: Vec<_> = render::kernel_history_figure(names, lines)
        .into_iter()
        .collect();
    let paths = render::write_figures(&figures, folder).map_err(|error| wrong(&error))?;
    files.extend(paths.iter().map(|path| path.display().to_string()));
    Ok(files)
}
