//! A census of memory: what is there, and what it costs each design.

use compare::census::{Findings, Operation, by_use};
use results::{Census, CensusRow};
use serde_json::{Value as Json, json};

use crate::number::{bytes, significant};
use crate::page::Page;
use crate::table::Table;

const FRAME_BYTES: u64 = 4096;
const TOTALS: &str = "Bytes of descriptor for a GiB of it, and lines (64 bytes) of descriptor for a \
    GiB that an operation on all of it touches: compaction's walk over page frames, reclaim's \
    isolating and putting back of all that is on LRU lists, freeing of all that is allocated:";
const GIB: f64 = (1_u64 << 30) as f64;

/// The census, its memory and what that costs each design.
#[must_use]
pub fn census_page(census: &Census, found: &Findings) -> Page {
    let mut page = Page::default();
    for words in heading(census) {
        page.wrapped(&words, 0, 2);
    }
    page.gap();
    page.table(&memory(census));
    page.gap();
    page.line("Bytes of descriptor for it:");
    page.gap();
    page.table(&by_design(census, found));
    page.gap();
    page.wrapped(TOTALS, 0, 0);
    page.gap();
    page.table(&totals(census, found));
    page.gap();
    if let Some(words) = same(found) {
        page.wrapped(&words, 0, 2);
    }
    for words in notes(census) {
        page.wrapped(&words, 0, 2);
    }
    page
}

/// The machine and its memory in a sentence or two.
fn heading(census: &Census) -> Vec<String> {
    let header = &census.header;
    let all = bytes(header.frames * FRAME_BYTES);
    let mut words = vec![format!(
        "{all} of memory under Linux {}, {}, by use and order of the block (2^order frames of \
         4 KiB):",
        header.kernel, header.date
    )];
    if header.torn > 0 {
        words.push(format!(
            "{} changed while it was counted, and is taken for base pages.",
            bytes(header.torn * FRAME_BYTES)
        ));
    }
    words
}

/// Orders that share a column, so that the table fits a mail.
const ORDERS: [(&str, std::ops::RangeInclusive<u8>); 6] = [
    ("0", 0..=0),
    ("1-3", 1..=3),
    ("4-8", 4..=8),
    ("9", 9..=9),
    ("10", 10..=10),
    ("11-18", 11..=18),
];

/// Uses down, orders across: MiB of memory in blocks of that order.
fn memory(census: &Census) -> Table {
    let sum = |of: &str, number: &dyn Fn(&CensusRow) -> u64| -> u64 {
        let rows = census.rows.iter().filter(|row| row.of == of);
        rows.map(number).sum()
    };
    let within = |orders: &std::ops::RangeInclusive<u8>, row: &CensusRow| match orders
        .contains(&row.order)
    {
        true => row.frames(),
        false => 0,
    };
    let used: Vec<_> = ORDERS
        .iter()
        .filter(|(_, orders)| census.rows.iter().any(|row| within(orders, row) > 0))
        .collect();
    let orders = used.iter().map(|(name, _)| *name);
    let head = std::iter::once("MiB, order").chain(orders);
    let head = head.chain(["all", "mapped", "charged"]);
    let mut table = Table::new(head).right(1..used.len() + 4);
    for (of, frames) in by_use(census) {
        let cells = used
            .iter()
            .map(|(_, orders)| mebibytes(sum(of, &|row| within(orders, row))));
        let told = |tells: bool, number: u64| match tells {
            true => mebibytes(number),
            false => "?".to_owned(),
        };
        let header = &census.header;
        let all = [
            mebibytes(frames),
            told(header.tells_mapped, sum(of, &|row| row.mapped)),
            told(header.tells_charged, sum(of, &|row| row.charged)),
        ];
        table.row(std::iter::once(of.to_owned()).chain(cells).chain(all));
    }
    table
}

/// The MiB of these frames; a dash for none.
fn mebibytes(frames: u64) -> String {
    match frames {
        0 => "-".to_owned(),
        1..128 => "<1".to_owned(),
        frames => format!("{:.0}", frames as f64 / 256.0),
    }
}

/// Designs whose descriptors cost the same for all blocks: the first of each, and the others.
fn alike(found: &Findings) -> Vec<(&str, Vec<&str>)> {
    let mut heads: Vec<(&str, Vec<&str>)> = Vec::new();
    let costs = |design: &str| -> Vec<_> {
        let own = found.costs.iter().filter(|cost| cost.design == design);
        own.map(|cost| (cost.bytes, &cost.lines)).collect()
    };
    for total in &found.totals {
        let own = costs(&total.design);
        match heads.iter_mut().find(|(first, _)| costs(first) == own) {
            Some((_, others)) => others.push(&total.design),
            None => heads.push((&total.design, Vec::new())),
        }
    }
    heads
}

/// The designs that a row stands for, where they are more than one.
fn same(found: &Findings) -> Option<String> {
    let words: Vec<String> = alike(found)
        .into_iter()
        .filter(|(_, others)| !others.is_empty())
        .map(|(first, others)| format!("{first} stands for {} too", others.join(", ")))
        .collect();
    let words = words.join("; ");
    (!words.is_empty()).then(|| format!("{words}: the same bytes, the same lines."))
}

/// Uses down, designs across.
fn by_design(census: &Census, found: &Findings) -> Table {
    let designs = alike(found);
    let head = std::iter::once("memory").chain(designs.iter().map(|(design, _)| *design));
    let mut table = Table::new(head).right(1..=designs.len());
    for (of, _) in by_use(census) {
        let cells = designs.iter().map(|(design, _)| {
            let own = found.costs.iter().filter(|cost| cost.design == *design);
            let sum: f64 = own
                .filter(|cost| cost.of == of)
                .map(|cost| cost.bytes)
                .sum();
            bytes(sum.round() as u64)
        });
        table.row(std::iter::once(of.to_owned()).chain(cells));
    }
    let all = designs.iter().map(|(design, _)| {
        let total = found.totals.iter().find(|total| total.design == *design);
        bytes(total.map_or(0.0, |total| total.bytes).round() as u64)
    });
    table.row(std::iter::once("all".to_owned()).chain(all));
    table
}

/// Designs down: bytes, share of memory, and lines of each operation, for a GiB.
fn totals(census: &Census, found: &Findings) -> Table {
    let gib = census.header.frames as f64 * FRAME_BYTES as f64 / GIB;
    let head = ["design", "bytes", "share"].into_iter();
    let operations = Operation::ALL.map(Operation::words);
    let head = head.chain(operations);
    let mut table = Table::new(head).right(1..3 + Operation::ALL.len());
    for (design, _) in alike(found) {
        let Some(total) = found.totals.iter().find(|total| total.design == design) else {
            continue;
        };
        let lines = Operation::ALL.map(|operation| {
            let lines = total.lines.get(&operation);
            lines.map_or("-".to_owned(), |lines| format!("{:.0}", lines / gib))
        });
        let cells = [
            design.to_owned(),
            bytes((total.bytes / gib).round() as u64),
            format!("{} %", significant(total.share * 100.0, 3)),
        ];
        table.row(cells.into_iter().chain(lines));
    }
    table
}

/// Notes on what the numbers leave out.
fn notes(census: &Census) -> Vec<String> {
    let mut notes = vec![
        "Lines are those of the models' loops under the tracer (bench-results/baseline), where \
         blocks above order 9 count as several of order 9; a walk skips free blocks and large \
         pages. Kernel memory that no flag names is counted as allocations that nobody can move."
            .to_owned(),
        "Descriptors of the proposals' sizes (80 bytes an allocation, with a word or 32 bytes a \
         frame) have bytes only. Waste of the slabs that descriptors would come from is not \
         counted; neither are tails of hugetlb pages that vmemmap optimisation frees today."
            .to_owned(),
    ];
    if !census.header.tells_mapped {
        notes.push("The kernel did not tell what is mapped (/proc/kpagecount).".to_owned());
    }
    if !census.header.tells_charged {
        notes.push("The kernel did not tell what is charged (/proc/kpagecgroup).".to_owned());
    }
    notes
}

/// The census as JSON objects: `memory` by use and order, `cost` by design, use and order,
/// `total` by design.
#[must_use]
pub fn census_json(census: &Census, found: &Findings) -> Vec<Json> {
    let of_type = |mut line: Json, kind: &str| {
        line["type"] = kind.into();
        line
    };
    let header = of_type(json!(census.header), "census");
    let memory = census.rows.iter().map(|row| {
        let mut line = json!(row);
        line["bytes"] = (row.frames() * FRAME_BYTES).into();
        of_type(line, "memory")
    });
    let costs = found.costs.iter().map(|cost| of_type(json!(cost), "cost"));
    let totals = found
        .totals
        .iter()
        .map(|total| of_type(json!(total), "total"));
    std::iter::once(header)
        .chain(memory)
        .chain(costs)
        .chain(totals)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use compare::census::{Cost, Total};
    use results::CensusHeader;

    use super::*;

    fn row(of: &str, order: u8, blocks: u64) -> CensusRow {
        CensusRow {
            of: of.into(),
            order,
            blocks,
            mapped: 0,
            charged: 0,
        }
    }

    fn census() -> Census {
        let rows = vec![
            row("anon", 0, 1_000_000),
            row("page-table", 3, 9),
            row("free", 10, 12),
        ];
        let header = CensusHeader {
            schema: 2,
            kernel: "6.12.95+deb12-cloud-amd64".into(),
            date: "2026-11-26".into(),
            frames: rows.iter().map(CensusRow::frames).sum(),
            holes: 0,
            torn: 3,
            tells_mapped: true,
            tells_charged: false,
            rows: rows.len(),
        };
        Census { header, rows }
    }

    fn found(designs: &[(&str, f64)]) -> Findings {
        let cost = |&(design, bytes): &(&str, f64)| {
            let of = |row: &CensusRow| Cost {
                design: design.into(),
                of: row.of.clone(),
                order: row.order,
                bytes: bytes * row.frames() as f64,
                lines: BTreeMap::new(),
            };
            census().rows.iter().map(of).collect::<Vec<_>>()
        };
        let total = |&(design, bytes): &(&str, f64)| Total {
            design: design.into(),
            bytes: bytes * census().header.frames as f64,
            share: bytes / 4096.0,
            lines: BTreeMap::from([(Operation::Walk, 1e6)]),
        };
        Findings {
            costs: designs.iter().flat_map(cost).collect(),
            totals: designs.iter().map(total).collect(),
        }
    }

    #[test]
    fn a_census_fits_a_mail_and_says_what_it_does_not_know() {
        let found = found(&[("flat", 64.0), ("folio", 64.0), ("memdesc", 10.5)]);
        let text = census_page(&census(), &found).text();
        for line in text.lines() {
            assert!(line.is_ascii() && line.len() <= 72, "{line}");
        }
        assert!(text.contains("flat stands for folio too"), "{text}");
        // Fewer than 1 MiB, none, and what the kernel did not tell.
        assert!(text.contains("<1") && text.contains(" - "), "{text}");
        assert!(text.contains("did not tell what is charged"), "{text}");
        assert!(
            text.contains("12 KiB changed while it was counted"),
            "{text}"
        );
        let markdown = census_page(&census(), &found).markdown();
        assert!(markdown.contains("| MiB, order | 0 |"), "{markdown}");
        let types: Vec<String> = census_json(&census(), &found)
            .iter()
            .map(|line| line["type"].to_string())
            .collect();
        assert_eq!(types.len(), 1 + 3 + 9 + 3);
        assert_eq!(types[0], "\"census\"");
    }
}
