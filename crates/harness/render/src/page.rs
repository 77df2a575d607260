//! Lines of a mail: ASCII, no tabs, never wider than 72 columns, whatever goes in.

use textwrap::{Options, WordSplitter};

use crate::table::Table;

/// Columns of a line that survives quoting on a mailing list.
pub(crate) const WIDTH: usize = 72;

/// A text under construction.
#[derive(Debug, Default)]
pub(crate) struct Page {
    text: String,
}

impl Page {
    /// An empty line.
    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A heading with a rule of its own length below it.
    pub fn heading(&mut self, title: &str) {
        let title = ascii(title);
        self.gap();
        self.line(&title);
        self.line(&"=".repeat(title.len().min(WIDTH)));
    }

    /// A line as it stands. One that is too wide is broken between words.
    pub fn line(&mut self, line: &str) {
        let line = ascii(line);
        if line.len() <= WIDTH {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
            return;
        }
        let indent = line.len() - line.trim_start().len();
        self.wrapped(&line, indent, indent + 4);
    }

    /// A paragraph, its first line indented by `first` and the others by `rest`.
    pub fn wrapped(&mut self, text: &str, first: usize, rest: usize) {
        let words = ascii(text);
        let words: Vec<&str> = words.split_whitespace().collect();
        if words.is_empty() {
            return;
        }
        let [first, rest] = [first, rest].map(|indent| " ".repeat(indent.min(WIDTH / 2)));
        // A word that no line can hold is cut where the line ends, not where it has a hyphen.
        let options = Options::new(WIDTH)
            .initial_indent(&first)
            .subsequent_indent(&rest)
            .word_splitter(WordSplitter::NoHyphenation);
        for line in textwrap::wrap(&words.join(" "), options) {
            self.text += &line;
            self.text.push('\n');
        }
    }

    /// A command that can be copied: broken between its words by backslashes, and a list after an
    /// option (`--kernels=a,b`) by giving the option again.
    pub fn command(&mut self, head: &str, words: &[String], rest: usize) {
        let whole = ascii(&format!("{head}{}", words.join(" ")));
        // Room for the backslash.
        let width = WIDTH - 2;
        let words = with_values(words);
        let is_held = |word: &String| {
            let pieces = pieces(&ascii(word), width - rest);
            pieces.iter().all(|piece| rest + piece.len() <= width)
        };
        if whole.len() <= WIDTH || !words.iter().all(is_held) {
            return self.wrapped(&whole, 0, rest);
        }
        let indent = " ".repeat(rest);
        let mut lines: Vec<String> = Vec::new();
        let mut line = ascii(head);
        for word in &words {
            for piece in pieces(&ascii(word), width - rest) {
                if line.len() + piece.len() > width && !line.trim().is_empty() {
                    lines.push(line.trim_end().to_owned());
                    line.clone_from(&indent);
                }
                line += &piece;
                line.push(' ');
            }
        }
        lines.push(line.trim_end().to_owned());
        self.text += &lines.join(" \\\n");
        self.text.push('\n');
    }

    /// A table, line by line.
    pub fn table(&mut self, table: &Table) {
        table.text().lines().for_each(|line| self.line(line));
    }

    /// A name and its value: `  kernel    6.12.0`, the value wrapped under itself.
    pub fn field(&mut self, name: &str, value: &str) {
        const COLUMN: usize = 14;
        let mut body = Self::default();
        body.wrapped(value, COLUMN, COLUMN);
        let name = ascii(name);
        let head = format!("  {name:<width$}", width = COLUMN - 2);
        match body.text.get(COLUMN..) {
            Some(rest) if head.len() == COLUMN => {
                self.text.push_str(&head);
                self.text.push_str(rest);
            }
            Some(_) => {
                self.line(&head);
                self.text.push_str(&body.text);
            }
            None => self.line(&head),
        }
    }

    /// A paragraph as an item of a list.
    pub fn item(&mut self, text: &str) {
        self.wrapped(&format!("- {text}"), 2, 4);
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// The words with each option and its value as one: `--budget 400`.
fn with_values(words: &[String]) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for word in words {
        match joined.last_mut() {
            Some(last)
                if last.starts_with("--")
                    && !last.contains([' ', '='])
                    && !word.starts_with('-') =>
            {
                last.push(' ');
                last.push_str(word);
            }
            _ => joined.push(word.clone()),
        }
    }
    joined
}

/// An argument in pieces that a line holds, where it is an option with a list.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let Some((option, list)) = word.split_once('=').filter(|_| word.len() > width) else {
        return vec![word.to_owned()];
    };
    let mut pieces: Vec<String> = Vec::new();
    for item in list.split(',') {
        match pieces.last_mut() {
            Some(last) if last.len() + 1 + item.len() <= width => {
                last.push(',');
                last.push_str(item);
            }
            _ => pieces.push(format!("{option}={item}")),
        }
    }
    pieces
}

/// ASCII for what our own words and the environment's may hold.
fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '±' => plain.push_str("+-"),
            '–' | '—' | '−' => plain.push('-'),
            '×' => plain.push('x'),
            '…' => plain.push_str("..."),
            '→' => plain.push_str("->"),
            '≤' => plain.push_str("<="),
            '≥' => plain.push_str(">="),
            '‘' | '’' => plain.push('\''),
            '“' | '”' => plain.push('"'),
            'µ' | 'μ' => plain.push('u'),
            '\n' | '\t' => plain.push(' '),
            c if c.is_ascii() && !c.is_ascii_control() => plain.push(c),
            _ => plain.push('?'),
        }
    }
    plain
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
            for line in page.into_text().lines() {
                prop_assert!(line.len() <= WIDTH && line.is_ascii(), "{}", line);
                prop_assert!(!line.contains('\t') && line.trim_end() == line, "{:?}", line);
            }
        }
    }

    #[test]
    fn words_are_kept_whole_where_they_fit() {
        let mut page = Page::default();
        page.wrapped(&"abcdefg ".repeat(12), 2, 4);
        let text = page.into_text();
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
        let text = page.into_text();
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
        let text = page.into_text();
        assert!(text.starts_with("  kernel      long long"), "{text}");
        assert!(
            text.lines()
                .nth(1)
                .is_some_and(|l| l.starts_with("              long")),
            "{text}"
        );
    }
}
