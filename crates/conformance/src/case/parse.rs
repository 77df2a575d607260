//! Reading case files line by line: a bad line is reported, the others still run.

use std::io::BufRead;

use mm::KernelVersion;
use serde::de::DeserializeOwned;

use super::Case;
use crate::ledger::{self, LedgerCase};

/// Why a line of a case file is not a case.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {}{reason}", field.as_deref().map(|f| format!("field `{f}`: ")).unwrap_or_default())]
pub struct CaseError {
    /// The line's number, from 1.
    pub line: usize,
    /// The field at fault as a path (`adds[3].len`), where one can be named.
    pub field: Option<String>,
    /// The fault.
    pub reason: String,
}

/// The cases of a file with their line numbers, from 1. Blank lines are skipped.
///
/// The file's name is the caller's to add. After an error of the reader itself there are no
/// more items.
pub fn parse_lines<R: BufRead>(
    reader: R,
) -> impl Iterator<Item = (usize, Result<Case, CaseError>)> {
    lines(reader, parse)
}

fn lines<R: BufRead, T>(
    mut reader: R,
    parse: impl Fn(usize, &[u8]) -> Result<T, CaseError>,
) -> impl Iterator<Item = (usize, Result<T, CaseError>)> {
    let mut line = 0;
    let mut failed = false;
    let mut bytes = Vec::new();
    std::iter::from_fn(move || {
        while !failed {
            bytes.clear();
            line += 1;
            match reader.read_until(b'\n', &mut bytes) {
                Ok(0) => return None,
                Ok(_) if bytes.trim_ascii().is_empty() => {}
                Ok(_) => return Some((line, parse(line, &bytes))),
                Err(error) => {
                    failed = true;
                    return Some((
                        line,
                        Err(CaseError {
                            line,
                            field: None,
                            reason: error.to_string(),
                        }),
                    ));
                }
            }
        }
        None
    })
}

/// A line of a case file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CaseLine {
    /// A case of block IO: the pieces added to bios, and their limits.
    Bio(Case),
    /// A case of accounting and lists: a line with `steps`. Kernels differ only in the largest
    /// order that it may ask for, so it names no rules; 6.12's apply.
    Ledger(LedgerCase),
}

/// The cases of both sorts of a file with their line numbers, as [`parse_lines`] has them. `rules`
/// are those of a case of block IO that names none.
pub fn parse_all_lines<R: BufRead>(
    reader: R,
    rules: Option<KernelVersion>,
) -> impl Iterator<Item = (usize, Result<CaseLine, CaseError>)> {
    lines(reader, move |line, bytes| {
        let json: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
        let has = |field| json.as_ref().is_some_and(|json| json.get(field).is_some());
        if has("steps") {
            return parse_ledger(line, bytes).map(CaseLine::Ledger);
        }
        match (rules, json.as_ref().and_then(|json| json.as_object())) {
            (Some(rules), Some(_)) if !has("rules") => parse_under(line, bytes, rules),
            _ => parse(line, bytes),
        }
        .map(CaseLine::Bio)
    })
}

/// A case that names no rules, under these.
fn parse_under(line: usize, bytes: &[u8], rules: KernelVersion) -> Result<Case, CaseError> {
    // An object may have fields in any order: the last place shifts no column of an error.
    let fields = bytes.trim_ascii_end();
    let fields = fields.strip_suffix(b"}").unwrap_or(fields);
    let comma = if fields.trim_ascii() == b"{" { "" } else { "," };
    let rules = format!("{comma}\"rules\":\"{rules}\"}}");
    parse(line, &[fields, rules.as_bytes()].concat())
}

fn parse_ledger(line: usize, bytes: &[u8]) -> Result<LedgerCase, CaseError> {
    let case: LedgerCase = read(line, bytes)?;
    case.check(ledger::FILE_RULES).map_err(|reason| CaseError {
        line,
        field: None,
        reason,
    })?;
    Ok(case)
}

fn parse(line: usize, bytes: &[u8]) -> Result<Case, CaseError> {
    let case: Case = read(line, bytes)?;
    case.check().map_err(|no| CaseError {
        line,
        field: Some(no.field),
        reason: no.reason,
    })?;
    Ok(case)
}

/// One value, and nothing after it.
fn read<T: DeserializeOwned>(line: usize, bytes: &[u8]) -> Result<T, CaseError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        CaseError {
            line,
            field: (path != ".").then_some(path),
            reason: column_only(error.inner()),
        }
    })?;
    json.end().map_err(|error| CaseError {
        line,
        field: None,
        reason: column_only(&error),
    })?;
    Ok(value)
}

/// serde_json counts lines inside the text it was given, which is always one: keep its column.
fn column_only(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => format!("{} at column {}", &text[..at], error.column()),
        None => text,
    }
}
