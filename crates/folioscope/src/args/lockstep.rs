//! The arguments of `diff` that are about two programs rather than two runs.

use std::path::PathBuf;

use clap::Args;
use hugemem::Backing;

use super::{names, values};

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Two programs")]
pub(crate) struct LockstepArgs {
    /// Build this revision in a work tree of its own and use it as the old program.
    #[arg(long, value_name = "REV")]
    pub against: Option<String>,
    /// Another build of the old source, with its functions in another order.
    #[arg(long, value_name = "PROGRAM")]
    pub also_old: Vec<PathBuf>,
    /// The same of the new source.
    #[arg(long, value_name = "PROGRAM")]
    pub also_new: Vec<PathBuf>,
    /// Workloads by id; `*` and `?` match. May be given several times.
    #[arg(long, value_name = "GLOB", value_parser = names::workloads(), hide_possible_values = true)]
    pub workload: Vec<String>,
    /// Designs by name, separated by commas.
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = names::designs(),
        hide_possible_values = true
    )]
    pub design: Vec<String>,
    /// Orders of the allocations, separated by commas.
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub order: Vec<u64>,
    /// A parameter instead of the plan's: count=64. May be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub param: Vec<String>,
    /// At most this many rows, spread evenly over the plan.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rows: Option<u32>,
    /// The rows of a first look only.
    #[arg(long)]
    pub quick: bool,
    /// Sets of three fresh processes: new, old, and old once more; 6 unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(3..=64))]
    pub processes: Option<u32>,
    /// Time budget in seconds; 300 unless given.
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds)]
    pub budget: Option<f64>,
    /// Seed of every random order; 1 unless given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Each process on memory of its own, of this kind, instead of all on the same in turn.
    #[arg(
        long,
        value_name = "KIND",
        value_parser = names::backings(),
        hide_possible_values = true
    )]
    pub own_memory: Option<Backing>,
    /// Slow the new side down by this many percent, to test whether it is detected.
    #[arg(long, value_name = "PERCENT", value_parser = values::percent)]
    pub inject: Option<f64>,
    /// Write the record into this file.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Compare unoptimised builds.
    #[arg(long, env = "FOLIOSCOPE_ALLOW_DEBUG", hide_env = true)]
    pub allow_debug: bool,
}

impl LockstepArgs {
    /// The first of these that was given, but for leave to measure unoptimised builds.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let flags = [
            ("--against", self.against.is_some()),
            ("--also-old", !self.also_old.is_empty()),
            ("--also-new", !self.also_new.is_empty()),
            ("--workload", !self.workload.is_empty()),
            ("--design", !self.design.is_empty()),
            ("--order", !self.order.is_empty()),
            ("--param", !self.param.is_empty()),
            ("--rows", self.rows.is_some()),
            ("--quick", self.quick),
            ("--processes", self.processes.is_some()),
            ("--budget", self.budget.is_some()),
            ("--seed", self.seed.is_some()),
            ("--own-memory", self.own_memory.is_some()),
            ("--inject", self.inject.is_some()),
            ("--out", self.out.is_some()),
        ];
        flags
            .into_iter()
            .find_map(|(flag, given)| given.then_some(flag))
    }
}
