//! Shared by the fuzz targets: files for readers that take a path, the parts of an input, and
//! rows that are valid and extreme.
#![forbid(unsafe_code)]

mod extreme;

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

pub use extreme::{environment, run};

/// The folder of this process. It stays when the process is killed: the caller of the target names
/// a `TMPDIR` that is removed afterwards.
fn folder() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let made = || tempfile::tempdir().expect("a temporary folder").keep();
    FOLDER.get_or_init(made).clone()
}

/// Writes a file for a reader that takes a path, and returns its path.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    let parent = path.parent().expect("a file is in a folder");
    if !parent.exists() {
        fs::create_dir_all(parent).expect("a temporary folder");
    }
    fs::write(&path, bytes).expect("a temporary file");
    path
}

/// The folder that [`file`] writes into.
pub fn files() -> PathBuf {
    folder()
}

/// The parts of an input of several files, divided by lines of three dashes; missing ones are empty.
pub fn parts<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    const RULE: &[u8] = b"\n---\n";
    let mut rest = Some(data);
    std::array::from_fn(|at| {
        let part = rest.unwrap_or_default();
        // The last part has all that is left.
        let end = part.windows(RULE.len()).position(|bytes| bytes == RULE);
        match end.filter(|_| at + 1 < N) {
            Some(end) => {
                rest = Some(&part[end + RULE.len()..]);
                &part[..end + 1]
            }
            None => rest.take().unwrap_or_default(),
        }
    })
}
