//! Records of real kernels: what they answered and what their primitives cost.
//!
//! One file per kernel, `bench-results/kernel/SERIES.jsonl`: a header that says who answered
//! and how many lines follow of each kind, the answers, the counts, the primitives it lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jsonl::{record, write_whole};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{RecordError, SCHEMA_VERSION, State};

/// The instructions of one primitive at one order in one state of a real kernel; the
/// measuring bracket (two `rdtsc`, an indirect call, a return) is subtracted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelCount {
    /// The primitive, as `bio_add_page`.
    pub primitive: String,
    /// The order of the allocation it works on.
    pub order: u8,
    /// The state of the samples.
    #[serde(rename = "class")]
    pub state: State,
    /// How often it was measured.
    pub samples: u32,
    /// The least instructions of a sample.
    pub min: u64,
    /// The most; equal to `min` unless the state is one that could not be split.
    pub max: u64,
}

impl KernelCount {
    /// Returns the field that cannot be and why.
    ///
    /// # Errors
    ///
    /// The field and the reason.
    pub fn check(&self) -> Result<(), (String, String)> {
        let fault = |field: &str, reason: String| Err((field.to_owned(), reason));
        if self.samples == 0 {
            return fault("samples", "a count without a sample".to_owned());
        }
        if self.min > self.max {
            return fault("min", format!("{} is above max, {}", self.min, self.max));
        }
        match self.state.value() {
            Some(value) if (self.min, self.max) != (value, value) => {
                fault("class", format!("{} is not min and max", self.state))
            }
            _ => Ok(()),
        }
    }
}

/// A primitive that this kernel lacks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absent {
    /// The primitive.
    pub primitive: String,
    /// Why there is only a dash.
    pub reason: String,
}

/// All that a kernel counted in one boot.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct KernelCounts {
    /// Sorted as the module measured them.
    pub rows: Vec<KernelCount>,
    /// Primitives that this kernel lacks.
    pub absent: Vec<Absent>,
    /// Instructions of the empty bracket that were subtracted.
    pub overhead: Option<u64>,
    /// The conditions of counting as the module names them, by key.
    pub conditions: BTreeMap<String, String>,
}

/// A distribution's package.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name, as `linux-image-6.12.95+deb12-cloud-amd64`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Who gave an answer: everything that could change it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelIdentity {
    /// The kernel's `uname -r`.
    pub release: String,
    /// The rules that models follow for it.
    pub rules: String,
    /// The distribution's package and version; none for an own build.
    pub package: Option<Package>,
    /// The first line of QEMU's `--version`.
    pub qemu: String,
    /// The first line of `gcc --version`: what built the module.
    pub compiler: String,
    /// SHA-256 over the module's sources.
    pub module: String,
}

/// All that is recorded of one kernel. `A` is a case with its answer; a caller that only reads
/// counts reads it as `serde::de::IgnoredAny`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KernelRecord<A> {
    /// Who answered.
    pub identity: KernelIdentity,
    /// The worked cases, then the random ones.
    pub answers: Vec<A>,
    /// The cost of its primitives.
    pub counts: KernelCounts,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema: u32,
    kernel: KernelIdentity,
    answers: usize,
    counts: usize,
    absent: usize,
    overhead: Option<u64>,
    conditions: BTreeMap<String, String>,
}

impl<A: Serialize> KernelRecord<A> {
    /// Writes the record, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        let counts = &self.counts;
        let header = Header {
            schema: SCHEMA_VERSION,
            kernel: self.identity.clone(),
            answers: self.answers.len(),
            counts: counts.rows.len(),
            absent: counts.absent.len(),
            overhead: counts.overhead,
            conditions: counts.conditions.clone(),
        };
        let text = jsonl::line(&header)
            + &jsonl::lines(&self.answers)
            + &jsonl::lines(&counts.rows)
            + &jsonl::lines(&counts.absent);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| RecordError::io(folder, source))?;
        }
        write_whole(path, text)
    }
}

impl<A: DeserializeOwned> KernelRecord<A> {
    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`RecordError`] with line and field, for anything but a whole record of a schema that
    /// is known, whose counts can be and stand there once.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        record(path, |lines| {
            let header: Header = lines.header(SCHEMA_VERSION)?;
            let answers = lines.rows(header.answers, "answers", |_| Ok(()))?;
            let mut seen = BTreeSet::new();
            let rows = lines.rows(header.counts, "counts", |row: &KernelCount| {
                row.check()?;
                let key = (row.primitive.clone(), row.order, row.state.clone());
                once(seen.insert(key), "class", &row.primitive)
            })?;
            let mut counted: BTreeSet<String> =
                rows.iter().map(|row| row.primitive.clone()).collect();
            let absent = lines.rows(header.absent, "absent primitives", |row: &Absent| {
                once(
                    counted.insert(row.primitive.clone()),
                    "primitive",
                    &row.primitive,
                )
            })?;
            Ok(Self {
                identity: header.kernel,
                answers,
                counts: KernelCounts {
                    rows,
                    absent,
                    overhead: header.overhead,
                    conditions: header.conditions,
                },
            })
        })
    }
}

fn once(is_new: bool, field: &str, what: &str) -> Result<(), (String, String)> {
    match is_new {
        true => Ok(()),
        false => Err((field.to_owned(), format!("duplicate {what}"))),
    }
}
