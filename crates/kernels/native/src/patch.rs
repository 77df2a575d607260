//! Patches: which files they touch, and applying them where nothing can be half done.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use crate::BuildError;
use crate::error::io;
use crate::patches;
use crate::source::hex;

/// A patch that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Patch {
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub text: Vec<u8>,
}

impl Patch {
    /// Finds the patch for a kernel of this series: one that the tool carries, by its
    /// name, or a file.
    pub fn find(wanted: &Path, series: &str) -> Result<Self, BuildError> {
        if let Some(text) = patches::carried(wanted, series)? {
            return Ok(Self {
                path: wanted.to_owned(),
                text: text.into(),
            });
        }
        if !wanted.exists() {
            return Err(patches::unknown(wanted));
        }
        Self::read(wanted)
    }

    /// Reads a patch.
    pub fn read(path: &Path) -> Result<Self, BuildError> {
        let text = fs::read(path).map_err(io("reading", path))?;
        let patch = Self {
            path: path.to_owned(),
            text,
        };
        if patch.files().is_empty() {
            return Err(BuildError::NotAPatch(path.to_owned()));
        }
        Ok(patch)
    }

    /// Its name, for people: that of the file without its ending.
    pub fn name(&self) -> String {
        self.path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// Identifies the patch by its changes: what stands in front of the first file that it
    /// touches is for people.
    pub fn hash(&self) -> String {
        let start = |window: &[u8]| window == b"\n--- ";
        let ahead = self.text.windows(5).position(start).map_or(0, |at| at + 1);
        hex(&Sha256::digest(self.text.get(ahead..).unwrap_or_default()))
    }

    /// The files that it touches, below a tree's root.
    pub fn files(&self) -> BTreeSet<String> {
        String::from_utf8_lossy(&self.text)
            .lines()
            .filter_map(|line| {
                line.strip_prefix("+++ ")
                    .or_else(|| line.strip_prefix("--- "))
            })
            .filter_map(|rest| {
                let path = rest.split(['\t', ' ']).next()?;
                Some(path.split_once('/')?.1.to_owned())
            })
            .filter(|path| path != "dev/null" && path != "null" && !path.is_empty())
            .filter(|path| !path.split('/').any(|part| part == ".."))
            .collect()
    }

    /// Applies it below a folder that holds the files it touches.
    pub fn apply(&self, folder: &Path, tree: &str) -> Result<(), BuildError> {
        let mut child = Command::new("patch")
            .args([
                "-p1",
                "--batch",
                "--forward",
                "--no-backup-if-mismatch",
                "--reject-file=-",
                "-d",
            ])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(io("starting patch in", folder))?;
        let mut stdin = child.stdin.take().expect("it was asked for");
        // A patch that refuses early stops reading; its words say why.
        let _ = stdin.write_all(&self.text);
        drop(stdin);
        let done = child
            .wait_with_output()
            .map_err(io("waiting for patch in", folder))?;
        if done.status.success() {
            return Ok(());
        }
        let text = [&done.stdout[..], &done.stderr[..]].concat();
        Err(BuildError::Patch {
            patch: self.path.clone(),
            tree: tree.to_owned(),
            log: String::from_utf8_lossy(&text).into_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "\
--- a/block/bio.c
+++ b/block/bio.c
@@ -1,3 +1,3 @@
 one
-two
+TWO
 three
--- /dev/null
+++ b/block/new.c
@@ -0,0 +1 @@
+new
";

    fn patch(dir: &Path) -> Patch {
        let path = dir.join("loud.patch");
        fs::write(&path, PATCH).unwrap();
        Patch::read(&path).unwrap()
    }

    #[test]
    fn a_patch_names_its_files_and_applies() {
        let dir = tempfile::tempdir().unwrap();
        let patch = patch(dir.path());
        assert_eq!(patch.name(), "loud");
        assert_eq!(
            patch.files().into_iter().collect::<Vec<_>>(),
            ["block/bio.c", "block/new.c"]
        );
        fs::create_dir(dir.path().join("block")).unwrap();
        fs::write(dir.path().join("block/bio.c"), "one\ntwo\nthree\n").unwrap();
        patch.apply(dir.path(), "Linux 6.12").unwrap();
        let text = fs::read_to_string(dir.path().join("block/bio.c")).unwrap();
        assert_eq!(text, "one\nTWO\nthree\n");
        assert!(dir.path().join("block/new.c").is_file());
    }

    #[test]
    fn a_patch_that_does_not_apply_names_the_hunk() {
        let dir = tempfile::tempdir().unwrap();
        let patch = patch(dir.path());
        fs::create_dir(dir.path().join("block")).unwrap();
        fs::write(dir.path().join("block/bio.c"), "something\nelse\n").unwrap();
        let error = patch
            .apply(dir.path(), "Linux 6.12")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("loud.patch does not apply to Linux 6.12"),
            "{error}"
        );
        assert!(error.contains("Hunk #1 FAILED"), "{error}");
        assert!(error.contains("block/bio.c"), "{error}");
    }

    #[test]
    fn words_ahead_of_a_patch_are_no_part_of_it() {
        let of = |text: String| Patch {
            path: "p.patch".into(),
            text: text.into_bytes(),
        };
        let plain = of(format!("Why.\n{PATCH}")).hash();
        assert_eq!(of(format!("Why not?\n\n{PATCH}")).hash(), plain);
        let other = PATCH.replace("+TWO", "+Two");
        assert_ne!(of(format!("Why.\n{other}")).hash(), plain);
    }

    #[test]
    fn a_file_that_is_no_patch_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.txt");
        fs::write(&path, "hello\n").unwrap();
        let error = Patch::read(&path).unwrap_err().to_string();
        assert!(error.contains("not a patch"), "{error}");
    }
}
