//! Where fetched kernels and built modules live.

use std::env;
use std::path::{Path, PathBuf};

/// The directory that holds `SERIES/manifest.json` for each fetched kernel, and what is built
/// for them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store(PathBuf);

impl Store {
    /// A store in that directory.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    /// `FOLIOSCOPE_KERNELS` if set; else `kernels` below cargo's target directory: the one that
    /// `CARGO_TARGET_DIR` names, or `target` beside the nearest `Cargo.lock` from the current
    /// directory upwards, or `target` right here.
    pub fn found() -> Self {
        if let Some(directory) = env::var_os("FOLIOSCOPE_KERNELS") {
            return Self(directory.into());
        }
        if let Some(target) = env::var_os("CARGO_TARGET_DIR") {
            return Self(Path::new(&target).join("kernels"));
        }
        let here = env::current_dir().unwrap_or_default();
        let root = here
            .ancestors()
            .find(|dir| dir.join("Cargo.lock").is_file())
            .unwrap_or(&here);
        Self(root.join("target/kernels"))
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }
}
