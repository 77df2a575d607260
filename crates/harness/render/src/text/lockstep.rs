//! Two builds in lock-step, row by row: text, Markdown and JSON lines.

use compare::lockstep::{Compared, Lockstep, LoopKey, StudyLine};
use results::{Build, LockstepHeader};
use serde_json::{Value as Json, json};
use stats::{Verdict, median};

use super::json::interval;
use super::mail_tables::mark;
use crate::number::{rows, significant};
use crate::params::label;
use crate::table::Table;

/// The comparison as plain text: every row with the least change that it can see.
#[must_use]
pub fn lockstep_text(found: &Lockstep, header: &LockstepHeader) -> String {
    head(found, header) + "\n" + &table(found).text() + &failures(found, "  ")
}

/// The same for a Markdown document.
#[must_use]
pub fn lockstep_markdown(found: &Lockstep, header: &LockstepHeader) -> String {
    head(found, header) + "\n" + &table(found).markdown() + "\n" + &failures(found, "- ")
}

fn head(found: &Lockstep, header: &LockstepHeader) -> String {
    let builds = |builds: &[Build]| {
        let titles: Vec<String> = builds.iter().map(Build::title).collect();
        titles.join(", ")
    };
    let count = |verdict| {
        found
            .rows
            .iter()
            .filter(|row| row.verdict == verdict)
            .count()
    };
    let can_see: Vec<f64> = found.rows.iter().map(|row| row.can_see).collect();
    let mut text = format!(
        "old {}\nnew {}\n{} in {} sets of processes, {:.0} s, {}: {} slower, {} faster; old was called \
         different from itself in {}.\n",
        builds(&header.old),
        builds(&header.new),
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
    );
    if let Some(middle) = median(&can_see) {
        text += &format!(
            "Half of the rows can see {:.1} % or less; errors are {:.2} times what sets tell, by the \
             rows of old against old.\n",
            middle * 100.0,
            found.widened
        );
    }
    if header.old.len() == 1 && header.new.len() == 1 && header.old != header.new {
        text += "One build of each side: a change may be where the linker put the code. Other builds \
                 of the same source (--also-old, --also-new) tell.\n";
    }
    if !header.fixed_addresses {
        text += "Addresses were random: the system does not let processes fix them.\n";
    }
    if header.injected_percent > 0.0 {
        text += &format!(
            "The new side was slowed down by {} %.\n",
            header.injected_percent
        );
    }
    text
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

fn failures(found: &Lockstep, bullet: &str) -> String {
    if found.failed.is_empty() {
        return String::new();
    }
    let lines = found
        .failed
        .iter()
        .map(|(key, why)| format!("{bullet}{}: {why}\n", words(key)));
    format!("\nNot judged: {}\n", rows(found.failed.len())) + &lines.collect::<String>()
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
pub fn lockstep_study(lines: &[StudyLine]) -> String {
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
    for line in lines {
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
    table.markdown()
}
