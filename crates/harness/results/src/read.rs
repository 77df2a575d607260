//! Reading records: strict by default, with one tolerated wound, a cut-off last line.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::check::check;
use crate::{Environment, Identity, RecordError, Row, SCHEMA_VERSION};

/// What to do with a last line that has no newline, which is what a killed writer or a
/// full disk leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Refuse it, naming file and line. For finished runs and baselines.
    Refuse,
    /// Leave it out: its row counts as not measured yet. For resuming a run.
    Drop,
}

/// Reads `samples.jsonl`.
///
/// # Errors
///
/// Whatever [`rows_from_bytes`] refuses, and what the system refuses to read.
pub fn read_rows(path: &Path, tail: Tail) -> Result<Vec<Row>, RecordError> {
    let bytes = fs::read(path).map_err(|source| io(path, source))?;
    rows_from_bytes(&bytes, path, tail)
}

/// Reads rows from memory; `path` only serves to name the culprit.
///
/// # Errors
///
/// [`RecordError::Field`] for a line that is no row of this schema,
/// [`RecordError::Newer`] for a newer one, [`RecordError::Truncated`] for a cut-off last
/// line under [`Tail::Refuse`], [`RecordError::Duplicate`] for a second row of one
/// identity.
pub fn rows_from_bytes(bytes: &[u8], path: &Path, tail: Tail) -> Result<Vec<Row>, RecordError> {
    let mut rows = Vec::new();
    let mut seen: HashMap<Identity, usize> = HashMap::new();
    let whole = whole_lines(bytes);
    for (index, text) in whole.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let line = index + 1;
        let row = parse_row(&text[..text.len() - 1], path, line)?;
        let identity = row.identity();
        if let Some(first) = seen.insert(identity.clone(), line) {
            let identity = Box::new(identity);
            return Err(RecordError::Duplicate {
                path: path.to_owned(),
                line,
                first,
                identity,
            });
        }
        rows.push(row);
    }
    if tail == Tail::Refuse && whole.len() != bytes.len() {
        return Err(RecordError::Truncated {
            path: path.to_owned(),
            line: rows.len() + 1,
        });
    }
    Ok(rows)
}

/// The part of a file that consists of whole lines.
pub(crate) fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    &bytes[..end]
}

/// Reads `env.json`.
///
/// # Errors
///
/// [`RecordError::Field`], [`RecordError::Newer`] or [`RecordError::Io`].
pub fn read_environment(path: &Path) -> Result<Environment, RecordError> {
    let bytes = fs::read(path).map_err(|source| io(path, source))?;
    let json: Json = serde_json::from_slice(&bytes).map_err(|error| RecordError::Field {
        path: path.to_owned(),
        line: error.line(),
        field: ".".to_owned(),
        reason: not_json(&error),
    })?;
    check_schema(&json, path, 1)?;
    let environment: Environment = typed(json, path, 1)?;
    Ok(environment)
}

fn parse_row(text: &[u8], path: &Path, line: usize) -> Result<Row, RecordError> {
    let refuse = |field: &str, reason: String| RecordError::Field {
        path: path.to_owned(),
        line,
        field: field.to_owned(),
        reason,
    };
    let mut json: Json =
        serde_json::from_slice(text).map_err(|error| refuse(".", not_json(&error)))?;
    check_schema(&json, path, line)?;
    let tag = json
        .as_object_mut()
        .and_then(|object| object.remove("type"));
    let row = match tag.as_ref().and_then(Json::as_str) {
        Some("sample") => Row::Sample(typed(json, path, line)?),
        Some("value") => Row::Value(typed(json, path, line)?),
        Some(other) => {
            return Err(refuse(
                "type",
                format!("`{other}` is neither `sample` nor `value`"),
            ));
        }
        None => return Err(refuse("type", "is missing or no string".to_owned())),
    };
    check(&row).map_err(|(field, reason)| refuse(&field, reason))?;
    Ok(row)
}

/// The version is looked at before anything else, because a newer line may lack or
/// change any other field.
pub(crate) fn check_schema(json: &Json, path: &Path, line: usize) -> Result<(), RecordError> {
    let refuse = |field: &str, reason: String| RecordError::Field {
        path: path.to_owned(),
        line,
        field: field.to_owned(),
        reason,
    };
    let Some(object) = json.as_object() else {
        return Err(refuse(".", "is no JSON object".to_owned()));
    };
    match object.get("schema").map(Json::as_u64) {
        Some(Some(found)) if found > u64::from(SCHEMA_VERSION) => Err(RecordError::Newer {
            path: path.to_owned(),
            line,
            found,
        }),
        Some(Some(found)) if found == u64::from(SCHEMA_VERSION) => Ok(()),
        Some(Some(found)) => Err(refuse("schema", format!("version {found} never existed"))),
        Some(None) => Err(refuse("schema", "is no whole number".to_owned())),
        None => Err(refuse("schema", "is missing".to_owned())),
    }
}

fn typed<T: DeserializeOwned>(json: Json, path: &Path, line: usize) -> Result<T, RecordError> {
    serde_path_to_error::deserialize(json).map_err(|error| RecordError::Field {
        path: path.to_owned(),
        line,
        field: error.path().to_string(),
        reason: error.inner().to_string(),
    })
}

fn not_json(error: &serde_json::Error) -> String {
    format!("no JSON at column {}: {error}", error.column())
}

pub(crate) fn io(path: &Path, source: std::io::Error) -> RecordError {
    RecordError::Io {
        path: path.to_owned(),
        source,
    }
}
