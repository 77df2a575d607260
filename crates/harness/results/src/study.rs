//! The sensitivity study: false alarms and missed slowdowns of `diff`, beside those of Criterion.

use std::path::Path;

use jsonl::{record, write_whole};
use serde::{Deserialize, Serialize};

use crate::{RecordError, SCHEMA_VERSION};

/// Verdicts on rows that should all get the same one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Rows that were compared.
    pub rows: usize,
    /// Rows that were called slower.
    pub slower: usize,
    /// Rows that were called faster.
    pub faster: usize,
}

/// The first line of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyHeader {
    /// [`SCHEMA_VERSION`] when it was written.
    pub schema: u32,
    /// When the study began, RFC 3339 in UTC.
    pub date_utc: String,
    /// CPU, count of CPUs and target.
    pub machine: String,
    /// Kernel release.
    pub kernel: String,
    /// The compiler.
    pub rustc: String,
    /// Seconds that the whole study took.
    pub seconds: f64,
    /// Past runs that rows' own floors were learnt from.
    pub past_runs: usize,
    /// Fresh processes per run.
    pub processes: u32,
    /// How many rows follow.
    pub rows: usize,
}

/// One injected slowdown, or none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyRow {
    /// Percent that were to be injected; 0 compares what is the same.
    pub percent: f64,
    /// Percent that were injected, as measured: 5th percentile, median, 95th percentile
    /// over the rows; `None` where nothing was.
    pub injected: Option<[f64; 3]>,
    /// `folioscope diff` without a past.
    pub diff: Tally,
    /// `folioscope diff` with the past runs.
    pub diff_with_past: Tally,
    /// Criterion on the same pairs, as it judges them.
    pub criterion: Tally,
    /// Criterion's changes, judged by the least limit that calls at most one in 200 of the rows
    /// that are the same; `None` in records from before 2026-11-28.
    #[serde(default)]
    pub criterion_strict: Option<Tally>,
}

/// A whole study.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyRecord {
    /// Where it was made and how.
    pub header: StudyHeader,
    /// By slowdown.
    pub rows: Vec<StudyRow>,
}

impl StudyRecord {
    /// Reads a study.
    ///
    /// # Errors
    ///
    /// [`RecordError`] with line and field, also for more verdicts than rows.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        record(path, |lines| {
            let header: StudyHeader = lines.header(SCHEMA_VERSION)?;
            let rows = lines.rows(header.rows, "rows", StudyRow::check)?;
            Ok(Self { header, rows })
        })
    }

    /// Writes the study, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        write_whole(path, jsonl::line(&self.header) + &jsonl::lines(&self.rows))
    }
}

impl StudyRow {
    /// The field that cannot be, and why.
    fn check(&self) -> Result<(), (String, String)> {
        for (field, tally) in [
            ("diff", self.diff),
            ("diff_with_past", self.diff_with_past),
            ("criterion", self.criterion),
            (
                "criterion_strict",
                self.criterion_strict.unwrap_or_default(),
            ),
        ] {
            if tally.slower.saturating_add(tally.faster) > tally.rows {
                return Err((field.to_owned(), "more verdicts than rows".to_owned()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_study_reads_as_it_was_written_and_one_that_cannot_be_is_refused() {
        let tally = Tally {
            rows: 200,
            slower: 31,
            faster: 2,
        };
        let mut study = StudyRecord {
            header: StudyHeader {
                schema: SCHEMA_VERSION,
                date_utc: "2026-11-23T01:02:03Z".to_owned(),
                machine: "a machine".to_owned(),
                kernel: "6.12".to_owned(),
                rustc: "rustc 1.95.0".to_owned(),
                seconds: 317.5,
                past_runs: 4,
                processes: 3,
                rows: 1,
            },
            rows: vec![StudyRow {
                percent: 2.0,
                injected: Some([1.9, 2.0, 2.1]),
                diff: tally,
                diff_with_past: tally,
                criterion: tally,
                criterion_strict: Some(tally),
            }],
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.jsonl");
        study.write(&path).unwrap();
        assert_eq!(StudyRecord::read(&path).unwrap(), study);

        let whole = study.rows[0].clone();
        study.rows[0].diff.slower = 199;
        study.write(&path).unwrap();
        let error = StudyRecord::read(&path).unwrap_err().to_string();
        assert!(error.contains(":2: field `diff`"), "{error}");

        let more = Tally {
            slower: 201,
            ..tally
        };
        study.rows[0] = StudyRow {
            criterion_strict: Some(more),
            ..whole
        };
        study.write(&path).unwrap();
        let error = StudyRecord::read(&path).unwrap_err().to_string();
        assert!(error.contains(":2: field `criterion_strict`"), "{error}");
    }
}
