//! The claims of the thread with their verdicts, as text, Markdown and JSON lines.

use compare::claims::{Judged, Met, Shown};
use results::Ruling;

use crate::number::significant;
use crate::page::Page;
use crate::table::Table;

/// Every claim in full: at most 72 columns.
#[must_use]
pub fn claims_text(claims: &[Judged], run: &str) -> String {
    let mut page = Page::default();
    page.wrapped(
        &format!("The claims of the 2021 thread, judged by {run}"),
        0,
        2,
    );
    if claims.len() > 1 {
        page.wrapped(&tally(claims), 0, 2);
    }
    for claim in claims {
        page.gap();
        one(&mut page, claim);
    }
    page.text()
}

/// How many claims got each verdict.
pub(crate) fn tally(claims: &[Judged]) -> String {
    let mut counts: Vec<(Ruling, usize)> = Vec::new();
    for claim in claims {
        match counts.iter_mut().find(|(known, _)| *known == claim.verdict) {
            Some((_, count)) => *count += 1,
            None => counts.push((claim.verdict, 1)),
        }
    }
    counts.sort_unstable();
    let parts: Vec<String> = counts
        .iter()
        .map(|(verdict, count)| format!("{verdict}: {count}"))
        .collect();
    parts.join("; ")
}

/// One claim: who and what, the verdict, its numbers, what is unfair, and the command.
pub(crate) fn one(page: &mut Page, claim: &Judged) {
    let indent = usize::from(claim.id < 10);
    page.wrapped(
        &format!("{}. {}: {}", claim.id, claim.who, claim.claim),
        indent,
        4,
    );
    let verdict = claim.verdict.words().to_uppercase();
    page.wrapped(&format!("{verdict}. {}", meaning(claim)), 4, 4);
    for number in &claim.numbers {
        page.wrapped(&number_line(number), 4, 6);
    }
    if claim.verdict == Ruling::NotMeasured || claim.verdict == Ruling::Undecided {
        for why in &claim.missing {
            page.wrapped(&format!("Missing: {why}."), 4, 8);
        }
    }
    page.wrapped(&format!("Unfair: {}", claim.unfair), 4, 8);
    if let Some(others) = elsewhere(claim) {
        page.wrapped(&others, 4, 8);
    }
    if claim.verdict != Ruling::NotMeasurable {
        page.wrapped(&format!("Again: {}", claim.repeat), 4, 8);
    }
}

/// How many other runs give the same verdict, and which do not.
fn elsewhere(claim: &Judged) -> Option<String> {
    let all = claim.elsewhere.len();
    let others = claim.elsewhere.iter();
    let differ: Vec<String> = others
        .filter(|other| other.verdict != claim.verdict)
        .map(|other| format!("{}: {}", other.run, other.verdict))
        .collect();
    let same = all - differ.len();
    match (all, differ.as_slice()) {
        (0, _) => None,
        (_, []) => Some(format!("Other runs: the same in {same} of {all}.")),
        (_, differ) => Some(format!(
            "Other runs: the same in {same} of {all}; {}.",
            differ.join("; ")
        )),
    }
}

/// The words of the claims file, where they are of this verdict.
pub(crate) fn meaning(claim: &Judged) -> String {
    match claim.stands() {
        true => claim.because.clone(),
        false => format!("The committed results say: {}.", claim.expected),
    }
}

/// A number with its unit, what it says and where it comes from.
pub(crate) fn number_line(number: &Shown) -> String {
    let met = match (number.met, number.bound.is_empty()) {
        (_, true) | (Met::Missing | Met::Unbounded, _) => String::new(),
        (Met::Yes, _) => format!("; {}: yes", number.bound),
        (Met::No, _) => format!("; {}: no", number.bound),
        (Met::Undecided, _) => format!("; {}: not decided", number.bound),
    };
    // What has a unit says what was measured.
    let quantity = match number.over {
        Some(_) => format!("{}, ", number.quantity),
        None => String::new(),
    };
    format!(
        "- {}: {} [{quantity}{}{met}]",
        number.says,
        value(number),
        number.source.words(),
    )
}

/// The value with its interval and unit; a dash where there is none.
pub(crate) fn value(number: &Shown) -> String {
    let Some(interval) = &number.value else {
        return "not measured".to_owned();
    };
    let digits = |value: f64| match matches!(number.unit.as_str(), "instructions" | "lines") {
        true => format!("{value:.0}"),
        false => significant(value, 3),
    };
    let unit = &number.unit;
    if interval.low == interval.high {
        format!("{} {unit}", digits(interval.value))
    } else {
        format!(
            "{} {unit} ({} to {})",
            digits(interval.value),
            digits(interval.low),
            digits(interval.high)
        )
    }
}

/// A line per claim.
#[must_use]
pub fn claims_markdown(claims: &[Judged]) -> String {
    let mut table = Table::new([
        "",
        "who",
        "claim",
        "verdict",
        "numbers",
        "unfair or missing",
    ])
    .right([0]);
    for claim in claims {
        let numbers: Vec<String> = claim
            .numbers
            .iter()
            .filter(|number| number.value.is_some())
            .map(|number| {
                let source = number.source.words();
                format!("{}: {} ({source})", number.says, value(number))
            })
            .collect();
        let missing = claim.missing.iter().map(|why| format!("Missing: {why}."));
        let rest = [claim.unfair.clone()].into_iter().chain(elsewhere(claim));
        let unfair: Vec<String> = missing.chain(rest).collect();
        let unfair = unfair.join("<br>");
        table.row([
            claim.id.to_string(),
            claim.who.clone(),
            escaped(&claim.claim),
            format!("**{}**<br>{}", claim.verdict, escaped(&meaning(claim))),
            escaped(&numbers.join("<br>")),
            escaped(&unfair),
        ]);
    }
    table.markdown()
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

/// One JSON object a claim.
#[must_use]
pub fn claims_json(claims: &[Judged]) -> String {
    claims
        .iter()
        .map(|claim| serde_json::to_string(claim).expect("a claim is plain data") + "\n")
        .collect()
}
