//! Baselines: what every timed loop cost, in instructions, when somebody last said that it
//! is right. One file for a target and a compiler, one entry a line, so that a diff of two
//! commits reads like a table.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::read::{check_schema, io};
use crate::{Params, RecordError, SCHEMA_VERSION, write_whole};

/// Which loop was counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loop {
    /// Identifier of the workload.
    pub workload: String,
    /// Name of the design.
    pub design: String,
    /// The kernel whose rules it follows: `6.12`.
    pub rules: String,
    /// Parameters, all of them: with another default it is another loop.
    pub params: Params,
}

impl fmt::Display for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.workload, self.design, self.rules)?;
        for (n, (name, value)) in self.params.iter().enumerate() {
            let comma = if n > 0 { "," } else { "" };
            write!(f, "{comma}{name}={value}")?;
        }
        Ok(())
    }
}

/// What one call of a loop costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoopCount {
    /// Which loop.
    #[serde(rename = "loop")]
    pub of: Loop,
    /// Instructions from the loop's first to its return, callees included.
    pub instructions: u64,
    /// Percent by which this loop may grow, where it is not the limit of all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// The same instructions by the function whose source they come from, inlined or not.
    pub functions: BTreeMap<String, u64>,
}

/// What was counted, by whom and with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Version of the schema.
    pub schema: u32,
    /// The target that the loops were compiled for.
    pub target: String,
    /// The compiler: `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub rustc: String,
    /// Whether it is a build as it is timed, optimised and linked as a whole.
    pub optimised: bool,
    /// What counted: `valgrind-3.19.0`.
    pub valgrind: String,
    /// One for each loop, sorted.
    pub counts: Vec<LoopCount>,
}

/// Fields of [`Baseline`] but the counts, which stand on lines of their own.
#[derive(Serialize)]
struct Head<'a> {
    schema: u32,
    target: &'a str,
    rustc: &'a str,
    optimised: bool,
    valgrind: &'a str,
}

impl Baseline {
    /// The name of the file that holds the counts of a target and a compiler:
    /// `x86_64-unknown-linux-gnu-1.95.0.json`.
    pub fn file_name(target: &str, rustc: &str) -> String {
        let version = rustc.split_whitespace().nth(1).unwrap_or("unknown");
        format!("{target}-{version}.json")
    }

    /// Reads a baseline.
    ///
    /// # Errors
    /// [`RecordError::Io`], and what [`Baseline::from_bytes`] refuses.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let bytes = fs::read(path).map_err(|source| io(path, source))?;
        Self::from_bytes(&bytes, path)
    }

    /// Reads a baseline from memory; `path` only serves to name the culprit.
    ///
    /// # Errors
    /// [`RecordError::Field`] for what is no baseline of this schema, counts that
    /// contradict themselves, and a loop that is there twice; [`RecordError::Newer`].
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, RecordError> {
        let refuse = |line: usize, field: String, reason: String| RecordError::Field {
            path: path.to_owned(),
            line,
            field,
            reason,
        };
        // The version first, because a newer file may differ in any other field.
        let json: Json = serde_json::from_slice(bytes).map_err(|error| {
            let reason = format!("no JSON at column {}: {error}", error.column());
            refuse(error.line(), ".".to_owned(), reason)
        })?;
        check_schema(&json, path, 1)?;
        // A second time, since only a reader of text knows lines.
        let text = &mut serde_json::Deserializer::from_slice(bytes);
        let baseline: Self = serde_path_to_error::deserialize(text).map_err(|error| {
            let (line, field) = (error.inner().line(), error.path().to_string());
            refuse(line, field, error.inner().to_string())
        })?;
        if let Some((index, field, reason)) = baseline.contradiction() {
            let field = format!("counts[{index}].{field}");
            return Err(refuse(line_of(bytes, index), field, reason));
        }
        Ok(baseline)
    }

    /// The first count that cannot be: its place, the field and the reason.
    fn contradiction(&self) -> Option<(usize, &'static str, String)> {
        let mut seen: HashMap<&Loop, usize> = HashMap::new();
        for (index, count) in self.counts.iter().enumerate() {
            if let Some(first) = seen.insert(&count.of, index) {
                let reason = format!("{} is there already, as counts[{first}]", count.of);
                return Some((index, "loop", reason));
            }
            let sum = count
                .functions
                .values()
                .try_fold(0_u64, |sum, n| sum.checked_add(*n));
            if sum != Some(count.instructions) {
                let reason = format!(
                    "its functions do not add up to {} instructions",
                    count.instructions
                );
                return Some((index, "instructions", reason));
            }
            if count.instructions == 0 {
                return Some((index, "instructions", "no loop costs nothing".to_owned()));
            }
            if count
                .limit
                .is_some_and(|limit| !(0.0..=1e6).contains(&limit))
            {
                return Some((
                    index,
                    "limit",
                    "a percentage, 0 or more, is wanted".to_owned(),
                ));
            }
        }
        None
    }

    /// The text of the file: one count a line.
    ///
    /// # Errors
    /// A number that JSON has not.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let head = serde_json::to_string_pretty(&Head {
            schema: SCHEMA_VERSION,
            target: &self.target,
            rustc: &self.rustc,
            optimised: self.optimised,
            valgrind: &self.valgrind,
        })?;
        let mut text = head.trim_end_matches(['\n', '}']).to_owned();
        text.push_str(",\n  \"counts\": [");
        for (n, count) in self.counts.iter().enumerate() {
            text.push_str(if n > 0 { ",\n" } else { "\n" });
            text.push_str(&serde_json::to_string(count)?);
        }
        text.push_str("\n  ]\n}\n");
        Ok(text)
    }

    /// Writes the file as a whole or not at all.
    ///
    /// # Errors
    /// [`RecordError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        let text = self.to_text().map_err(|error| io(path, error.into()))?;
        write_whole(path, text.as_bytes())
    }
}

/// The line of a count, where the file was written by [`Baseline::to_text`]; else the first.
fn line_of(bytes: &[u8], index: usize) -> usize {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("{\"loop\":"))
        .nth(index)
        .map_or(1, |(line, _)| line + 1)
}
