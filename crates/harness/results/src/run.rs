//! A run: the directory that holds its environment and its rows.

use std::path::{Path, PathBuf};

use jsonl::At;

use crate::{
    Environment, RecordError, Row, RowSum, Sample, Tail, Value, read_environment, rows_from_bytes,
};

/// Name of the environment file of a run.
pub const ENV_FILE: &str = "env.json";
/// Name of the rows' file of a run.
pub const SAMPLES_FILE: &str = "samples.jsonl";
/// Name of the mail text of a run.
pub const REPORT_FILE: &str = "report.txt";
/// Name of the figures' directory of a run.
pub const PLOTS_DIR: &str = "plots";

/// One run, read into memory.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its directory.
    pub dir: PathBuf,
    /// Where, when and how it was made.
    pub env: Environment,
    /// Its rows, in the order they were written.
    pub rows: Vec<Row>,
}

impl Run {
    /// Reads a run's directory.
    ///
    /// # Errors
    ///
    /// The errors of [`read_environment`] and [`rows_from_bytes`], and rows that are not those that
    /// the environment of a finished run was written for.
    pub fn load(dir: &Path, tail: Tail) -> Result<Self, RecordError> {
        let env = read_environment(&dir.join(ENV_FILE))?;
        let samples = dir.join(SAMPLES_FILE);
        let bytes = jsonl::bytes(&samples)?;
        let rows = rows_from_bytes(&bytes, &samples, tail)?;
        if let Some(sum) = &env.rows {
            let (found, line) = (RowSum::of(&bytes), rows.len());
            let at = At {
                path: &samples,
                line,
            };
            if found.count != sum.count {
                let (has, said) = (found.count, sum.count);
                let reason = format!("the record ends after {has} of {said} rows in {ENV_FILE}");
                return Err(at.refuse(".", reason));
            }
            if found != *sum {
                let reason = format!("these are not the rows that {ENV_FILE} was written for");
                return Err(at.refuse(".", reason));
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            env,
            rows,
        })
    }

    /// The rows that hold times.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.rows.iter().filter_map(|row| match row {
            Row::Sample(sample) => Some(sample),
            Row::Value(_) => None,
        })
    }

    /// The rows that hold something else.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.rows.iter().filter_map(|row| match row {
            Row::Value(value) => Some(value),
            Row::Sample(_) => None,
        })
    }
}
