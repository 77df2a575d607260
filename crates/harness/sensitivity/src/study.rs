//! The study: runs, what `diff` says of them, what Criterion says.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Instant;

use compare::{Diff, Floors, RowKey, Summary};
use measure::machine;
use render::resolution_table;
use results::{
    Environment, Git, Row, Run, SCHEMA_VERSION, StudyHeader, StudyRecord, StudyRow, Tail, Tally,
    rows_from_bytes,
};
use stats::{Verdict, quantile};

use crate::rows::{REFERENCE, cells};
use crate::worker::{INJECTED, slowed_name};
use crate::{Failure, SLOWDOWNS, StudyArgs};

/// The part of the budget that Criterion gets: about what its rows take otherwise.
const PEER: f64 = 0.4;
/// Rows are slowed down in turns, a quarter at a time: a slowdown of all of them at once
/// is the machine's drift, which `diff` takes out.
const TURNS: usize = 4;

pub(crate) fn run(args: &StudyArgs) -> Result<(), Failure> {
    let start = Instant::now();
    let date_utc = machine::now_utc();
    let cells = cells(args.rows)?;
    let rows: usize = cells.iter().map(|cell| cell.entries.len()).sum();
    let slowable = rows - cells.len();
    eprintln!("resolution: {rows} rows in {} cells", cells.len());

    // A run's time is in proportion to its contenders: the new one has three more for most rows.
    let plain = rows + cells.len();
    let slowed = plain + slowable * SLOWDOWNS.len();
    let all = (args.past + 1) * plain + slowed;
    let share = args.budget * (1.0 - PEER) / all as f64;
    let mut past = Vec::new();
    for seed in 0..=args.past as u64 {
        let rows = measured(args, seed, share * plain as f64, false)?;
        past.push(summary(rows));
    }
    let old = past.pop().ok_or("no old run")?;
    let new = measured(args, 1000, share * slowed as f64, true)?;
    let floors = [Floors::default(), Floors::learn(&past)];

    let peer_rows = 2 * rows + SLOWDOWNS.len() * slowable;
    let left = args.budget - start.elapsed().as_secs_f64();
    let peer = Peer {
        args,
        folder: tempfile::tempdir()?,
        // Its analysis and the calibration of burns come on top of its own time.
        seconds: (left / peer_rows as f64 * 0.7).max(0.02),
    };
    peer.save()?;

    let mut found = Vec::new();
    // Of the rows that are the same, which come first.
    let mut limit = f64::INFINITY;
    for percent in [0.0].into_iter().chain(SLOWDOWNS) {
        let [diff, diff_with_past] = floors
            .each_ref()
            .map(|floors| judged(&old, &new, percent, floors));
        let (criterion, changes) = peer.compare(percent)?;
        if percent == 0.0 {
            limit = limit_of(&changes);
        }
        found.push(StudyRow {
            percent,
            injected: injected(&new, percent),
            diff,
            diff_with_past,
            criterion,
            criterion_strict: Some(beyond(&changes, limit)),
        });
    }
    let env = environment();
    let study = StudyRecord {
        header: StudyHeader {
            schema: SCHEMA_VERSION,
            date_utc,
            machine: env.machine(),
            kernel: env.kernel,
            rustc: env.rustc,
            seconds: start.elapsed().as_secs_f64(),
            past_runs: args.past,
            processes: args.processes,
            rows: found.len(),
        },
        rows: found,
    };
    if let Some(file) = &args.out {
        study.write(file)?;
    }
    print!("{}", resolution_table(&study));
    Ok(())
}

/// The rows of a run: its processes one after the other.
fn measured(args: &StudyArgs, seed: u64, seconds: f64, slowed: bool) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for process in 0..args.processes {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("worker");
        command.args(["--rows", &args.rows.to_string()]);
        command.args(["--process", &process.to_string()]);
        command.args(["--seed", &seed.to_string()]);
        let part = seconds / f64::from(args.processes);
        command.args(["--seconds", &part.to_string()]);
        if slowed {
            command.arg("--slowed");
        }
        let output = said(command)?;
        rows.extend(rows_from_bytes(
            output.as_bytes(),
            "a worker".as_ref(),
            Tail::Refuse,
        )?);
        eprintln!("resolution: run {seed}, process {process}");
    }
    Ok(rows)
}

fn said(mut command: Command) -> Result<String, Failure> {
    let output = command.output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} ended with {}: {words}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Where the study is made. The runs are of one binary, which is what a clean revision
/// stands for when floors are learnt.
fn environment() -> Environment {
    Environment {
        git: Some(Git {
            revision: "of this study".to_owned(),
            dirty: false,
        }),
        rustc: env!("RESOLUTION_RUSTC").to_owned(),
        target: env!("RESOLUTION_TARGET").to_owned(),
        ..machine::environment()
    }
}

fn summary(rows: Vec<Row>) -> Summary {
    Summary::from_run(&Run {
        dir: "study".into(),
        env: environment(),
        rows,
    })
}

/// The new run as it would be if the cells whose turn it is were slower by `percent`: the
/// slowed copy's times stand in the design's place.
fn slowed(new: &[Row], percent: f64, turn: usize) -> Summary {
    let mut place: BTreeMap<String, usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for row in new {
        let Row::Sample(sample) = row else { continue };
        let next = place.len();
        let cell = *place
            .entry(format!("{} {:?}", sample.workload, sample.params))
            .or_insert(next);
        let (design, by) = sample
            .design
            .split_once(" +")
            .unwrap_or((&sample.design, "0"));
        let wanted = match design {
            REFERENCE => 0.0,
            _ if cell % TURNS == turn => percent,
            _ => 0.0,
        };
        if by == wanted.to_string() {
            let mut sample = sample.clone();
            sample.design = design.to_owned();
            rows.push(Row::Sample(sample));
        }
    }
    summary(rows)
}

/// The verdicts of `diff` on the rows that are all the same, or of those that were slowed down.
fn judged(old: &Summary, new: &[Row], percent: f64, floors: &Floors) -> Tally {
    let mut tally = Tally::default();
    let plain = slowed(new, 0.0, 0);
    if percent == 0.0 {
        count(&Diff::between(old, &plain, floors), &mut tally, |_| true);
        return tally;
    }
    for turn in 0..TURNS {
        let new = slowed(new, percent, turn);
        // Those whose times are not the plain ones.
        let touched = |key: &RowKey| time(&new, key) != time(&plain, key);
        count(&Diff::between(old, &new, floors), &mut tally, touched);
    }
    tally
}

fn time(summary: &Summary, (workload, params, design): &RowKey) -> Option<f64> {
    let mut cases = summary.cases();
    let case = cases.find(|case| case.workload == *workload && case.params == *params)?;
    Some(case.time(design)?.value)
}

fn count(diff: &Diff, tally: &mut Tally, of: impl Fn(&RowKey) -> bool) {
    for change in diff.rows.iter().filter(|change| of(&change.key)) {
        tally.rows += 1;
        tally.slower += usize::from(change.verdict == Verdict::Slower);
        tally.faster += usize::from(change.verdict == Verdict::Faster);
    }
}

/// The slowdown that was really injected: 5th percentile, median, 95th percentile.
fn injected(new: &[Row], percent: f64) -> Option<[f64; 3]> {
    let suffix = slowed_name("", percent);
    let found: Vec<f64> = new
        .iter()
        .filter_map(|row| match row {
            Row::Value(value) if value.quantity == INJECTED => Some(value),
            _ => None,
        })
        .filter(|value| value.design.ends_with(&suffix))
        .map(|value| value.value)
        .collect();
    Some([
        quantile(&found, 0.05)?,
        quantile(&found, 0.5)?,
        quantile(&found, 0.95)?,
    ])
}

/// Criterion, in processes of its own.
struct Peer<'a> {
    args: &'a StudyArgs,
    folder: tempfile::TempDir,
    /// Seconds for one row.
    seconds: f64,
}

impl Peer<'_> {
    /// Has all rows timed as those that others are compared with.
    fn save(&self) -> Result<(), Failure> {
        self.timed(&["--process", "0", "--old"]).map(drop)
    }

    /// Has all rows timed, slower by `percent`; what Criterion says of them, and by how much each
    /// changed.
    fn compare(&self, percent: f64) -> Result<(Tally, Vec<f64>), Failure> {
        let said = self.timed(&["--process", "1", "--percent", &percent.to_string()])?;
        eprintln!("resolution: Criterion, +{percent} %");
        let tally = verdicts(&said)?;
        let changes = changes(&said)?;
        if changes.len() != tally.rows {
            return Err(
                format!("Criterion judged {} rows of {}", changes.len(), tally.rows).into(),
            );
        }
        Ok((tally, changes))
    }

    fn timed(&self, more: &[&str]) -> Result<String, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("peer");
        command.args(["--rows", &self.args.rows.to_string()]);
        command.arg("--folder").arg(self.folder.path());
        command.args(["--seconds", &self.seconds.to_string()]);
        command.args(more);
        said(command)
    }
}

/// The least limit that at most one in 200 changes of what is the same lies beyond. It is chosen
/// on the very rows that it is judged by, which favours Criterion.
fn limit_of(same: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = same.iter().map(|change| change.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let beyond = sizes.len() / 200;
    sizes
        .iter()
        .rev()
        .nth(beyond)
        .copied()
        .unwrap_or(f64::INFINITY)
}

fn beyond(changes: &[f64], limit: f64) -> Tally {
    Tally {
        rows: changes.len(),
        slower: changes.iter().filter(|change| **change > limit).count(),
        faster: changes.iter().filter(|change| **change < -limit).count(),
    }
}

/// The estimates of change as Criterion prints them, in percent: `change: [low middle high]`.
fn changes(said: &str) -> Result<Vec<f64>, Failure> {
    let lines = said
        .lines()
        .filter_map(|line| line.trim().split_once("change: ["));
    lines
        .map(|(_, bounds)| {
            let middle = bounds.split_whitespace().nth(1).unwrap_or_default();
            // Its minus is the typographic one.
            let number = middle.trim_end_matches('%').replace('\u{2212}', "-");
            let number = number
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite());
            number.ok_or_else(|| format!("Criterion's change is no number: {bounds}").into())
        })
        .collect()
}

/// Criterion's verdicts as it prints them: one line each.
fn verdicts(said: &str) -> Result<Tally, Failure> {
    let count = |verdict: &str| said.lines().filter(|line| line.trim() == verdict).count();
    let slower = count("Performance has regressed.");
    let faster = count("Performance has improved.");
    let same =
        count("No change in performance detected.") + count("Change within noise threshold.");
    let rows = slower + faster + same;
    let timed = said
        .lines()
        .filter(|line| line.contains(" time:   ["))
        .count();
    if rows == 0 || rows != timed {
        return Err(format!("Criterion timed {timed} rows and judged {rows}").into());
    }
    Ok(Tally {
        rows,
        slower,
        faster,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_counted_and_a_missing_one_is_refused() {
        let row = "0-flat                  time:   [1 ns 2 ns 3 ns]\n";
        let change = "                        change: [+1% +2% +3%] (p = 0.00 < 0.05)\n";
        let verdict = "                        Performance has regressed.\n";
        let tally = verdicts(&[row, change, verdict].concat()).unwrap();
        assert_eq!((tally.rows, tally.slower, tally.faster), (1, 1, 0));
        assert!(verdicts(&[row, change].concat()).is_err());
        assert!(verdicts("").is_err());
        assert_eq!(changes(change).unwrap(), [2.0]);
        assert_eq!(
            changes("change: [\u{2212}3% \u{2212}2.5% +3%]").unwrap(),
            [-2.5]
        );
        assert!(changes("change: [1% two 3%]").is_err());
        assert!(changes("change: [1% NaN% 3%]").is_err());
    }

    #[test]
    fn one_in_200_of_what_is_the_same_lies_beyond_the_limit() {
        let same: Vec<f64> = (1..=400).map(|at| f64::from(at) * 0.01).collect();
        let called = |limit| beyond(&same, limit).slower;
        assert_eq!(called(limit_of(&same)), 2);
        // Of fewer none may.
        assert_eq!(beyond(&same[..199], limit_of(&same[..199])).slower, 0);
        assert_eq!(
            beyond(&[-5.0, 3.0, 4.5], 4.0),
            Tally {
                rows: 3,
                slower: 1,
                faster: 1
            }
        );
        assert_eq!(beyond(&[100.0], limit_of(&[])).slower, 0);
    }
}
