//! A page as plain text: ASCII, no tabs, no line wider than the page, whatever goes in.

use textwrap::{Options, WordSplitter};

/// The text under construction.
#[derive(Debug)]
pub(super) struct Writer {
    text: String,
    width: usize,
}

impl Writer {
    /// A text of lines of at most so many columns.
    pub(super) fn new(width: usize) -> Self {
        let text = String::new();
        Self { text, width }
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A heading with a rule of its own length below it.
    pub(super) fn heading(&mut self, title: &str) {
        let title = ascii(title);
        self.gap();
        self.line(&title);
        self.line(&"=".repeat(title.len().min(self.width)));
    }

    /// A line as it stands. One that is too wide is broken between words.
    pub(super) fn line(&mut self, line: &str) {
        let line = ascii(line);
        if line.len() <= self.width {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
            return;
        }
        let indent = line.len() - line.trim_start().len();
        self.wrapped(&line, indent, indent + 4);
    }

    /// A paragraph, its first line indented by `first` and the others by `rest`.
    pub(super) fn wrapped(&mut self, text: &str, first: usize, rest: usize) {
        let words = ascii(text);
        let words: Vec<&str> = words.split_whitespace().collect();
        if words.is_empty() {
            return;
        }
        let [first, rest] = [first, rest].map(|indent| " ".repeat(indent.min(self.width / 2)));
        // A word that no line can hold is cut where the line ends, not where it has a hyphen.
        let options = Options::new(self.width)
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
    pub(super) fn command(&mut self, head: &str, words: &[String], rest: usize) {
        let whole = ascii(&format!("{head}{}", words.join(" ")));
        // Room for the backslash.
        let width = self.width - 2;
        let words = with_values(words);
        let is_held = |word: &String| {
            let pieces = pieces(&ascii(word), width - rest);
            pieces.iter().all(|piece| rest + piece.len() <= width)
        };
        if whole.len() <= self.width || !words.iter().all(is_held) {
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

    /// A name and its value: `  kernel    6.12.0`, the value wrapped under itself.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        const COLUMN: usize = 14;
        let mut body = Self::new(self.width);
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

    /// The text.
    pub(super) fn into_text(self) -> String {
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
