//! Reading a capture back, and refusing what is not one.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Capture, Header, MAX_EXTENTS, Run, SCHEMA};
use crate::{Extent, Kind, Order, PAGE_SHIFT, Pfn};

/// Frames have addresses of 64 bits.
const MAX_PFN: u64 = u64::MAX >> PAGE_SHIFT;

/// Why a text is not a capture: where, and what is wrong there.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{file}:{line}: {}{why}", field.map_or(String::new(), |field| format!("field `{field}`: ")))]
pub struct CaptureError {
    /// The file, or the name of the capture.
    pub file: String,
    /// The line, from 1; 0 if the file as a whole cannot be read.
    pub line: usize,
    /// The field, where one is at fault.
    pub field: Option<&'static str>,
    /// What is wrong.
    pub why: String,
}

impl Capture {
    /// Reads the capture in a file.
    ///
    /// # Errors
    /// [`CaptureError`], also if the file cannot be read.
    pub fn load(path: &Path) -> Result<Self, CaptureError> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&file, &text),
            Err(error) => Err(CaptureError {
                file,
                line: 0,
                field: None,
                why: error.to_string(),
            }),
        }
    }

    /// Reads a capture from its text; `file` is what errors call it.
    ///
    /// # Errors
    /// [`CaptureError`] if the text is corrupt, cut short, or of a newer schema.
    pub fn parse(file: &str, text: &str) -> Result<Self, CaptureError> {
        let mut lines = text.lines().enumerate().map(|(at, text)| Line {
            file,
            number: at + 1,
            text,
        });
        let first = lines.next().unwrap_or(Line {
            file,
            number: 1,
            text: "",
        });
        let (header, announced) = first.header()?;
        let mut runs: Vec<Run> = Vec::new();
        let (mut extents, mut pages) = (0_u64, 0_u64);
        let mut last = first;
        for line in lines {
            last = line;
            for run in line.runs()? {
                extents += run.count;
                pages += run.count * run.first.order.pages();
                if extents > MAX_EXTENTS {
                    let why = format!("more than {MAX_EXTENTS} allocations in all");
                    return Err(line.at("at", why));
                }
                runs.push(run);
            }
        }
        if runs.len() as u64 != announced {
            let why = format!(
                "the header announces {announced}, there are {}: cut short?",
                runs.len()
            );
            return Err(last.at("runs", why));
        }
        if pages != header.pages {
            return Err(last.at(
                "pages",
                format!("the header says {}, the runs hold {pages}", header.pages),
            ));
        }
        Ok(Self { header, runs })
    }
}

/// A line of the text, for errors to name.
#[derive(Clone, Copy)]
struct Line<'a> {
    file: &'a str,
    number: usize,
    text: &'a str,
}

/// The fields of a line that were not taken yet.
struct Fields<'a> {
    line: Line<'a>,
    left: Map<String, Value>,
}

impl<'a> Line<'a> {
    fn error(self, field: Option<&'static str>, why: impl Into<String>) -> CaptureError {
        CaptureError {
            file: self.file.to_owned(),
            line: self.number,
            field,
            why: why.into(),
        }
    }

    fn at(self, field: &'static str, why: impl Into<String>) -> CaptureError {
        self.error(Some(field), why)
    }

    fn fields(self) -> Result<Fields<'a>, CaptureError> {
        match serde_json::from_str(self.text) {
            Ok(left) => Ok(Fields { line: self, left }),
            Err(error) => Err(self.error(None, format!("not a JSON object: {error}"))),
        }
    }

    fn header(self) -> Result<(Header, u64), CaptureError> {
        let mut fields = self.fields()?;
        let schema = fields.number("schema")?;
        if schema > SCHEMA {
            return Err(self.at(
                "schema",
                format!("{schema} is newer than {SCHEMA}, the newest known"),
            ));
        }
        if schema != SCHEMA {
            return Err(self.at("schema", format!("{schema} is unknown")));
        }
        let header = Header {
            kernel: fields.text("kernel")?,
            date: fields.word("date")?,
            what: fields.text("what")?,
            backing: fields.word("backing")?,
            filesystem: match fields.take("filesystem")? {
                Value::Null => None,
                Value::String(name) => Some(name),
                other => return Err(self.at("filesystem", format!("{other} is not a text"))),
            },
            bytes: fields.number("bytes")?,
            pages: fields.number("pages")?,
            partial: fields.number("partial")?,
            skipped: fields.number("skipped")?,
        };
        let runs = fields.number("runs")?;
        fields.end()?;
        Ok((header, runs))
    }

    fn runs(self) -> Result<Vec<Run>, CaptureError> {
        let mut fields = self.fields()?;
        let order = Order::try_from(fields.number("order")?)
            .map_err(|error| self.at("order", error.to_string()))?;
        let kind: Kind = fields.word("kind")?;
        let Value::Array(at) = fields.take("at")? else {
            return Err(self.at("at", "not a list"));
        };
        fields.end()?;
        if at.is_empty() {
            return Err(self.at("at", "an empty list"));
        }
        at.iter().map(|item| self.run(order, kind, item)).collect()
    }

    fn run(self, order: Order, kind: Kind, item: &Value) -> Result<Run, CaptureError> {
        let bad = |why: &str| self.at("at", format!("{item} {why}"));
        let pair = item.as_array().map(Vec::as_slice);
        let (pfn, count) = match (item.as_u64(), pair) {
            (Some(pfn), _) => (Some(pfn), Some(1)),
            (None, Some([pfn, count])) => (pfn.as_u64(), count.as_i64()),
            _ => (None, None),
        };
        let (Some(pfn), Some(count)) = (pfn, count) else {
            return Err(bad("is neither a frame nor a frame and a count"));
        };
        let (count, descending) = (count.unsigned_abs(), count < 0);
        if count == 0 || count > MAX_EXTENTS {
            return Err(bad("counts none, or more than a capture holds"));
        }
        if !pfn.is_multiple_of(order.pages()) {
            return Err(bad(&format!("is not aligned to order {order}")));
        }
        // At most 2^24 times 2^18.
        let beyond_first = (count - 1) * order.pages();
        let (below, above) = if descending {
            (beyond_first, 0)
        } else {
            (0, beyond_first)
        };
        if pfn < below || pfn > MAX_PFN - order.pages() - above {
            return Err(bad("leaves the address space"));
        }
        Ok(Run {
            first: Extent::new(Pfn(pfn), order),
            kind,
            count,
            descending,
        })
    }
}

impl Fields<'_> {
    fn take(&mut self, name: &'static str) -> Result<Value, CaptureError> {
        self.left
            .remove(name)
            .ok_or_else(|| self.line.at(name, "missing"))
    }

    fn number(&mut self, name: &'static str) -> Result<u64, CaptureError> {
        let value = self.take(name)?;
        value
            .as_u64()
            .ok_or_else(|| self.line.at(name, format!("{value} is not a count")))
    }

    fn text(&mut self, name: &'static str) -> Result<String, CaptureError> {
        match self.take(name)? {
            Value::String(text) => Ok(text),
            other => Err(self.line.at(name, format!("{other} is not a text"))),
        }
    }

    fn word<T: std::str::FromStr>(&mut self, name: &'static str) -> Result<T, CaptureError>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.text(name)?;
        text.parse()
            .map_err(|error: T::Err| self.line.at(name, error.to_string()))
    }

    /// Nothing may be left: an unknown field is a typing error or a format not known here.
    fn end(self) -> Result<(), CaptureError> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => Err(self.line.error(None, format!("unknown field `{name}`"))),
        }
    }
}
