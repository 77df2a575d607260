//! Writing a capture.

use std::path::Path;

use serde::Serialize;

use super::{Capture, Run, SCHEMA};

/// Runs on a line: short enough to read, long enough to be worth its names.
const RUNS_PER_LINE: usize = 32;

/// The first line.
#[derive(Serialize)]
struct HeaderLine<'a> {
    schema: u32,
    kernel: &'a str,
    date: String,
    what: &'a str,
    backing: String,
    filesystem: Option<&'a str>,
    bytes: u64,
    pages: u64,
    partial: u64,
    skipped: u64,
    runs: usize,
}

/// Every other line: runs of one order and kind.
#[derive(Serialize)]
struct RunsLine {
    order: u8,
    kind: &'static str,
    at: Vec<At>,
}

/// One allocation, or neighbours: the first and how many, negative where they descend.
#[derive(Serialize)]
#[serde(untagged)]
enum At {
    One(u64),
    Many(u64, i64),
}

impl From<&Run> for At {
    fn from(run: &Run) -> Self {
        let head = run.first.head.0;
        match run.count.cast_signed() {
            1 => Self::One(head),
            count if run.descending => Self::Many(head, -count),
            count => Self::Many(head, count),
        }
    }
}

impl Capture {
    /// The capture as JSON lines: the header, then lines of runs.
    pub fn to_text(&self) -> String {
        let header = &self.header;
        let mut text = jsonl::line(&HeaderLine {
            schema: SCHEMA,
            kernel: &header.kernel,
            date: header.date.to_string(),
            what: &header.what,
            backing: header.backing.to_string(),
            filesystem: header.filesystem.as_deref(),
            bytes: header.bytes,
            pages: header.pages,
            partial: header.partial,
            skipped: header.skipped,
            runs: self.runs.len(),
        });
        let alike = |a: &Run, b: &Run| a.first.order == b.first.order && a.kind == b.kind;
        for runs in self
            .runs
            .chunk_by(alike)
            .flat_map(|runs| runs.chunks(RUNS_PER_LINE))
        {
            text += &jsonl::line(&RunsLine {
                order: runs[0].first.order.get(),
                kind: runs[0].kind.name(),
                at: runs.iter().map(At::from).collect(),
            });
        }
        text
    }

    /// Writes the capture to a file, as a whole or not at all.
    ///
    /// # Errors
    /// [`jsonl::Error::Io`].
    pub fn save(&self, path: &Path) -> Result<(), jsonl::Error> {
        jsonl::write_whole(path, self.to_text())
    }
}
