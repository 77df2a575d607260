//! The arguments of `folioscope kernel`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use oracle::Series;
use oracle::campaign::Shard;

#[derive(Args, Debug)]
pub(crate) struct KernelArgs {
    #[command(subcommand)]
    pub command: KernelCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KernelCommand {
    /// Build kernels from source as programs of this machine (ARCH=um), without root.
    #[command(after_help = "\
The result is a contender: folioscope compare --kernels. Sources and kernels are kept in
$XDG_CACHE_HOME/folioscope/kernels, or below ~/.cache; `kernel list` says how long each took.
Changing a file recompiles only what depends on it.

Examples:
  folioscope kernel build 5.10 6.1 6.12 7.2
  folioscope kernel build --list-patches
  folioscope kernel build 6.12 --patch headpage        becomes linux-6.12+headpage
  folioscope kernel build 6.12 --patch ../mine.patch
  folioscope kernel build --source ~/linux --label mine")]
    Build(BuildArgs),
    /// List the kernels that are built.
    List(BuiltArgs),
    /// Fetch Debian kernels through apt, without installing anything and without root.
    Fetch(FetchArgs),
    /// Ask kernels random cases and hold the reference and every design to the answers.
    #[command(after_help = "\
Examples:
  folioscope kernel check                         10,000 cases in each fetched kernel
  folioscope kernel check --series 6.12 --cases 2000 --seed 7
  folioscope kernel check --native --in-turn --cases 1000000
  folioscope kernel check --native=linux-6.12 --cases 1000000 --shard 2/4 --json > 2.jsonl
  folioscope kernel check --native --ledger --cases 100000   memcg and the LRU instead of IO
  folioscope kernel check --merge 1.jsonl 2.jsonl 3.jsonl 4.jsonl
  folioscope kernel check --bzimage arch/x86/boot/bzImage --kdir .")]
    Check(CheckArgs),
    /// Run the kernels' own tests (KUnit) of code that patches change.
    #[command(after_help = "\
Exit codes: 0 all passed; 1 a case failed, or a kernel did not get to the end of its tests.

Examples:
  folioscope kernel build 6.12 --config kunit
  folioscope kernel build 6.12 --config kunit --patch headpage
  folioscope kernel kunit
  folioscope kernel kunit --read bench-results/kernel/patched/kunit.jsonl --markdown")]
    Kunit(KunitArgs),
    /// Count instructions and cache lines per primitive inside a kernel.
    #[command(after_help = "\
Examples, before and after a patch of your own:
  folioscope kernel count --bzimage old/bzImage --kdir old --out old.jsonl
  folioscope kernel count --bzimage new/bzImage --kdir new --out new.jsonl
  folioscope kernel diff old.jsonl new.jsonl")]
    Count(CountArgs),
    /// Count what the timed loops execute in native kernels, an instruction at a time.
    #[command(after_help = "\
The loop that is counted is the loop that `compare --kernels` times, in the same program: ptrace
steps it between its two readings of the time stamp counter. Loops over more memory than the
first level of cache are left out, since they execute the same. Some 40,000 instructions a second.

Exit codes: 0 counted; 1 no loop could be; 2 could not begin.

Examples:
  folioscope kernel step --workload 'merging/*'
  folioscope kernel step --kernels linux-6.12,linux-6.12+headpage --patched
  folioscope kernel step --out loops.jsonl
  folioscope kernel step --read bench-results/kernel/patched/loops.jsonl --patched")]
    Step(StepArgs),
    /// Print what changed per primitive between two records of counts.
    #[command(after_help = "\
Exit codes: 0 all was compared; 3 a count has grown by more than --threshold; 2 counts of the
first record are not in the second.

Examples:
  folioscope kernel diff before.jsonl after.jsonl --threshold 5
  folioscope kernel diff before.jsonl after.jsonl --markdown")]
    Diff(KernelDiffArgs),
    /// Print what 2 MiB of IO and their accounting cost in each recorded kernel.
    #[command(after_help = "\
Examples:
  folioscope kernel history                       a table that fits a mail
  folioscope kernel history --out /tmp/history    the table, its rows and the figure as files")]
    History(KernelHistoryArgs),
}

#[derive(Args, Debug)]
pub(crate) struct BuildArgs {
    /// Versions, fetched through apt: 5.10, 6.1, 6.12, 7.2.
    #[arg(
        value_name = "VERSION",
        required_unless_present_any = ["source", "list_patches"]
    )]
    pub versions: Vec<String>,
    /// A patch to apply (-p1): a file, or the name of one that the tool carries; may be given
    /// several times, in order.
    #[arg(long, value_name = "FILE|NAME")]
    pub patch: Vec<PathBuf>,
    /// List the patches that the tool carries, instead of building anything.
    #[arg(long, conflicts_with_all = ["versions", "source", "patch"])]
    pub list_patches: bool,
    /// That list as a table of a Markdown document.
    #[arg(long, requires = "list_patches", conflicts_with = "json")]
    pub markdown: bool,
    /// A tree of your own, from 5.10 on; it is read and never written to.
    #[arg(long, value_name = "DIR", conflicts_with = "versions")]
    pub source: Option<PathBuf>,
    /// Options beside ours, as in a .config: a file, or kunit for the kernel's own tests.
    #[arg(long, value_name = "FRAGMENT|kunit")]
    pub config: Option<PathBuf>,
    /// The compiler.
    #[arg(long, value_name = "PROGRAM", default_value = "gcc")]
    pub cc: String,
    /// A name beside the version: linux-6.12@NAME.
    #[arg(long, value_name = "NAME", value_parser = super::values::label)]
    pub label: Option<String>,
    /// Look for a newer package of a version that is here already.
    #[arg(long)]
    pub refresh: bool,
    /// One JSON object a line: the kernels.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BuiltArgs {
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct KunitArgs {
    /// Kernels by name, as linux-6.12@kunit+headpage: all that are built with tests without names.
    #[arg(value_name = "NAME")]
    pub kernels: Vec<String>,
    /// Print a record that --json left, and run nothing.
    #[arg(long, value_name = "FILE", conflicts_with = "kernels")]
    pub read: Option<PathBuf>,
    /// A table of a Markdown document.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// One JSON object a line: a suite in a kernel.
    #[arg(long)]
    pub json: bool,
}

/// Which kernels are meant.
#[derive(Args, Debug)]
pub(crate) struct Kernels {
    /// Fetched kernels, separated by commas; 5.10, 6.1 and 6.12 unless given.
    #[arg(
        long,
        value_name = "SERIES",
        value_delimiter = ',',
        conflicts_with = "bzimage"
    )]
    pub series: Vec<Series>,
    /// A kernel of your own: its arch/x86/boot/bzImage.
    #[arg(long, value_name = "FILE", requires = "kdir")]
    pub bzimage: Option<PathBuf>,
    /// The build directory of that kernel.
    #[arg(long, value_name = "DIR", requires = "bzimage")]
    pub kdir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct FetchArgs {
    /// Series: 5.10, 6.1, 6.12, 7; the first three unless given.
    #[arg(value_name = "SERIES")]
    pub series: Vec<Series>,
    /// Look for newer packages of series that are already fetched.
    #[arg(long)]
    pub refresh: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub kernels: Kernels,
    /// Native kernels instead, by name: all that are built without names.
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all",
        conflicts_with_all = ["series", "bzimage"]
    )]
    pub native: Vec<String>,
    /// Put each case to the reference and to one design, the designs taking turns: a design
    /// takes longer to answer than a native kernel does.
    #[arg(long)]
    pub in_turn: bool,
    /// Accounting instead of IO: charges, uncharges, statistics, lists and references in random
    /// sequences, held to plain sums over the tree of groups. Native kernels only.
    #[arg(long, requires = "native", conflicts_with = "in_turn")]
    pub ledger: bool,
    /// Add up the --json output of the shards of one campaign, instead of checking anything.
    #[arg(
        long,
        value_name = "FILE",
        num_args = 1..,
        conflicts_with_all = ["series", "bzimage", "native", "cases", "seed", "shard", "in_turn"]
    )]
    pub merge: Vec<PathBuf>,
    /// Cases per kernel, over all shards.
    #[arg(long, default_value_t = 10_000)]
    pub cases: u64,
    /// Seed of the cases.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// This machine's part of the campaign.
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    pub shard: Shard,
    /// Where mismatches go, shrunk, as case files.
    #[arg(long, value_name = "FILE", default_value = "mismatches.jsonl")]
    pub out: PathBuf,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
    /// Print the text as a block of a Markdown document.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CountArgs {
    #[command(flatten)]
    pub kernels: Kernels,
    /// Write a record that `kernel diff` reads: answers and counts; the memory traffic goes
    /// into lines/ beside it. One kernel only.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write the memory traffic alone. One kernel only.
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    pub lines: Option<PathBuf>,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct StepArgs {
    /// Kernels by name, as linux-6.12+headpage; all that are built without names.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub kernels: Vec<String>,
    /// Workloads, as globs: 'merging/*'. All without one.
    #[arg(long, value_name = "GLOB")]
    pub workload: Vec<String>,
    /// Instructions after which a loop is given up.
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    pub instructions: u64,
    /// Write a record.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print such a record, and count nothing.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["kernels", "workload", "out"]
    )]
    pub read: Option<PathBuf>,
    /// Print what patches moved, patched : stock.
    #[arg(long, conflicts_with = "json")]
    pub patched: bool,
    /// Print the same beside the difference between the models that the kernels referee, whose
    /// counts are those of the gate.
    #[arg(long, conflicts_with_all = ["json", "patched"])]
    pub pairs: bool,
    /// Tables of a Markdown document.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// One JSON object a line: a loop in a kernel.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct KernelDiffArgs {
    /// The record from before.
    pub before: PathBuf,
    /// The record from after.
    pub after: PathBuf,
    /// Percent by which a primitive may grow.
    #[arg(long, value_name = "PERCENT", value_parser = super::values::percent)]
    pub threshold: Option<f64>,
    /// Rows that did not change, too.
    #[arg(long)]
    pub all: bool,
    /// A table for a Markdown document.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct KernelHistoryArgs {
    /// One JSON object a line.
    #[arg(long, conflicts_with = "out")]
    pub json: bool,
    /// The table as a block of a Markdown document.
    #[arg(long, conflicts_with_all = ["out", "json"])]
    pub markdown: bool,
    /// Write history.txt, history.jsonl and the figure into this folder.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
