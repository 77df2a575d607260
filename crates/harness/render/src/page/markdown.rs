//! A page as Markdown.

use crate::escape::escape;
use crate::table::Table;

/// The kind of the last block: items and fields go together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Nothing,
    Block,
    Item,
    Field,
}

/// The Markdown under construction.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
    last: Last,
}

impl Writer {
    pub(super) fn heading(&mut self, level: usize, title: &str) {
        self.block(&format!("{} {}\n", "#".repeat(level), escape(title)));
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        if !words.is_empty() {
            self.block(&(escape(&words.join(" ")) + "\n"));
        }
    }

    pub(super) fn warning(&mut self, text: &str) {
        self.block(&format!("> **Note:** {}\n", escape(text)));
    }

    pub(super) fn item(&mut self, text: &str) {
        if self.last == Last::Item {
            self.text += &format!("- {}\n", escape(text));
        } else {
            self.block(&format!("- {}\n", escape(text)));
            self.last = Last::Item;
        }
    }

    pub(super) fn field(&mut self, name: &str, value: &str) {
        if self.last != Last::Field {
            self.block("| what | value |\n|---|---|\n");
            self.last = Last::Field;
        }
        self.text += &format!("| {} | {} |\n", escape(name), escape(value));
    }

    pub(super) fn table(&mut self, table: &Table) {
        let text = table.escaped().markdown();
        if !text.is_empty() {
            self.block(&text);
        }
    }

    pub(super) fn commands(&mut self, commands: &[String]) {
        self.block(&format!("```sh\n{}\n```\n", commands.join("\n")));
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn block(&mut self, text: &str) {
        if self.last != Last::Nothing {
            self.text.push('\n');
        }
        self.text += text;
        self.last = Last::Block;
    }
}
