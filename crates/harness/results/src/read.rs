//! Reading a run: its rows and its environment.

use std::collections::HashMap;
use std::path::Path;

use jsonl::{At, Reader, Tail};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::check::check;
use crate::renamed::name_today;
use crate::{Environment, Identity, RecordError, Row, SCHEMA_VERSION};

/// Reads `samples.jsonl`.
///
/// # Errors
///
/// Those of [`rows_from_bytes`], and a file that cannot be read.
pub fn read_rows(path: &Path, tail: Tail) -> Result<Vec<Row>, RecordError> {
    rows_from_bytes(&jsonl::bytes(path)?, path, tail)
}

/// Reads rows from memory; `path` only serves to name the culprit.
///
/// # Errors
///
/// [`RecordError::Field`] for a line that is not a row of this schema,
/// [`RecordError::Newer`] for a newer one, [`RecordError::Truncated`] for a cut-off last
/// line under [`Tail::Refuse`], [`RecordError::Duplicate`] for a second row of one
/// identity.
pub fn rows_from_bytes(bytes: &[u8], path: &Path, tail: Tail) -> Result<Vec<Row>, RecordError> {
    let mut rows = Vec::new();
    let mut seen: HashMap<Identity, usize> = HashMap::new();
    let mut lines = Reader::new(path, bytes, tail)?;
    while let Some((at, text)) = lines.take() {
        let row = parse_row(at, text)?;
        let identity = row.identity();
        if let Some(first) = seen.get(&identity) {
            return Err(RecordError::Duplicate {
                path: path.to_owned(),
                line: at.line,
                first: *first,
                identity: identity.to_string(),
            });
        }
        seen.insert(identity, at.line);
        rows.push(row);
    }
    Ok(rows)
}

/// Reads `env.json`.
///
/// # Errors
///
/// [`RecordError::Field`], [`RecordError::Newer`] or [`RecordError::Io`].
pub fn read_environment(path: &Path) -> Result<Environment, RecordError> {
    jsonl::document(path, Some(SCHEMA_VERSION))
}

fn parse_row(at: At<'_>, text: &[u8]) -> Result<Row, RecordError> {
    let mut json = at.object(text, Some(SCHEMA_VERSION))?;
    // By hand, since serde would lose the names of the fields after the tag.
    let tag = json
        .as_object_mut()
        .and_then(|object| object.remove("type"));
    let mut row = match tag.as_ref().and_then(Json::as_str) {
        Some("sample") => Row::Sample(at.typed(json)?),
        Some("value") => Row::Value(at.typed(json)?),
        Some(other) => {
            let reason = format!("`{other}` is neither `sample` nor `value`");
            return Err(at.refuse("type", reason));
        }
        None => return Err(at.refuse("type", "is missing or not a string")),
    };
    match &mut row {
        Row::Sample(sample) => name_today(sample.schema, &mut sample.design),
        Row::Value(value) => name_today(value.schema, &mut value.design),
    }
    check(&row).map_err(|(field, reason)| at.refuse(field, reason))?;
    Ok(row)
}

/// Reads a list: a header line that announces rows of one type, and the rows.
///
/// # Errors
///
/// [`RecordError`] with line and field.
pub fn read_list<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, RecordError> {
    jsonl::read_list(path, SCHEMA_VERSION)
}
