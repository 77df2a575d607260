//! One writer per run. The kernel holds the lock, so that a kill frees it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::RecordError;

/// Name of the file that is locked. It holds the writer's process id.
const LOCK_FILE: &str = ".lock";

/// The right to write a run, until it is dropped.
#[derive(Debug)]
pub struct RunLock {
    path: PathBuf,
    _file: File,
}

impl RunLock {
    /// Takes the run in a folder.
    ///
    /// # Errors
    ///
    /// [`RecordError::Busy`] with the process that has it, [`RecordError::Io`].
    pub fn take(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(LOCK_FILE);
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(|source| RecordError::io(&path, source))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let mut process = String::new();
                    // It may not have written its process id yet.
                    let _ = file.read_to_string(&mut process);
                    return Err(RecordError::Busy {
                        path: folder.to_owned(),
                        process: process.trim().to_owned(),
                    });
                }
                Err(TryLockError::Error(source)) => return Err(RecordError::io(&path, source)),
            }
            let place = |found: fs::Metadata| (found.dev(), found.ino());
            let ours = file.metadata().ok().map(place);
            // The writer before us may have removed the file that we waited for.
            if ours.is_none() || fs::metadata(&path).ok().map(place) != ours {
                continue;
            }
            file.set_len(0)
                .and_then(|()| writeln!(file, "{}", std::process::id()))
                .map_err(|source| RecordError::io(&path, source))?;
            return Ok(Self { path, _file: file });
        }
    }

    /// Whether some process writes the run in a folder.
    #[must_use]
    pub fn is_held(folder: &Path) -> bool {
        let lock = File::open(folder.join(LOCK_FILE));
        lock.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // While it is still held: a process that waits for this very file looks again.
        let _ = fs::remove_file(&self.path);
    }
}
