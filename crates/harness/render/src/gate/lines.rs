//! The lines of descriptor that moved: a page, JSON lines.

use compare::gate::{LineFindings, LinesMoved, Outcome};
use results::LoopLines;
use serde_json::{Value as Json, json};

use super::{mark, order, outcome_word, shifted, who};
use crate::page::Page;
use crate::table::Table;

/// Loops on one side only that are listed in text.
const MAX_LISTED: usize = 20;

/// The findings; `against` names the baseline.
#[must_use]
pub fn gate_lines_page(found: &LineFindings, against: &str) -> Page {
    let mut page = Page::default();
    page.caption("lines of descriptor per call, touched (written), against");
    page.line(against);
    for block in found.moved.chunk_by(|a, b| a.of.workload == b.of.workload) {
        page.gap();
        page.table(&moved(block));
    }
    listed(&mut page, "not in the baseline", &found.appeared);
    listed(
        &mut page,
        "in the baseline, but not traced",
        &found.vanished,
    );
    page.gap();
    page.line(&summary(found));
    page
}

/// The loops of one workload.
fn moved(block: &[LinesMoved]) -> Table {
    let mut table = Table::plain(0, &[31, 5, 14, 14]).right(1..4).headed([
        &block[0].of.workload,
        "order",
        "base",
        "now",
    ]);
    for moved in block {
        table.row([
            format!("{} {}", mark(moved.is_beyond()), who(&moved.of)),
            order(&moved.of),
            of((moved.lines.0, moved.written.0)),
            of((moved.lines.1, moved.written.1)),
        ]);
        for words in shifted(&moved.shifts) {
            table.note(words);
        }
    }
    table
}

/// Lines touched, and how many of them were written.
fn of((lines, written): (u32, u32)) -> String {
    format!("{lines} ({written})")
}

fn listed(page: &mut Page, heading: &str, loops: &[LoopLines]) {
    if loops.is_empty() {
        return;
    }
    let mut table = Table::plain(2, &[47, 5, 14])
        .right([1, 2])
        .named(["loop", "order", "lines"]);
    for one in loops.iter().take(MAX_LISTED) {
        table.row([
            format!("{} {}", one.of.workload, who(&one.of)),
            order(&one.of),
            of((one.lines, one.written)),
        ]);
    }
    page.gap();
    page.line(heading);
    page.table(&table);
    let rest = loops.len().saturating_sub(MAX_LISTED);
    if rest > 0 {
        page.line(&format!("  and {rest} more"));
    }
}

/// The findings as JSON objects; their `type` is `lines-moved`, `lines-appeared`,
/// `lines-vanished` or `lines-summary`, which is the last.
#[must_use]
pub fn gate_lines_json(found: &LineFindings) -> Vec<Json> {
    let moved = found.moved.iter().map(|moved| {
        let functions = moved
            .shifts
            .iter()
            .map(|shift| json!({ "name": shift.function, "base": shift.base, "now": shift.now }));
        json!({
            "type": "lines-moved",
            "loop": moved.of,
            "base": moved.lines.0,
            "now": moved.lines.1,
            "base_written": moved.written.0,
            "now_written": moved.written.1,
            "beyond": moved.is_beyond(),
            "functions": functions.collect::<Json>(),
        })
    });
    let alone = |kind: &'static str, loops: &[LoopLines]| -> Vec<Json> {
        let one = |of: &LoopLines| {
            let mut line = json!(of);
            line["type"] = kind.into();
            line
        };
        loops.iter().map(one).collect()
    };
    let summary = json!({
        "type": "lines-summary",
        "outcome": outcome_word(found.outcome()),
        "same": found.same,
        "moved": found.moved.len(),
        "missing": found.missing(),
    });
    moved
        .chain(alone("lines-appeared", &found.appeared))
        .chain(alone("lines-vanished", &found.vanished))
        .chain([summary])
        .collect()
}

/// The outcome in words.
fn summary(found: &LineFindings) -> String {
    let all = found.moved.len() + found.same;
    match found.outcome() {
        Outcome::Within if found.moved.is_empty() => {
            format!("{all} loops touch and write the lines that they did")
        }
        Outcome::Within => format!(
            "{} of {all} loops touch or write fewer lines than they did, none more",
            found.moved.len()
        ),
        Outcome::Beyond => format!(
            "BEYOND: {} of {all} loops touch or write more lines than they did",
            found.beyond().count()
        ),
        Outcome::Incomplete => {
            format!("INCOMPLETE: {} loops are on one side only", found.missing())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn traced(lines: u32, function: &str) -> LoopLines {
        LoopLines {
            of: "merging/add headpage-noassert 6.12 order=9"
                .parse()
                .unwrap(),
            elements: 1,
            lines,
            written: 0,
            functions: BTreeMap::from([(function.to_owned(), lines)]),
        }
    }

    #[test]
    fn a_line_more_is_shown_with_its_function_in_72_columns() {
        let found = LineFindings::of(&[traced(8, "a")], &[traced(9, "b")], &|_| true);
        let page = gate_lines_page(&found, "lines.jsonl");
        let text = page.text();
        assert!(text.contains("8 (0)") && text.contains("9 (0)"), "{text}");
        assert!(
            text.contains("+9  b") && text.contains("BEYOND: 1 of 1"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.len() <= 72), "{text}");
        let markdown = page.markdown();
        assert!(
            markdown.contains("| ! headpage-noassert 6.12<br>"),
            "{markdown}"
        );
        let json = gate_lines_json(&found);
        assert_eq!(json[0]["beyond"], true);
        assert_eq!(json.last().unwrap()["outcome"], "beyond");
    }
}
