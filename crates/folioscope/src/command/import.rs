//! `folioscope import criterion DIR...`: the benchmarks of another project as a run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use results::{
    ENV_FILE, Environment, Git, RowWriter, SAMPLES_FILE, read_criterion, write_environment,
};

use crate::args::{CriterionArgs, ImportArgs, ImportCommand};
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::run_dir;

pub(crate) fn run(args: &ImportArgs, output: &mut Output) -> Result<Code, Failure> {
    let ImportCommand::Criterion(args) = &args.command;
    criterion(args, output)
}

fn criterion(args: &CriterionArgs, output: &mut Output) -> Result<Code, Failure> {
    let mut rows = Vec::new();
    let mut last = SystemTime::UNIX_EPOCH;
    for (process, folder) in (0..).zip(&args.folders) {
        let (more, written) = read_criterion(folder, process)?;
        if more.is_empty() {
            return Err(Failure::Usage(format!(
                "{}: no benchmark of Criterion's is in it: cargo bench leaves them in target/criterion",
                folder.display()
            )));
        }
        rows.extend(more);
        last = last.max(written);
    }
    let env = environment(&args.folders, last)?;
    let (folder, _lock) = run_dir::new(Some(&args.out), &env.date_utc)?;
    let mut writer = RowWriter::create(&folder.join(SAMPLES_FILE))?;
    for row in &rows {
        writer.append(row)?;
    }
    let sum = writer.finish()?;
    let env = Environment {
        rows: Some(sum),
        ..env
    };
    write_environment(&folder.join(ENV_FILE), &env)?;
    output.line(folder.display())?;
    Ok(Code::Done)
}

/// Where and of what the benchmarks were made, as far as this machine and git tell. Nothing is
/// said of how folioscope was built: it measured none of them.
fn environment(folders: &[PathBuf], last: SystemTime) -> Result<Environment, Failure> {
    let here = measure::machine::environment();
    let unknown = Environment::unknown();
    let date_utc = measure::machine::utc(last).ok_or_else(|| {
        Failure::Usage("the benchmarks were written at no time that has a date".to_owned())
    })?;
    let git = folders.first().and_then(|folder| git(folder));
    Ok(Environment {
        tool: "criterion".to_owned(),
        command: vec!["cargo".to_owned(), "bench".to_owned()],
        date_utc,
        git,
        clock: unknown.clock,
        hugetlb: Vec::new(),
        thp: None,
        finished: true,
        processes: u32::try_from(folders.len()).unwrap_or(u32::MAX),
        ..here
    })
}

/// The revision of the work tree that a folder lies in, which git ignores as a rule.
fn git(folder: &Path) -> Option<Git> {
    let said = |args: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(args)
            .output()
            .ok()?;
        let text = output.status.success().then_some(output.stdout)?;
        Some(String::from_utf8_lossy(&text).trim().to_owned())
    };
    Some(Git {
        revision: said(&["rev-parse", "HEAD"])?,
        dirty: !said(&["status", "--porcelain", "--untracked-files=no", ":/"])?.is_empty(),
    })
}
