//! `folioscope diff PROGRAM PROGRAM`: what changed between two builds, measured in lock-step.

mod against;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use compare::lockstep::Lockstep;
use measure::lockstep::protocol::{Hello, VERSION};
use measure::lockstep::session::{self, Loop, Settings};
use measure::plan::Plan;
use registry::{Enter, Params};
use results::{Build, LockstepHeader, LockstepRecord, SCHEMA_VERSION};

use crate::args::DiffArgs;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::say::say;
use crate::{interrupt, progress, provenance};

/// Sets of processes unless told otherwise.
const SETS: u32 = 6;
/// Seconds unless told otherwise.
const BUDGET_S: f64 = 300.0;

/// The hidden command: a process that takes turns.
pub(crate) fn serve() -> Result<Code, Failure> {
    interrupt::leave_to_parent();
    // Where the system refuses, it still ends when there are no more requests.
    let _ = hugemem::process::die_with_parent();
    let env = provenance::environment();
    let hello = Hello {
        lockstep: VERSION,
        git: env.git,
        rustc: env.rustc,
        target: env.target,
        profile: env.profile.unwrap_or_default(),
    };
    measure::lockstep::serve(&hello, std::io::stdin().lock(), std::io::stdout().lock())
        .map(|()| Code::Done)
        .map_err(|error| Failure::Wrong(error.to_string()))
}

pub(crate) fn run(args: &DiffArgs, output: &mut Output) -> Result<Code, Failure> {
    let how = &args.programs;
    let [old, new] = programs(args)?;
    // The budget is for measuring: building a revision may take longer than all of it.
    let start = Instant::now();
    let loops = loops(args)?;
    let env = provenance::environment();
    let settings = Settings {
        old: [vec![old], how.also_old.clone()].concat(),
        new: [vec![new], how.also_new.clone()].concat(),
        sets: how.processes.unwrap_or(SETS),
        seed: how.seed.unwrap_or(1),
        deadline: start + Duration::from_secs_f64(how.budget.unwrap_or(BUDGET_S)),
        crossover: how.own_memory.is_none(),
        burn_percent: how.inject.unwrap_or(0.0),
    };
    // Before anything is measured: each must be one that can be compared.
    let builds = |programs: &[PathBuf]| -> Result<Vec<Build>, Failure> {
        programs.iter().map(|program| build(program)).collect()
    };
    let (old, new) = (builds(&settings.old)?, builds(&settings.new)?);
    comparable(&old, &new, how.allow_debug)?;
    let bar = progress::bar(loops.len() as u64 * u64::from(settings.sets));
    let compared = session::run(
        &loops,
        &settings,
        &|program, set| launch(program, settings.seed, set),
        interrupt::flag(),
        &mut |set, done| {
            bar.set_position(u64::from(set) * loops.len() as u64 + done as u64);
        },
    );
    bar.finish_and_clear();
    let compared = compared.map_err(|error| Failure::Usage(error.to_string()))?;
    let record = LockstepRecord {
        header: LockstepHeader {
            schema: SCHEMA_VERSION,
            date_utc: env.date_utc.clone(),
            elapsed_s: start.elapsed().as_secs_f64(),
            machine: env.machine(),
            kernel: env.kernel.clone(),
            old,
            new,
            sets: settings.sets,
            crossover: settings.crossover,
            fixed_addresses: compared.fixed_addresses,
            injected_percent: settings.burn_percent,
            seed: settings.seed,
            rows: compared.rows.len(),
        },
        rows: compared.rows,
    };
    if let Some(file) = &how.out {
        record.write(file)?;
    }
    if compared.stopped {
        return Ok(Code::Interrupted);
    }
    judge(args, &record, &loops, output)
}

/// Prints what was found, and returns whether it is in order.
fn judge(
    args: &DiffArgs,
    record: &LockstepRecord,
    loops: &[Loop],
    output: &mut Output,
) -> Result<Code, Failure> {
    let mut found = Lockstep::of(record);
    let unmeasured = loops.len() - found.rows.len() - found.failed.len() - found.absent.len();
    let threshold = args.threshold.map(|percent| percent / 100.0);
    let beyond = threshold.map_or(0, |threshold| found.slower_by(threshold).count());
    let blind = threshold.map_or(0, |threshold| found.blind_to(threshold).count());
    if args.changed {
        found
            .rows
            .retain(|row| row.verdict != stats::Verdict::NoDifference);
    }
    if args.json {
        output.text(render::lockstep_json_lines(&found))?;
    } else {
        let page = render::lockstep_page(&found, &record.header);
        output.page(&page, args.markdown)?;
    }
    output.finish()?;
    let percent = args.threshold.unwrap_or_default();
    let unjudged = [
        (
            unmeasured,
            "rows were not reached; raise --budget".to_owned(),
        ),
        (found.failed.len(), "rows could not be judged".to_owned()),
        (
            blind,
            format!("rows cannot show a change of {percent} %: give them more --processes"),
        ),
        (
            usize::from(found.absent.len() == loops.len()),
            "comparison was made of nothing: the old build has none of these rows".to_owned(),
        ),
    ];
    for (rows, why) in unjudged.iter().filter(|(rows, _)| *rows > 0) {
        say!("folioscope: {rows} {why}");
    }
    Ok(
        match (beyond, unjudged.iter().all(|(rows, _)| *rows == 0)) {
            (0, true) => Code::Done,
            (0, false) => Code::Usage,
            (beyond, _) => {
                say!("folioscope: {beyond} rows are slower by more than {percent} %");
                Code::Beyond
            }
        },
    )
}

/// The old and the new program.
fn programs(args: &DiffArgs) -> Result<[PathBuf; 2], Failure> {
    let this = || {
        std::env::current_exe()
            .map_err(|error| Failure::Wrong(format!("cannot find the tool itself: {error}")))
    };
    let how = &args.programs;
    let found = match (&how.against, &args.old, &args.new) {
        (Some(_), Some(_), Some(_)) => {
            return Err(Failure::Usage(
                "--against names the old program: name the new one only, or none for this one"
                    .to_owned(),
            ));
        }
        (Some(revision), new, None) => {
            let new = new.clone().map_or_else(this, Ok)?;
            [against::built(revision)?, new]
        }
        (None, Some(old), Some(new)) => [old.clone(), new.clone()],
        _ => {
            return Err(Failure::Usage(
                "two programs are compared, or --against REV and this one".to_owned(),
            ));
        }
    };
    let whole = found.each_ref().map(std::fs::canonicalize);
    for (path, whole) in found.iter().zip(&whole) {
        match whole {
            Err(error) => return Err(Failure::Usage(format!("{}: {error}", path.display()))),
            Ok(whole) if !whole.is_file() => {
                return Err(Failure::Usage(format!(
                    "{}: is a folder, and the other is a program: two of a kind are compared",
                    path.display()
                )));
            }
            Ok(_) => {}
        }
    }
    Ok(whole.map(Result::unwrap_or_default))
}

/// The rows that are compared: timed loops of one thread of the plan, not the harness floor.
fn loops(args: &DiffArgs) -> Result<Vec<Loop>, Failure> {
    let how = &args.programs;
    let plan = Plan {
        workload: how.workload.clone(),
        design: how.design.clone(),
        order: how.order.clone(),
        param: how.param.clone(),
        quick: how.quick,
        ..Plan::default()
    };
    // What a design lacks here is no row; what it lacks there is lost.
    let has = |workload: &str, design: &str, params: &Params| {
        registry::entry(workload, design, params)
            .is_ok_and(|entry| matches!(entry.enter, Enter::Timed(_)))
    };
    let wanted = |design: &str| {
        let floor = registry::contender(design).is_ok_and(|design| design.is_floor());
        !floor && (how.design.is_empty() || how.design.iter().any(|name| name == design))
    };
    let mut loops = Vec::new();
    for cell in plan.cells()? {
        let threads = cell.params.get("threads").map(ToString::to_string);
        if cell.value.is_some() || threads.is_some_and(|threads| threads != "1") {
            continue;
        }
        let designs = cell.slots.iter().filter(|slot| slot.label.is_empty());
        for slot in designs.filter(|slot| wanted(&slot.design)) {
            if !has(&cell.workload, &slot.design, &cell.params) {
                continue;
            }
            loops.push(Loop {
                workload: cell.workload.clone(),
                design: slot.design.clone(),
                params: cell.params.clone(),
                unit: cell.unit.clone(),
                backing: how.own_memory.unwrap_or(cell.backing),
            });
        }
    }
    if let Some(most) = how
        .rows
        .map(|rows| rows as usize)
        .filter(|most| *most < loops.len())
    {
        let all = loops.len();
        loops = (0..most).map(|at| loops[at * all / most].clone()).collect();
    }
    if loops.is_empty() {
        return Err(Failure::Usage(
            "no timed row of one thread is among these: folioscope list".to_owned(),
        ));
    }
    Ok(loops)
}

/// The command of a process. All of a set have the same environment.
fn launch(program: &Path, seed: u64, set: u32) -> Command {
    let mut command = Command::new(program);
    let padding = super::measure::padding(seed, set);
    command
        .arg("lockstep")
        .env("FOLIOSCOPE_PADDING", "x".repeat(padding));
    command
}

/// A program as records know it.
fn build(program: &Path) -> Result<Build, Failure> {
    let refused =
        |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", program.display()));
    let bytes = std::fs::read(program).map_err(|error| refused(&error))?;
    let hello = session::hello(program, launch(program, 0, 0))
        .map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(Build {
        git: hello.git,
        rustc: hello.rustc,
        target: hello.target,
        profile: hello.profile,
        crc32: results::RowSum::of(&bytes).crc32,
    })
}

/// Prints how the builds differ in compiler, target and profile; refuses unoptimised ones.
fn comparable(old: &[Build], new: &[Build], allow_debug: bool) -> Result<(), Failure> {
    let all = || old.iter().chain(new);
    if let Some(debug) = all().find(|build| build.is_debug() && !allow_debug) {
        return Err(Failure::Usage(format!(
            "{} is an unoptimised build: its times mean nothing; --allow-debug compares it",
            debug.title()
        )));
    }
    let fields = [
        ("compiler", (|build| &build.rustc) as fn(&Build) -> &String),
        ("target", |build| &build.target),
        ("profile", |build| &build.profile),
    ];
    for (what, of) in fields {
        let first = &old[0];
        if let Some(other) = all().find(|build| of(build) != of(first)) {
            say!("folioscope: other {what}: {} -> {}", of(first), of(other));
        }
    }
    Ok(())
}
