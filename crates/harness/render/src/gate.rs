//! The findings of the gate: a page, JSON lines for `jq`.

use std::fmt::Write as _;

use compare::gate::{Findings, Limits, Moved, Outcome, Shift, Steady};
use results::{Loop, LoopCount, Param};
use serde_json::{Value as Json, json};

use crate::page::{Page, WIDTH};
use crate::table::Table;

mod lines;

pub use lines::{gate_lines_json, gate_lines_page};

/// Functions that are named for a loop.
const MAX_FUNCTIONS: usize = 3;

/// The findings; `against` names the baseline.
#[must_use]
pub fn gate_page(findings: &Findings, limits: Limits, against: &str) -> Page {
    let mut page = Page::default();
    page.caption("instructions per call, against");
    page.line(against);
    for block in findings
        .moved
        .chunk_by(|a, b| a.of.workload == b.of.workload)
    {
        page.gap();
        page.table(&moved(block));
    }
    listed(&mut page, "not in the baseline", &findings.appeared);
    listed(
        &mut page,
        "in the baseline, but not counted",
        &findings.vanished,
    );
    steady(&mut page, findings);
    page.gap();
    summary(findings, limits)
        .lines()
        .for_each(|line| page.line(line));
    page
}

/// The loops of one workload.
fn moved(block: &[Moved]) -> Table {
    let mut table = Table::plain(0, &[31, 5, 10, 10, 10]).right(1..5).headed([
        &block[0].of.workload,
        "order",
        "base",
        "now",
        "change",
    ]);
    for moved in block {
        table.row([
            format!("{} {}", mark(moved.is_beyond()), who(&moved.of)),
            order(&moved.of),
            moved.base.to_string(),
            moved.now.to_string(),
            percent(moved.percent()),
        ]);
        for words in shifted(&moved.shifts) {
            table.note(words);
        }
    }
    table
}

/// A line for each of the first functions, and one for the others.
fn shifted(shifts: &[Shift]) -> impl Iterator<Item = String> {
    let first = shifts.iter().take(MAX_FUNCTIONS).map(|shift| {
        let more = format!("{:+}", shift.more());
        format!("{more:>10}  {}", tail(&shift.function, WIDTH - 12))
    });
    let rest = shifts.len().saturating_sub(MAX_FUNCTIONS);
    let rest = (rest > 0).then(|| format!("{:>10}  and {rest} more functions", ""));
    first.chain(rest)
}

fn listed(page: &mut Page, heading: &str, counts: &[LoopCount]) {
    if counts.is_empty() {
        return;
    }
    let mut table =
        Table::plain(2, &[47, 5, 11])
            .right([1, 2])
            .named(["loop", "order", "instructions"]);
    for count in counts {
        table.row([
            format!("{} {}", count.of.workload, who(&count.of)),
            order(&count.of),
            count.instructions.to_string(),
        ]);
    }
    page.gap();
    page.line(heading);
    page.table(&table);
}

fn steady(page: &mut Page, findings: &Findings) {
    if findings.steady.is_empty() && findings.unseen.is_empty() {
        return;
    }
    let mut table = Table::plain(0, &[43, 8, 9, 7]).right(1..4).headed([
        "must not depend on the order",
        "order 0",
        "most",
        "allowed",
    ]);
    for steady in &findings.steady {
        let Steady {
            workload,
            design,
            rules,
            ..
        } = steady;
        table.row([
            format!(
                "{} {workload:<18} {design} {rules}",
                mark(steady.is_beyond())
            ),
            steady.least.to_string(),
            steady.most.to_string(),
            format!("+{}", steady.slack),
        ]);
    }
    let mut missing = Vec::new();
    for unseen in &findings.unseen {
        missing.push(format!("? {unseen}: not counted at order 0 and order 9"));
    }
    page.gap();
    page.table(&table);
    missing.iter().for_each(|line| page.line(line));
}

/// The findings as JSON objects, one each; the last is the summary. Their `type` is `moved`,
/// `appeared`, `vanished`, `steady` or `summary`.
#[must_use]
pub fn gate_json(findings: &Findings, limits: Limits) -> Vec<Json> {
    let moved = findings.moved.iter().map(|moved| {
        let functions = moved
            .shifts
            .iter()
            .map(|shift| json!({ "name": shift.function, "base": shift.base, "now": shift.now }));
        json!({
            "type": "moved",
            "loop": moved.of,
            "base": moved.base,
            "now": moved.now,
            "percent": moved.percent(),
            "limit": moved.limit,
            "beyond": moved.is_beyond(),
            "functions": functions.collect::<Json>(),
        })
    });
    let alone = |kind: &'static str, counts: &[LoopCount]| -> Vec<Json> {
        let one = |count: &LoopCount| {
            let mut line = json!(count);
            line["type"] = kind.into();
            line
        };
        counts.iter().map(one).collect()
    };
    let steady = findings.steady.iter().map(|steady| {
        json!({
            "type": "steady",
            "workload": steady.workload,
            "design": steady.design,
            "least": steady.least,
            "most": steady.most,
            "order": steady.order,
            "slack": steady.slack,
            "beyond": steady.is_beyond(),
        })
    });
    let summary = json!({
        "type": "summary",
        "outcome": outcome_word(findings.outcome()),
        "ratio": findings.ratio,
        "same": findings.same,
        "moved": findings.moved.len(),
        "missing": findings.missing(),
        "limit": limits.growth,
    });
    moved
        .chain(alone("appeared", &findings.appeared))
        .chain(alone("vanished", &findings.vanished))
        .chain(steady)
        .chain([summary])
        .collect()
}

const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Within => "within",
        Outcome::Incomplete => "incomplete",
        Outcome::Beyond => "beyond",
    }
}

/// The outcome in words.
fn summary(findings: &Findings, limits: Limits) -> String {
    let up = findings.moved.iter().filter(|m| m.now > m.base).count();
    let down = findings.moved.len() - up;
    let mut text = String::new();
    if let Some(ratio) = findings.ratio {
        let all = findings.moved.len() + findings.same;
        let _ = writeln!(
            text,
            "geometric mean of now : base {ratio:.4} over {all} loops\n\
             {up} up, {down} down, {} the same; each may grow by {} %",
            findings.same, limits.growth,
        );
    }
    let beyond = findings.beyond().count();
    let uneven = findings.steady.iter().filter(|s| s.is_beyond()).count();
    text += &match findings.outcome() {
        Outcome::Within => "within the limits\n".to_owned(),
        Outcome::Beyond => {
            format!("BEYOND: {beyond} loops have grown too much, {uneven} depend on the order\n")
        }
        Outcome::Incomplete if findings.ratio.is_none() => {
            "INCOMPLETE: no loop is on both sides\n".to_owned()
        }
        Outcome::Incomplete => {
            let missing = findings.missing();
            format!("INCOMPLETE: {missing} loops are on one side only\n")
        }
    };
    text
}

fn mark(is_beyond: bool) -> char {
    if is_beyond { '!' } else { ' ' }
}

/// Design and rules.
fn who(of: &Loop) -> String {
    format!("{} {}", of.design, of.rules)
}

/// The order, or a dash.
fn order(of: &Loop) -> String {
    of.params
        .get("order")
        .map_or("-".to_owned(), Param::to_string)
}

/// A change with its sign.
fn percent(percent: f64) -> String {
    format!("{percent:+.2} %")
}

/// The last characters of a name that is too long, which tell more than the first.
fn tail(name: &str, most: usize) -> String {
    let all = name.chars().count();
    if all <= most {
        return name.to_owned();
    }
    let end: String = name.chars().skip(all - (most - 3)).collect();
    format!("...{end}")
}
