//! Real kernels as text: what changed from one to the other, and their history.

use compare::kernel_diff::Change;
use compare::kernel_history::{Cell, Line};

use crate::page::Page;
use crate::table::Table;

/// The changes of counts as a table.
#[must_use]
pub fn kernel_changes<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Table {
    let span = |span: Option<(u64, u64)>| match span {
        None => "-".to_owned(),
        Some((least, most)) if least == most => least.to_string(),
        Some((least, most)) => format!("{least} to {most}"),
    };
    let headings = ["PRIMITIVE", "ORDER", "STATE", "BEFORE", "AFTER", "RATIO"];
    let mut table = Table::new(headings).right([1, 3, 4, 5]);
    for change in changes {
        let ratio = change.ratio.map(|ratio| format!("{ratio:.3}"));
        table.row([
            change.primitive.clone(),
            change.order.to_string(),
            change.class.clone(),
            span(change.before),
            span(change.after),
            ratio.unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    table
}

/// The history of these kernels as a mail, and below its table what a kernel lacks.
#[must_use]
pub fn kernel_history_mail(kernels: &[String], lines: &[Line]) -> String {
    let table = |of: &dyn Fn(&Cell) -> Option<String>| {
        let headings = ["2 MiB", "as"].into_iter();
        let headings = headings.chain(kernels.iter().map(String::as_str));
        let mut table = Table::new(headings).right(2..2 + kernels.len());
        let mut before = "";
        for line in lines {
            let work = if line.work == before { "" } else { line.work };
            before = line.work;
            let cells = line.cells.iter();
            let cells = cells.map(|cell| of(cell).unwrap_or("-".to_owned()));
            let first = [work.to_owned(), line.unit.words().to_owned()];
            table.row(first.into_iter().chain(cells));
        }
        table
    };
    let mut page = Page::default();
    page.line(&format!(
        "Instructions of the real kernel, Linux {}:",
        kernels.join(", ")
    ));
    page.gap();
    page.table(&table(&|cell| Some(cell.instructions?.to_string())));
    if lines
        .iter()
        .flat_map(|line| &line.cells)
        .any(|cell| cell.lines.is_some())
    {
        page.gap();
        page.line("Lines of descriptor (64 bytes) that they touch:");
        page.gap();
        page.table(&table(&|cell| Some(cell.lines?.to_string())));
    }
    page.gap();
    page.line("end of IO: set dirty and release; charge: charge and uncharge, memcg.");
    page.line("Segments are as long as the queue allows: 64 KiB, or without limit.");
    page.line("Each kernel is as Debian built it, with its own compiler and options.");
    for line in lines {
        for cell in &line.cells {
            let Some(reason) = &cell.reason else { continue };
            let unit = line.unit.words();
            page.line(&format!("- {}, {}, {unit}:", cell.kernel, line.work));
            page.line(&format!("  {reason}"));
        }
    }
    page.text()
}

#[cfg(test)]
mod tests {
    use compare::kernel_history::Unit;

    use super::*;

    #[test]
    fn the_table_fits_a_mail_and_dashes_have_their_reason() {
        let cell = |kernel: &str, instructions: Option<u64>| Cell {
            kernel: kernel.to_owned(),
            instructions,
            lines: instructions.map(|_| 513),
            reason: instructions
                .is_none()
                .then(|| "folios came with 5.16, bio_add_folio with 5.17".to_owned()),
        };
        let line = |work, unit, first| Line {
            work,
            unit,
            primitives: vec!["x"],
            cells: vec![
                cell("5.10", first),
                cell("6.1", Some(307_738)),
                cell("6.12", Some(81)),
                cell("7.2", Some(81)),
            ],
        };
        let lines = [
            line("split check", Unit::Segments, Some(1_234_567)),
            line("split check", Unit::Folio, None),
        ];
        let names = ["5.10", "6.1", "6.12", "7.2"].map(str::to_owned);
        let text = kernel_history_mail(&names, &lines);
        for line in text.lines() {
            assert!(line.is_ascii() && line.len() <= 72, "{line}");
        }
        assert!(text.contains("1234567") && text.contains("came with 5.16"));
        // Once in each table for each unit that follows itself.
        assert_eq!(text.matches("split check").count(), 3, "{text}");
        assert_eq!(text.matches(" 513").count(), 7, "{text}");
    }
}
