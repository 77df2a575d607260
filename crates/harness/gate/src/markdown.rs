//! The table as Markdown, for a pull request.

use std::fmt::Write as _;

use results::LoopCount;

use crate::compare::{Findings, Limits, Moved};
use crate::text::{MOST_FUNCTIONS, order, percent, summary, who};

/// The findings as Markdown; `against` names the baseline.
pub fn markdown(findings: &Findings, limits: Limits, against: &str) -> String {
    let mut text = format!("### Instructions per call, against `{against}`\n\n");
    if !findings.moved.is_empty() {
        text.push_str("| workload | design | order | base | now | change | where |\n");
        text.push_str("|---|---|---:|---:|---:|---:|---|\n");
        findings
            .moved
            .iter()
            .for_each(|moved| row(&mut text, moved));
        text.push('\n');
    }
    listed(&mut text, "Not in the baseline", &findings.appeared);
    listed(
        &mut text,
        "In the baseline, but not counted",
        &findings.vanished,
    );
    steady(&mut text, findings);
    // Two spaces at its end keep a line a line.
    for line in summary(findings, limits).lines() {
        let _ = writeln!(text, "{line}  ");
    }
    text
}

fn row(text: &mut String, moved: &Moved) {
    let change = percent(moved.percent());
    let change = if moved.is_beyond() {
        format!("**{change}**")
    } else {
        change
    };
    let shifts = moved.shifts.iter().take(MOST_FUNCTIONS);
    let functions: Vec<String> = shifts
        .map(|shift| {
            format!(
                "{:+} `{}`",
                shift.more(),
                shift.function.replace('|', "\\|")
            )
        })
        .collect();
    let _ = writeln!(
        text,
        "| {} | {} | {} | {} | {} | {change} | {} |",
        moved.of.workload,
        who(&moved.of),
        order(&moved.of),
        moved.base,
        moved.now,
        functions.join("<br>"),
    );
}

fn listed(text: &mut String, heading: &str, counts: &[LoopCount]) {
    if counts.is_empty() {
        return;
    }
    let _ = writeln!(text, "{heading}:\n");
    for count in counts {
        let _ = writeln!(text, "- `{}`: {}", count.of, count.instructions);
    }
    text.push('\n');
}

fn steady(text: &mut String, findings: &Findings) {
    let beyond = findings.steady.iter().filter(|steady| steady.is_beyond());
    for steady in beyond {
        let _ = writeln!(
            text,
            "- **{} {} depends on the order**: {} at order 0, {} at order {}, +{} are allowed",
            steady.workload, steady.design, steady.least, steady.most, steady.order, steady.slack,
        );
    }
    for unseen in &findings.unseen {
        let _ = writeln!(text, "- {unseen}: not counted at order 0 and order 9");
    }
    if !findings.unseen.is_empty() || findings.steady.iter().any(|s| s.is_beyond()) {
        text.push('\n');
    }
}
