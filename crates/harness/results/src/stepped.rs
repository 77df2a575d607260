//! Counts of native kernels' timed loops, by single steps: a header,
//! then one loop of one kernel a line.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use jsonl::{record, write_whole};
use serde::{Deserialize, Serialize};

use crate::look::is_kernel;
use crate::{Params, RecordError, SCHEMA_VERSION};

/// One call of a loop in one kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SteppedLoop {
    /// The kernel.
    pub kernel: String,
    /// The workload.
    pub workload: String,
    /// Its parameters.
    pub params: Params,
    /// The unit of one element.
    pub unit: String,
    /// The elements that the call handles.
    pub elements: u64,
    /// Instructions; one with a repeat prefix counts once.
    pub instructions: u64,
    /// Loads; an operation on memory is a load and a store.
    pub loads: u64,
    /// Stores.
    pub stores: u64,
    /// Distinct cache lines (64 bytes) that were touched.
    pub lines: u64,
    /// Distinct lines that were written.
    pub written: u64,
    /// The touched lines in which a `struct page` lies.
    pub descriptor_lines: u64,
    /// Those of them that were written.
    pub descriptor_written: u64,
}

impl SteppedLoop {
    /// Tells loops apart: the kernel, the workload and its parameters.
    pub fn key(&self) -> (&str, &str, &Params) {
        (&self.kernel, &self.workload, &self.params)
    }

    /// Instructions an element.
    pub fn instructions_each(&self) -> f64 {
        self.instructions as f64 / self.elements as f64
    }

    /// Lines an element, of any kind.
    pub fn lines_each(&self) -> f64 {
        self.lines as f64 / self.elements as f64
    }

    /// The field that cannot be, and why.
    fn check(&self) -> Result<(), (String, String)> {
        let wrong = |field: &str, why: &str| Err((field.to_owned(), why.to_owned()));
        if !is_kernel(&self.kernel) {
            return wrong("kernel", "that is no kernel's name");
        }
        if self.elements == 0 {
            return wrong("elements", "a loop handles something");
        }
        if self.instructions == 0 {
            return wrong("instructions", "a loop executes something");
        }
        if self.written > self.lines || self.descriptor_lines > self.lines {
            return wrong("lines", "they are fewer than a part of them");
        }
        if self.descriptor_written > self.descriptor_lines.min(self.written) {
            return wrong("descriptor_written", "more than were touched or written");
        }
        // One access touches two lines at most.
        if self.lines > (self.loads + self.stores).saturating_mul(2) {
            return wrong("lines", "more than loads and stores can touch");
        }
        Ok(())
    }
}

/// The record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SteppedRecord {
    /// The kernels that were asked, each with the hash of its source, patches, driver, options
    /// and compiler.
    pub kernels: BTreeMap<String, String>,
    /// The counts.
    pub loops: Vec<SteppedLoop>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema: u32,
    kernels: BTreeMap<String, String>,
    loops: usize,
}

impl SteppedRecord {
    /// Reads a record.
    ///
    /// # Errors
    /// [`RecordError`] for what is no such record, contradicts itself, has a loop twice, or
    /// has one of a kernel that the header does not name.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        record(path, |lines| {
            let header: Header = lines.header(SCHEMA_VERSION)?;
            let mut seen = HashSet::new();
            let loops = lines.rows(header.loops, "loops", |one: &SteppedLoop| {
                let (kernel, workload, params) = one.key();
                if !header.kernels.contains_key(kernel) {
                    return Err(("kernel".to_owned(), "the header has none of it".to_owned()));
                }
                if !seen.insert((kernel.to_owned(), workload.to_owned(), params.clone())) {
                    return Err((
                        "workload".to_owned(),
                        "a loop for the second time".to_owned(),
                    ));
                }
                one.check()
            })?;
            Ok(Self {
                kernels: header.kernels,
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
            kernels: self.kernels.clone(),
            loops: self.loops.len(),
        };
        write_whole(path, jsonl::line(&header) + &jsonl::lines(&self.loops))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> SteppedRecord {
        SteppedRecord {
            kernels: BTreeMap::from([("linux-6.12".to_owned(), "abc".to_owned())]),
            loops: vec![SteppedLoop {
                kernel: "linux-6.12".into(),
                workload: "merging/add".into(),
                params: Params::new(),
                unit: "page".into(),
                elements: 512,
                instructions: 40_000,
                loads: 9_000,
                stores: 5_000,
                lines: 77,
                written: 7,
                descriptor_lines: 4,
                descriptor_written: 2,
            }],
        }
    }

    #[test]
    fn a_record_reads_as_it_was_written_and_one_that_cannot_be_is_refused() {
        type Spoilt = (&'static str, fn(&mut SteppedRecord));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loops.jsonl");
        made().write(&path).unwrap();
        assert_eq!(SteppedRecord::read(&path).unwrap(), made());
        let spoilt: [Spoilt; 9] = [
            ("kernel", |it| it.loops[0].kernel = "flat".into()),
            ("kernel", |it| it.kernels.clear()),
            ("elements", |it| it.loops[0].elements = 0),
            ("instructions", |it| it.loops[0].instructions = 0),
            ("lines", |it| it.loops[0].written = 78),
            ("lines", |it| it.loops[0].lines = 3),
            ("lines", |it| it.loops[0].lines = 1 << 40),
            ("descriptor_written", |it| {
                it.loops[0].descriptor_written = 5
            }),
            ("second time", |it| it.loops.push(it.loops[0].clone())),
        ];
        for (field, spoil) in spoilt {
            let mut bad = made();
            spoil(&mut bad);
            bad.write(&path).unwrap();
            let error = SteppedRecord::read(&path).unwrap_err().to_string();
            assert!(error.contains(field), "{field}: {error}");
        }
        // Cut at a line's end, and in a line.
        made().write(&path).unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        let head = whole.find('\n').unwrap() + 1;
        for cut in [0, head, whole.len() - 5] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(SteppedRecord::read(&path).is_err(), "cut at {cut}");
        }
    }
}
