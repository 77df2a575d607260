//! A table of many columns: side by side in Markdown, in bands below each other in text.

use super::Table;

/// Columns of a band.
const BAND: usize = 7;
/// Characters of a column.
pub(crate) const COLUMN: usize = 10;
/// Where what stands beside a label begins.
pub(crate) const ASIDE: usize = 40;

/// A table whose rows have a label, cells of one line or more, and in text something beside the
/// label.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bands {
    label: String,
    headings: Vec<Vec<String>>,
    /// Above everything that stands beside a label.
    scale: String,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    label: String,
    aside: String,
    /// By column, then by line.
    cells: Vec<Vec<String>>,
}

impl Bands {
    /// A table with this heading of its labels and these of its columns, each of lines.
    pub(crate) fn new(label: &str, headings: impl IntoIterator<Item = Vec<String>>) -> Self {
        Self {
            label: label.to_owned(),
            headings: headings.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The same with a line of text above what stands beside labels.
    pub(crate) fn scale(self, scale: &str) -> Self {
        let scale = scale.to_owned();
        Self { scale, ..self }
    }

    /// Adds a row: its label, what stands beside that in text, and the lines of its cells.
    pub(crate) fn row(
        &mut self,
        label: &str,
        aside: &str,
        cells: impl IntoIterator<Item = Vec<String>>,
    ) {
        self.rows.push(Row {
            label: label.to_owned(),
            aside: aside.to_owned(),
            cells: cells.into_iter().collect(),
        });
    }

    /// The table of text. Bands of cells of one line each stand one after the other; where cells
    /// have more, all bands of a row stand below its label.
    pub(crate) fn stacked(&self) -> Table {
        let mut table = Table::plain(3, &[COLUMN - 1; BAND]).right(0..BAND);
        if !self.scale.is_empty() {
            table.note(format!("{:ASIDE$}{}", "", self.scale));
        }
        let bands: Vec<usize> = (0..self.headings.len()).step_by(BAND).collect();
        let is_flat = |row: &Row| row.cells.iter().all(|lines| lines.len() < 2);
        if self.rows.iter().all(is_flat) {
            for &from in &bands {
                lines(&mut table, &self.headings, from);
                for row in &self.rows {
                    labelled(&mut table, row);
                    lines(&mut table, &row.cells, from);
                }
            }
            return table;
        }
        if let [only] = bands[..] {
            lines(&mut table, &self.headings, only);
        }
        for row in &self.rows {
            labelled(&mut table, row);
            for &from in &bands {
                if bands.len() > 1 && !is_flat(row) {
                    lines(&mut table, &self.headings, from);
                }
                lines(&mut table, &row.cells, from);
            }
        }
        table
    }

    /// The table of Markdown: all columns side by side.
    pub(crate) fn wide(&self) -> Table {
        let cell = |lines: &Vec<String>| {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            lines.join("\n").trim().to_owned()
        };
        let headings = self.headings.iter().map(cell);
        let mut table = Table::new([self.label.clone()].into_iter().chain(headings))
            .right(1..=self.headings.len());
        for row in &self.rows {
            table.row(
                [row.label.clone()]
                    .into_iter()
                    .chain(row.cells.iter().map(cell)),
            );
        }
        table
    }
}

/// A label with what stands beside it, on two lines where they do not fit on one.
fn labelled(table: &mut Table, row: &Row) {
    let (label, aside) = (&row.label, &row.aside);
    if aside.is_empty() {
        table.note(format!("  {label}"));
    } else if label.len() + 3 <= ASIDE {
        table.note(format!("  {label:<width$}{aside}", width = ASIDE - 2));
    } else {
        table.note(format!("  {label}"));
        table.note(format!("{:ASIDE$}{aside}", ""));
    }
}

/// The lines of the columns of a band; none where all are empty.
fn lines(table: &mut Table, columns: &[Vec<String>], from: usize) {
    let band: Vec<&Vec<String>> = columns.iter().skip(from).take(BAND).collect();
    let most = band.iter().map(|lines| lines.len()).max().unwrap_or(0);
    for line in 0..most {
        table.row(
            band.iter()
                .map(|lines| lines.get(line).map_or("", |cell| cell)),
        );
    }
}
