//! Captures that the user brings as layouts: read, kept beside the run, known to its workers.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use physmem::{Capture, captures};

use crate::failure::Failure;

/// The folder below a run's that has them.
pub(crate) const FOLDER: &str = "layouts";

/// Captures that go by the names of their files.
#[derive(Debug, Default)]
pub(crate) struct Layouts {
    /// Names and texts.
    brought: Vec<(String, String)>,
}

impl Layouts {
    /// Reads what was brought, and makes it known in this process.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a file that is no capture, and a name that cannot be used.
    pub(crate) fn read(files: &[PathBuf]) -> Result<Self, Failure> {
        let mut layouts = Self::default();
        let mut names = BTreeSet::new();
        for file in files {
            let refuse =
                |why: &dyn std::fmt::Display| Failure::Usage(format!("{}: {why}", file.display()));
            if !fs::metadata(file)
                .map_err(|error| refuse(&error))?
                .is_file()
            {
                // A pipe would be read for ever.
                return Err(refuse(&"not a regular file"));
            }
            let text = fs::read_to_string(file).map_err(|error| refuse(&error))?;
            let path = file.display().to_string();
            let capture =
                Capture::parse(&path, &text).map_err(|error| Failure::Usage(error.to_string()))?;
            if !capture.extents().any(|(_, kind)| kind.is_lru()) {
                return Err(refuse(
                    &"it has no memory that is on LRU lists, which layouts are made of",
                ));
            }
            let name = name(file);
            if !names.insert(name.clone()) {
                return Err(refuse(&"two of the captures have this name"));
            }
            captures::add(&name, capture).map_err(|error| refuse(&error))?;
            layouts.brought.push((name, text));
        }
        Ok(layouts)
    }

    /// Reads the captures of these names that a run keeps.
    ///
    /// # Errors
    /// [`Failure::Usage`] for one that is missing or damaged.
    pub(crate) fn of_run(run: &Path, names: &[String]) -> Result<Self, Failure> {
        let files: Vec<_> = names.iter().map(|name| place(run, name)).collect();
        Self::read(&files)
    }

    /// Writes them beside a run.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub(crate) fn keep(&self, run: &Path) -> Result<(), Failure> {
        for (file, (_, text)) in self.files(run).iter().zip(&self.brought) {
            let folder = file.parent().unwrap_or(run);
            fs::create_dir_all(folder)
                .map_err(|error| Failure::Wrong(format!("{}: {error}", folder.display())))?;
            results::write_whole(file, text.as_bytes())?;
        }
        Ok(())
    }

    /// Where a run keeps them.
    pub(crate) fn files(&self, run: &Path) -> Vec<PathBuf> {
        let names = self.brought.iter().map(|(name, _)| name);
        names.map(|name| place(run, name)).collect()
    }
}

/// Where a run keeps the capture of a name.
fn place(run: &Path, name: &str) -> PathBuf {
    run.join(FOLDER).join(format!("{name}.jsonl"))
}

/// The name by which a file's capture goes.
pub(crate) fn name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}
