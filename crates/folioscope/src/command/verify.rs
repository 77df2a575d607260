//! `folioscope verify`: laws first, then one checked call of every entry.

use std::panic;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use conformance::laws::Law;
use indicatif::ProgressBar;
use measure::plan::Plan;
use serde::{Deserialize, Serialize};

use crate::args::VerifyArgs;
use crate::failure::{Code, Failure};
use crate::layouts::Layouts;
use crate::output::Output;
use crate::{kernels, progress};
use render::Table;

/// One thing that was checked.
#[derive(Serialize, Deserialize)]
pub(crate) struct Checked {
    /// `law` or `workload`.
    what: String,
    /// `block/segments_bound_the_scatterlist`, or a workload with its parameters.
    pub name: String,
    pub design: String,
    /// `ok`, `absent` or `err`.
    status: String,
    /// Why it is not ok.
    pub why: String,
    seconds: f64,
}

/// Everything that was checked.
pub(crate) struct Verified {
    pub lines: Vec<Checked>,
}

impl Verified {
    /// The checks that failed.
    pub(crate) fn wrong(&self) -> impl Iterator<Item = &Checked> {
        self.lines.iter().filter(|line| line.status == "err")
    }

    /// The summary in one line.
    pub(crate) fn in_words(&self) -> String {
        let count = |what: &str, status: &str| {
            self.lines
                .iter()
                .filter(|line| line.what == what && line.status == status)
                .count()
        };
        let wrong = self.wrong().count();
        let mut words = format!("verified: {} laws hold", count("law", "ok"));
        if self.lines.iter().any(|line| line.what == "workload") {
            let (ok, absent) = (count("workload", "ok"), count("workload", "absent"));
            words.push_str(&format!(
                ", {ok} workload answers are right, {absent} are absent by design"
            ));
        }
        words + &format!(", {wrong} wrong")
    }
}

pub(crate) fn run(args: &VerifyArgs, output: &mut Output) -> Result<Code, Failure> {
    if std::env::var_os(APART).is_some() {
        // Where the system refuses, it works to its end, and nobody reads the answer.
        let _ = hugemem::process::die_with_parent();
    }
    let verified = verify(args)?;
    if args.json {
        for line in &verified.lines {
            output.json(line)?;
        }
    } else {
        output.text(table(&verified))?;
        for line in verified.wrong() {
            output.line(format_args!(
                "\n{} {}:\n{}",
                line.design, line.name, line.why
            ))?;
        }
        output.line(format_args!("\n{}", verified.in_words()))?;
    }
    Ok(if verified.wrong().next().is_none() {
        Code::Done
    } else {
        Code::Wrong
    })
}

/// Checks what is selected.
///
/// # Errors
/// Unknown names.
fn verify(args: &VerifyArgs) -> Result<Verified, Failure> {
    let which = &args.which;
    Layouts::read(&which.layout)?;
    let plan = kernels::named(which.change(Plan::default()))?;
    let cells = if args.laws {
        for name in &plan.design {
            registry::contender(name)?;
        }
        Vec::new()
    } else {
        plan.cells()?
    };
    let takes_part =
        |name: &str| plan.design.is_empty() || plan.design.iter().any(|design| design == name);
    let laws: Vec<(&'static str, &'static Law)> = registry::held()
        .filter(|held| takes_part(held.name))
        .flat_map(|held| held.laws().map(|law| (held.name, law)))
        .collect();
    let bar = progress::bar((laws.len() + cells.len()) as u64);
    let mut lines = hold_laws(&laws, &bar);
    let mut running = measure::Kernels::default();
    for cell in &cells {
        bar.set_message(cell.title());
        let start = Instant::now();
        let checked = measure::check(cell, args.seed, &mut running);
        let seconds = start.elapsed().as_secs_f64() / checked.len().max(1) as f64;
        lines.extend(checked.into_iter().map(|(design, status)| {
            let (status, why) = match status {
                results::Status::Ok => ("ok", String::new()),
                results::Status::Absent(why) => ("absent", why),
                results::Status::Err(why) => ("err", why),
            };
            Checked {
                what: "workload".to_owned(),
                name: cell.title(),
                design,
                status: status.to_owned(),
                why,
                seconds,
            }
        }));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Verified { lines })
}

/// Holds designs to their laws, on all CPUs that we may use; returns the results in order.
fn hold_laws(laws: &[(&'static str, &'static Law)], bar: &ProgressBar) -> Vec<Checked> {
    // A law that is broken panics with what breaks it; the message is kept, not printed.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let queue = Mutex::new(laws.iter().enumerate());
    let held = Mutex::new(Vec::new());
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((at, law)) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let checked = hold(law);
                    bar.inc(1);
                    if let Ok(mut held) = held.lock() {
                        held.push((at, checked));
                    }
                }
            });
        }
    });
    panic::set_hook(hook);
    let mut held = held.into_inner().unwrap_or_default();
    held.sort_by_key(|(at, _)| *at);
    held.into_iter().map(|(_, checked)| checked).collect()
}

fn hold((design, law): &(&'static str, &'static Law)) -> Checked {
    let start = Instant::now();
    let broken = panic::catch_unwind(law.check)
        .err()
        .map(|panic| message(&*panic));
    Checked {
        what: "law".to_owned(),
        name: law.to_string(),
        design: (*design).to_owned(),
        status: if broken.is_none() { "ok" } else { "err" }.to_owned(),
        why: broken.unwrap_or_default(),
        seconds: start.elapsed().as_secs_f64(),
    }
}

/// Holds designs, all unless some are named, to their laws in a process of its own, on `cases`
/// random cases each unless the user asks for another number: nothing that verification does can
/// affect what is measured afterwards. The workloads' answers are checked when they are measured,
/// before the first time is taken.
///
/// # Errors
/// If the process cannot be started or ends without an answer.
pub(crate) fn apart(designs: &[String], cases: u32) -> Result<Verified, Failure> {
    let tool = std::env::current_exe()
        .map_err(|error| Failure::Wrong(format!("cannot find the tool itself: {error}")))?;
    let mut command = Command::new(tool);
    command.args(["verify", "--laws", "--json"]);
    command.env(APART, "1");
    for design in designs {
        command.args(["--design", design]);
    }
    if std::env::var_os(CASES).is_none() {
        command.env(CASES, cases.to_string());
    }
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| Failure::Wrong(format!("cannot start the verification: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Result<Vec<Checked>, _> = text.lines().map(serde_json::from_str).collect();
    match lines {
        Ok(lines) if !lines.is_empty() && matches!(output.status.code(), Some(0 | 1)) => {
            Ok(Verified { lines })
        }
        Ok(_) => Err(Failure::Wrong(format!(
            "the verification ended early: {}",
            output.status
        ))),
        Err(error) => Err(Failure::Wrong(format!(
            "malformed answer from the verification: {error}"
        ))),
    }
}

/// The variable that tells a verification that it was started by [`apart`].
const APART: &str = "FOLIOSCOPE_APART";

/// The variable that sets how many random cases a law is tried on.
const CASES: &str = "FOLIOSCOPE_CASES";

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it panicked without a message")
        .to_owned()
}

/// One line per law or workload, one column per design.
fn table(verified: &Verified) -> String {
    let mut designs: Vec<String> = Vec::new();
    for line in &verified.lines {
        if !designs.contains(&line.design) {
            designs.push(line.design.clone());
        }
    }
    render::sort_designs(&mut designs);
    let mut headings = vec!["CHECK"];
    headings.extend(designs.iter().map(String::as_str));
    let mut table = Table::new(headings);
    let mut names: Vec<&str> = Vec::new();
    for line in &verified.lines {
        if names.last() != Some(&line.name.as_str()) && !names.contains(&line.name.as_str()) {
            names.push(&line.name);
        }
    }
    for name in names {
        let mut row = vec![name.to_owned()];
        for design in &designs {
            let found = verified
                .lines
                .iter()
                .find(|line| line.name == name && &line.design == design);
            row.push(match found.map(|line| line.status.as_str()) {
                None => String::new(),
                Some("absent") => "-".to_owned(),
                Some(status) => status.to_owned(),
            });
        }
        table.row(row);
    }
    table.text()
}
