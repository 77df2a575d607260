//! The table as plain text, at most 72 columns wide: it fits a mail.

use std::fmt::Write as _;

use results::{Loop, LoopCount, Param};

use crate::compare::{Findings, Limits, Moved, Outcome};

/// Columns.
const WIDTH: usize = 72;

/// Functions that are named for a loop.
pub(crate) const MOST_FUNCTIONS: usize = 3;

/// The findings as text; `against` names the baseline.
pub fn text(findings: &Findings, limits: Limits, against: &str) -> String {
    let mut text = format!("instructions per call, against\n{against}\n");
    moved(&mut text, findings);
    listed(&mut text, "not in the baseline", &findings.appeared);
    listed(
        &mut text,
        "in the baseline, but not counted",
        &findings.vanished,
    );
    steady(&mut text, findings);
    let _ = write!(text, "\n{}", summary(findings, limits));
    text
}

fn moved(text: &mut String, findings: &Findings) {
    let mut workload = "";
    for moved in &findings.moved {
        if moved.of.workload != workload {
            workload = &moved.of.workload;
            let _ = write!(
                text,
                "\n{workload:<31} order{:>11}{:>11}{:>11}\n",
                "base", "now", "change"
            );
        }
        row(text, moved);
    }
}

fn row(text: &mut String, moved: &Moved) {
    let mark = if moved.is_beyond() { '!' } else { ' ' };
    let _ = writeln!(
        text,
        "{mark} {:<29} {:>5}{:>11}{:>11}{:>11}",
        who(&moved.of),
        order(&moved.of),
        moved.base,
        moved.now,
        percent(moved.percent()),
    );
    for shift in moved.shifts.iter().take(MOST_FUNCTIONS) {
        let more = format!("{:+}", shift.more());
        let name = tail(&shift.function, WIDTH - 12);
        let _ = writeln!(text, "{more:>10}  {name}");
    }
    let rest = moved.shifts.len().saturating_sub(MOST_FUNCTIONS);
    if rest > 0 {
        let _ = writeln!(text, "{:>10}  and {rest} more functions", "");
    }
}

fn listed(text: &mut String, heading: &str, counts: &[LoopCount]) {
    if counts.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{heading}");
    for count in counts {
        let workload = format!("  {} {}", count.of.workload, who(&count.of));
        let order = order(&count.of);
        let _ = writeln!(text, "{workload:<49} {order:>5} {:>11}", count.instructions);
    }
}

fn steady(text: &mut String, findings: &Findings) {
    if !(findings.steady.is_empty() && findings.unseen.is_empty()) {
        let _ = writeln!(
            text,
            "\n{:<44}{:>8}{:>10}{:>8}",
            "must not depend on the order", "order 0", "most", "allowed"
        );
    }
    for steady in &findings.steady {
        let mark = if steady.is_beyond() { '!' } else { ' ' };
        let _ = writeln!(
            text,
            "{mark} {:<18} {:<23}{:>8}{:>10}{:>8}",
            steady.workload,
            format!("{} {}", steady.design, steady.rules),
            steady.least,
            steady.most,
            format!("+{}", steady.slack),
        );
    }
    for unseen in &findings.unseen {
        let _ = writeln!(text, "? {unseen}: not counted at order 0 and order 9");
    }
}

/// What all of it comes to, in words.
pub(crate) fn summary(findings: &Findings, limits: Limits) -> String {
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
    let missing = findings.appeared.len() + findings.vanished.len() + findings.unseen.len();
    let _ = match findings.outcome() {
        Outcome::Within => writeln!(text, "within the limits"),
        Outcome::Beyond => writeln!(
            text,
            "BEYOND: {beyond} loops have grown too much, {uneven} depend on the order"
        ),
        Outcome::Incomplete if findings.ratio.is_none() => {
            writeln!(text, "INCOMPLETE: no loop is on both sides")
        }
        Outcome::Incomplete => writeln!(text, "INCOMPLETE: {missing} loops are on one side only"),
    };
    text
}

/// Design and rules.
pub(crate) fn who(of: &Loop) -> String {
    format!("{} {}", of.design, of.rules)
}

/// The order, or a dash.
pub(crate) fn order(of: &Loop) -> String {
    of.params
        .get("order")
        .map_or("-".to_owned(), Param::to_string)
}

/// A change with its sign.
pub(crate) fn percent(percent: f64) -> String {
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
