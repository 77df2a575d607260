//! Many comparisons whose truth is known, added up: how often the method cries wolf, and how
//! often it sees a slowdown that was put in.

use std::collections::BTreeSet;

use results::LockstepRecord;
use stats::{Verdict, quantile};

use super::Lockstep;

/// Comparisons whose truth is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Study {
    /// By what was compared.
    pub lines: Vec<StudyLine>,
    /// Where they were made: machine, kernel and compiler, without duplicates.
    pub places: BTreeSet<String>,
    /// How many sets of processes each had.
    pub sets: BTreeSet<u32>,
    /// Seconds that all took.
    pub seconds: f64,
}

impl Study {
    /// Adds up records by what was put in, memory, and the builds of a side.
    #[must_use]
    pub fn of(records: &[LockstepRecord]) -> Self {
        let mut study = Self {
            lines: StudyLine::of(records),
            ..Self::default()
        };
        for LockstepRecord { header, .. } in records {
            let rustc = header.old.first().map_or("", |build| &build.rustc);
            let place = format!("{}, kernel {}, {rustc}", header.machine, header.kernel);
            study.places.insert(place);
            study.sets.insert(header.sets);
            study.seconds += header.elapsed_s;
        }
        study
    }

    /// Null rows that were judged, and how many of them were called.
    #[must_use]
    pub fn nulls(&self) -> [usize; 2] {
        let sum = |of: fn(&StudyLine) -> usize| self.lines.iter().map(of).sum();
        [sum(|line| line.rows), sum(|line| line.false_alarms)]
    }
}

/// All comparisons of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyLine {
    /// Percent by which the new side was slowed down.
    pub injected_percent: f64,
    /// Whether the sides took turns on the same memory.
    pub crossover: bool,
    /// Whether both sides were the same builds.
    pub same_builds: bool,
    /// Builds of a side.
    pub a_side: usize,
    /// The builds that took part, by the sums of their files.
    pub builds: BTreeSet<String>,
    /// Rows that were judged, and as many null rows.
    pub rows: usize,
    /// Rows that were called: slower, where a slowdown was put in; else either way.
    pub called: usize,
    /// Null rows that were called.
    pub false_alarms: usize,
    /// The least change that each row can see.
    seen: Vec<f64>,
}

impl StudyLine {
    /// The change that so large a share of rows can see.
    #[must_use]
    pub fn can_see(&self, share: f64) -> Option<f64> {
        quantile(&self.seen, share)
    }

    fn of(records: &[LockstepRecord]) -> Vec<Self> {
        let mut lines: Vec<Self> = Vec::new();
        for record in records {
            let header = &record.header;
            let found = Lockstep::of(record);
            let empty = Self {
                injected_percent: header.injected_percent,
                crossover: header.crossover,
                same_builds: header.old == header.new,
                a_side: header.old.len(),
                builds: BTreeSet::new(),
                rows: 0,
                called: 0,
                false_alarms: 0,
                seen: Vec::new(),
            };
            let alike = |line: &Self| {
                line.injected_percent == empty.injected_percent
                    && line.crossover == empty.crossover
                    && line.same_builds == empty.same_builds
                    && line.a_side == empty.a_side
            };
            let at = match lines.iter().position(alike) {
                Some(at) => at,
                None => {
                    lines.push(empty);
                    lines.len() - 1
                }
            };
            lines[at].add(record, &found);
        }
        lines.sort_by(|a, b| {
            let order = |line: &Self| (!line.same_builds, line.a_side, !line.crossover);
            (order(a), a.injected_percent)
                .partial_cmp(&(order(b), b.injected_percent))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        lines
    }

    fn add(&mut self, record: &LockstepRecord, found: &Lockstep) {
        let builds = record.header.old.iter().chain(&record.header.new);
        self.builds.extend(builds.map(|build| build.crc32.clone()));
        self.rows += found.rows.len();
        self.called += match self.injected_percent > 0.0 {
            true => found
                .rows
                .iter()
                .filter(|row| row.verdict == Verdict::Slower)
                .count(),
            false => found.different().count(),
        };
        self.false_alarms += found.false_alarms().count();
        self.seen.extend(found.rows.iter().map(|row| row.can_see));
    }
}
