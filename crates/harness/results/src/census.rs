//! A census: all memory of a machine by use and order, as numbers only.

use std::path::Path;

use jsonl::{record, write_whole};
use serde::{Deserialize, Serialize};

use crate::{RecordError, SCHEMA_VERSION};

/// The first line of a census.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CensusHeader {
    /// [`SCHEMA_VERSION`] when it was written.
    pub schema: u32,
    /// The kernel's release.
    pub kernel: String,
    /// The day (UTC), as `2026-11-26`.
    pub date: String,
    /// Frames of 4 KiB that have a descriptor.
    pub frames: u64,
    /// Frame numbers below the last frame that have none.
    pub holes: u64,
    /// Frames of allocations that changed while they were looked at, counted as base pages.
    pub torn: u64,
    /// Whether the kernel told what is mapped to user space.
    pub tells_mapped: bool,
    /// Whether the kernel told what is charged to memory cgroups.
    pub tells_charged: bool,
    /// The number of rows that follow.
    pub rows: usize,
}

/// Blocks of one use and order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CensusRow {
    /// Their use: `anon`, `file`, `free`.
    #[serde(rename = "use")]
    pub of: String,
    /// Each is 2^order frames.
    pub order: u8,
    /// How many there are.
    pub blocks: u64,
    /// Frames of them that user space has mapped.
    pub mapped: u64,
    /// Frames of blocks that are charged to a memory cgroup.
    pub charged: u64,
}

impl CensusRow {
    /// Frames of all these blocks.
    pub fn frames(&self) -> u64 {
        self.blocks << self.order
    }
}

/// A whole census.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census {
    /// Where, when, and all of it.
    pub header: CensusHeader,
    /// By use, and within a use by order.
    pub rows: Vec<CensusRow>,
}

/// The largest order: 1 GiB.
const MAX_ORDER: u8 = 18;

impl Census {
    /// Reads a census.
    ///
    /// # Errors
    /// [`RecordError`] with line and field for one that is cut off or does not add up.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        record(path, |lines| {
            let header: CensusHeader = lines.header(SCHEMA_VERSION)?;
            let mut left = u128::from(header.frames);
            let rows = lines.rows(header.rows, "rows", |row: &CensusRow| {
                let fault = |field: &str, reason: &str| Err((field.to_owned(), reason.to_owned()));
                if row.order > MAX_ORDER {
                    return fault("order", "no block is larger than 1 GiB (order 18)");
                }
                let frames = u128::from(row.blocks) << row.order;
                if frames > left {
                    return fault("blocks", "more frames than the machine has");
                }
                left -= frames;
                if u128::from(row.mapped.max(row.charged)) > frames {
                    return fault("mapped", "more frames than the blocks have");
                }
                Ok(())
            })?;
            if left > 0 {
                let reason = format!("{left} frames more than the rows have");
                return Err(jsonl::At { path, line: 1 }.refuse("frames", reason));
            }
            Ok(Self { header, rows })
        })
    }

    /// Writes the census, whole or not at all.
    ///
    /// # Errors
    /// [`RecordError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        write_whole(path, jsonl::line(&self.header) + &jsonl::lines(&self.rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> Census {
        let row = |of: &str, order, blocks, mapped| CensusRow {
            of: of.into(),
            order,
            blocks,
            mapped,
            charged: 0,
        };
        Census {
            header: CensusHeader {
                schema: SCHEMA_VERSION,
                kernel: "6.12.0".into(),
                date: "2026-11-26".into(),
                frames: 1544,
                holes: 3,
                torn: 0,
                tells_mapped: true,
                tells_charged: false,
                rows: 2,
            },
            rows: vec![row("anon", 0, 8, 4), row("free", 9, 3, 0)],
        }
    }

    #[test]
    fn a_census_reads_as_it_was_written_and_one_that_does_not_add_up_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("census.jsonl");
        made().write(&path).unwrap();
        assert_eq!(Census::read(&path).unwrap(), made());
        type Spoil = fn(&mut Census);
        let spoilt: [(&str, Spoil); 4] = [
            ("frames", |census| census.header.frames += 1),
            ("blocks", |census| census.rows[1].blocks += 1),
            ("mapped", |census| census.rows[0].mapped = 9),
            ("order", |census| census.rows[0].order = 40),
        ];
        for (field, spoil) in spoilt {
            let mut bad = made();
            spoil(&mut bad);
            bad.write(&path).unwrap();
            let error = Census::read(&path).unwrap_err().to_string();
            assert!(error.contains(field), "{field}: {error}");
        }
    }
}
