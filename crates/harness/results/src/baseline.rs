//! Baselines: the instructions of every timed loop when it was last blessed. One file for a
//! target and a compiler: a header, then one loop a line, so that a diff of two commits reads
//! like a table.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use jsonl::{At, record_from_bytes, write_whole};
use serde::{Deserialize, Serialize};

use crate::renamed::name_today;
use crate::{Param, Params, RecordError, SCHEMA_VERSION};

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

impl FromStr for Loop {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let no = || format!("`{text}` is not a loop such as merging/add flat 6.12 order=9");
        let words: Vec<&str> = text.split(' ').collect();
        let [workload, design, rules, params] = words[..] else {
            return Err(no());
        };
        let param = |param: &str| {
            let (name, value) = param.split_once('=')?;
            let number = value.parse().ok().map(Param::Number);
            Some((name.to_owned(), number.unwrap_or_else(|| value.into())))
        };
        let params = params.split(',').filter(|param| !param.is_empty());
        Ok(Self {
            workload: workload.to_owned(),
            design: design.to_owned(),
            rules: rules.to_owned(),
            params: params
                .map(param)
                .collect::<Option<Params>>()
                .ok_or_else(no)?,
        })
    }
}

/// The cost of one call of a loop.
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

/// The counts of one target and compiler, and the tool that counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// The target that the loops were compiled for.
    pub target: String,
    /// The compiler: `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub rustc: String,
    /// Whether it is a build as it is timed, optimised and linked as a whole.
    pub optimised: bool,
    /// The tool that counted: `valgrind-3.19.0`.
    pub valgrind: String,
    /// One for each loop, sorted.
    pub counts: Vec<LoopCount>,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema: u32,
    target: String,
    rustc: String,
    optimised: bool,
    valgrind: String,
    counts: usize,
}

impl Baseline {
    /// Returns the name of the file that holds the counts of a target and a compiler:
    /// `x86_64-unknown-linux-gnu-1.95.0.jsonl`.
    pub fn file_name(target: &str, rustc: &str) -> String {
        let version = rustc.split_whitespace().nth(1).unwrap_or("unknown");
        format!("{target}-{version}.jsonl")
    }

    /// Reads a baseline.
    ///
    /// # Errors
    /// [`RecordError::Io`], and what [`Baseline::from_bytes`] refuses.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        Self::from_bytes(&jsonl::bytes(path)?, path)
    }

    /// Reads a baseline from memory; `path` only serves to name the culprit.
    ///
    /// # Errors
    /// [`RecordError`] for a file that is not a baseline of this schema, counts that contradict
    /// themselves, and a duplicate loop.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, RecordError> {
        let mut seen = HashSet::new();
        let mut check = |count: &LoopCount| {
            if !seen.insert(count.of.clone()) {
                return Err(("loop".to_owned(), format!("duplicate {}", count.of)));
            }
            count.check()
        };
        let (header, mut counts): (Header, Vec<LoopCount>) = if bytes.starts_with(b"{\n") {
            // The shape that commits before 2026-11-26 hold: one object with a list.
            let at = At { path, line: 1 };
            let mut whole = at.object(bytes, Some(SCHEMA_VERSION))?;
            let counts: Vec<LoopCount> = at.typed(whole["counts"].take())?;
            for count in &counts {
                check(count).map_err(|(field, reason)| at.refuse(field, reason))?;
            }
            whole["counts"] = counts.len().into();
            (at.typed(whole)?, counts)
        } else {
            record_from_bytes(bytes, path, |lines| {
                let header: Header = lines.header(SCHEMA_VERSION)?;
                let counts = lines.rows(header.counts, "counts", check)?;
                Ok((header, counts))
            })?
        };
        for count in &mut counts {
            name_today(header.schema, &mut count.of.design);
        }
        Ok(Self {
            target: header.target,
            rustc: header.rustc,
            optimised: header.optimised,
            valgrind: header.valgrind,
            counts,
        })
    }

    /// Returns the text of the file: a header, then one count a line.
    pub fn to_text(&self) -> String {
        let header = Header {
            schema: SCHEMA_VERSION,
            target: self.target.clone(),
            rustc: self.rustc.clone(),
            optimised: self.optimised,
            valgrind: self.valgrind.clone(),
            counts: self.counts.len(),
        };
        jsonl::line(&header) + &jsonl::lines(&self.counts)
    }

    /// Writes the file as a whole or not at all.
    ///
    /// # Errors
    /// [`RecordError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        write_whole(path, self.to_text())
    }
}

impl LoopCount {
    /// The field that cannot be, and why.
    fn check(&self) -> Result<(), (String, String)> {
        let fault = |field: &str, reason: String| Err((field.to_owned(), reason));
        let mut functions = self.functions.values();
        let sum = functions.try_fold(0_u64, |sum, n| sum.checked_add(*n));
        if sum != Some(self.instructions) {
            let total = self.instructions;
            let reason = format!("its functions do not add up to {total} instructions");
            return fault("instructions", reason);
        }
        if self.instructions == 0 {
            return fault("instructions", "no loop costs nothing".to_owned());
        }
        match self.limit {
            Some(limit) if !(0.0..=1e6).contains(&limit) => {
                fault("limit", "expected a percentage, 0 or more".to_owned())
            }
            _ => Ok(()),
        }
    }
}
