//! Writing records so that a kill or a full disk costs at most the row in hand.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jsonl::{Tail, whole_lines, write_whole};

use serde::Serialize;

use crate::check::check;
use crate::{Environment, Identity, RecordError, Row, RowSum, SCHEMA_VERSION, rows_from_bytes};

/// Writes a list that [`read_list`](crate::read_list) reads, whole or not at all.
///
/// # Errors
///
/// [`RecordError::Io`].
pub fn write_list<T: Serialize>(path: &Path, rows: &[T]) -> Result<(), RecordError> {
    jsonl::write_list(path, SCHEMA_VERSION, rows)
}

/// Appends rows to `samples.jsonl`, one whole line per system call.
///
/// Each row is readable from the moment [`RowWriter::append`] returns.
#[derive(Debug)]
pub struct RowWriter {
    path: PathBuf,
    file: File,
    /// Bytes of the file that are whole lines; what a failed write is rolled back to.
    whole: u64,
    seen: HashMap<Identity, usize>,
}

impl RowWriter {
    /// Begins a new file. Refuses to overwrite one that holds anything: a run is evidence.
    /// An empty one is left by a run that was killed before it had begun.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`], also where rows are there already.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|source| RecordError::io(path, source))?;
        if file.metadata().is_ok_and(|found| found.len() > 0) {
            let reason = std::io::Error::other("holds rows already");
            return Err(RecordError::io(path, reason));
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            whole: 0,
            seen: HashMap::new(),
        })
    }

    /// Resumes an interrupted file: cuts off an incomplete last line and returns the rows
    /// that are there already. A file that does not exist yet is begun.
    ///
    /// # Errors
    ///
    /// Those of [`rows_from_bytes`] under [`Tail::Drop`], and
    /// [`RecordError::Io`]. The file is not touched unless all its lines are sound.
    pub fn resume(path: &Path) -> Result<(Self, Vec<Row>), RecordError> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|source| RecordError::io(path, source))?;
        if !file
            .metadata()
            .map_err(|source| RecordError::io(path, source))?
            .is_file()
        {
            return Err(RecordError::io(
                path,
                std::io::Error::other("is not a regular file"),
            ));
        }
        let bytes = fs::read(path).map_err(|source| RecordError::io(path, source))?;
        let rows = rows_from_bytes(&bytes, path, Tail::Drop)?;
        let whole = whole_lines(&bytes).len() as u64;
        file.set_len(whole)
            .map_err(|source| RecordError::io(path, source))?;
        file.seek(SeekFrom::Start(whole))
            .map_err(|source| RecordError::io(path, source))?;
        let seen = rows
            .iter()
            .enumerate()
            .map(|(index, row)| (row.identity(), index + 1))
            .collect();
        Ok((
            Self {
                path: path.to_owned(),
                file,
                whole,
                seen,
            },
            rows,
        ))
    }

    /// Whether the file holds a row of this identity.
    #[must_use]
    pub fn contains(&self, identity: &Identity) -> bool {
        self.seen.contains_key(identity)
    }

    /// Appends one row.
    ///
    /// # Errors
    ///
    /// [`RecordError::Unwritable`] for a row that no reader would take,
    /// [`RecordError::Duplicate`] for one that is there already, [`RecordError::Io`]
    /// (a full disk, say): then the file is cut back to its whole lines.
    pub fn append(&mut self, row: &Row) -> Result<(), RecordError> {
        let identity = row.identity();
        check(row).map_err(|(field, reason)| RecordError::Unwritable {
            path: self.path.clone(),
            identity: identity.to_string(),
            field,
            reason,
        })?;
        let line = self.seen.len() + 1;
        if let Some(first) = self.seen.get(&identity) {
            return Err(RecordError::Duplicate {
                path: self.path.clone(),
                line,
                first: *first,
                identity: identity.to_string(),
            });
        }
        let text = jsonl::line(row);
        if let Err(source) = self.file.write_all(text.as_bytes()) {
            // Whatever part of the line reached the disk must not stay there. If even
            // that fails, the file ends in a cut-off line, which `resume` heals.
            let _ = self.file.set_len(self.whole);
            let _ = self.file.seek(SeekFrom::Start(self.whole));
            return Err(RecordError::io(&self.path, source));
        }
        self.whole += text.len() as u64;
        self.seen.insert(identity, line);
        Ok(())
    }

    /// Sends what was written to the disk itself and returns its sum. Call it before the
    /// environment says that the run has finished.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`].
    pub fn finish(&mut self) -> Result<RowSum, RecordError> {
        let synced = self.file.sync_all();
        synced.map_err(|source| RecordError::io(&self.path, source))?;
        jsonl::sync_folder(&self.path)?;
        Ok(RowSum::of(&jsonl::bytes(&self.path)?))
    }
}

/// Writes `env.json`, one field per line.
///
/// # Errors
///
/// [`RecordError::Io`].
pub fn write_environment(path: &Path, environment: &Environment) -> Result<(), RecordError> {
    let text =
        serde_json::to_string_pretty(environment).map_err(|error| RecordError::io(path, error))?;
    write_whole(path, text + "\n")
}
