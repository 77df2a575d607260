//! The arguments, as clap reads them.

mod claims;
mod groups;
mod kernel;
mod lockstep;
mod names;
mod store;
pub(crate) mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use conformance::case::KernelVersion;
use hugemem::Backing;
use measure::plan::Plan;

use crate::layouts;
pub(crate) use claims::{ClaimsArgs, PostArgs};
pub(crate) use groups::parse;
pub(crate) use kernel::{
    BuildArgs, BuiltArgs, CheckArgs, CountArgs, FetchArgs, KernelArgs, KernelCommand,
    KernelDiffArgs, KernelHistoryArgs, Kernels, KunitArgs, StepArgs,
};
pub(crate) use store::{
    CriterionArgs, DiffArgs, ExportArgs, Format, HistoryArgs, ImportArgs, ImportCommand, MergeArgs,
    ResolutionArgs,
};

/// Measures what each way of describing physical memory costs: models and real kernels walk,
/// merge and account the same memory, side by side.
#[derive(Debug, Parser)]
#[command(name = "folioscope", version, max_term_width = 100)]
#[command(after_help = "\
Examples:
  folioscope compare --quick                    a first look, 20 seconds
  folioscope compare                            the whole comparison, 120 seconds
  folioscope claims                             who was right in 2021, by which numbers
  folioscope list --workload 'merging/*'        what there is
  folioscope measure --workload iteration/chunks --order 9 --out run-a
  folioscope report run-a
  folioscope diff run-a run-b --threshold 5

Exit codes: 0 done, 1 something is wrong, 2 bad arguments or input,
3 a change beyond the threshold, 130 interrupted.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List designs, workloads with their parameters, and captured layouts.
    List(ListArgs),
    /// Hold every design to its laws, and every workload's answer to the expected one.
    Verify(VerifyArgs),
    /// Measure; leaves env.json and samples.jsonl.
    Measure(MeasureArgs),
    /// Print the first screen of a run's report.
    Report(ReportArgs),
    /// Draw the figures of a run into its plots folder.
    Plot(PlotArgs),
    /// Judge the claims of the 2021 thread by measured rows.
    Claims(ClaimsArgs),
    /// Print a mail of at most 60 lines: claims, numbers, machine, method, command.
    Post(PostArgs),
    /// Compare two runs, or two builds of the tool in lock-step, row by row.
    Diff(DiffArgs),
    /// Draw times and counts over all records: text, figures and a page.
    History(HistoryArgs),
    /// Print runs in the formats of trackers and tables.
    Export(ExportArgs),
    /// Put runs of several machines into one store.
    Merge(MergeArgs),
    /// Make a run of another project's benchmarks.
    Import(ImportArgs),
    /// Print the table of a resolution study: what a diff can tell.
    Resolution(ResolutionArgs),
    /// Capture how real memory is laid out; needs root.
    Capture(CaptureArgs),
    /// Count a machine's memory, and what it costs each design.
    Census(crate::command::census::CensusArgs),
    /// Work on case files: merge, split and map questions.
    Cases(CasesArgs),
    /// Build, check and count real kernels, your own too.
    Kernel(KernelArgs),
    /// Verify, measure, report and plot; the answer on one screen.
    Compare(CompareArgs),
    /// Hold instructions and lines of every timed loop to the committed baseline.
    Gate(crate::command::gate::GateArgs),
    /// Compare the models' instructions and lines with the real kernels'.
    Fidelity(crate::command::fidelity::FidelityArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
    /// A fresh process of a run.
    #[command(hide = true)]
    Worker {
        /// The captures that the run keeps.
        #[arg(long)]
        layout: Vec<PathBuf>,
    },
    /// A process of `diff`, which takes turns with those of another build.
    #[command(hide = true)]
    Lockstep,
    /// Makes the calls that `gate` counts under valgrind.
    #[command(hide = true)]
    EntryCalls(crate::command::gate::EntryCallsArgs),
    /// Makes the calls that `fidelity --count` counts under valgrind.
    #[command(hide = true)]
    ModelCalls(crate::command::fidelity::ModelCallsArgs),
}

/// Selects part of the plan.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Which {
    /// Workloads by id; `*` and `?` match. May be given several times.
    #[arg(long, value_name = "GLOB", value_parser = names::workloads(), hide_possible_values = true)]
    pub workload: Vec<String>,
    /// Designs by name, separated by commas. The reference, `flat`, always takes part.
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = names::designs(),
        hide_possible_values = true
    )]
    pub design: Vec<String>,
    /// Real kernels that `kernel build` has built, by name: all of them without names.
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all"
    )]
    pub kernels: Vec<String>,
    /// Orders of the allocations, separated by commas: 2^order base pages each.
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub order: Vec<u64>,
    /// A parameter of workloads, as `list` shows them, instead of the plan's: count=64. May be
    /// given several times; workloads that do not take it are left out.
    #[arg(long, value_name = "NAME=VALUE")]
    pub param: Vec<String>,
    /// A capture that `folioscope capture` wrote, as the layout of all workloads that take one; it
    /// goes by the name of its file. May be given several times.
    #[arg(long, value_name = "FILE", conflicts_with = "order")]
    pub layout: Vec<PathBuf>,
    /// Memory that the descriptors lie on, separated by commas: base, thp, hugetlb-2m,
    /// hugetlb-1g, tmpfs, file, auto.
    #[arg(
        long,
        value_name = "KIND",
        value_delimiter = ',',
        value_parser = names::backings(),
        hide_possible_values = true
    )]
    pub backing: Vec<Backing>,
    /// A first look: fewer parameters, shorter samples.
    #[arg(long)]
    pub quick: bool,
}

impl Which {
    /// The plan with what the arguments give in the place of what it has.
    pub(crate) fn change(&self, plan: Plan) -> Plan {
        fn or<T: Clone>(given: &[T], old: Vec<T>) -> Vec<T> {
            if given.is_empty() {
                old
            } else {
                given.to_vec()
            }
        }
        Plan {
            workload: or(&self.workload, plan.workload),
            design: or(&self.design, plan.design),
            kernels: or(&self.kernels, plan.kernels),
            order: or(&self.order, plan.order),
            param: or(&self.param, plan.param),
            layout: or(&names_of(&self.layout), plan.layout),
            backing: or(&self.backing, plan.backing),
            quick: self.quick || plan.quick,
            ..plan
        }
    }
}

/// The names by which captures go.
fn names_of(files: &[PathBuf]) -> Vec<String> {
    files.iter().map(|file| layouts::name(file)).collect()
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Workloads by id; `*` and `?` match. May be given several times.
    #[arg(long, value_name = "GLOB", value_parser = names::workloads(), hide_possible_values = true)]
    pub workload: Vec<String>,
    /// Print what a workload asks, what was predicted, and what is unfair about it.
    #[arg(long)]
    pub analysis: bool,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  folioscope verify
  folioscope verify --design folio --workload 'merging/*' --order 9
  folioscope verify --json | jq 'select(.status != \"ok\")'")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub which: Which,
    /// Seed of every random order and layout.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Only the laws, not the workloads' answers.
    #[arg(long, conflicts_with_all = ["workload", "order", "layout", "backing", "quick", "seed"])]
    pub laws: bool,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  folioscope compare --quick
  folioscope compare --budget 600 --processes 5 --out bench-results/mine/2026-11-23
  folioscope compare --workload 'iteration/*' --design folio,headpage --order 0,9
  folioscope capture --pid 1234 --out server.jsonl
  folioscope compare --layout server.jsonl      on memory as it lies there
  folioscope compare --resume                   resume the newest unfinished run")]
pub(crate) struct MeasureArgs {
    #[command(flatten)]
    pub which: Which,
    /// Time budget in seconds, after the build; 120, or 20 with --quick, unless given.
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds)]
    pub budget: Option<f64>,
    /// Seed of every random order and layout; 1 unless given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Fresh processes per row: each is one sample of memory layout; 3 unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub processes: Option<u32>,
    /// Where the run goes: a folder that does not exist yet, or is empty.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Resume an interrupted run: that of --out, or the newest.
    #[arg(long)]
    pub resume: bool,
    /// Measure with an unoptimised build; the record says so and is never judged.
    #[arg(long, env = "FOLIOSCOPE_ALLOW_DEBUG", hide_env = true)]
    pub allow_debug: bool,
    /// One JSON object a line: what the tables hold.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    pub measure: MeasureArgs,
    /// Print the whole report rather than its first screen.
    #[arg(long, conflicts_with = "json")]
    pub full: bool,
}

impl MeasureArgs {
    /// The plan with what the arguments give in the place of what it has.
    pub(crate) fn change(&self, plan: Plan) -> Plan {
        Plan {
            seed: self.seed.unwrap_or(plan.seed),
            processes: self.processes.unwrap_or(plan.processes),
            ..self.which.change(plan)
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// The folder of a run.
    pub run: PathBuf,
    /// All rows, the environment and the method rather than the first screen.
    #[arg(long, conflicts_with = "json")]
    pub full: bool,
    /// Write the whole report into the run's folder, too: report.txt.
    #[arg(long, conflicts_with_all = ["json", "markdown"])]
    pub write: bool,
    /// Markdown rather than mail text.
    #[arg(long)]
    pub markdown: bool,
    /// Print only the Markdown section whose heading contains this text.
    #[arg(long, value_name = "TEXT", requires = "markdown")]
    pub section: Option<String>,
    /// One JSON object a line: what the tables hold.
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct PlotArgs {
    /// The folder of a run.
    pub run: PathBuf,
    /// Where the figures go; the run's own plots folder unless given.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples (as root):
  folioscope capture --backing thp --size 64M --out thp.jsonl
  folioscope capture --pid 1234 --memory anonymous
  folioscope capture --file /usr/lib/libLLVM.so")]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct CaptureArgs {
    /// A buffer of our own on this kind of memory.
    #[arg(long, value_name = "KIND", group = "what")]
    pub backing: Option<Backing>,
    /// Size of that buffer; K, M and G are powers of 1024.
    #[arg(long, value_name = "BYTES", value_parser = values::bytes, default_value = "64M")]
    pub size: u64,
    /// Memory of a process.
    #[arg(long, group = "what")]
    pub pid: Option<u32>,
    /// Which mappings of that process.
    #[arg(long, value_enum, default_value_t = Memory::All, requires = "pid")]
    pub memory: Memory,
    /// The page cache of a file.
    #[arg(long, value_name = "PATH", group = "what")]
    pub file: Option<PathBuf>,
    /// Where the capture goes; standard output unless given.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Mappings of a process.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Memory {
    /// Anonymous memory, heap and stacks.
    Anonymous,
    /// Files.
    Files,
    /// Both.
    All,
}

#[derive(Args, Debug)]
pub(crate) struct CasesArgs {
    #[command(subcommand)]
    pub command: CasesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CasesCommand {
    /// Answer the cases of a file, one JSON line each.
    #[command(after_help = "\
Without --design the reference model answers, and every design that supports a case's rules
is compared with it: a disagreement is an error line. A bad line is reported with its
number, and the others still run.

Exit codes: 0 all agree; 3 a design disagrees; 2 a line is malformed or cannot be asked.

A line with `steps` is about accounting and lists: charges, moves, limits, uncharges, statistics,
lists and references in a tree of groups. Its answer is a line of counters for each group (usage,
anonymous and file statistics, pages on the two lists) and for each allocation.

Examples:
  folioscope cases run cases.jsonl
  folioscope cases run crates/conformance/cases/bio.jsonl
  folioscope cases run crates/conformance/cases/ledger.jsonl
  folioscope cases run crates/kernels/oracle/cases/worked.jsonl --rules 6.12
  folioscope cases run cases.jsonl --design headpage
  echo '{\"name\":\"one\",\"rules\":\"7.1\",\"adds\":[{\"pfn\":512,\"order\":9,\"len\":2097152}]}' |
    folioscope cases run -")]
    Run(CasesRunArgs),
}

#[derive(Args, Debug)]
pub(crate) struct CasesRunArgs {
    /// A file of one JSON object a line; `-` is standard input.
    pub file: PathBuf,
    /// The design that answers.
    #[arg(long, value_name = "NAME")]
    pub design: Option<String>,
    /// The kernel whose rules apply to lines that name none, as 6.12.
    #[arg(long, value_name = "VERSION")]
    pub rules: Option<KernelVersion>,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_contradict_nothing() {
        Cli::command().debug_assert();
    }
}
