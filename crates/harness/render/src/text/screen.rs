//! The first screen: the claims with their verdicts, one table, real kernels' counts, noise,
//! machine, and the command that repeats it. At most 40 lines of 72 ASCII columns.

use compare::kernel_history::{Line, Unit};
use compare::{Case, Cell, OTHER_QUESTIONS, Summary, ValueCell};
use results::look::{KERNEL, is_kernel};
use results::{Param, Params, ResultKind, Ruling, Screen, ScreenRow, parse_row};
use stats::{Estimate, Verdict};

use super::again::again;
use super::mail_tables::mark;
use crate::context::Context;
use crate::number::{bytes, significant};
use crate::page::{Page, WIDTH};
use crate::style::{NULL, designs};
use crate::table::Table;

/// A cell without a number.
const NOTHING: &str = "-";
/// A ratio that is not told from 1 and may be beyond this is left open.
const OPEN: f64 = 1.1;
/// Contenders that the table has room for.
const MAX_COLUMNS: usize = 4;
/// Contenders that have a line where no claim is answered.
const MAX_TALLIES: usize = 12;
/// The first characters after a kernel's version if it was patched or built from a tree.
const PATCHED: [char; 2] = ['+', '@'];

/// The first screen of a report, as text.
#[must_use]
pub fn first_screen(summary: &Summary, context: &Context) -> String {
    let mut page = Page::default();
    title(&mut page, summary);
    page.gap();
    if context.claims.iter().any(|claim| claim.verdict.is_answer()) {
        claims(&mut page, context);
    } else {
        tallies(&mut page, summary);
    }
    page.gap();
    ratios(&mut page, summary, context);
    kernels(&mut page, summary, context);
    legend(&mut page, context);
    noise(&mut page, summary);
    machine(&mut page, summary);
    page.command("Again: ", &again(summary), 2);
    page.text()
}

fn title(page: &mut Page, summary: &Summary) {
    let env = &summary.env;
    let day = env.date_utc.split('T').next().unwrap_or_default();
    page.line(&format!(
        "How should the kernel describe physical memory? folioscope, {day}"
    ));
}

/// A line per claim that is answered; the others in a line per verdict.
fn claims(page: &mut Page, context: &Context) {
    let answered = context.claims.iter().filter(|one| one.verdict.is_answer());
    for claim in answered {
        page.line(&format!(
            "{:>2} {:<10} {:<40} {}",
            claim.id,
            claim.who,
            claim.short,
            briefly(claim.verdict)
        ));
    }
    let others = [
        Ruling::Undecided,
        Ruling::NotMeasured,
        Ruling::NotMeasurable,
    ];
    let others: Vec<String> = others
        .into_iter()
        .filter_map(|verdict| {
            let of = context.claims.iter().filter(|one| one.verdict == verdict);
            let ids: Vec<String> = of.map(|claim| claim.id.to_string()).collect();
            (!ids.is_empty()).then(|| format!("{verdict}: {}", ids.join(" ")))
        })
        .collect();
    if !others.is_empty() {
        page.wrapped(&format!("Claims {}.", others.join("; ")), 0, 2);
    }
}

/// A line per contender: how often it was faster and slower than the reference.
fn tallies(page: &mut Page, summary: &Summary) {
    let mut names = designs(summary);
    names.retain(|name| name != NULL && *name != summary.reference);
    for name in names.iter().take(MAX_TALLIES) {
        let (faster, same, slower) = summary.tally(name);
        let of = faster + same + slower;
        let rows = if of == 1 { "row" } else { "rows" };
        page.line(&format!(
            "{name}: faster than {} in {faster} of {of} {rows}, slower in {slower}",
            summary.reference
        ));
    }
}

/// A verdict in at most 16 characters.
pub(super) const fn briefly(verdict: Ruling) -> &'static str {
    match verdict {
        Ruling::LargeOnly => "large units only",
        other => other.words(),
    }
}

/// Questions down; contenders at each order across.
pub(super) fn ratios(page: &mut Page, summary: &Summary, context: &Context) {
    let screen = &context.screen;
    let shown = columns(summary, screen);
    if shown.is_empty() || screen.rows.is_empty() {
        return;
    }
    const LABEL: usize = 16;
    let columns = shown.len() * screen.orders.len();
    // As wide as a name, or as all columns can be.
    let column = ((WIDTH - LABEL) / columns).saturating_sub(1).clamp(6, 8);
    let widths: Vec<usize> = std::iter::once(LABEL)
        .chain(std::iter::repeat_n(column, columns))
        .collect();
    let mut table = Table::plain(0, &widths).right(1..=columns);
    let span = shown.len() * (column + 1);
    let (upper, names): (Vec<String>, Vec<String>) =
        shown.iter().map(|name| head(name, column)).unzip();
    let upper: String = upper
        .iter()
        .map(|half| format!(" {half:>column$}"))
        .collect();
    let orders: Vec<String> = screen
        .orders
        .iter()
        .map(|order| format!("  order {order}"))
        .collect();
    // The orders stand beside the upper halves of names where there is room.
    let free = upper.len() - upper.trim_start().len();
    let beside = orders.iter().all(|order| order.len() < free);
    let mut heads = format!("{:<LABEL$}", format!("time over {}", summary.reference));
    for order in &orders {
        heads += &match beside {
            true => format!("{order}{}", &upper[order.len()..]),
            false => format!("{order:<span$}"),
        };
    }
    table.note(heads);
    if !beside {
        table.note(format!("{:LABEL$}{}", "", upper.repeat(orders.len())));
    }
    let mut line = vec![String::new()];
    screen
        .orders
        .iter()
        .for_each(|_| line.extend(names.clone()));
    table.row(line);
    for row in &screen.rows {
        let mut line = vec![row.says.clone()];
        for order in &screen.orders {
            line.extend(shown.iter().map(|name| cell(summary, row, *order, name)));
        }
        if line[1..].iter().all(|cell| cell == NOTHING) {
            continue;
        }
        table.row(line);
    }
    page.table(&table);
}

/// The contenders of a run that are shown: new ones first, a patched kernel after the one that it
/// was made from, then those that the claims file lists.
fn columns<'a>(summary: &'a Summary, screen: &'a Screen) -> Vec<&'a str> {
    let is_patched = |name: &str| is_kernel(name) && name.contains(PATCHED);
    let is_new = |name: &&str| {
        ![NULL, &summary.reference].contains(name)
            && (!is_kernel(name) || is_patched(name))
            && !screen.contenders.iter().any(|known| known == name)
            && !screen.hidden.iter().any(|known| known == name)
    };
    let designs = || summary.designs.iter().map(String::as_str);
    let mut shown: Vec<&str> = Vec::new();
    for name in designs().filter(is_new) {
        let base = name.split(PATCHED).next().unwrap_or(name);
        shown.extend(
            [base, name]
                .into_iter()
                .filter(|one| designs().any(|d| d == *one)),
        );
    }
    let listed = screen.contenders.iter().map(String::as_str);
    shown.extend(listed.filter(|name| designs().any(|design| design == *name)));
    let mut seen: Vec<&str> = Vec::new();
    for name in shown {
        if !seen.contains(&name) && seen.len() < MAX_COLUMNS {
            seen.push(name);
        }
    }
    seen
}

/// A contender's name in two lines, the upper one empty where the column is wide enough. A
/// half that is still too wide is cut with a dot.
fn head(name: &str, column: usize) -> (String, String) {
    let name = name.strip_prefix(KERNEL).unwrap_or(name);
    if name.chars().count() <= column {
        return (String::new(), name.to_owned());
    }
    let cut = |half: &str| match half.chars().count() <= column {
        true => half.to_owned(),
        false => half.chars().take(column - 1).chain(['.']).collect(),
    };
    if let Some(at) = name.find(['-', '+', '@']) {
        return (cut(&name[..=at]), cut(&name[at + 1..]));
    }
    let half = name.chars().count() / 2;
    let upper: String = name.chars().take(half).chain(['-']).collect();
    let lower: String = name.chars().skip(half).collect();
    (cut(&upper), cut(&lower))
}

/// A ratio with its verdict, or the bytes of a value; a dash where there is none.
fn cell(summary: &Summary, row: &ScreenRow, order: u64, contender: &str) -> String {
    // The file's reader has parsed it once already.
    let Ok((kind, what, mut params)) = parse_row(&row.row) else {
        return NOTHING.to_owned();
    };
    params.insert("order".to_owned(), Param::from(order));
    let text = match kind {
        ResultKind::Time => summary
            .cases()
            .find(|case| case.workload == what && has(&case.params, &params))
            .and_then(|case| ratio(case, contender)),
        _ => summary
            .values
            .iter()
            .find(|case| case.workload == what && has(&case.params, &params))
            .and_then(|case| match case.cells.get(contender)? {
                ValueCell::Value(value) => Some(bytes(value.value as u64)),
                _ => None,
            }),
    };
    text.unwrap_or_else(|| NOTHING.to_owned())
}

/// A row that has these parameters and asks no other question.
fn has(params: &Params, wanted: &Params) -> bool {
    !OTHER_QUESTIONS
        .iter()
        .any(|&name| params.contains_key(name))
        && wanted
            .iter()
            .all(|(name, value)| params.get(name) == Some(value))
}

fn ratio(case: &Case, contender: &str) -> Option<String> {
    match case.cells.get(contender)? {
        Cell::Time {
            ratio: Some(ratio),
            verdict,
            slow,
            ..
        } => {
            let value = significant(ratio.value, 2);
            let value = value.strip_prefix('0').unwrap_or(&value);
            let open = *verdict == Some(Verdict::NoDifference) && is_open(ratio);
            let mark = match (*slow, open) {
                (true, _) => '~',
                (false, true) => '?',
                (false, false) => mark(*verdict),
            };
            Some(format!("{mark}{value}"))
        }
        Cell::Failed(_) => Some("err".to_owned()),
        Cell::Time { .. } | Cell::Absent(_) => None,
    }
}

/// Whether a ratio that may be 1 may as well be far from it: the row is too noisy to say.
fn is_open(ratio: &Estimate) -> bool {
    ratio.high > OPEN || ratio.low < OPEN.recip()
}

/// Explains the columns' names.
pub(super) fn legend(page: &mut Page, context: &Context) {
    if !context.screen.legend.is_empty() {
        page.wrapped(&context.screen.legend, 0, 2);
    }
}

/// Returns the time of a kernel in a row that the claims file names, in the row's unit.
fn native(summary: &Summary, row: &str, kernel: &str) -> Option<f64> {
    let (_, what, params) = parse_row(row).ok()?;
    let mut cases = summary.cases();
    let case = cases.find(|case| case.workload == what && has(&case.params, &params))?;
    Some(case.time(&format!("{KERNEL}{kernel}"))?.value)
}

/// The cost of 2 MiB in real kernels, handed over as pages and as one unit.
pub(super) fn kernels(page: &mut Page, summary: &Summary, context: &Context) {
    let of = |work: &str, wanted: Unit| -> Option<&Line> {
        let mut lines = context.history.iter();
        lines.find(|line| line.work == work && line.unit == wanted)
    };
    let mut table = Table::plain(0, &[24, 11]).right(1..=context.kernels.len());
    let head = "2 MiB: 512 pages/1 unit".to_owned();
    let names = context.kernels.iter().map(|name| format!("Linux {name}"));
    table.row(std::iter::once(head).chain(names));
    let mut rows = 0;
    for work in &context.screen.kernels {
        let (Some(small), Some(large)) = (of(work, Unit::Pages), of(work, Unit::Folio)) else {
            continue;
        };
        let count = |line: &Line, kernel: &String| {
            let cell = line.cells.iter().find(|cell| cell.kernel == *kernel);
            let count = cell.and_then(|cell| cell.instructions);
            count.map_or("-".to_owned(), |count| count.to_string())
        };
        let cells = context.kernels.iter();
        let cells =
            cells.map(|kernel| format!("{}/{}", count(small, kernel), count(large, kernel)));
        table.row(std::iter::once(format!("{work}, instructions")).chain(cells));
        rows += 1;
    }
    // Of all this work together: lines and instructions tell different stories.
    let lines = |kernel: &String, unit: Unit| -> Option<u32> {
        let works = context.screen.kernels.iter();
        let lines = works.map(|work| {
            let mut cells = of(work, unit)?.cells.iter();
            cells.find(|cell| cell.kernel == *kernel)?.lines
        });
        lines.sum()
    };
    let cells: Vec<_> = context
        .kernels
        .iter()
        .map(|kernel| [Unit::Pages, Unit::Folio].map(|unit| lines(kernel, unit)))
        .collect();
    if cells.iter().flatten().any(Option::is_some) {
        let word = |lines: &Option<u32>| lines.map_or("-".to_owned(), |lines| lines.to_string());
        let cells = cells
            .iter()
            .map(|[small, large]| format!("{}/{}", word(small), word(large)));
        table.row(std::iter::once("all, descriptor lines".to_owned()).chain(cells));
    }
    for row in &context.screen.native {
        let cells: Vec<[Option<f64>; 2]> = context
            .kernels
            .iter()
            .map(|kernel| [&row.pages, &row.folio].map(|row| native(summary, row, kernel)))
            .collect();
        if cells.iter().flatten().any(Option::is_some) {
            let word = |ns: &Option<f64>| ns.map_or("-".to_owned(), |ns| significant(ns, 3));
            let cells = cells
                .iter()
                .map(|[small, large]| format!("{}/{}", word(small), word(large)));
            table.row(std::iter::once(format!("{}, ns", row.says)).chain(cells));
            rows += 1;
        }
    }
    if rows > 0 && !context.kernels.is_empty() {
        page.table(&table);
    }
}

/// How to read a mark, and the noise that it is beyond.
pub(super) fn noise(page: &mut Page, summary: &Summary) {
    page.line("< faster, > slower, = within noise, ? too noisy to say, ~ slow machine");
    let env = &summary.env;
    let floor = summary.floor.map_or_else(
        || "unknown without an A/A control, nothing is judged".to_owned(),
        |floor| format!("{:.1}% (95 of 100 A/A pairs)", floor * 100.0),
    );
    let slow = summary.fast_share.map(|share| (1.0 - share) * 100.0);
    let slow = slow.filter(|slow| *slow >= 1.0);
    let slow = slow.map_or(String::new(), |slow| {
        format!("; machine slow for {slow:.0}%")
    });
    let cut = if env.finished { "" } else { "; interrupted" };
    let processes = env.processes;
    let text = format!("Noise {floor}; {processes} processes{slow}{cut}.");
    page.wrapped(&text, 0, 2);
}

pub(super) fn machine(page: &mut Page, summary: &Summary) {
    let env = &summary.env;
    let cpus = if env.cores == 1 { "CPU" } else { "CPUs" };
    let rustc = env.rustc.split_whitespace().take(2).collect::<Vec<_>>();
    let (model, cores, kernel) = (&env.cpu_model, env.cores, &env.kernel);
    let rustc = rustc.join(" ");
    page.wrapped(
        &format!("Machine: {model}, {cores} {cpus}, Linux {kernel}, {rustc}."),
        0,
        2,
    );
}
