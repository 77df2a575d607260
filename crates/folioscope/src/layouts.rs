//! Captures that the user brings as layouts: read, kept beside the run, known to its workers.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use physmem::{Capture, captures};

use crate::failure::Failure;

/// The folder below a run's that has them.
const FOLDER: &str = "layouts";
/// How their files end.
const EXTENSION: &str = "jsonl";

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

    /// Reads the captures that a run keeps; none where it has none.
    ///
    /// # Errors
    /// [`Failure::Usage`] for one that is damaged.
    pub(crate) fn of_run(run: &Path) -> Result<Self, Failure> {
        Self::below(&run.join(FOLDER))
    }

    /// Reads all captures of a folder; none where there is no folder.
    ///
    /// # Errors
    /// [`Failure::Usage`] for one that is damaged.
    pub(crate) fn below(folder: &Path) -> Result<Self, Failure> {
        if !folder.is_dir() {
            return Ok(Self::default());
        }
        let refuse = |error| Failure::Usage(format!("{}: {error}", folder.display()));
        let entries = fs::read_dir(folder).map_err(refuse)?;
        let mut files = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(refuse)?;
        files.retain(|file| file.extension().is_some_and(|end| end == EXTENSION));
        files.sort();
        Self::read(&files)
    }

    /// Writes them beside a run.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub(crate) fn keep(&self, run: &Path) -> Result<(), Failure> {
        let Some(folder) = self.folder(run) else {
            return Ok(());
        };
        fs::create_dir_all(&folder)
            .map_err(|error| Failure::Wrong(format!("{}: {error}", folder.display())))?;
        for (name, text) in &self.brought {
            let file = folder.join(name).with_extension(EXTENSION);
            results::write_whole(&file, text.as_bytes())?;
        }
        Ok(())
    }

    /// The folder of a run that has them, if there are any.
    pub(crate) fn folder(&self, run: &Path) -> Option<PathBuf> {
        (!self.brought.is_empty()).then(|| run.join(FOLDER))
    }
}

/// The name by which a file's capture goes.
pub(crate) fn name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}
