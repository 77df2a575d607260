//! A run: the directory that holds its environment and its rows.

use std::path::{Path, PathBuf};

use crate::{Environment, RecordError, Row, Sample, Tail, Value, read_environment, read_rows};

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
    /// What [`read_environment`] and [`read_rows`] refuse.
    pub fn load(dir: &Path, tail: Tail) -> Result<Self, RecordError> {
        let env = read_environment(&dir.join(ENV_FILE))?;
        let rows = read_rows(&dir.join(SAMPLES_FILE), tail)?;
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
