//! Writing records so that a kill, a full disk or a power failure never leaves a part.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::Error;

/// One row as a line of text.
///
/// # Panics
///
/// A row that is not plain data: a map whose keys are not text.
pub fn line(row: &impl Serialize) -> String {
    serde_json::to_string(row).expect("a row is plain data") + "\n"
}

/// Rows as lines of text.
pub fn lines<T: Serialize>(rows: impl IntoIterator<Item = T>) -> String {
    rows.into_iter().map(|row| line(&row)).collect()
}

/// Writes a whole file under a temporary name in the same directory and renames it, so
/// that a reader sees the old contents or the new, never a part. When it returns, the
/// contents and the name are on the disk.
///
/// # Errors
///
/// [`Error::Io`]; the temporary file is removed then.
pub fn write_whole(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), Error> {
    let folder = folder_of(path);
    let attempt = || -> std::io::Result<()> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".partial-");
        #[cfg(unix)]
        {
            // tempfile makes private files; a record is for everyone the umask allows.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(contents.as_ref())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    attempt().map_err(|source| Error::io(path, source))?;
    sync_folder(path)
}

/// Syncs the name of a file to the disk: without it the contents may end up under no name.
///
/// # Errors
///
/// [`Error::Io`].
pub fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = folder_of(path);
    File::open(folder)
        .and_then(|opened| opened.sync_all())
        .map_err(|source| Error::io(folder, source))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
