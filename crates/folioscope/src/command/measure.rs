//! `folioscope measure`: cells, fresh processes, a record.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use measure::assignment::Cell;
use measure::plan::{PLAN_FILE, Plan};
use measure::session::{self, Summary};
use results::{
    ENV_FILE, Environment, Row, RowWriter, RunLock, SAMPLES_FILE, Status, Tail, write_environment,
};

use crate::args::MeasureArgs;
use crate::failure::{Code, Failure};
use crate::layouts::Layouts;
use crate::output::Output;
use crate::say::say;
use crate::{interrupt, kernels, progress, provenance, resume, run_dir};

/// Default budget of a run, in seconds.
const BUDGET_S: f64 = 120.0;
/// The same for a first look.
const QUICK_BUDGET_S: f64 = 20.0;
/// The largest padding of a worker's environment: more than a page of stack.
const PADDING: u64 = 4096;

pub(crate) fn run(
    args: &MeasureArgs,
    start: Instant,
    output: &mut Output,
) -> Result<Code, Failure> {
    let run = Run::prepare(args, start)?;
    let measured = run.measure(Duration::from_millis(200))?;
    if args.json {
        for row in &results::Run::load(&measured.folder, Tail::Drop)?.rows {
            output.json(row)?;
        }
    }
    if !args.json {
        output.line(measured.folder.display())?;
    }
    measured.tell();
    Ok(measured.code)
}

/// A run that is about to begin, or to go on.
pub(crate) struct Run {
    folder: PathBuf,
    plan: Plan,
    cells: Vec<Cell>,
    /// Captures that the user brought.
    layouts: Layouts,
    env: Environment,
    writer: RowWriter,
    /// Held while we write.
    _lock: RunLock,
    start: Instant,
    /// Seconds that this part of the run may take; the record has those of all parts.
    budget_s: f64,
    resumed: bool,
}

/// A run that has ended.
pub(crate) struct Measured {
    pub folder: PathBuf,
    pub summary: Summary,
    /// Why there is no time at all though nothing went wrong.
    pub thin: Option<String>,
    pub code: Code,
    pace: Pace,
}

/// How far the budget went.
struct Pace {
    /// Rows of the run.
    rows: usize,
    /// Seconds that this part of the run had.
    budget_s: f64,
    /// Rows, over all processes, that this part measured.
    done: u64,
    /// Rows, over all processes, that it left.
    left: u64,
}

impl Pace {
    /// Estimates the time for the remaining rows from the pace so far.
    fn in_words(&self) -> String {
        if self.done == 0 {
            return String::new();
        }
        let more = self.left as f64 * self.budget_s / self.done as f64;
        format!(" with about {:.0} s more", more.max(1.0).ceil())
    }
}

impl Run {
    /// Chooses what to measure and makes the record's folder, with the environment in it.
    ///
    /// # Errors
    /// Unknown names, a folder that cannot be used, a run that cannot be resumed.
    pub(crate) fn prepare(args: &MeasureArgs, start: Instant) -> Result<Self, Failure> {
        let mut env = provenance::environment();
        let brought = Layouts::read(&args.which.layout)?;
        let (folder, lock, plan, cells, layouts) = if args.resume {
            let folder = run_dir::unfinished(args.out.as_deref())?;
            let lock = RunLock::take(&folder)?;
            let (plan, before) = resume::read(&folder, args, &env)?;
            // What was written when the run began stays; only what has happened since is added.
            env = before;
            // Those that it keeps; one that was brought and is another is refused for its name.
            let kept = Layouts::of_run(&folder, &plan.layout)?;
            let cells = plan.cells()?;
            provenance::optimised(args.allow_debug)?;
            (folder, lock, plan, cells, kept)
        } else {
            let plan = kernels::named(args.change(Plan::default()))?;
            // Before anything is made: what is asked for must exist.
            let cells = plan.cells()?;
            provenance::optimised(args.allow_debug)?;
            probe(&plan.backing)?;
            let (folder, lock) = run_dir::new(args.out.as_deref(), &env.date_utc)?;
            (folder, lock, plan, cells, brought)
        };
        let budget_s = args
            .budget
            .unwrap_or(if plan.quick { QUICK_BUDGET_S } else { BUDGET_S });
        let writer = if args.resume {
            env.budget_s += budget_s;
            env.finished = false;
            env.rows = None;
            resume::writer(&folder, &cells, plan.processes)?
        } else {
            env.seed = plan.seed;
            env.quick = plan.quick;
            env.processes = plan.processes;
            env.pinned_cpu = session::pinned_cpu().and_then(|cpu| u32::try_from(cpu).ok());
            env.budget_s = budget_s;
            // Before the plan: if there are rows here already, their plan must be left alone.
            let writer = RowWriter::create(&folder.join(SAMPLES_FILE))?;
            layouts.keep(&folder)?;
            resume::write(&plan, &folder)?;
            writer
        };
        write_environment(&folder.join(ENV_FILE), &env)?;
        Ok(Self {
            folder,
            plan,
            cells,
            layouts,
            env,
            writer,
            _lock: lock,
            start,
            budget_s,
            resumed: args.resume,
        })
    }

    /// The plan that was asked for, now or when the run was begun.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The budget in seconds, for everything.
    pub(crate) fn budget_s(&self) -> f64 {
        self.budget_s
    }

    /// Keeps the rows that `wanted` accepts.
    pub(crate) fn keep(&mut self, wanted: impl Fn(&Cell) -> bool) {
        self.cells.retain(wanted);
    }

    /// Measures until `spare` before the budget's end.
    ///
    /// # Errors
    /// A disk that is full, workers that cannot be started. What was finished stays.
    pub(crate) fn measure(mut self, spare: Duration) -> Result<Measured, Failure> {
        let budget = Duration::from_secs_f64(self.budget_s);
        let deadline = self.start + budget.saturating_sub(spare);
        let steal = measure::machine::steal_ticks();
        let tool = std::env::current_exe()
            .map_err(|error| Failure::Wrong(format!("cannot find the tool itself: {error}")))?;
        self.tell_fit(deadline.saturating_duration_since(Instant::now()));
        let steps = self.cells.len() as u64 * u64::from(self.plan.processes);
        let bar = progress::bar_until(steps, deadline);
        let mut before = None;
        let mut done = 0;
        let seed = self.plan.seed;
        let layouts = self.layouts.files(&self.folder);
        let ended = session::run(
            &self.plan,
            &self.cells,
            deadline,
            &mut self.writer,
            &mut |process| worker(&tool, &layouts, seed, process),
            interrupt::flag(),
            &mut |progress| {
                if before.is_none() {
                    // What a resumed run has already says nothing about the pace of this one.
                    before = Some(progress.done);
                    bar.set_position(progress.done as u64);
                    bar.reset_eta();
                }
                done = progress.done;
                bar.set_position(progress.done as u64);
                bar.set_message(progress.title.to_owned());
            },
        );
        bar.finish_and_clear();
        let summary = match ended {
            Ok(summary) => summary,
            Err(error) => {
                // The environment stays as it was: unfinished.
                return Err(Failure::Wrong(format!(
                    "{error}\n{}",
                    how_to_go_on(&self.folder)
                )));
            }
        };
        self.close(steal, &summary)?;
        let rows = results::read_rows(&self.folder.join(SAMPLES_FILE), Tail::Drop)?;
        let thin = thin_only(&rows);
        let pace = Pace {
            rows: self.cells.len(),
            budget_s: self.budget_s,
            left: steps.saturating_sub(done as u64),
            done: done.saturating_sub(before.unwrap_or(0)) as u64,
        };
        let code = if summary.stopped {
            Code::Interrupted
        } else if !summary.died.is_empty() {
            Code::Wrong
        } else if thin.is_some() {
            Code::Usage
        } else {
            Code::Done
        };
        Ok(Measured {
            folder: self.folder,
            summary,
            thin,
            code,
            pace,
        })
    }

    /// Prints how many rows fit the budget.
    fn tell_fit(&self, time: Duration) {
        let (rows, processes) = (self.cells.len(), self.plan.processes);
        let fit = measure::budget::fit(&self.cells, processes, self.plan.quick, time);
        let seconds = time.as_secs_f64();
        if fit.cells < rows {
            say!(
                "folioscope: the budget has room for {} of {}, at most: all of them take {:.0} s \
                 and more in {processes} processes",
                fit.cells,
                rows_in_words(rows),
                fit.least.as_secs_f64().ceil()
            );
        } else {
            say!(
                "folioscope: {} in {processes} processes within {seconds:.0} s: {:.2} s each",
                rows_in_words(rows),
                seconds / (rows as f64 * f64::from(processes)).max(1.0)
            );
        }
    }

    /// Writes what is known at the end into the environment.
    fn close(&mut self, steal: Option<u64>, summary: &Summary) -> Result<(), Failure> {
        let env = &mut self.env;
        let before = if self.resumed {
            env.steal_ticks.unwrap_or(0)
        } else {
            0
        };
        let stolen = measure::machine::steal_ticks().zip(steal);
        env.steal_ticks = stolen.map(|(now, then)| before + now.saturating_sub(then));
        env.elapsed_s += self.start.elapsed().as_secs_f64();
        // On the disk before anything says so.
        let rows = self.writer.finish()?;
        env.finished = !summary.stopped;
        env.rows = env.finished.then_some(rows);
        env.pmu = summary.pmu;
        env.rounds = env.rounds.max(summary.rounds);
        let spent = env.spent.get_or_insert_default();
        spent.setup_s += summary.spent.setup_s;
        spent.sampling_s += summary.spent.sampling_s;
        for line in &summary.read_bandwidth {
            env.read_bandwidth
                .retain(|known| known.backing != line.backing);
            env.read_bandwidth.push(line.clone());
        }
        write_environment(&self.folder.join(ENV_FILE), env)?;
        if summary.is_whole() {
            // Nothing is left to resume.
            let plan = self.folder.join(PLAN_FILE);
            std::fs::remove_file(&plan)
                .map_err(|error| Failure::Wrong(format!("{}: {error}", plan.display())))?;
        }
        Ok(())
    }
}

impl Measured {
    /// Prints how the run ended, and its folder, to standard error.
    pub(crate) fn tell(&self) {
        let summary = &self.summary;
        if summary.stopped {
            say!("folioscope: interrupted; {}", how_to_go_on(&self.folder));
            return;
        }
        if let Some(why) = &self.thin {
            say!("folioscope: no row has a time, so nothing can be judged; the first is {why}");
        }
        if !summary.died.is_empty() {
            say!(
                "folioscope: worker processes died in these; {}:",
                how_to_go_on(&self.folder)
            );
            for cell in &summary.died {
                say!("  {cell}");
            }
        }
        if !summary.unmeasured.is_empty() {
            say!(
                "folioscope: the budget of {} s ran out with {} of {} not measured; {}{}:",
                self.pace.budget_s,
                summary.unmeasured.len(),
                rows_in_words(self.pace.rows),
                how_to_go_on(&self.folder),
                self.pace.in_words()
            );
            for title in &summary.unmeasured {
                say!("  {title}");
            }
        } else if summary.thin > 0 {
            say!(
                "folioscope: the budget of {} s ran out: {} of {} ran in fewer processes than asked \
                 for; {}{}",
                self.pace.budget_s,
                summary.thin,
                rows_in_words(self.pace.rows),
                how_to_go_on(&self.folder),
                self.pace.in_words()
            );
        }
    }
}

/// Why no row has a time, by the first one's own words; `None` if one has, or if one went wrong.
fn thin_only(rows: &[Row]) -> Option<String> {
    let mut why = None;
    for row in rows {
        match row {
            Row::Sample(sample) => match &sample.status {
                Status::Absent(reason) => why = why.or_else(|| Some(reason.clone())),
                Status::Ok | Status::Err(_) => return None,
            },
            Row::Value(_) => {}
        }
    }
    why
}

/// Checks that memory of every kind that is named is available at all, before anything is
/// begun: otherwise every row of it would be the same error.
fn probe(backings: &[hugemem::Backing]) -> Result<(), Failure> {
    for &backing in backings {
        let request = hugemem::Request::new(backing.page_bytes(), backing);
        if let Err(error) = hugemem::Mapping::new(request) {
            return Err(Failure::Wrong(format!("--backing {backing}: {error}")));
        }
    }
    Ok(())
}

/// A number of rows, with its noun.
fn rows_in_words(rows: usize) -> String {
    format!("{rows} {}", if rows == 1 { "row" } else { "rows" })
}

fn how_to_go_on(folder: &Path) -> String {
    format!(
        "finished rows are in {0}; resume with: folioscope compare --resume --out {0}",
        folder.display()
    )
}

/// The command of a fresh process: the tool itself, its environment padded by a size of
/// its own, which moves the stack.
fn worker(tool: &Path, layouts: &[PathBuf], seed: u64, process: u32) -> Command {
    let mut command = Command::new(tool);
    command
        .arg("worker")
        .env("FOLIOSCOPE_PADDING", "x".repeat(padding(seed, process)));
    for file in layouts {
        command.arg("--layout").arg(file);
    }
    command
}

/// The padding of a process's environment, in bytes.
pub(super) fn padding(seed: u64, process: u32) -> usize {
    // A multiplicative hash of both: any spread will do, the same for the same seed.
    let mixed =
        (seed ^ (u64::from(process) << 32) ^ 0x51_7c_c1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from((mixed >> 40) % PADDING).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use results::{Params, Sample};

    use super::*;

    /// A row of times with this status.
    fn row(process: u32, status: Status) -> Row {
        Row::Sample(Sample {
            elements: 1,
            status,
            ..Sample::blank("merging/add", "flat", Params::new(), "page", process)
        })
    }

    #[test]
    fn a_run_of_thin_rows_alone_judges_nothing() {
        let thin = || {
            row(
                0,
                Status::Absent("thin: 3 of at least 15 rounds".to_owned()),
            )
        };
        assert!(thin_only(&[thin(), thin()]).is_some_and(|why| why.starts_with("thin: 3")));
        assert_eq!(thin_only(&[thin(), row(1, Status::Ok)]), None);
        // What went wrong has a word of its own.
        assert_eq!(
            thin_only(&[thin(), row(1, Status::Err("wrong".to_owned()))]),
            None
        );
        assert_eq!(thin_only(&[]), None);
    }
}
