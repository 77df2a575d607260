//! Two builds in lock-step, row by row: a page, JSON lines.

use compare::lockstep::{Compared, Lockstep, LoopKey, Study};
use results::{Build, LockstepHeader};
use serde_json::{Value as Json, json};
use stats::{Verdict, median};

use super::json::interval;
use super::mail_tables::mark;
use crate::number::{rows, significant};
use crate::page::Page;
use crate::params::label;
use crate::table::Table;

/// The comparison: every row with the least change that it can see.
#[must_use]
pub fn lockstep_page(found: &Lockstep, header: &LockstepHeader) -> Page {
    let mut page = Page::of_any_width();
    head(found, header).iter().for_each(|line| page.line(line));
    page.gap();
    page.table(&table(found));
    if !found.failed.is_empty() {
        page.gap();
        page.line(&format!("Not judged: {}", rows(found.failed.len())));
    }
    for (key, why) in &found.failed {
        page.wrapped(&format!("{}: {why}", words(key)), 2, 6);
    }
    page
}

/// The two sides and the findings, a sentence a line.
fn head(found: &Lockstep, header: &LockstepHeader) -> Vec<String> {
    let builds = |builds: &[Build]| {
        let titles: Vec<String> = builds.iter().map(Build::title).collect();
        titles.join(", ")
    };
    let count = |verdict| {
        let of = |row: &&Compared| row.verdict == verdict;
        found.rows.iter().filter(of).count()
    };
    let mut lines = vec![
        format!("old {}", builds(&header.old)),
        format!("new {}", builds(&header.new)),
        format!(
            "{} in {} sets of processes, {:.0} s, {}: {} slower, {} faster; old was called \
             different from itself in {}.",
            rows(found.rows.len()),
            header.sets,
            header.elapsed_s,
            match header.crossover {
                true => "on the same memory in turn",
                false => "each on memory of its own",
            },
            count(Verdict::Slower),
            count(Verdict::Faster),
            rows(found.false_alarms().count()),
        ),
    ];
    let can_see: Vec<f64> = found.rows.iter().map(|row| row.can_see).collect();
    if let Some(middle) = median(&can_see) {
        lines.push(format!(
            "Half of the rows can see {:.1} % or less; errors are {:.2} times what sets tell, by \
             the rows of old against old.",
            middle * 100.0,
            found.widened
        ));
    }
    if header.old.len() == 1 && header.new.len() == 1 && header.old != header.new {
        let words = "One build of each side: a change may be where the linker put the code. Other \
                     builds of the same source (--also-old, --also-new) tell.";
        lines.push(words.to_owned());
    }
    if !header.fixed_addresses {
        let words = "Addresses were random: the system does not let processes fix them.";
        lines.push(words.to_owned());
    }
    if header.injected_percent > 0.0 {
        let percent = header.injected_percent;
        lines.push(format!("The new side was slowed down by {percent} %."));
    }
    lines
}

fn table(found: &Lockstep) -> Table {
    let headings = ["ROW", "OLD NS", "", "CHANGE", "95 %", "CAN SEE"];
    let mut table = Table::new(headings).right([1, 3, 4, 5]);
    for row in &found.rows {
        let percent = |ratio: f64| format!("{:+.1}%", (ratio - 1.0) * 100.0);
        table.row([
            words(&row.key),
            significant(row.old_ns, 4),
            if row.false_alarm {
                '?'
            } else {
                mark(Some(row.verdict))
            }
            .to_string(),
            percent(row.change.value),
            format!(
                "{} to {}",
                percent(row.change.low),
                percent(row.change.high)
            ),
            format!("{:.1}%", row.can_see * 100.0),
        ]);
    }
    table
}

fn words((workload, params, design): &LoopKey) -> String {
    format!("{workload} {design} {}", label(params, &[]))
}

/// One JSON object a row, then one for each row that could not be judged.
#[must_use]
pub fn lockstep_json_lines(found: &Lockstep) -> String {
    let judged = found.rows.iter().map(line);
    let failed = found
        .failed
        .iter()
        .map(|((workload, params, design), why)| {
            json!({
                "kind": "not judged",
                "workload": workload,
                "params": params,
                "design": design,
                "reason": why,
            })
        });
    judged
        .chain(failed)
        .map(|line| format!("{line}\n"))
        .collect()
}

fn line(row: &Compared) -> Json {
    let (workload, params, design) = &row.key;
    json!({
        "kind": "lockstep",
        "workload": workload,
        "params": params,
        "design": design,
        "unit": format!("ns/{}", row.unit),
        "old": row.old_ns,
        "change": interval(Some(&row.change)),
        "null": interval(Some(&row.null)),
        "can_see": row.can_see,
        "q": row.q,
        "false_alarm": row.false_alarm,
        "verdict": row.verdict.to_string(),
    })
}

/// A study of many comparisons as a Markdown table: how often old was called different from old,
/// and how often a slowdown that was put in was seen.
#[must_use]
pub fn lockstep_study(study: &Study) -> String {
    let headings = [
        "new side",
        "memory",
        "builds",
        "rows",
        "called",
        "false alarms",
        "half can see",
        "80 % can see",
    ];
    let mut table = Table::new(headings).right(2..8);
    for line in &study.lines {
        let share = |part: usize| {
            format!(
                "{part} ({:.1} %)",
                part as f64 * 100.0 / line.rows.max(1) as f64
            )
        };
        let quantile = |at| {
            line.can_see(at)
                .map_or("-".to_owned(), |x| format!("{:.1} %", x * 100.0))
        };
        table.row([
            match (line.injected_percent, line.same_builds) {
                (percent, true) if percent > 0.0 => format!("the same, {percent} % slower"),
                (_, true) => "the same".to_owned(),
                (_, false) if line.a_side > 1 => format!("{} builds a side", line.a_side),
                (_, false) => "another build".to_owned(),
            },
            if line.crossover { "in turn" } else { "its own" }.to_owned(),
            line.builds.len().to_string(),
            line.rows.to_string(),
            share(line.called),
            share(line.false_alarms),
            quantile(0.5),
            quantile(0.8),
        ]);
    }
    let [rows, called] = study.nulls();
    let sets: Vec<String> = study.sets.iter().map(ToString::to_string).collect();
    let places: Vec<&str> = study.places.iter().map(String::as_str).collect();
    table.markdown()
        + &format!(
            "\nOld was called different from old in {called} of {rows} rows ({:.1} %). {} sets of \
             processes, {:.0} s for all. {}.\n",
            called as f64 * 100.0 / rows.max(1) as f64,
            sets.join(" or "),
            study.seconds,
            places.join("; "),
        )
}
