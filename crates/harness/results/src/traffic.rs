//! Memory traffic: what a kernel's or a model's primitive does to memory, and the record of
//! it. Counted by the tracer (`crates/kernels/trace`), one shape of row for both.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{RecordError, SCHEMA_VERSION, write_whole};

/// The kind of object that lies in a line of memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The descriptors: the kernel's vmemmap, a model's array.
    Descriptor,
    /// A bio and its table of vecs.
    Bio,
    /// Memory cgroups and their per-node parts.
    Memcg,
    /// Per-CPU memory.
    Percpu,
    /// The stack, the operation's return address included.
    Stack,
    /// Everything else.
    Other,
}

impl Class {
    /// All of them, in the order of a table.
    pub const ALL: [Self; 6] = [
        Self::Descriptor,
        Self::Bio,
        Self::Memcg,
        Self::Percpu,
        Self::Stack,
        Self::Other,
    ];

    /// Its name in the plugin's output and in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Descriptor => "descriptor",
            Self::Bio => "bio",
            Self::Memcg => "memcg",
            Self::Percpu => "percpu",
            Self::Stack => "stack",
            Self::Other => "other",
        }
    }

    /// Returns the class of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// Distinct lines of one class.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// Lines touched.
    pub lines: u32,
    /// Those of them that were written.
    pub written: u32,
}

/// Descriptors of which the same words were touched.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// The 8-byte words that were read, from 0.
    pub read: Vec<u8>,
    /// The words that were written.
    pub written: Vec<u8>,
    /// The number of descriptors.
    pub descriptors: u32,
}

/// The memory traffic of a section.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Traffic {
    /// Instructions.
    pub instructions: u64,
    /// Loads; an operation on memory is a load and a store.
    pub loads: u64,
    /// Stores.
    pub stores: u64,
    /// Distinct cache lines (64 bytes) that were touched.
    pub lines: u32,
    /// Distinct lines that were written.
    pub written: u32,
    /// Distinct pages of 4 KiB.
    pub pages: u32,
    /// Distinct pages of 2 MiB that hold what was touched.
    pub huge_pages: u32,
    /// The lines by what lies in them.
    pub classes: BTreeMap<Class, Lines>,
    /// The descriptors by which of their words were touched.
    pub words: Vec<Words>,
}

impl Traffic {
    /// The lines of a class.
    pub fn of(&self, class: Class) -> Lines {
        self.classes.get(&class).copied().unwrap_or_default()
    }

    /// The same without the call and the return around the operation: what an empty one took.
    /// Lines stay: that of the return address is the stack's.
    #[must_use]
    pub fn without(&self, empty: &Self) -> Self {
        Self {
            instructions: self.instructions.saturating_sub(empty.instructions),
            loads: self.loads.saturating_sub(empty.loads),
            stores: self.stores.saturating_sub(empty.stores),
            ..self.clone()
        }
    }
}

/// The first line of a traffic record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficHeader {
    /// [`SCHEMA_VERSION`] when it was written.
    pub schema: u32,
    /// The kernel's release, or `models`.
    pub of: String,
    /// The first line of the emulator's `--version`.
    pub emulator: String,
    /// The number of rows that follow.
    pub rows: usize,
}

/// The traffic of one primitive at one order in one state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TrafficRow {
    /// The primitive, as `bio_add_page`.
    pub primitive: String,
    /// The design, for a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub design: Option<String>,
    /// The kernel, as `6.12`; a model follows its rules.
    pub kernel: String,
    /// The order of the allocation it works on.
    pub order: u8,
    /// The state of the samples.
    pub class: String,
    /// The number of samples.
    pub samples: u32,
    /// The number of samples that agree with this row in every figure. The row is the most
    /// frequent one; the others differ in where their objects happened to lie.
    pub alike: u32,
    /// The counts.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// A whole record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrafficRecord {
    /// The traced program and the emulator.
    pub header: TrafficHeader,
    /// The rows, as they were traced.
    pub rows: Vec<TrafficRow>,
}

impl TrafficRecord {
    /// A record of rows traced by an emulator of this version.
    pub fn new(of: &str, emulator: &str, rows: Vec<TrafficRow>) -> Self {
        let header = TrafficHeader {
            schema: SCHEMA_VERSION,
            of: of.into(),
            emulator: emulator.into(),
            rows: rows.len(),
        };
        Self { header, rows }
    }

    /// Writes the record, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| RecordError::io(folder, source))?;
        }
        write_whole(path, jsonl::line(&self.header) + &jsonl::lines(&self.rows))
    }

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`RecordError`] with line and field, for anything but a whole record of a schema that
    /// is known.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        jsonl::record(path, |lines| {
            let header: TrafficHeader = lines.header(SCHEMA_VERSION)?;
            let rows = lines.rows(header.rows, "rows", |_| Ok(()))?;
            Ok(Self { header, rows })
        })
    }
}
