//! The arguments of `claims` and `post`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  folioscope post                               all claims that are answered
  folioscope post --claims 3,4                  these, with all their numbers
  folioscope post --out /tmp/mail               mail.txt, and figures beside it")]
pub(crate) struct PostArgs {
    /// The folder of a run; the newest committed one with kernels unless given.
    pub run: Option<PathBuf>,
    /// Claims by number, separated by commas; all that are answered unless given.
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub claims: Vec<u32>,
    /// Where readers of the mail find the sources: a line of its own.
    #[arg(long, value_name = "URL")]
    pub code: Option<String>,
    /// Write mail.txt and the figures into this folder rather than print the mail.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
The claims are data: bench-results/claims.jsonl names the rows that each rests on and the rule
that turns them into a verdict. Times are of the run, counts and lines of the committed records.

Exit codes of --check: 0 the verdict stands here, 3 it does not, 2 it cannot be judged here.

Examples:
  folioscope claims                             by the newest committed run with kernels
  folioscope claims bench-results/local/RUN     by a run of your own
  folioscope claims --json | jq 'select(.verdict == \"half true\") | .claim'
  folioscope claims --check 3                   measures the rows of claim 3, under a minute")]
pub(crate) struct ClaimsArgs {
    /// The folder of a run; the newest committed one with kernels unless given.
    #[arg(conflicts_with = "check")]
    pub run: Option<PathBuf>,
    /// One JSON object a claim.
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// A Markdown table.
    #[arg(long, conflicts_with = "check")]
    pub markdown: bool,
    /// Measure the rows of this claim on this machine and say whether its verdict stands.
    #[arg(long, value_name = "N")]
    pub check: Option<u32>,
    /// Seconds that --check may take.
    #[arg(long, value_name = "SECONDS", value_parser = super::values::seconds, requires = "check")]
    pub budget: Option<f64>,
}
