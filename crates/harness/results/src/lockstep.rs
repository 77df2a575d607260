//! Two builds in lock-step: a header that says what was compared, then one row for each loop in
//! each set of processes.

use std::path::Path;

use jsonl::{Reader, Tail, record, write_whole};
use serde::{Deserialize, Serialize};

use crate::{Environment, Git, Params, RecordError, SCHEMA_VERSION, Status};

/// One build of the tool, as it says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The revision of its sources; `None` outside a git work tree.
    pub git: Option<Git>,
    /// The compiler.
    pub rustc: String,
    /// The target triple.
    pub target: String,
    /// `optimised` or `debug`.
    pub profile: String,
    /// CRC-32 of the program's file: two placements of one source are two builds.
    pub crc32: String,
}

impl Build {
    /// Whether it is a debug build.
    #[must_use]
    pub fn is_debug(&self) -> bool {
        self.profile == Environment::DEBUG
    }

    /// Short revision, with `+` where the work tree was changed, and the file's sum.
    #[must_use]
    pub fn title(&self) -> String {
        let revision = self.git.as_ref().map_or("unknown".to_owned(), |git| {
            let digits: String = git.revision.chars().take(8).collect();
            digits + if git.dirty { "+" } else { "" }
        });
        format!("{revision} ({})", self.crc32)
    }
}

/// The first line of a lock-step record.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockstepHeader {
    /// [`SCHEMA_VERSION`] when it was written.
    pub schema: u32,
    /// When it began: RFC 3339, UTC, whole seconds.
    pub date_utc: String,
    /// Duration of the comparison in seconds.
    pub elapsed_s: f64,
    /// The machine's identity.
    pub machine: String,
    /// Kernel release.
    pub kernel: String,
    /// Builds of the old side; sets of processes take them in turn.
    pub old: Vec<Build>,
    /// Builds of the new side.
    pub new: Vec<Build>,
    /// Sets of fresh processes: one of the new side and two of the old in each.
    pub sets: u32,
    /// Whether the sides took turns on the same memory.
    pub crossover: bool,
    /// Whether address randomisation was off for all processes.
    pub fixed_addresses: bool,
    /// Percent by which the new side was slowed down, to see whether that is seen.
    pub injected_percent: f64,
    /// Seed of every random order.
    pub seed: u64,
    /// How many rows follow.
    pub rows: usize,
}

/// One loop in one set of processes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockstepRow {
    /// Identifier of the workload.
    pub workload: String,
    /// Name of the design.
    pub design: String,
    /// Parameters of the workload.
    pub params: Params,
    /// Name of one element.
    pub unit: String,
    /// Index of the set.
    pub set: u32,
    /// Indices of the builds: old, new, and old as its own control.
    pub builds: [usize; 3],
    /// The memory that the descriptors lay on; empty where nothing ran.
    pub memory: String,
    /// One for each assignment of memory to sides.
    pub periods: Vec<Period>,
    /// Whether there is a result, and if not, why.
    pub status: Status,
}

/// The medians of the blocks of one assignment of memory.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// Nanoseconds per element of the old side: the median over blocks.
    pub old_ns: f64,
    /// New over old: the median over blocks of the ratio within each.
    pub new: f64,
    /// The second old process over the first, likewise.
    pub null: f64,
    /// How many blocks.
    pub blocks: u32,
}

/// A whole record.
#[derive(Clone, PartialEq, Debug)]
pub struct LockstepRecord {
    /// The builds, the machine and the settings.
    pub header: LockstepHeader,
    /// The rows, as they were measured.
    pub rows: Vec<LockstepRow>,
}

impl LockstepRecord {
    /// Writes the record, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        let header = LockstepHeader {
            rows: self.rows.len(),
            ..self.header.clone()
        };
        write_whole(path, jsonl::line(&header) + &jsonl::lines(&self.rows))
    }

    /// Whether the header of the record in a file is that of a comparison in lock-step.
    ///
    /// # Errors
    ///
    /// [`RecordError`] for a file without a header of a schema that is known.
    pub fn is_at(path: &Path) -> Result<bool, RecordError> {
        let bytes = jsonl::bytes(path)?;
        let mut lines = Reader::new(path, &bytes, Tail::Refuse)?;
        let header: serde_json::Value = lines.header(SCHEMA_VERSION)?;
        Ok(header.get("old").is_some())
    }

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`RecordError`] with line and field, for anything but a whole record of a schema that
    /// is known.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        record(path, |lines| {
            let header: LockstepHeader = lines.header(SCHEMA_VERSION)?;
            let rows = lines.rows(header.rows, "rows", LockstepRow::check)?;
            Ok(Self { header, rows })
        })
    }
}

impl LockstepRow {
    /// The field that cannot be, and why.
    fn check(&self) -> Result<(), (String, String)> {
        let fault = |field: &str, reason: &str| Err((field.to_owned(), reason.to_owned()));
        if self.status.is_ok() == self.periods.is_empty() {
            return fault("periods", "stand where the status is ok, and only there");
        }
        for period in &self.periods {
            let ratios = [period.old_ns, period.new, period.null];
            if !ratios.iter().all(|x| *x > 0.0 && x.is_finite()) || period.blocks == 0 {
                return fault("periods", "hold what is no time or ratio");
            }
        }
        Ok(())
    }
}
