//! The lines of descriptor that every timed loop touched when they were last blessed: a
//! header, then one loop a line. Lines hardly depend on the compiler, so there is one file.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use jsonl::{record, write_whole};
use serde::{Deserialize, Serialize};

use crate::{Loop, RecordError, SCHEMA_VERSION};

/// Lines of descriptor that one call of a loop touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoopLines {
    /// Which loop.
    #[serde(rename = "loop")]
    pub of: Loop,
    /// The elements that one call handles.
    pub elements: u64,
    /// Distinct lines of descriptor (64 bytes) that were touched.
    pub lines: u32,
    /// Those of them that were written.
    pub written: u32,
    /// The same lines by the function that touched each first, inlined or not.
    pub functions: BTreeMap<String, u32>,
}

/// The record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinesBaseline {
    /// The first line of the emulator's `--version`.
    pub emulator: String,
    /// Whether it is a build as it is timed.
    pub optimised: bool,
    /// One for each loop, sorted.
    pub loops: Vec<LoopLines>,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema: u32,
    emulator: String,
    optimised: bool,
    loops: usize,
}

impl LinesBaseline {
    /// The name of the file, beside the baselines of instructions.
    pub const FILE: &str = "lines.jsonl";

    /// Reads a record.
    ///
    /// # Errors
    /// [`RecordError`] for what is no such record, contradicts itself, or has a loop twice.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        record(path, |lines| {
            let header: Header = lines.header(SCHEMA_VERSION)?;
            let mut seen = HashSet::new();
            let loops = lines.rows(header.loops, "loops", |one: &LoopLines| {
                if !seen.insert(one.of.clone()) {
                    return Err(("loop".to_owned(), format!("duplicate {}", one.of)));
                }
                one.check()
            })?;
            Ok(Self {
                emulator: header.emulator,
                optimised: header.optimised,
                loops,
            })
        })
    }

    /// Writes the file as a whole or not at all.
    ///
    /// # Errors
    /// [`RecordError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        let header = Header {
            schema: SCHEMA_VERSION,
            emulator: self.emulator.clone(),
            optimised: self.optimised,
            loops: self.loops.len(),
        };
        write_whole(path, jsonl::line(&header) + &jsonl::lines(&self.loops))
    }
}

impl LoopLines {
    /// The field that cannot be, and why.
    fn check(&self) -> Result<(), (String, String)> {
        let sum: u64 = self.functions.values().map(|lines| u64::from(*lines)).sum();
        if sum != u64::from(self.lines) {
            let reason = format!("its functions do not add up to {} lines", self.lines);
            return Err(("lines".to_owned(), reason));
        }
        if self.written > self.lines {
            let reason = "more lines were written than touched".to_owned();
            return Err(("written".to_owned(), reason));
        }
        match self.elements {
            0 => Err(("elements".to_owned(), "a loop handles something".to_owned())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> LinesBaseline {
        LinesBaseline {
            emulator: "qemu-x86_64 version 7.2.22".into(),
            optimised: true,
            loops: vec![LoopLines {
                of: "merging/add flat 6.12 order=9".parse().unwrap(),
                elements: 8,
                lines: 9,
                written: 1,
                functions: BTreeMap::from([("add".into(), 8), ("end".into(), 1)]),
            }],
        }
    }

    #[test]
    fn a_record_reads_as_it_was_written_and_one_that_cannot_be_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.jsonl");
        made().write(&path).unwrap();
        assert_eq!(LinesBaseline::read(&path).unwrap(), made());
        let spoilt: [fn(&mut LoopLines); 3] = [
            |one| one.lines = 10,
            |one| one.written = 10,
            |one| one.elements = 0,
        ];
        for spoil in spoilt {
            let mut bad = made();
            spoil(&mut bad.loops[0]);
            bad.write(&path).unwrap();
            assert!(LinesBaseline::read(&path).is_err());
        }
        let mut twice = made();
        twice.loops.push(twice.loops[0].clone());
        twice.write(&path).unwrap();
        let error = LinesBaseline::read(&path).unwrap_err().to_string();
        assert!(error.contains("duplicate"), "{error}");
    }
}
