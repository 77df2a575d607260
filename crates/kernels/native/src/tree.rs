//! The work tree of a source: kept between builds, so that a patch costs what it changes.
//!
//! Patched, edited and hooked files are made beside the tree and then written
//! only where the content differs. So no tree is ever half patched, and make compiles what
//! changed and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::BuildError;
use crate::driver;
use crate::error::io;
use crate::patch::Patch;
use crate::source::{ANYWHERE, Found, Stamp, WHOLE};

/// A work tree.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The kernel's files, which make works in.
    pub linux: PathBuf,
    /// Files as the source has them, of those that are changed.
    originals: PathBuf,
    /// See [`State`].
    state: PathBuf,
    /// The source, for people.
    name: String,
}

/// The state of a tree.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// Whether all of an archive is there.
    whole: bool,
    /// Files that came from a tree of one's own, as they were then.
    files: BTreeMap<String, Stamp>,
    /// Files that patches added.
    added: BTreeSet<String>,
}

impl Tree {
    /// The tree of a source in this folder. The caller holds the folder's lock.
    pub fn at(folder: &Path, found: &Found) -> Self {
        Self {
            linux: folder.join("linux"),
            originals: folder.join("originals"),
            state: folder.join("state.json"),
            name: format!("Linux {}", found.version()),
        }
    }

    /// Brings the source, then the driver, the edits and the patches, into the tree.
    pub fn prepare(&self, found: &Found, patches: &[Patch]) -> Result<(), BuildError> {
        for dir in [&self.linux, &self.originals] {
            fs::create_dir_all(dir).map_err(io("making", dir))?;
        }
        let mut state = self.read_state();
        match found {
            Found::Archive { file, .. } => self.unpack(found, file, &mut state)?,
            Found::Tree { root, files, .. } => self.sync(root, files, &mut state)?,
        }
        self.overlay(found, patches, &mut state)?;
        for (name, text) in driver::FILES {
            write_changed(&self.linux.join(driver::FOLDER).join(name), text.as_bytes())?;
        }
        self.write_state(&state)
    }

    fn read_state(&self) -> State {
        fs::read(&self.state)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    fn write_state(&self, state: &State) -> Result<(), BuildError> {
        let text = serde_json::to_vec(state).expect("plain data");
        let new = self.state.with_extension("new");
        fs::write(&new, text).map_err(io("writing", &new))?;
        fs::rename(&new, &self.state).map_err(io("renaming", &new))
    }

    fn unpack(&self, found: &Found, archive: &Path, state: &mut State) -> Result<(), BuildError> {
        if state.whole {
            return Ok(());
        }
        let Found::Archive { series, .. } = found else {
            return Ok(());
        };
        let top = format!("linux-source-{series}");
        let anywhere = ANYWHERE.map(|name| format!("{top}/*{name}*"));
        let whole = WHOLE.map(|dir| format!("{top}/{dir}"));
        let members: Vec<&str> = anywhere.iter().chain(&whole).map(String::as_str).collect();
        self.extract(archive, &members)?;
        for file in ["Makefile", "mm/Makefile", "block/bio.c", "arch/um/Makefile"] {
            if !self.linux.join(file).is_file() {
                return Err(BuildError::NotASource {
                    tree: archive.to_owned(),
                    missing: file.to_owned(),
                });
            }
        }
        state.whole = true;
        self.write_state(state)
    }

    /// Unpacks members of an archive by name or pattern, without its topmost folder. Those
    /// that it does not have are passed over: versions differ.
    fn extract(&self, archive: &Path, members: &[&str]) -> Result<(), BuildError> {
        let done = Command::new("tar")
            .args([
                "-x",
                "--strip-components=1",
                "--wildcards",
                "--exclude=tools/testing",
                "-f",
            ])
            .arg(archive)
            .arg("-C")
            .arg(&self.linux)
            .args(members)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output()
            .map_err(io("starting tar for", archive))?;
        let log = String::from_utf8_lossy(&done.stderr).into_owned();
        if log.contains("No space left") || log.contains("quota exceeded") {
            return Err(BuildError::DiskFull(self.linux.clone()));
        }
        let passed_over = |line: &str| {
            line.contains("Not found in archive") || line.contains("Exiting with failure status")
        };
        if done.status.success() || log.lines().all(passed_over) {
            return Ok(());
        }
        Err(BuildError::Io {
            what: format!("unpacking {}", archive.display()),
            error: std::io::Error::other(log.trim().to_owned()),
        })
    }

    /// Copies what changed in a tree of one's own since the last time.
    fn sync(
        &self,
        root: &Path,
        files: &BTreeMap<String, Stamp>,
        state: &mut State,
    ) -> Result<(), BuildError> {
        for (name, stamp) in files {
            if state.files.get(name) == Some(stamp) {
                continue;
            }
            let original = self.originals.join(name);
            let to = if original.exists() {
                original
            } else {
                self.linux.join(name)
            };
            copy(&root.join(name), &to)?;
            state.files.insert(name.clone(), *stamp);
        }
        let gone: Vec<String> = state
            .files
            .keys()
            .filter(|n| !files.contains_key(*n))
            .cloned()
            .collect();
        for name in gone {
            let _ = fs::remove_file(self.linux.join(&name));
            let _ = fs::remove_file(self.originals.join(&name));
            state.files.remove(&name);
        }
        self.write_state(state)
    }

    fn overlay(
        &self,
        found: &Found,
        patches: &[Patch],
        state: &mut State,
    ) -> Result<(), BuildError> {
        let ours = driver::EDITS
            .iter()
            .map(|edit| edit.file)
            .chain(driver::HOOKS.iter().map(|hook| hook.0));
        let mut touched: BTreeSet<String> = ours.map(str::to_owned).collect();
        touched.extend(patches.iter().flat_map(Patch::files));
        let scratch = tempfile::Builder::new()
            .prefix("patched.")
            .tempdir_in(self.originals.parent().expect("it lies in a folder"))
            .map_err(io("making a folder in", &self.originals))?;

        for name in &touched {
            let original = self.originals.join(name);
            let in_tree = self.linux.join(name);
            if !original.exists() && !state.added.contains(name) {
                if !in_tree.exists() {
                    self.bring(found, name)?;
                }
                if in_tree.exists() {
                    copy(&in_tree, &original)?;
                }
            }
            if original.exists() {
                copy(&original, &scratch.path().join(name))?;
            }
        }
        for patch in patches {
            patch.apply(scratch.path(), &self.name)?;
        }
        self.edit(scratch.path())?;

        let mut originals = Vec::new();
        list(&self.originals, "", &mut originals)?;
        for name in originals.iter().filter(|name| !touched.contains(*name)) {
            let text = read(&self.originals.join(name))?;
            write_changed(&self.linux.join(name), &text)?;
            let _ = fs::remove_file(self.originals.join(name));
        }
        for name in state
            .added
            .iter()
            .filter(|name| !scratch.path().join(name).exists())
        {
            let _ = fs::remove_file(self.linux.join(name));
        }
        state.added.clear();
        for name in &touched {
            let made = scratch.path().join(name);
            if made.exists() {
                write_changed(&self.linux.join(name), &read(&made)?)?;
                if !self.originals.join(name).exists() {
                    state.added.insert(name.clone());
                }
            } else {
                let _ = fs::remove_file(self.linux.join(name));
            }
        }
        Ok(())
    }

    /// Brings in a file that only a patch needs.
    fn bring(&self, found: &Found, name: &str) -> Result<(), BuildError> {
        match found {
            Found::Archive { file, series, .. } => {
                // A file that the patch adds is in no archive.
                let _ = self.extract(file, &[&format!("linux-source-{series}/{name}")]);
                Ok(())
            }
            Found::Tree { root, .. } if root.join(name).is_file() => {
                copy(&root.join(name), &self.linux.join(name))
            }
            Found::Tree { .. } => Ok(()),
        }
    }

    /// Our own changes, which are no patches since they fit every version.
    fn edit(&self, folder: &Path) -> Result<(), BuildError> {
        for edit in driver::EDITS {
            let path = folder.join(edit.file);
            let text = String::from_utf8_lossy(&read(&path)?).into_owned();
            if edit.needed && !text.lines().any(|line| line == edit.line) {
                return Err(BuildError::Edit {
                    tree: self.name.clone(),
                    file: edit.file.to_owned(),
                    line: edit.line.to_owned(),
                });
            }
            let lines = text.lines().filter_map(|line| match edit.becomes {
                _ if line != edit.line => Some(line),
                becomes => becomes,
            });
            let new: String = lines.flat_map(|line| [line, "\n"]).collect();
            fs::write(&path, new).map_err(io("writing", &path))?;
        }
        for (file, line) in driver::HOOKS {
            let path = folder.join(file);
            let mut to = fs::OpenOptions::new()
                .append(true)
                .open(&path)
                .map_err(io("opening", &path))?;
            writeln!(to, "{line}").map_err(io("writing", &path))?;
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(io("reading", path))
}

fn copy(from: &Path, to: &Path) -> Result<(), BuildError> {
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir).map_err(io("making", dir))?;
    }
    fs::copy(from, to).map(drop).map_err(io("copying", to))
}

/// Writes a file unless it says that already: its time is what make goes by.
fn write_changed(path: &Path, text: &[u8]) -> Result<(), BuildError> {
    if fs::read(path).is_ok_and(|now| now == text) {
        return Ok(());
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(io("making", dir))?;
    }
    fs::write(path, text).map_err(io("writing", path))
}

/// The files below a folder, by their names from there.
fn list(root: &Path, below: &str, into: &mut Vec<String>) -> Result<(), BuildError> {
    let dir = root.join(below);
    for entry in fs::read_dir(&dir).map_err(io("reading", &dir))? {
        let entry = entry.map_err(io("reading", &dir))?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            list(root, &format!("{name}/"), into)?;
        } else {
            into.push(name);
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
