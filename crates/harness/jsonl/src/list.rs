//! Lists: records of rows of one type with nothing else to say. And streams, which have no header.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Error, Reader, Tail, bytes, line, lines, write_whole};

/// The first line of a list.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema: u32,
    rows: usize,
}

/// Reads a whole record: `parse` takes its header and its rows, and no line may be left.
///
/// # Errors
///
/// [`Error`] for a file that does not read, and what `parse` refuses.
pub fn record<T>(
    path: &Path,
    parse: impl FnOnce(&mut Reader<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    record_from_bytes(&bytes(path)?, path, parse)
}

/// Reads a whole record from memory, as [`record`] does; `path` only serves to name the culprit.
///
/// # Errors
///
/// [`Error`], and what `parse` refuses.
pub fn record_from_bytes<T>(
    bytes: &[u8],
    path: &Path,
    parse: impl FnOnce(&mut Reader<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut lines = Reader::new(path, bytes, Tail::Refuse)?;
    let whole = parse(&mut lines)?;
    lines.end()?;
    Ok(whole)
}

/// Reads a list: `{"schema":S,"rows":N}`, then N rows. `known` is the newest schema that is read.
///
/// # Errors
///
/// [`Error`] with line and field, for anything but a whole list of a schema that is known.
pub fn read_list<T: DeserializeOwned>(path: &Path, known: u32) -> Result<Vec<T>, Error> {
    record(path, |lines| {
        let header: Header = lines.header(known)?;
        lines.rows(header.rows, "rows", |_| Ok(()))
    })
}

/// Writes a list, whole or not at all.
///
/// # Errors
///
/// [`Error::Io`].
pub fn write_list<T: Serialize>(path: &Path, schema: u32, rows: &[T]) -> Result<(), Error> {
    let header = Header {
        schema,
        rows: rows.len(),
    };
    write_whole(path, line(&header) + &lines(rows))
}

/// Reads the lines that a command printed for other programs, which no header announces, each
/// with the number of its line. There is at least one.
///
/// # Errors
///
/// [`Error`] with line and field, also for a last line that is cut off.
pub fn stream<T: DeserializeOwned>(path: &Path) -> Result<Vec<(usize, T)>, Error> {
    record(path, |lines| {
        let mut all = Vec::new();
        while let Some((at, text)) = lines.take() {
            all.push((at.line, at.typed(at.object(text, None)?)?));
        }
        match all.is_empty() {
            true => Err(lines.at().refuse(".", "is empty")),
            false => Ok(all),
        }
    })
}
