//! Standard output: text or one JSON object a line; a closed pipe ends quietly.

use std::fmt::Display;
use std::io::{self, BufWriter, Write};

use render::{Page, Table};
use serde::Serialize;

use crate::failure::Failure;

/// The printer that every command writes to.
pub(crate) struct Output {
    to: BufWriter<io::Stdout>,
}

impl Output {
    pub(crate) fn stdout() -> Self {
        Self {
            to: BufWriter::new(io::stdout()),
        }
    }

    /// Prints text as it is.
    pub(crate) fn text(&mut self, text: impl Display) -> Result<(), Failure> {
        write!(self.to, "{text}").map_err(|error| Failure::printing(&error))
    }

    /// Prints a line.
    pub(crate) fn line(&mut self, line: impl Display) -> Result<(), Failure> {
        writeln!(self.to, "{line}").map_err(|error| Failure::printing(&error))
    }

    /// Prints a table, no wider than the terminal where it goes to one.
    pub(crate) fn table(&mut self, table: &Table) -> Result<(), Failure> {
        match terminal_width() {
            Some(width) => self.text(table.wrapped(width).text()),
            None => self.text(table.text()),
        }
    }

    /// Prints a page, as text or as Markdown.
    pub(crate) fn page(&mut self, page: &Page, markdown: bool) -> Result<(), Failure> {
        self.text(match markdown {
            true => page.markdown(),
            false => page.text(),
        })
    }

    /// Prints one object on a line of its own.
    pub(crate) fn json(&mut self, object: &impl Serialize) -> Result<(), Failure> {
        let text =
            serde_json::to_string(object).map_err(|error| Failure::printing(&error.into()))?;
        self.line(text)
    }

    /// Flushes the buffer.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        self.to.flush().map_err(|error| Failure::printing(&error))
    }
}

/// The width to wrap to: that of the terminal, or COLUMNS. What goes into a pipe or a file
/// keeps its lines whole, for grep, unless COLUMNS is set.
pub(crate) fn terminal_width() -> Option<usize> {
    let given = std::env::var("COLUMNS").ok();
    let given = given.and_then(|columns| columns.parse().ok());
    let seen = || console::Term::stdout().size_checked();
    given.or_else(|| seen().map(|(_, columns)| usize::from(columns)))
}
