//! Captures: what a real kernel had where.
//!
//! A capture is a text of JSON lines: a header, then allocations in the order in which the
//! captured memory is visited. It holds page frame numbers, orders and kinds, never content,
//! paths, host or user names:
//!
//! ```text
//! {"schema":1,"kernel":"6.12.0","date":"2026-11-23","what":"…","backing":"base",…,"runs":3}
//! {"order":0,"kind":"anon","at":[4711,[4096,16],[8191,-64]]}
//! ```
//!
//! `at` lists the head frames of one order and kind: a single allocation, or the first of
//! several neighbours and their number, negative where each lies below the one before.

mod read;
mod take;
mod text;

use std::fmt;

pub use take::{PidFilter, TakeError, file, own_buffer, pid};

use crate::{Extent, Kind, Layout, Pfn, Source};

/// The version of the format that is written, and the newest that is read.
pub const SCHEMA: u32 = 1;

/// The most allocations in a capture: 64 GiB of base pages.
pub const MAX_EXTENTS: u64 = 1 << 24;

/// Allocations of a real kernel, in the order in which the captured memory is visited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Capture {
    /// The captured memory, the machine and the date.
    pub header: Header,
    /// The allocations.
    pub runs: Vec<Run>,
}

/// The captured memory, the machine and the date.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The kernel's release (`uname -r`).
    pub kernel: String,
    /// The day (UTC).
    pub date: jiff::civil::Date,
    /// The captured memory, in words.
    pub what: String,
    /// The backing of the captured memory.
    pub backing: CapturedBacking,
    /// The file system's type where a file is below.
    pub filesystem: Option<String>,
    /// Bytes that were looked at and present in memory.
    pub bytes: u64,
    /// Base pages in the allocations of the runs.
    pub pages: u64,
    /// Allocations of which only a part was visited, in order: a part of a large folio is mapped.
    pub partial: u64,
    /// Pages that were present and are left out: the zero page, memory of no known kind, and
    /// what moved while it was looked at.
    pub skipped: u64,
}

/// The backing of captured memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CapturedBacking {
    /// A buffer made for the capture.
    Buffer(hugemem::Backing),
    /// Mappings of another process.
    Process,
    /// The page cache of a file.
    PageCache,
}

impl fmt::Display for CapturedBacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Buffer(backing) => backing.name(),
            Self::Process => "process",
            Self::PageCache => "page-cache",
        })
    }
}

impl std::str::FromStr for CapturedBacking {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "process" => Ok(Self::Process),
            "page-cache" => Ok(Self::PageCache),
            _ => name
                .parse()
                .map(Self::Buffer)
                .map_err(|_| format!("unknown backing `{name}`")),
        }
    }
}

/// Allocations of one order and kind, each the physical neighbour of the one before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The first that is visited.
    pub first: Extent,
    /// Their use.
    pub kind: Kind,
    /// How many there are; at least 1.
    pub count: u64,
    /// Whether each lies below the one before rather than above.
    pub descending: bool,
}

impl Run {
    /// The allocations in the order in which they are visited.
    pub fn extents(self) -> impl Iterator<Item = Extent> {
        let pages = self.first.order.pages();
        (0..self.count).map(move |n| {
            let head = self.first.head.0;
            let head = if self.descending {
                head - n * pages
            } else {
                head + n * pages
            };
            Extent::new(Pfn(head), self.first.order)
        })
    }

    /// Takes one more allocation in, if it goes on as the run does.
    fn extend(&mut self, extent: Extent, kind: Kind) -> bool {
        if extent.order != self.first.order || kind != self.kind {
            return false;
        }
        let distance = self.count * extent.order.pages();
        let above = extent.head.0 == self.first.head.0 + distance;
        let below = extent.head.0 + distance == self.first.head.0;
        let goes_on = if self.count == 1 {
            above || below
        } else {
            above && !self.descending || below && self.descending
        };
        if goes_on {
            self.descending = below;
            self.count += 1;
        }
        goes_on
    }
}

/// Joins allocations to runs, in order.
fn to_runs(extents: impl IntoIterator<Item = (Extent, Kind)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (first, kind) in extents {
        if !runs.last_mut().is_some_and(|run| run.extend(first, kind)) {
            runs.push(Run {
                first,
                kind,
                count: 1,
                descending: false,
            });
        }
    }
    runs
}

impl Capture {
    /// The allocations in the order in which they are visited.
    pub fn extents(&self) -> impl Iterator<Item = (Extent, Kind)> + '_ {
        self.runs
            .iter()
            .flat_map(|run| run.extents().map(|extent| (extent, run.kind)))
    }

    /// The allocations as a layout that says where it comes from.
    pub fn layout(&self) -> Layout {
        Layout {
            source: Source::Captured {
                kernel: self.header.kernel.clone(),
                date: self.header.date.to_string(),
                what: self.header.what.clone(),
            },
            extents: self.extents().collect(),
        }
    }
}

impl From<&Capture> for Layout {
    fn from(capture: &Capture) -> Self {
        capture.layout()
    }
}
