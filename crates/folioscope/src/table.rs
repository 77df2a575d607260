//! Plain tables: columns as wide as their widest cell, two spaces between them.

use std::fmt::Write;

/// A table that grows row by row.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    /// Columns whose cells stand at the right: numbers.
    right: Vec<usize>,
}

impl Table {
    /// A table with a line of headings.
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self {
            rows: vec![headings.map(str::to_owned).to_vec()],
            right: Vec::new(),
        }
    }

    /// A table with as many headings as there turn out to be.
    pub(crate) fn with(headings: Vec<&str>) -> Self {
        Self {
            rows: vec![headings.into_iter().map(str::to_owned).collect()],
            right: Vec::new(),
        }
    }

    /// Adds a row of as many cells as there are headings.
    pub(crate) fn add(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The same with these columns aligned to the right.
    pub(crate) fn right(mut self, columns: &[usize]) -> Self {
        self.right = columns.to_vec();
        self
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    /// The table as text, one line per row, without trailing spaces.
    pub(crate) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let widths = self.rows.iter().filter_map(|row| row.get(column));
            widths.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let gap = if column == 0 { "" } else { "  " };
                let width = widths[column];
                // Writing to a string does not fail.
                let _ = if self.right.contains(&column) {
                    write!(line, "{gap}{cell:>width$}")
                } else {
                    write!(line, "{gap}{cell:<width$}")
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_do_not_trail() {
        let mut table = Table::new(["name", "n"]).right(&[1]);
        table.row(["a".to_owned(), "1".to_owned()]);
        table.row(["long name".to_owned(), "12".to_owned()]);
        assert_eq!(
            table.text(),
            "name        n\na           1\nlong name  12\n"
        );
    }
}
