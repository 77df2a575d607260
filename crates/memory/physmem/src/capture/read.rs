//! Reading a capture back, and refusing what is not one.

use std::path::Path;

use jsonl::{At, Error, Reader, Tail};
use serde_json::{Map, Value};

use super::{Capture, Header, MAX_EXTENTS, Run, SCHEMA};
use crate::{Extent, Kind, Order, PAGE_SHIFT, Pfn};

/// Frames have addresses of 64 bits.
const MAX_PFN: u64 = u64::MAX >> PAGE_SHIFT;

impl Capture {
    /// Reads the capture in a file.
    ///
    /// # Errors
    /// [`jsonl::Error`], also if the file cannot be read.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::from_bytes(path, &jsonl::bytes(path)?)
    }

    /// Reads a capture from its text; `file` is its name in errors.
    ///
    /// # Errors
    /// [`jsonl::Error`] if the text is corrupt, cut short, or of a newer schema.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        Self::from_bytes(Path::new(file), text.as_bytes())
    }

    fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let mut lines = Reader::new(path, bytes, Tail::Refuse)?;
        let (at, first) = lines
            .take()
            .ok_or_else(|| lines.at().refuse(".", "is empty: the header is missing"))?;
        let (header, announced) = Line { at, text: first }.header()?;
        let mut runs: Vec<Run> = Vec::new();
        let (mut extents, mut pages) = (0_u64, 0_u64);
        while let Some((at, text)) = lines.take() {
            for run in (Line { at, text }).runs()? {
                extents += run.count;
                pages += run.count * run.first.order.pages();
                if extents > MAX_EXTENTS {
                    let why = format!("more than {MAX_EXTENTS} allocations in all");
                    return Err(at.refuse("at", why));
                }
                runs.push(run);
            }
        }
        if runs.len() as u64 != announced {
            let why = format!(
                "the header announces {announced}, there are {}: cut short?",
                runs.len()
            );
            return Err(lines.at().refuse("runs", why));
        }
        if pages != header.pages {
            return Err(lines.at().refuse(
                "pages",
                format!("the header says {}, the runs hold {pages}", header.pages),
            ));
        }
        Ok(Self { header, runs })
    }
}

/// A line of the text.
#[derive(Clone, Copy)]
struct Line<'a> {
    at: At<'a>,
    text: &'a [u8],
}

/// The fields of a line that were not taken yet.
struct Fields<'a> {
    at: At<'a>,
    left: Map<String, Value>,
}

impl<'a> Line<'a> {
    fn fields(self, known: Option<u32>) -> Result<Fields<'a>, Error> {
        let mut value = self.at.object(self.text, known)?;
        let left = value
            .as_object_mut()
            .map(std::mem::take)
            .unwrap_or_default();
        Ok(Fields { at: self.at, left })
    }

    fn header(self) -> Result<(Header, u64), Error> {
        let mut fields = self.fields(Some(SCHEMA))?;
        fields.number("schema")?;
        let header = Header {
            kernel: fields.text("kernel")?,
            date: fields.word("date")?,
            what: fields.text("what")?,
            backing: fields.word("backing")?,
            filesystem: match fields.take("filesystem")? {
                Value::Null => None,
                Value::String(name) => Some(name),
                other => {
                    return Err(self
                        .at
                        .refuse("filesystem", format!("{other} is not a text")));
                }
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

    fn runs(self) -> Result<Vec<Run>, Error> {
        let mut fields = self.fields(None)?;
        let order = Order::try_from(fields.number("order")?)
            .map_err(|error| self.at.refuse("order", error.to_string()))?;
        let kind: Kind = fields.word("kind")?;
        let Value::Array(at) = fields.take("at")? else {
            return Err(self.at.refuse("at", "not a list"));
        };
        fields.end()?;
        if at.is_empty() {
            return Err(self.at.refuse("at", "an empty list"));
        }
        at.iter().map(|item| self.run(order, kind, item)).collect()
    }

    fn run(self, order: Order, kind: Kind, item: &Value) -> Result<Run, Error> {
        let bad = |why: &str| self.at.refuse("at", format!("{item} {why}"));
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
    fn take(&mut self, name: &'static str) -> Result<Value, Error> {
        self.left
            .remove(name)
            .ok_or_else(|| self.at.refuse(name, "missing"))
    }

    fn number(&mut self, name: &'static str) -> Result<u64, Error> {
        let value = self.take(name)?;
        value
            .as_u64()
            .ok_or_else(|| self.at.refuse(name, format!("{value} is not a count")))
    }

    fn text(&mut self, name: &'static str) -> Result<String, Error> {
        match self.take(name)? {
            Value::String(text) => Ok(text),
            other => Err(self.at.refuse(name, format!("{other} is not a text"))),
        }
    }

    fn word<T: std::str::FromStr>(&mut self, name: &'static str) -> Result<T, Error>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.text(name)?;
        text.parse()
            .map_err(|error: T::Err| self.at.refuse(name, error.to_string()))
    }

    /// Nothing may be left: an unknown field is a typing error or a format not known here.
    fn end(self) -> Result<(), Error> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => Err(self.at.refuse(".", format!("unknown field `{name}`"))),
        }
    }
}
