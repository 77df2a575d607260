//! Tables of the instructions and lines of native kernels' loops.

use std::collections::BTreeSet;

use compare::stepped::{CountPair, Stepped};
use compare::time_fidelity::MAX_APART;
use results::{Params, SteppedLoop};

use crate::number::significant;
use crate::table::Table;
use crate::time_fidelity::in_words;

/// Lines an element that are shown.
const LEAST: f64 = 0.005;

/// A difference of two models or kernels below which a pair is not shown.
const SHOWN: f64 = 0.02;

/// A line per loop and kernel, everything an element but the lines written, which are of a call.
#[must_use]
pub fn stepped_loops(loops: &[SteppedLoop]) -> Table {
    let headings = [
        "loop, an element",
        "kernel",
        "elements",
        "instructions",
        "loads",
        "stores",
        "lines",
        "descriptor lines",
    ];
    let mut table = Table::new(headings).right(2..8);
    for one in loops {
        let same = loops.iter().filter(|other| other.workload == one.workload);
        let params: Vec<&Params> = same.map(|other| &other.params).collect();
        let each = |count: u64| significant(count as f64 / one.elements as f64, 3);
        table.row([
            in_words(&one.workload, &one.params, &params),
            one.kernel.clone(),
            one.elements.to_string(),
            each(one.instructions),
            each(one.loads),
            each(one.stores),
            each(one.lines),
            each(one.descriptor_lines),
        ]);
    }
    table
}

/// Tables of the effect of patches: for each stock kernel one with a column for each patch, and a
/// sentence about the loops that none of them moved. A cell is the instructions, patched : stock,
/// and the lines an element that the patch adds, of `struct page` and others.
#[must_use]
pub fn stepped_patches(found: &[Stepped<'_>]) -> Vec<(Table, String)> {
    let stocks: BTreeSet<&str> = found.iter().map(|two| two.stock.kernel.as_str()).collect();
    let of = |stock: &str| {
        let of: Vec<&Stepped<'_>> = found
            .iter()
            .filter(|two| two.stock.kernel == stock)
            .collect();
        stock_table(stock, &of)
    };
    stocks.into_iter().map(of).collect()
}

fn stock_table(stock: &str, found: &[&Stepped<'_>]) -> (Table, String) {
    let mut patches: Vec<&str> = Vec::new();
    let mut loops: Vec<&SteppedLoop> = Vec::new();
    for two in found {
        if !patches.contains(&two.patched.kernel.as_str()) {
            patches.push(&two.patched.kernel);
        }
        if !loops.iter().any(|one| one.key() == two.stock.key()) {
            loops.push(two.stock);
        }
    }
    let short = |patched: &&str| patched.trim_start_matches(stock).to_owned();
    let headings = [
        "loop, an element".to_owned(),
        format!("{stock}, instructions"),
        "lines".to_owned(),
    ];
    let headings = headings.into_iter().chain(patches.iter().map(short));
    let mut table = Table::new(headings).right(1..3 + patches.len());
    let mut still = 0;
    for one in &loops {
        let of = |patched: &str| {
            let mut all = found.iter();
            all.find(|two| two.stock.key() == one.key() && two.patched.kernel == patched)
        };
        if !patches
            .iter()
            .any(|name| of(name).is_some_and(|two| two.is_moved()))
        {
            still += 1;
            continue;
        }
        let same = loops.iter().filter(|other| other.workload == one.workload);
        let params: Vec<&Params> = same.map(|other| &other.params).collect();
        let cells = patches.iter().map(|name| cell(of(name).copied()));
        let first = [
            in_words(&one.workload, &one.params, &params),
            significant(one.instructions_each(), 3),
            significant(one.lines_each(), 3),
        ];
        table.row(first.into_iter().chain(cells));
    }
    let moved = loops.len() - still;
    let sentence = format!(
        "{stock}: {moved} of {} loops differ in a patched kernel by more than 0.5 % of instructions, \
         or in lines.",
        loops.len()
    );
    (table, sentence)
}

/// The change that a patch makes in the kernel beside that between the two models, as ratios of
/// instructions: for each two models a table of the loops that differ in either, and a sentence.
#[must_use]
pub fn stepped_pairs(found: &[CountPair]) -> Vec<(Table, String)> {
    let mut kinds: Vec<(&[String; 2], &[String; 2])> = Vec::new();
    for pair in found {
        if !kinds.contains(&(&pair.designs, &pair.kernels)) {
            kinds.push((&pair.designs, &pair.kernels));
        }
    }
    let of = |(designs, kernels): (&[String; 2], &[String; 2])| {
        let own: Vec<&CountPair> = found
            .iter()
            .filter(|pair| (&pair.designs, &pair.kernels) == (designs, kernels))
            .collect();
        pairs_table(designs, kernels, &own)
    };
    kinds.into_iter().map(of).collect()
}

fn pairs_table(
    designs: &[String; 2],
    kernels: &[String; 2],
    pairs: &[&CountPair],
) -> (Table, String) {
    let headings = [
        "loop".to_owned(),
        kernels.join(" : "),
        designs.join(" : "),
        "apart".to_owned(),
    ];
    let mut table = Table::new(headings).right(1..4);
    for pair in pairs {
        if [pair.model, pair.real]
            .iter()
            .all(|ratio| (ratio - 1.0).abs() <= SHOWN)
        {
            continue;
        }
        let same = pairs.iter().filter(|other| other.workload == pair.workload);
        let params: Vec<&Params> = same.map(|other| &other.params).collect();
        table.row([
            in_words(&pair.workload, &pair.params, &params),
            significant(pair.real, 3),
            significant(pair.model, 3),
            significant(pair.apart(), 3),
        ]);
    }
    let within = pairs
        .iter()
        .filter(|pair| pair.apart() <= MAX_APART)
        .count();
    let sentence = format!(
        "{} : {}: {within} of {} loops are at most {MAX_APART} apart; those that differ by less \
         than 2 % in both are not shown.",
        kernels[0],
        kernels[1],
        pairs.len()
    );
    (table, sentence)
}

fn cell(two: Option<&Stepped<'_>>) -> String {
    let Some(two) = two else {
        return "–".to_owned();
    };
    if !two.is_moved() {
        return "=".to_owned();
    }
    let lines = [(two.page_lines(), "page"), (two.other_lines(), "other")];
    let lines = lines.iter().filter(|(lines, _)| lines.abs() >= LEAST);
    let lines: Vec<String> = lines
        .map(|(lines, of)| format!("{lines:+.2} {of}"))
        .collect();
    let ratio = significant(two.instructions(), 3);
    match lines.is_empty() {
        true => ratio,
        false => format!("{ratio} ({})", lines.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kernel: &str, order: u64, instructions: u64, lines: u64) -> SteppedLoop {
        SteppedLoop {
            kernel: kernel.to_owned(),
            workload: "merging/add".to_owned(),
            params: [("order".to_owned(), order.into())].into(),
            unit: "page".to_owned(),
            elements: 10,
            instructions,
            lines,
            ..SteppedLoop::default()
        }
    }

    #[test]
    fn loops_that_no_patch_moved_are_counted_not_shown() {
        let stock = [of("linux-6.12", 0, 1000, 20), of("linux-6.12", 9, 1000, 20)];
        let (fewer, same) = (
            of("linux-6.12+headpage", 9, 900, 25 + 10),
            of("linux-6.12+headpage", 0, 1000, 20),
        );
        let other = of("linux-6.12+no-merge", 9, 1001, 20);
        let found: Vec<Stepped<'_>> = [(1, &fewer), (0, &same), (1, &other)]
            .map(|(at, patched)| Stepped {
                stock: &stock[at],
                patched,
            })
            .into();
        let tables = stepped_patches(&found);
        assert_eq!(tables.len(), 1);
        let (table, sentence) = &tables[0];
        assert_eq!(
            table.markdown(),
            "| loop, an element | linux-6.12, instructions | lines | +headpage | +no-merge |\n\
             |---|---:|---:|---:|---:|\n\
             | merging/add order=9 | 100 | 2.00 | 0.900 (+1.50 other) | = |\n"
        );
        assert!(sentence.contains("1 of 2 loops"), "{sentence}");
    }
}
