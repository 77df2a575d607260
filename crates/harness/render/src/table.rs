//! The one table: lines of cells, as plain text or as Markdown.

mod bands;

pub(crate) use bands::{Bands, COLUMN};

use crate::escape::escape;

/// A table that grows line by line.
#[derive(Debug, Clone, Default)]
pub struct Table {
    headings: Vec<String>,
    /// Headings that text does without.
    named: Vec<String>,
    lines: Vec<Line>,
    columns: Columns,
    indent: usize,
    gap: usize,
}

#[derive(Debug, Clone)]
enum Line {
    Cells(Vec<String>),
    /// Text below a row that belongs to no column; Markdown has it in the row's first cell.
    Note(String),
}

/// How columns of text are laid out; Markdown only knows of `right`.
#[derive(Debug, Clone, Default)]
struct Columns {
    right: Vec<usize>,
    least: Vec<usize>,
}

impl Table {
    /// A table with a line of headings.
    #[must_use]
    pub fn new<H: ToString>(headings: impl IntoIterator<Item = H>) -> Self {
        Self {
            headings: headings.into_iter().map(|h| h.to_string()).collect(),
            gap: 2,
            ..Self::default()
        }
    }

    /// A table of text without headings, with these least widths of its columns and one
    /// space between them.
    #[must_use]
    pub fn plain(indent: usize, least: &[usize]) -> Self {
        Self {
            columns: Columns {
                right: Vec::new(),
                least: least.to_vec(),
            },
            indent,
            gap: 1,
            ..Self::default()
        }
    }

    /// The same with these columns aligned to the right: numbers.
    #[must_use]
    pub fn right(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.columns.right = columns.into_iter().collect();
        self
    }

    /// The same with headings in Markdown, which has no table without them.
    #[must_use]
    pub fn named<H: ToString>(mut self, headings: impl IntoIterator<Item = H>) -> Self {
        self.named = headings.into_iter().map(|h| h.to_string()).collect();
        self
    }

    /// The same with headings, which a plain table begins without.
    #[must_use]
    pub fn headed<H: ToString>(mut self, headings: impl IntoIterator<Item = H>) -> Self {
        self.headings = headings.into_iter().map(|h| h.to_string()).collect();
        self
    }

    /// Adds a line of cells.
    pub fn row<C: ToString>(&mut self, cells: impl IntoIterator<Item = C>) {
        let cells = cells.into_iter().map(|cell| cell.to_string());
        self.lines.push(Line::Cells(cells.collect()));
    }

    /// Adds a line of text across all columns, below a row and about it.
    pub fn note(&mut self, text: impl Into<String>) {
        self.lines.push(Line::Note(text.into()));
    }

    /// The table as text: columns as wide as their widest cell, no trailing spaces.
    #[must_use]
    pub fn text(&self) -> String {
        let headings = Some(&self.headings).filter(|headings| !headings.is_empty());
        let rows = || headings.into_iter().chain(self.rows());
        let columns = rows().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = rows().filter_map(|row| row.get(column));
            let widest = cells.map(|cell| cell.chars().count()).max();
            let least = self.columns.least.get(column);
            widest.max(least.copied()).unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).enumerate();
            let cells: Vec<String> = cells
                .map(|(column, (cell, width))| {
                    pad(cell, *width, self.columns.right.contains(&column))
                })
                .collect();
            format!(
                "{:indent$}{}",
                "",
                cells.join(&" ".repeat(self.gap)),
                indent = self.indent
            )
        };
        let lines = self.lines.iter().map(|entry| match entry {
            Line::Cells(row) => line(row),
            Line::Note(text) => text.clone(),
        });
        headings
            .map(line)
            .into_iter()
            .chain(lines)
            .map(|line| line.trim_end().to_owned() + "\n")
            .collect()
    }

    /// The same with lines no wider than `width`, as far as words allow: the widest columns
    /// give way, and what stands in them goes on in the next line.
    #[must_use]
    pub fn wrapped(&self, width: usize) -> Self {
        let columns = self.headings.len();
        let gaps = self.indent + self.gap * columns.saturating_sub(1);
        let mut widths = vec![0; columns];
        for row in self.rows().chain([&self.headings]) {
            for (at, cell) in row.iter().enumerate().take(columns) {
                widths[at] = widths[at].max(cell.chars().count());
            }
        }
        while gaps + widths.iter().sum::<usize>() > width {
            match widths.iter_mut().max() {
                Some(widest) if *widest > MIN_COLUMN => *widest -= 1,
                _ => break,
            }
        }
        let mut table = Self {
            lines: Vec::new(),
            ..self.clone()
        };
        for line in &self.lines {
            match line {
                Line::Note(text) => table.note(textwrap::fill(text, width)),
                Line::Cells(row) => {
                    let cells = row.iter().zip(&widths);
                    let folded: Vec<Vec<String>> =
                        cells.map(|(cell, &width)| fold(cell, width)).collect();
                    let lines = folded.iter().map(Vec::len).max().unwrap_or(0);
                    for at in 0..lines {
                        table.row(folded.iter().map(|cell| cell.get(at).map_or("", |c| c)));
                    }
                }
            }
        }
        table
    }

    /// The same with cells that hold words, not markup.
    pub(crate) fn escaped(&self) -> Self {
        let cells = |cells: &Vec<String>| cells.iter().map(|cell| escaped(cell)).collect();
        let line = |line: &Line| match line {
            Line::Cells(row) => Line::Cells(cells(row)),
            Line::Note(text) => Line::Note(escaped(text)),
        };
        Self {
            headings: cells(&self.headings),
            named: cells(&self.named),
            lines: self.lines.iter().map(line).collect(),
            ..self.clone()
        }
    }

    /// The table as Markdown. Cells may hold markup, so the caller escapes what is not. Empty
    /// where there is no row.
    #[must_use]
    pub fn markdown(&self) -> String {
        let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
        let rule = |column| match self.columns.right.contains(&column) {
            true => "---:|",
            false => "---|",
        };
        let headings = match self.headings.is_empty() {
            true => &self.named,
            false => &self.headings,
        };
        let rules: String = (0..headings.len()).map(rule).collect();
        let mut rows: Vec<Vec<String>> = Vec::new();
        for entry in &self.lines {
            match (entry, rows.last_mut().and_then(|row| row.first_mut())) {
                (Line::Cells(row), _) => rows.push(row.clone()),
                (Line::Note(text), Some(first)) => *first += &format!("<br>{}", text.trim()),
                (Line::Note(text), None) => rows.push(vec![text.trim().to_owned()]),
            }
        }
        if rows.is_empty() {
            return String::new();
        }
        let rows: String = rows.iter().map(line).collect();
        // Capitals are how a terminal tells headings from cells; Markdown has its own way.
        let heading = |text: &String| match text.contains(char::is_lowercase) {
            true => text.clone(),
            false => text.to_lowercase(),
        };
        let headings = headings.iter().map(heading).collect();
        format!("{}|{rules}\n{rows}", line(&headings))
    }

    fn rows(&self) -> impl Iterator<Item = &Vec<String>> {
        self.lines.iter().filter_map(|line| match line {
            Line::Cells(row) => Some(row),
            Line::Note(_) => None,
        })
    }
}

/// Columns do not give way below this.
const MIN_COLUMN: usize = 16;

/// A cell whose words cannot be taken for markup; its lines stay lines.
fn escaped(cell: &str) -> String {
    let lines: Vec<String> = cell.lines().map(escape).collect();
    lines.join("<br>")
}

/// Breaks a cell between words; ids and paths stay whole.
fn fold(cell: &str, width: usize) -> Vec<String> {
    let whole = textwrap::Options::new(width)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(cell, whole)
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect()
}

/// Fills a cell up with spaces. `format!` panics at widths above 65,535.
fn pad(cell: &str, width: usize, right: bool) -> String {
    let spaces = " ".repeat(width.saturating_sub(cell.chars().count()));
    match right {
        true => spaces + cell,
        false => cell.to_owned() + &spaces,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_may_be_wider_than_format_can_pad() {
        let wide = "x".repeat(65_536);
        let mut table = Table::new(["n", "name"]).right([0]);
        table.row([wide.as_str(), "a"]);
        table.row(["1", "b"]);
        let text = table.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], format!("{wide}  a"));
        assert_eq!(lines[2], format!("{}1  b", " ".repeat(65_535)));
    }

    #[test]
    fn columns_line_up_and_lines_do_not_trail() {
        let mut table = Table::new(["name", "n"]).right([1]);
        table.row(["a", "1"]);
        table.row(["long name", "12"]);
        table.row(["", ""]);
        assert_eq!(
            table.text(),
            "name        n\na           1\nlong name  12\n\n"
        );
        assert_eq!(
            table.markdown(),
            "| name | n |\n|---|---:|\n| a | 1 |\n| long name | 12 |\n|  |  |\n"
        );
    }

    #[test]
    fn the_widest_columns_give_way_to_the_terminal() {
        let mut table = Table::new(["ID", "PARAMETERS", "ASKS"]);
        table.row([
            "merging/add",
            "layout order count kind footprint",
            "what does it cost to build a bio from a layout?",
        ]);
        assert_eq!(table.wrapped(200).text(), table.text());
        let text = table.wrapped(60).text();
        assert!(text.lines().all(|line| line.len() <= 60), "{text}");
        let words = |text: &str| {
            let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            words.sort();
            words
        };
        assert_eq!(words(&text), words(&table.text()), "nothing is lost");
        assert!(
            text.lines()
                .nth(1)
                .is_some_and(|line| line.starts_with("merging/add  layout"))
        );
        // Words are not broken, however narrow it is.
        assert_eq!(words(&table.wrapped(5).text()), words(&table.text()));
    }

    #[test]
    fn markdown_has_no_headings_in_capitals() {
        let mut table = Table::new(["PAIR, MODEL", "Criterion"]);
        table.row(["a", "b"]);
        assert!(table.text().starts_with("PAIR, MODEL  Criterion"));
        assert!(table.markdown().starts_with("| pair, model | Criterion |"));
    }

    #[test]
    fn columns_keep_their_least_width_and_notes_stand_outside() {
        let mut table = Table::plain(2, &[5, 3]).right([1]);
        table.note("a note that is wider than all columns");
        table.row(["a", "1"]);
        assert_eq!(
            table.text(),
            "a note that is wider than all columns\n  a       1\n"
        );
    }
}
