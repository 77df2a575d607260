//! A mail to a mailing list: the claims with their numbers, one table, machine, method and
//! the command to repeat it. At most 60 lines of 72 ASCII columns.

use compare::Summary;
use compare::claims::{Judged, Shown};

use super::again::again;
use super::screen::{briefly, kernels, legend, machine, noise, ratios};
use crate::claims::{meaning, number_line, value};
use crate::context::Context;
use crate::page::Page;

/// The lines of a mail that is read to its end.
pub const MAX_POST_LINES: usize = 60;

/// A mail about these claims: those that are answered where none is named. It has as many
/// numbers a claim as fit. `code` is where its readers find the sources.
#[must_use]
pub fn post(summary: &Summary, context: &Context, wanted: &[u32], code: Option<&str>) -> String {
    let chosen: Vec<&Judged> = context
        .claims
        .iter()
        .filter(|claim| match wanted {
            [] => claim.verdict.is_answer(),
            wanted => wanted.contains(&claim.id),
        })
        .collect();
    let fits = |text: &String| text.lines().count() <= MAX_POST_LINES;
    let mut details = Detail::ALL
        .into_iter()
        .map(|detail| written(summary, context, &chosen, (detail, code)));
    let shortest = || written(summary, context, &chosen, (Detail::Verdicts, code));
    details.find(fits).unwrap_or_else(shortest)
}

/// How much is said of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Detail {
    /// Everything.
    Whole,
    /// The verdict and all numbers.
    Numbers,
    /// The verdict and the first number.
    OneNumber,
    /// The same without interval and source.
    Brief,
    /// The verdict.
    Verdicts,
}

impl Detail {
    const ALL: [Self; 5] = [
        Self::Whole,
        Self::Numbers,
        Self::OneNumber,
        Self::Brief,
        Self::Verdicts,
    ];
}

fn written(
    summary: &Summary,
    context: &Context,
    claims: &[&Judged],
    (detail, code): (Detail, Option<&str>),
) -> String {
    let mut page = Page::default();
    let ids: Vec<String> = claims.iter().map(|claim| claim.id.to_string()).collect();
    let answered = context.claims.iter().filter(|one| one.verdict.is_answer());
    let (answered, all) = (answered.count(), context.claims.len());
    let subject = match claims {
        [one] => format!("{}: {}", one.short, one.verdict),
        _ if claims.len() == answered => {
            format!("The folio debate of 2021, measured: {answered} of {all} claims")
        }
        _ => format!("The folio debate of 2021: claims {}", ids.join(", ")),
    };
    page.wrapped(&format!("Subject: {subject}"), 0, 2);
    page.gap();
    page.wrapped(
        "Models of each proposed page descriptor and real kernels (ARCH=um, natively) did the \
         same work in the same rounds. Instructions are of Debian's kernels under QEMU. The \
         claims, from \"Folio discussion recap\" and \"Folios for 5.15 request\" (linux-mm, 2021), in \
         our words:",
        0,
        0,
    );
    page.gap();
    for claim in claims {
        one(&mut page, claim, detail);
    }
    let others = agreement(&context.claims);
    page.wrapped(
        &format!("{answered} of {all} claims are answered; folioscope claims prints all.{others}"),
        0,
        0,
    );
    page.gap();
    ratios(&mut page, summary, context);
    kernels(&mut page, summary, context);
    legend(&mut page, context);
    noise(&mut page, summary);
    page.wrapped(
        "Method: answers checked before timing, interleaved rounds, fresh processes, 95% \
         intervals; at most 5% of < and > are expected to be false.",
        0,
        2,
    );
    machine(&mut page, summary);
    if let Some(code) = code {
        page.line(&format!("Code: {code}"));
    }
    page.command("Again: ", &again(summary), 2);
    page.text()
}

/// How often other runs give the same verdict as this one.
fn agreement(claims: &[Judged]) -> String {
    let (mut same, mut all) = (0, 0);
    for claim in claims {
        let there = claim.elsewhere.iter();
        same += there.filter(|other| other.verdict == claim.verdict).count();
        all += claim.elsewhere.len();
    }
    match all {
        0 => String::new(),
        all => format!(
            " Other runs give {same} of {all} verdicts alike, \
             by their times and the same counts."
        ),
    }
}

fn one(page: &mut Page, claim: &Judged, detail: Detail) {
    let (id, who, verdict) = (claim.id, &claim.who, claim.verdict);
    if detail != Detail::Whole {
        let verdict = briefly(verdict);
        let indent = usize::from(id < 10);
        page.wrapped(
            &format!("{id}. {who}: {}: {verdict}", claim.short),
            indent,
            4,
        );
    }
    match detail {
        Detail::Whole => {
            let words = verdict.words().to_uppercase();
            page.wrapped(&format!("{id}. {who}: {}", claim.claim), 0, 3);
            page.wrapped(&format!("{words}. {}", meaning(claim)), 3, 3);
            for number in &claim.numbers {
                page.wrapped(&number_line(number), 3, 5);
            }
            page.wrapped(&format!("Unfair: {}", claim.unfair), 3, 7);
        }
        Detail::Numbers => claim.numbers.iter().for_each(|n| short(page, n)),
        Detail::OneNumber => claim.numbers.iter().take(1).for_each(|n| short(page, n)),
        Detail::Brief => {
            if let Some((number, value)) = claim.numbers.first().zip(first_value(claim)) {
                page.wrapped(&format!("{}: {value}", number.says), 4, 6);
            }
        }
        Detail::Verdicts => {}
    }
}

/// The first number of a claim without its interval.
fn first_value(claim: &Judged) -> Option<String> {
    let mut number = claim.numbers.first()?.clone();
    let interval = number.value.as_mut()?;
    (interval.low, interval.high) = (interval.value, interval.value);
    Some(value(&number))
}

fn short(page: &mut Page, number: &Shown) {
    if number.value.is_some() {
        let source = number.source.words();
        let text = format!("{}: {} [{source}]", number.says, value(number));
        page.wrapped(&text, 4, 6);
    }
}
