//! Writing records so that a kill or a full disk costs at most the row in hand.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::check::check;
use crate::read::{io, whole_lines};
use crate::{Environment, Identity, RecordError, Row, Tail, rows_from_bytes};

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
    /// Begins a new file. Refuses to overwrite one that exists: a run is evidence.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`], also where the file exists already.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|source| io(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            whole: 0,
            seen: HashMap::new(),
        })
    }

    /// Goes on with an interrupted file: cuts off an incomplete last line and returns
    /// the rows that are there already. A file that does not exist yet is begun.
    ///
    /// # Errors
    ///
    /// Whatever [`rows_from_bytes`] refuses under [`Tail::Drop`], and
    /// [`RecordError::Io`]. The file is not touched unless all its lines are sound.
    pub fn resume(path: &Path) -> Result<(Self, Vec<Row>), RecordError> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|source| io(path, source))?;
        if !file
            .metadata()
            .map_err(|source| io(path, source))?
            .is_file()
        {
            return Err(io(path, std::io::Error::other("is no regular file")));
        }
        let bytes = fs::read(path).map_err(|source| io(path, source))?;
        let rows = rows_from_bytes(&bytes, path, Tail::Drop)?;
        let whole = whole_lines(&bytes).len() as u64;
        file.set_len(whole).map_err(|source| io(path, source))?;
        file.seek(SeekFrom::Start(whole))
            .map_err(|source| io(path, source))?;
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
            identity: Box::new(identity.clone()),
            field,
            reason,
        })?;
        let line = self.seen.len() + 1;
        if let Some(first) = self.seen.get(&identity) {
            return Err(RecordError::Duplicate {
                path: self.path.clone(),
                line,
                first: *first,
                identity: Box::new(identity),
            });
        }
        let mut text = serde_json::to_vec(row).map_err(|error| io(&self.path, error.into()))?;
        text.push(b'\n');
        if let Err(source) = self.file.write_all(&text) {
            // Whatever part of the line reached the disk must not stay there. If even
            // that fails, the file ends in a cut-off line, which `resume` heals.
            let _ = self.file.set_len(self.whole);
            let _ = self.file.seek(SeekFrom::Start(self.whole));
            return Err(io(&self.path, source));
        }
        self.whole += text.len() as u64;
        self.seen.insert(identity, line);
        Ok(())
    }

    /// Sends what was written to the disk itself. Call it at the end of a run.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`].
    pub fn finish(self) -> Result<(), RecordError> {
        self.file
            .sync_all()
            .map_err(|source| io(&self.path, source))
    }
}

/// Writes a whole file under a temporary name in the same directory and renames it, so
/// that a reader sees the old contents or the new, never a part.
///
/// # Errors
///
/// [`RecordError::Io`]; the temporary file is removed then.
pub fn write_whole(path: &Path, contents: &[u8]) -> Result<(), RecordError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let attempt = || -> std::io::Result<()> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".partial-");
        #[cfg(unix)]
        {
            // tempfile makes private files; a record is for everyone the umask allows.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(directory)?;
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    attempt().map_err(|source| io(path, source))
}

/// Writes `env.json`, one field per line.
///
/// # Errors
///
/// [`RecordError::Io`].
pub fn write_environment(path: &Path, environment: &Environment) -> Result<(), RecordError> {
    let mut text =
        serde_json::to_vec_pretty(environment).map_err(|error| io(path, error.into()))?;
    text.push(b'\n');
    write_whole(path, &text)
}
