//! Recorded answers and counts: what real kernels said, committed, so that models are held to
//! it where there is no QEMU.
//!
//! One file per kernel, `bench-results/kernel/SERIES.jsonl`. Its first line says who answered
//! and how many lines follow of each kind; then come the cases with their answers, then counts.
//! A file that is cut short, has a line too many, or comes from a newer schema is refused as a
//! whole, naming file, line and field.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use conformance::case::{Case, generate};
use mm::KernelVersion;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::count::{Absent, Count, Counts};
use crate::error::{OracleError, io_error};
use crate::kernel::Series;
use crate::kernel_answer::KernelAnswer;
use crate::module::Parts;
use crate::oracle::{Identity, Oracle};

/// The schema that is written, and the newest that is read.
pub const SCHEMA: u32 = 1;
/// The random cases of a record: this many of [`RECORDED_SEED`].
pub const RECORDED_RANDOM: usize = 500;
/// The seed of a record's random cases.
pub const RECORDED_SEED: u64 = 2026;

/// The worked cases, one JSON object a line, without `rules`: each kernel's own apply.
const WORKED: &str = include_str!("../cases/worked.jsonl");

/// A case and a real kernel's answer to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The question.
    pub case: Case,
    /// The answer.
    pub heard: KernelAnswer,
}

/// All that is recorded of one kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// Who answered.
    pub identity: Identity,
    /// The worked cases, then the random ones.
    pub answers: Vec<Answered>,
    /// What its primitives cost.
    pub counts: Counts,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema: u32,
    kernel: Identity,
    answers: usize,
    counts: usize,
    absent: usize,
    overhead: Option<u64>,
    conditions: BTreeMap<String, String>,
}

/// The worked cases of the kernel facts under these rules. Cases that need a call which that
/// kernel lacks are left out.
pub fn worked_cases(rules: KernelVersion) -> Vec<Case> {
    WORKED
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let mut value: Value = serde_json::from_str(line).expect("the shipped cases are JSON");
            value["rules"] = Value::from(rules.name());
            serde_json::from_value::<Case>(value).unwrap_or_else(|error| panic!("{line}: {error}"))
        })
        .filter(|case| case.check().is_ok())
        .collect()
}

/// The questions of a record: the worked cases, then [`RECORDED_RANDOM`] random ones.
pub fn questions(rules: KernelVersion) -> Vec<Case> {
    let mut cases = worked_cases(rules);
    cases.extend(generate(RECORDED_SEED, RECORDED_RANDOM, rules));
    cases
}

/// Where the record of a series lives below a `bench-results` directory.
pub fn path(bench_results: &Path, series: Series) -> PathBuf {
    bench_results
        .join("kernel")
        .join(series.name())
        .with_added_extension("jsonl")
}

/// Asks a kernel for a whole record: one boot for the answers, one beside it for the counts.
///
/// # Errors
/// Any [`OracleError`] of the boots.
pub fn record(oracle: &Oracle) -> Result<Recorded, OracleError> {
    let cases = questions(oracle.kernel().rules);
    let (heard, counts) = rayon::join(|| oracle.ask(&cases), || oracle.count(""));
    let answers = cases
        .into_iter()
        .zip(heard?)
        .map(|(case, heard)| Answered { case, heard })
        .collect();
    Ok(Recorded {
        identity: oracle.identity(Parts::All)?,
        answers,
        counts: counts?,
    })
}

impl Recorded {
    /// Writes the record, whole or not at all.
    ///
    /// # Errors
    /// [`OracleError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), OracleError> {
        let what = || io_error(format!("writing {}", path.display()));
        let header = Header {
            schema: SCHEMA,
            kernel: self.identity.clone(),
            answers: self.answers.len(),
            counts: self.counts.rows.len(),
            absent: self.counts.absent.len(),
            overhead: self.counts.overhead,
            conditions: self.counts.conditions.clone(),
        };
        let directory = path
            .parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(what())?;
        let mut file = tempfile::NamedTempFile::new_in(directory).map_err(what())?;
        let mut text = line(&header);
        self.answers
            .iter()
            .for_each(|answered| text += &line(answered));
        self.counts
            .rows
            .iter()
            .for_each(|count| text += &line(count));
        self.counts
            .absent
            .iter()
            .for_each(|absent| text += &line(absent));
        file.write_all(text.as_bytes()).map_err(what())?;
        file.as_file().sync_all().map_err(what())?;
        // A temporary file is private; a record is for everybody.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        file.as_file().set_permissions(open).map_err(what())?;
        file.persist(path).map_err(|error| what()(error.error))?;
        Ok(())
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`OracleError::Malformed`] with line and field, for anything but a whole record of a
    /// schema that is known.
    pub fn read(path: &Path) -> Result<Self, OracleError> {
        let text =
            fs::read_to_string(path).map_err(io_error(format!("reading {}", path.display())))?;
        let malformed = |reason: String| OracleError::Malformed {
            path: path.into(),
            reason,
        };
        if !text.ends_with('\n') {
            return Err(malformed(format!(
                "line {}: cut short",
                text.lines().count()
            )));
        }
        let mut lines = text.lines().enumerate().map(|(at, text)| (at + 1, text));
        let (_, first) = lines.next().ok_or_else(|| malformed("empty".into()))?;
        check_schema(first).map_err(malformed)?;
        let header: Header = parse(1, first).map_err(malformed)?;
        let answers = take(&mut lines, header.answers, "answers").map_err(malformed)?;
        let rows: Vec<Count> = take(&mut lines, header.counts, "counts").map_err(malformed)?;
        let absent: Vec<Absent> =
            take(&mut lines, header.absent, "absent primitives").map_err(malformed)?;
        if let Some((at, _)) = lines.next() {
            return Err(malformed(format!("line {at}: more lines than line 1 says")));
        }
        let counts = Counts {
            rows,
            absent,
            overhead: header.overhead,
            conditions: header.conditions,
        };
        Ok(Self {
            identity: header.kernel,
            answers,
            counts,
        })
    }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data") + "\n"
}

fn check_schema(first: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(first).map_err(|error| format!("line 1: {error}"))?;
    match value["schema"].as_u64() {
        Some(schema) if schema <= u64::from(SCHEMA) => Ok(()),
        Some(schema) => Err(format!(
            "line 1: field `schema`: {schema} is newer than {SCHEMA}; use a newer folioscope"
        )),
        None => Err("line 1: field `schema`: missing; not a kernel's record".into()),
    }
}

fn parse<T: DeserializeOwned>(at: usize, text: &str) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json)
        .map_err(|error| format!("line {at}: field `{}`: {}", error.path(), error.inner()))
}

fn take<'a, T: DeserializeOwned>(
    lines: &mut impl Iterator<Item = (usize, &'a str)>,
    count: usize,
    what: &str,
) -> Result<Vec<T>, String> {
    (0..count)
        .map(|n| {
            let (at, text) = lines
                .next()
                .ok_or_else(|| format!("ends after {n} of {count} {what}"))?;
            parse(at, text)
        })
        .collect()
}

#[cfg(test)]
#[path = "recorded_tests.rs"]
mod tests;
