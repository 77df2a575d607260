//! The arguments of commands that read records: compare, draw, export, merge.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Args, Debug)]
#[command(after_help = "\
A row is called different where its ratio's interval lies beyond its noise floor: the row's
own, learnt from past runs of this machine, where there are enough of them, else that of
the two runs. Each row says which. The machine's drift is read from the yardsticks beside the
samples, which no design can change.

Two programs, builds of this tool, are compared in lock-step: one process of the new and two
of the old build take turns of 0.1 ms on one CPU and on the same memory, in several sets of
fresh processes. Old against old shows the noise, and every row states the smallest change it
can detect.

Exit codes: 0 all was judged; 3 a row became worse by more than --threshold; 2 something
could not be judged: rows lost or gone wrong, other machines, a record without yardsticks in
which everything moved, a row of two programs that cannot see a change of --threshold.

Examples:
  folioscope diff --against HEAD~1 --workload 'merging/*' --threshold 5
  folioscope diff old/folioscope new/folioscope --out lockstep.jsonl
  folioscope diff run-a run-b
  folioscope diff run-a run-b --threshold 5     percent
  folioscope diff run-a run-b --changed --json")]
pub(crate) struct DiffArgs {
    /// The folder of the run that came before, or an old build of the tool.
    pub old: Option<PathBuf>,
    /// The folder of the run that came after, or a new build.
    pub new: Option<PathBuf>,
    /// Percent by which a row may become slower.
    #[arg(long, value_name = "PERCENT", value_parser = super::values::percent)]
    pub threshold: Option<f64>,
    /// A folder of past runs, bench-results unless given: each row's noise floor is learnt from
    /// those of this machine.
    #[arg(long, value_name = "DIR")]
    pub history: Option<PathBuf>,
    /// Compare runs of two machines: each design's ratio to the reference of its own run.
    #[arg(long)]
    pub across: bool,
    /// Only rows that are called different.
    #[arg(long)]
    pub changed: bool,
    /// A table for a Markdown document; of two programs.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub programs: super::lockstep::LockstepArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Runs lie in the store as MACHINE/RUN; times are theirs. Counts are those of the committed
baselines, commit by commit. Clocks that go backwards, and two records with the same
identity, are refused by name.

Exit codes: 0 done; 3 an entry is worse by more than --threshold; 2 damaged records, or no
machine with two runs to judge by.

Examples:
  folioscope history                            a table with a sparkline per entry
  folioscope history --out target/history       figures and index.html as well
  folioscope history --machine epyc-vm --json")]
pub(crate) struct HistoryArgs {
    /// The store of runs; bench-results unless given.
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Only the runs of this machine, by the name of its folder.
    #[arg(long, value_name = "NAME")]
    pub machine: Option<String>,
    /// Percent by which an entry's last value may be worse than its first.
    #[arg(long, value_name = "PERCENT", value_parser = super::values::percent)]
    pub threshold: Option<f64>,
    /// Where figures (SVG and PNG) and the page (index.html) go; not drawn unless given.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// One JSON object a line: an entry with its values over the runs.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  folioscope export run-a --format bencher --out bencher.json
  folioscope export bench-results --format csv
  folioscope export run-a run-b --format json | jq 'select(.design == \"folio\")'")]
pub(crate) struct ExportArgs {
    /// Folders of runs, or of a store with all its runs.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The format.
    #[arg(long, value_enum)]
    pub format: Format,
    /// Where it goes; standard output unless given.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Formats that others read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Bencher Metric Format, of one run.
    Bencher,
    /// customSmallerIsBetter of github-action-benchmark, of one run.
    GithubActionBenchmark,
    /// Comma-separated values with a header.
    Csv,
    /// JSON lines, as crates/harness/results/schema/export-v2.schema.json describes them.
    Json,
}

#[derive(Args, Debug)]
#[command(after_help = "\
The folder around a run names its machine. Two records with the same identity, and clocks of a
machine that go backwards, are refused by name before anything is written.

Examples:
  folioscope merge ~/laptop/bench-results ~/server/bench-results --out all
  folioscope merge run-a --machine epyc-vm --out bench-results
  folioscope history --store all")]
pub(crate) struct MergeArgs {
    /// Folders of runs, or of stores with all their runs.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The store that they go to; its runs stay.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The machine that all of them were made on, where the folders around them do not say.
    #[arg(long, value_name = "NAME", value_parser = folder_name)]
    pub machine: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    #[command(subcommand)]
    pub command: ImportCommand,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum ImportCommand {
    /// Benchmarks of Criterion.rs, of any project.
    #[command(after_help = "\
A folder is what one `cargo bench` has left in target/criterion; several of one revision become
processes of one run. A diff needs at least three on each side. Import where the benchmarks ran:
the machine of the run is this one.

Examples:
  cargo bench && mv target/criterion bench-1    and so on, three times
  folioscope import criterion bench-1 bench-2 bench-3 --out results/my-laptop/before
  folioscope diff results/my-laptop/before results/my-laptop/after --threshold 10
  folioscope history --store results --out page")]
    Criterion(CriterionArgs),
}

#[derive(Args, Debug)]
pub(crate) struct CriterionArgs {
    /// Folders of Criterion's, one a process.
    #[arg(required = true, value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Where the run goes: MACHINE/RUN in a store, a folder that does not exist yet or is empty.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct ResolutionArgs {
    /// The record of the study, which `cargo run --profile bench -p sensitivity` makes, or those
    /// of comparisons in lock-step.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

fn folder_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("expected a name of letters, digits, -, _, + and .".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_no_path() {
        assert!(folder_name("epyc-vm").is_ok());
        for bad in ["", ".", "..", "a/b", "-x", ".hidden"] {
            assert!(folder_name(bad).is_err(), "{bad}");
        }
    }
}
