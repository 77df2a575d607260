//! `folioscope kernel history`: the debate's outcome in the real kernels.

use std::path::Path;

use oracle::Series;
use oracle::history::{Line, Unit, history};
use oracle::recorded::{Recorded, path};
use render::{KernelLine, KernelUnit};

use crate::args::KernelHistoryArgs;
use crate::failure::{Code, Failure};
use crate::output::Output;
use render::Table;

/// The folder of committed results.
const RESULTS: &str = "bench-results";

pub(crate) fn run(args: &KernelHistoryArgs, output: &mut Output) -> Result<Code, Failure> {
    let kernels = recorded(Path::new(RESULTS))?;
    let names: Vec<String> = kernels.iter().map(|(name, _)| name.clone()).collect();
    let lines = history(&kernels);
    if let Some(folder) = &args.out {
        for file in write(folder, &names, &lines)? {
            output.line(file)?;
        }
        return Ok(Code::Done);
    }
    if args.markdown {
        output.text(format!("```text\n{}```\n", mail(&names, &lines)))?;
    } else if args.json {
        lines.iter().try_for_each(|line| output.json(line))?;
    } else {
        output.text(mail(&names, &lines))?;
    }
    Ok(Code::Done)
}

/// The kernels that were recorded, oldest first, each by its own version.
fn recorded(results: &Path) -> Result<Vec<(String, Recorded)>, Failure> {
    let mut kernels = Vec::new();
    for series in Series::ALL {
        let file = path(results, series);
        if file.is_file() {
            let record = Recorded::read(&file)?;
            kernels.push((version(&record.identity.release).to_owned(), record));
        }
    }
    if kernels.is_empty() {
        return Err(Failure::Usage(format!(
            "no kernel is recorded below {RESULTS}/kernel\n  do: run it in a checkout, or ci/kernel-check --record"
        )));
    }
    Ok(kernels)
}

/// `6.12` of `6.12.95+deb12-cloud-amd64`.
fn version(release: &str) -> &str {
    let end = release
        .match_indices(|c: char| !c.is_ascii_digit())
        .nth(1)
        .map_or(release.len(), |(at, _)| at);
    &release[..end]
}

/// A table of at most 72 columns, and below it what a kernel lacks.
fn mail(names: &[String], lines: &[Line]) -> String {
    let mut heading = vec!["2 MiB", "as"];
    heading.extend(names.iter().map(String::as_str));
    let numbers: Vec<usize> = (2..heading.len()).collect();
    let mut table = Table::new(heading).right(numbers);
    let mut before = "";
    for line in lines {
        let work = if line.work == before { "" } else { line.work };
        before = line.work;
        let mut cells = vec![work.to_owned(), line.unit.words().to_owned()];
        cells.extend(line.cells.iter().map(|cell| {
            cell.instructions
                .map_or("-".to_owned(), |count| count.to_string())
        }));
        table.row(cells);
    }
    let mut text = format!(
        "Instructions of the real kernel, Linux {}:\n\n{}\n",
        names.join(", "),
        table.text()
    );
    text.push_str(
        "end of IO: set dirty and release; charge: charge and uncharge, memcg.\n\
         Segments are as long as the queue allows: 64 KiB, or without limit.\n\
         Each kernel is as Debian built it, with its own compiler and options.\n",
    );
    for line in lines {
        for cell in &line.cells {
            if let Some(reason) = &cell.reason {
                text.push_str(&format!(
                    "- {}, {}, {}:\n  {reason}\n",
                    cell.kernel,
                    line.work,
                    line.unit.words()
                ));
            }
        }
    }
    text
}

/// Table, rows and figure as files; their paths.
fn write(folder: &Path, names: &[String], lines: &[Line]) -> Result<Vec<String>, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Wrong(error.to_string());
    std::fs::create_dir_all(folder).map_err(|error| wrong(&error))?;
    let mut rows = String::new();
    for line in lines {
        rows += &serde_json::to_string(line).map_err(|error| wrong(&error))?;
        rows.push('\n');
    }
    let mut files = Vec::new();
    for (name, text) in [("history.txt", mail(names, lines)), ("history.jsonl", rows)] {
        let file = folder.join(name);
        results::write_whole(&file, text.as_bytes())?;
        files.push(file.display().to_string());
    }
    let drawn: Vec<KernelLine> = lines.iter().map(drawn).collect();
    let figures: Vec<_> = render::kernel_history_figure(names, &drawn)
        .into_iter()
        .collect();
    let paths = render::write_figures(&figures, folder).map_err(|error| wrong(&error))?;
    files.extend(paths.iter().map(|path| path.display().to_string()));
    Ok(files)
}

fn drawn(line: &Line) -> KernelLine {
    KernelLine {
        work: line.work.to_owned(),
        detail: String::new(),
        unit: match line.unit {
            unit if unit.is_small() => KernelUnit::Small,
            Unit::Bvec => KernelUnit::Bvec,
            _ => KernelUnit::Large,
        },
        instructions: line
            .cells
            .iter()
            .map(|cell| cell.instructions.map(|count| count as f64))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use oracle::history::Cell;

    use super::*;

    #[test]
    fn a_release_is_named_by_its_first_two_numbers() {
        for (release, name) in [
            ("6.12.95+deb12-cloud-amd64", "6.12"),
            ("7.2.13+deb14-cloud-amd64", "7.2"),
            ("6.13-mine", "6.13"),
            ("7.0", "7.0"),
        ] {
            assert_eq!(version(release), name);
        }
    }

    #[test]
    fn the_table_fits_a_mail_and_dashes_have_their_reason() {
        let cell = |kernel: &str, instructions: Option<u64>| Cell {
            kernel: kernel.to_owned(),
            instructions,
            reason: instructions
                .is_none()
                .then(|| "folios came with 5.16, bio_add_folio with 5.17".to_owned()),
        };
        let line = |work, unit, first| Line {
            work,
            unit,
            primitives: vec!["x"],
            cells: vec![
                cell("5.10", first),
                cell("6.1", Some(307_738)),
                cell("6.12", Some(81)),
                cell("7.2", Some(81)),
            ],
        };
        let lines = [
            line("split check", Unit::Segments, Some(1_234_567)),
            line("split check", Unit::Folio, None),
        ];
        let names = ["5.10", "6.1", "6.12", "7.2"].map(str::to_owned);
        let text = mail(&names, &lines);
        for line in text.lines() {
            assert!(line.is_ascii() && line.len() <= 72, "{line}");
        }
        assert!(text.contains("1234567") && text.contains("came with 5.16"));
        assert_eq!(text.matches("split check").count(), 2, "{text}");
    }
}
