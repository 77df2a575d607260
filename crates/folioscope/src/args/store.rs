//! The arguments of commands that read records: compare, draw, export, merge.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Args, Debug)]
#[command(after_help = "\
A row is called different where its ratio's interval lies beyond its noise floor: the row's
own, learnt from past runs of this machine, where there are enough of them, else that of
the two runs. Each row says which. The machine's drift is read from the yardsticks beside the
samples, which no design can change.

Exit codes: 0 all was judged; 3 a row became worse by more than --threshold; 2 something
could not be judged: rows lost or gone wrong, other machines, a record without yardsticks in
which everything moved.

Examples:
  folioscope diff run-a run-b
  folioscope diff run-a run-b --threshold 5     percent
  folioscope diff run-a run-b --changed --json")]
pub(crate) struct DiffArgs {
    /// The folder of the run that came before.
    pub old: PathBuf,
    /// The folder of the run that came after.
    pub new: PathBuf,
    /// Percent by which a row may become slower.
    #[arg(long, value_name = "PERCENT", value_parser = super::values::percent)]
    pub threshold: Option<f64>,
    /// A folder of past runs, bench-results unless given: those of this machine teach each
    /// row its own noise floor.
    #[arg(long, value_name = "DIR")]
    pub history: Option<PathBuf>,
    /// Compare runs of two machines: each design's ratio to the reference of its own run.
    #[arg(long)]
    pub across: bool,
    /// Only rows that are called different, one a line.
    #[arg(long)]
    pub changed: bool,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Runs lie in the store as MACHINE/RUN; times are theirs. Counts are those of the committed
baselines, commit by commit. Clocks that go backwards, and two records of one identity, are
refused by name.

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
The folder around a run names its machine. Two records of one identity, and clocks of a
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
pub(crate) struct ResolutionArgs {
    /// The record of the study, which `cargo run --profile bench -p resolution` makes.
    pub file: PathBuf,
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
