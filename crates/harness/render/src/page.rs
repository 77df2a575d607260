//! The one page: headings, paragraphs, lists, tables, as lines of a mail or as Markdown.

mod markdown;
mod text;

use crate::table::{Bands, Table};

/// Columns of a line that survives quoting on a mailing list.
pub(crate) const WIDTH: usize = 72;

/// A page under construction, read as [text](Page::text) or as [Markdown](Page::markdown).
#[derive(Debug, Clone)]
pub struct Page {
    /// Columns of a line of text.
    width: usize,
    blocks: Vec<Block>,
}

impl Default for Page {
    fn default() -> Self {
        let (width, blocks) = (WIDTH, Vec::new());
        Self { width, blocks }
    }
}

#[derive(Debug, Clone)]
enum Block {
    Gap,
    Heading(String),
    Caption(String),
    Line(String),
    Wrapped {
        text: String,
        first: usize,
        rest: usize,
    },
    Warning(String),
    Item(String),
    Field(String, String),
    Table {
        text: Box<Table>,
        markdown: Box<Table>,
    },
    Command {
        head: String,
        words: Vec<String>,
        rest: usize,
    },
    Commands(Vec<String>),
}

impl Page {
    /// A page for a terminal, whose lines are as long as they are.
    pub(crate) fn of_any_width() -> Self {
        let (width, blocks) = (usize::MAX, Vec::new());
        Self { width, blocks }
    }

    /// An empty line. Markdown has one between any two blocks.
    pub(crate) fn gap(&mut self) {
        self.blocks.push(Block::Gap);
    }

    /// A heading with a rule of its own length below it.
    pub(crate) fn heading(&mut self, title: &str) {
        self.blocks.push(Block::Heading(title.to_owned()));
    }

    /// A line above a table, which Markdown has as a heading of the third level.
    pub(crate) fn caption(&mut self, title: &str) {
        self.blocks.push(Block::Caption(title.to_owned()));
    }

    /// A line as it stands. One that is too wide is broken between words.
    pub(crate) fn line(&mut self, line: &str) {
        self.blocks.push(Block::Line(line.to_owned()));
    }

    /// A paragraph, its first line indented by `first` and the others by `rest`. One that begins
    /// indented is an item of a list in Markdown.
    pub(crate) fn wrapped(&mut self, text: &str, first: usize, rest: usize) {
        let text = text.to_owned();
        self.blocks.push(Block::Wrapped { text, first, rest });
    }

    /// A warning that a reader needs before any number.
    pub(crate) fn warning(&mut self, text: &str) {
        self.blocks.push(Block::Warning(text.to_owned()));
    }

    /// A paragraph as an item of a list.
    pub(crate) fn item(&mut self, text: &str) {
        self.blocks.push(Block::Item(text.to_owned()));
    }

    /// A name and its value: `  kernel    6.12.0`, the value wrapped under itself.
    pub(crate) fn field(&mut self, name: &str, value: &str) {
        let block = Block::Field(name.to_owned(), value.to_owned());
        self.blocks.push(block);
    }

    /// A table.
    pub(crate) fn table(&mut self, table: &Table) {
        self.blocks.push(Block::Table {
            text: Box::new(table.clone()),
            markdown: Box::new(table.clone()),
        });
    }

    /// A table of many columns, which text has in bands.
    pub(crate) fn bands(&mut self, bands: &Bands) {
        self.blocks.push(Block::Table {
            text: Box::new(bands.stacked()),
            markdown: Box::new(bands.wide()),
        });
    }

    /// A command that can be copied: broken between its words by backslashes, and a list after an
    /// option (`--kernels=a,b`) by giving the option again.
    pub(crate) fn command(&mut self, head: &str, words: &[String], rest: usize) {
        self.blocks.push(Block::Command {
            head: head.to_owned(),
            words: words.to_vec(),
            rest,
        });
    }

    /// Commands, a line each.
    pub(crate) fn commands(&mut self, commands: Vec<String>) {
        self.blocks.push(Block::Commands(commands));
    }

    /// The page as plain text: ASCII, no tabs; no line of a mail is wider than 72 columns.
    #[must_use]
    pub fn text(&self) -> String {
        let mut writer = text::Writer::new(self.width);
        for block in &self.blocks {
            match block {
                Block::Gap => writer.gap(),
                Block::Heading(title) => writer.heading(title),
                Block::Caption(line) | Block::Line(line) => writer.line(line),
                Block::Wrapped { text, first, rest } => writer.wrapped(text, *first, *rest),
                Block::Warning(text) => {
                    writer.gap();
                    writer.wrapped(&format!("NOTE: {text}"), 0, 2);
                }
                Block::Item(text) => writer.wrapped(&format!("- {text}"), 2, 4),
                Block::Field(name, value) => writer.field(name, value),
                Block::Table { text, .. } => {
                    text.text().lines().for_each(|line| writer.line(line));
                }
                Block::Command { head, words, rest } => writer.command(head, words, *rest),
                Block::Commands(commands) => {
                    for command in commands {
                        writer.wrapped(command, 2, 6);
                    }
                }
            }
        }
        writer.into_text()
    }

    /// The page as Markdown, for pull requests and documents.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut writer = markdown::Writer::default();
        for block in &self.blocks {
            match block {
                Block::Gap => {}
                Block::Heading(title) => writer.heading(2, title),
                Block::Caption(title) => writer.heading(3, title),
                Block::Line(text) => writer.paragraph(text),
                Block::Wrapped { text, first: 0, .. } => writer.paragraph(text),
                Block::Wrapped { text, .. } | Block::Item(text) => writer.item(text),
                Block::Warning(text) => writer.warning(text),
                Block::Field(name, value) => writer.field(name, value),
                Block::Table { markdown, .. } => writer.table(markdown),
                Block::Command { head, words, .. } => {
                    writer.paragraph(head);
                    writer.commands(&[words.join(" ")]);
                }
                Block::Commands(commands) => writer.commands(commands),
            }
        }
        writer.into_text()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_gets_past_72_columns(texts in prop::collection::vec((".{0,200}", "\\PC{0,90}", 0..80usize), 0..6)) {
            let mut page = Page::default();
            for (text, name, indent) in texts {
                page.heading(&name);
                page.line(&text);
                page.line(&format!("   {name}"));
                page.wrapped(&text, indent, indent);
                page.field(&name, &text);
                page.item(&text);
            }
            for line in page.text().lines() {
                prop_assert!(line.len() <= WIDTH && line.is_ascii(), "{}", line);
                prop_assert!(!line.contains('\t') && line.trim_end() == line, "{:?}", line);
            }
        }
    }

    #[test]
    fn words_are_kept_whole_where_they_fit() {
        let mut page = Page::default();
        page.wrapped(&"abcdefg ".repeat(12), 2, 4);
        let text = page.text();
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words, ["abcdefg"; 12]);
        assert!(
            text.lines()
                .nth(1)
                .is_some_and(|line| line.starts_with("    abc")),
            "{text}"
        );
    }

    #[test]
    fn a_command_can_be_copied_from_its_lines() {
        let kernels: Vec<String> = (0..9).map(|n| format!("linux-6.{n}+headpage")).collect();
        let words = [
            "cargo".to_owned(),
            "folioscope".to_owned(),
            "compare".to_owned(),
            format!("--kernels={}", kernels.join(",")),
            "--budget".to_owned(),
            "400".to_owned(),
        ];
        let mut page = Page::default();
        page.command("Again: ", &words, 2);
        let text = page.text();
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        let (last, others) = text
            .lines()
            .collect::<Vec<_>>()
            .split_last()
            .map(|(a, b)| (*a, b.to_vec()))
            .unwrap();
        assert!(!last.ends_with('\\') && others.iter().all(|line| line.ends_with(" \\")));
        let joined = text.replace("\\\n", " ");
        let named: Vec<&str> = joined
            .split_whitespace()
            .filter_map(|word| word.strip_prefix("--kernels="))
            .flat_map(|list| list.split(','))
            .collect();
        assert_eq!(named, kernels, "every kernel once, in order");
    }

    #[test]
    fn a_field_wraps_under_its_value() {
        let mut page = Page::default();
        page.field("kernel", &"long ".repeat(20));
        let text = page.text();
        assert!(text.starts_with("  kernel      long long"), "{text}");
        assert!(
            text.lines()
                .nth(1)
                .is_some_and(|l| l.starts_with("              long")),
            "{text}"
        );
    }

    #[test]
    fn one_page_reads_as_text_and_as_markdown() {
        let mut page = Page::default();
        page.heading("In short");
        page.warning("slow | unsteady");
        page.item("flat: slower");
        page.item("folio: `faster`");
        page.field("kernel", "6.12");
        page.field("CPU", "a_b");
        page.gap();
        page.caption("merging/add: ns");
        let mut table = Table::plain(2, &[4, 3]).right([1]).named(["design", "n"]);
        table.row(["flat", "<1"]);
        table.note("  2 of it in `add`");
        page.table(&table);
        page.wrapped("That is all.", 0, 2);
        page.commands(vec!["cargo compare".to_owned()]);
        assert_eq!(
            page.text(),
            "\nIn short\n========\n\nNOTE: slow | unsteady\n  - flat: slower\n  - folio: `faster`\n  \
             kernel      6.12\n  CPU         a_b\n\nmerging/add: ns\n  flat  <1\n  2 of it in `add`\n\
             That is all.\n  cargo compare\n"
        );
        assert_eq!(
            page.markdown(),
            "## In short\n\n> **Note:** slow \\| unsteady\n\n- flat: slower\n- folio: \\`faster\\`\n\n\
             | what | value |\n|---|---|\n| kernel | 6.12 |\n| CPU | a\\_b |\n\n### merging/add: ns\n\n\
             | design | n |\n|---|---:|\n| flat<br>2 of it in \\`add\\` | &lt;1 |\n\nThat is all.\n\n\
             ```sh\ncargo compare\n```\n"
        );
    }
}
