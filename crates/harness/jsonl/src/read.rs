//! Reading records: strict; at most a truncated last line is tolerated, where asked for.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use crate::Error;
use crate::strict::Strict;

/// Bytes beyond which a file is not read: no record comes near it.
pub const MAX_BYTES: u64 = 256 << 20;

/// Bytes beyond which a line is not read.
const MAX_LINE: usize = 16 << 20;

/// The treatment of a last line that has no newline, which a killed writer or a
/// full disk leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Refuse it, naming file and line. For finished runs and baselines.
    Refuse,
    /// Leave it out: its row counts as not measured yet. For resuming a run.
    Drop,
}

/// Reads a file whole. Refuses a file that is not regular (a pipe would never end) or that is
/// larger than [`MAX_BYTES`].
///
/// # Errors
///
/// [`Error::Io`].
pub fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let refuse = |reason: &str| Error::io(path, std::io::Error::other(reason));
    let metadata = fs::metadata(path).map_err(|source| Error::io(path, source))?;
    if !metadata.is_file() {
        return Err(refuse("not a regular file"));
    }
    if metadata.len() > MAX_BYTES {
        return Err(refuse("larger than any record"));
    }
    fs::read(path).map_err(|source| Error::io(path, source))
}

/// Reads a file that is one JSON object, over as many lines as it likes.
///
/// # Errors
///
/// [`Error::Io`], and what [`At::object`] and [`At::typed`] refuse.
pub fn document<T: DeserializeOwned>(path: &Path, known: Option<u32>) -> Result<T, Error> {
    let at = At { path, line: 1 };
    at.typed(at.object(&bytes(path)?, known)?)
}

/// The part of a file that consists of whole lines.
pub fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    &bytes[..end.map_or(0, |at| at + 1)]
}

/// A line of a file, for errors to name.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The file.
    pub path: &'a Path,
    /// The line, counted from 1.
    pub line: usize,
}

impl At<'_> {
    /// Refuses a field of the line; `.` is the line as a whole.
    pub fn refuse(self, field: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::Field {
            path: self.path.to_owned(),
            line: self.line,
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// Parses one JSON object with every key once and nothing after it. `known` is the
    /// newest schema that is read; without it the line need not name one. The schema is
    /// looked at before anything else, because a newer line may differ in any other field.
    ///
    /// # Errors
    ///
    /// [`Error::Field`], [`Error::Newer`].
    pub fn object(self, text: &[u8], known: Option<u32>) -> Result<Value, Error> {
        if text.len() > MAX_LINE {
            return Err(self.refuse(".", format!("longer than {MAX_LINE} bytes")));
        }
        let mut json = serde_json::Deserializer::from_slice(text);
        let parsed: Result<Strict, _> = serde_path_to_error::deserialize(&mut json);
        let value = match parsed {
            Ok(Strict(value)) => json.end().map(|()| value).map_err(|error| (None, error)),
            Err(error) => Err((Some(error.path().to_string()), error.into_inner())),
        };
        let value = value.map_err(|(field, error)| {
            // A document has lines of its own.
            let at = Self {
                line: self.line + error.line().saturating_sub(1),
                ..self
            };
            match field {
                Some(field) if error.classify() == Category::Data => {
                    at.refuse(field, error.to_string())
                }
                _ => at.refuse(
                    ".",
                    format!("no JSON at column {}: {error}", error.column()),
                ),
            }
        })?;
        if !value.is_object() {
            return Err(self.refuse(".", "is not a JSON object"));
        }
        let Some(known) = known else { return Ok(value) };
        match value.get("schema").map(Value::as_u64) {
            Some(Some(found)) if found > u64::from(known) => Err(Error::Newer {
                path: self.path.to_owned(),
                line: self.line,
                found,
                known,
            }),
            Some(Some(0)) => Err(self.refuse("schema", "version 0 never existed")),
            Some(Some(_)) => Ok(value),
            Some(None) => Err(self.refuse("schema", "is not a whole number")),
            None => Err(self.refuse("schema", "is missing")),
        }
    }

    /// Makes a value what it should be.
    ///
    /// # Errors
    ///
    /// [`Error::Field`].
    pub fn typed<T: DeserializeOwned>(self, value: Value) -> Result<T, Error> {
        serde_path_to_error::deserialize(value)
            .map_err(|error| self.refuse(error.path().to_string(), error.inner().to_string()))
    }
}

/// The lines of a record, one after the other.
#[derive(Debug)]
pub struct Reader<'a> {
    path: &'a Path,
    left: &'a [u8],
    /// Lines that were taken.
    taken: usize,
}

impl<'a> Reader<'a> {
    /// Begins with the first line; `path` only serves to name the culprit.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] for a cut-off last line under [`Tail::Refuse`].
    pub fn new(path: &'a Path, bytes: &'a [u8], tail: Tail) -> Result<Self, Error> {
        let left = whole_lines(bytes);
        if tail == Tail::Refuse && left.len() != bytes.len() {
            return Err(Error::Truncated {
                path: path.to_owned(),
                line: left.iter().filter(|byte| **byte == b'\n').count() + 1,
            });
        }
        Ok(Self {
            path,
            left,
            taken: 0,
        })
    }

    /// The line that was taken last.
    pub fn at(&self) -> At<'a> {
        At {
            path: self.path,
            line: self.taken.max(1),
        }
    }

    /// Takes the next line.
    pub fn take(&mut self) -> Option<(At<'a>, &'a [u8])> {
        let end = self.left.iter().position(|byte| *byte == b'\n')?;
        let text = &self.left[..end];
        self.left = &self.left[end + 1..];
        self.taken += 1;
        Some((self.at(), text))
    }

    /// Takes the first line, which names the schema.
    ///
    /// # Errors
    ///
    /// [`Error::Field`], also where there is none; [`Error::Newer`].
    pub fn header<H: DeserializeOwned>(&mut self, known: u32) -> Result<H, Error> {
        let (at, text) = self
            .take()
            .ok_or_else(|| self.at().refuse(".", "is empty: the header is missing"))?;
        at.typed(at.object(text, Some(known))?)
    }

    /// Takes as many rows as the header announces; `check` says which field of a row cannot
    /// be, and why.
    ///
    /// # Errors
    ///
    /// [`Error::Field`], also where rows are missing.
    pub fn rows<T: DeserializeOwned>(
        &mut self,
        count: usize,
        rows: &str,
        mut check: impl FnMut(&T) -> Result<(), (String, String)>,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while all.len() < count {
            let Some((at, text)) = self.take() else {
                let reason = format!("the record ends after {} of {count} {rows}", all.len());
                return Err(self.at().refuse(".", reason));
            };
            let row = at.typed(at.object(text, None)?)?;
            check(&row).map_err(|(field, reason)| at.refuse(field, reason))?;
            all.push(row);
        }
        Ok(all)
    }

    /// Makes sure that all was taken.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] for a row that the header did not announce.
    pub fn end(mut self) -> Result<(), Error> {
        self.take().map_or(Ok(()), |(at, _)| {
            Err(at.refuse(".", "one line more than the header announces"))
        })
    }
}
