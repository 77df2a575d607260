//! Where a kernel's source comes from: a series that Debian packages, or a tree of one's own.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use crate::BuildError;
use crate::error::io;

/// The script that fetches a series without root.
const SCRIPT: &str = include_str!("../fetch-source");

/// A series and the suite that has it.
pub const SERIES: [(&str, &str); 4] = [
    ("5.10", "bullseye"),
    ("6.1", "bookworm"),
    ("6.12", "bookworm-backports"),
    ("7.2", "sid"),
];

/// The source of a kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// The newest version of a series: `6.12`.
    Series(String),
    /// A tree, which is read and never written to.
    Tree(PathBuf),
}

/// A source that is here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// An archive of a series.
    Archive {
        /// As `6.12`.
        series: String,
        /// The version of the package.
        version: String,
        /// The file.
        file: PathBuf,
    },
    /// A tree of one's own, with the size and time of each file that a build needs.
    Tree {
        /// The folder.
        root: PathBuf,
        /// The version that `make kernelversion` prints.
        version: String,
        /// The files.
        files: BTreeMap<String, Stamp>,
    },
}

/// The size and time of a file.
pub(crate) type Stamp = (u64, u128);

impl Found {
    /// The version, for people.
    pub fn version(&self) -> &str {
        match self {
            Self::Archive { version, .. } | Self::Tree { version, .. } => version,
        }
    }

    /// The name of the work tree.
    pub fn tree_name(&self) -> String {
        match self {
            Self::Archive {
                series, version, ..
            } => format!("{series}-{version}"),
            Self::Tree { root, .. } => {
                let hash = Sha256::digest(root.as_os_str().as_encoded_bytes());
                format!("tree-{}", hex(&hash[..6]))
            }
        }
    }

    /// The name of a kernel of it beside its version: nothing for a packaged one.
    pub fn label(&self, key: &str) -> Option<String> {
        match self {
            Self::Archive { .. } => None,
            Self::Tree { root, .. } => {
                let folder = root.file_name().unwrap_or_default().to_string_lossy();
                Some(format!("{folder}-{}", key.get(..6).unwrap_or(key)))
            }
        }
    }

    /// Identifies the source.
    pub fn identity(&self) -> String {
        match self {
            Self::Archive {
                series, version, ..
            } => format!("debian {series} {version}"),
            Self::Tree { files, .. } => {
                let mut hash = Sha256::new();
                for (name, (size, time)) in files {
                    hash.update(format!("{name} {size} {time}\n"));
                }
                format!("tree {}", hex(&hash.finalize()))
            }
        }
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Folders that a build needs whole.
pub(crate) const WHOLE: [&str; 24] = [
    "arch/um",
    "arch/x86",
    "block",
    "certs",
    "crypto",
    "drivers/base",
    "drivers/char",
    "drivers/tty",
    "fs",
    "include",
    "init",
    "io_uring",
    "ipc",
    "kernel",
    "lib",
    "mm",
    "scripts",
    "security",
    "tools/build",
    "tools/include",
    "tools/lib",
    "tools/scripts",
    "usr",
    "virt",
];
/// Files that a build needs wherever they are, by the beginning of their names.
pub(crate) const ANYWHERE: [&str; 4] = ["Kconfig", "Makefile", "Kbuild", "localversion"];

/// Whether a build needs this file of a kernel's tree: all Makefiles and Kconfigs, and of the
/// rest what an `ARCH=um` kernel without drivers is made of.
pub(crate) fn needed(path: &str) -> bool {
    const NEVER: [&str; 5] = [
        "tools/testing/",
        "mm/folioscope/",
        "include/config/",
        "include/generated/",
        "arch/x86/include/generated/",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    if NEVER.iter().any(|dir| path.starts_with(dir)) || name.starts_with('.') || is_product(name) {
        return false;
    }
    let below = |dir: &&str| {
        path.strip_prefix(*dir)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    ANYWHERE.iter().any(|start| name.starts_with(start)) || WHOLE.iter().any(below)
}

/// Whether a build made it.
fn is_product(name: &str) -> bool {
    [
        ".o", ".a", ".ko", ".mod", ".mod.c", ".order", ".symvers", ".orig", ".rej",
    ]
    .iter()
    .any(|end| name.ends_with(end))
}

/// Finds a source, and fetches it where it is not here yet or `refresh` asks for the newest.
pub(crate) fn find(source: &Source, sources: &Path, refresh: bool) -> Result<Found, BuildError> {
    match source {
        Source::Tree(root) => own_tree(root),
        Source::Series(series) => {
            let (series, suite) = SERIES
                .iter()
                .find(|(name, _)| name == series)
                .ok_or_else(|| BuildError::UnknownVersion(series.clone()))?;
            fs::create_dir_all(sources).map_err(io("making", sources))?;
            if !refresh && let Some(found) = archive_of(series, sources)? {
                return Ok(found);
            }
            fetch(series, suite, sources)
        }
    }
}

/// The newest archive of a series that is here already.
fn archive_of(series: &str, sources: &Path) -> Result<Option<Found>, BuildError> {
    let start = format!("linux-source-{series}-");
    let mut files = Vec::new();
    for entry in fs::read_dir(sources).map_err(io("reading", sources))? {
        let entry = entry.map_err(io("reading", sources))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let version = name
            .strip_prefix(&start)
            .and_then(|rest| rest.strip_suffix(".tar.xz"));
        if let Some(version) = version {
            let time = entry.metadata().and_then(|m| m.modified()).ok();
            files.push((time, version.to_owned(), entry.path()));
        }
    }
    files.sort();
    Ok(files.pop().map(|(_, version, file)| Found::Archive {
        series: series.to_owned(),
        version,
        file,
    }))
}

fn fetch(series: &str, suite: &str, sources: &Path) -> Result<Found, BuildError> {
    let failed = |log: String| BuildError::Fetch {
        version: series.to_owned(),
        log,
    };
    let mut child = Command::new("sh")
        .args(["-s", "--", series, suite])
        .arg(sources)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(io("starting sh in", sources))?;
    let mut stdin = child.stdin.take().expect("it was asked for");
    let written = stdin.write_all(SCRIPT.as_bytes());
    drop(stdin);
    let done = child
        .wait_with_output()
        .map_err(io("waiting for the script in", sources))?;
    written.map_err(io("handing the script to sh in", sources))?;
    if !done.status.success() {
        return Err(failed(String::from_utf8_lossy(&done.stderr).into_owned()));
    }
    let line = String::from_utf8_lossy(&done.stdout).into_owned();
    match line.split_whitespace().collect::<Vec<_>>()[..] {
        [_, version, file] => Ok(Found::Archive {
            series: series.to_owned(),
            version: version.to_owned(),
            file: file.into(),
        }),
        _ => Err(failed(format!("the script answered `{}`", line.trim()))),
    }
}

fn own_tree(root: &Path) -> Result<Found, BuildError> {
    let root = root.canonicalize().map_err(io("looking for", root))?;
    for file in ["Makefile", "mm/Makefile", "block/bio.c", "arch/um/Makefile"] {
        if !root.join(file).is_file() {
            return Err(BuildError::NotASource {
                tree: root,
                missing: file.to_owned(),
            });
        }
    }
    let mut files = BTreeMap::new();
    walk(&root, "", &mut files)?;
    Ok(Found::Tree {
        version: version_of(&root)?,
        root,
        files,
    })
}

fn walk(root: &Path, below: &str, into: &mut BTreeMap<String, Stamp>) -> Result<(), BuildError> {
    let dir = root.join(below);
    for entry in fs::read_dir(&dir).map_err(io("reading", &dir))? {
        let entry = entry.map_err(io("reading", &dir))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{below}{name}");
        let kind = entry.file_type().map_err(io("reading", &entry.path()))?;
        if kind.is_dir() {
            if !name.starts_with('.') {
                walk(root, &format!("{path}/"), into)?;
            }
        } else if needed(&path)
            && let Ok(meta) = fs::metadata(entry.path())
            && meta.is_file()
        {
            let time = meta
                .modified()
                .ok()
                .and_then(|t| t.duration_since(UNIX_EPOCH).ok());
            into.insert(path, (meta.len(), time.unwrap_or_default().as_nanos()));
        }
    }
    Ok(())
}

/// The four lines at the head of the Makefile.
fn version_of(root: &Path) -> Result<String, BuildError> {
    let path = root.join("Makefile");
    let text = fs::read_to_string(&path).map_err(io("reading", &path))?;
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='))
            .map(str::trim)
            .unwrap_or_default()
    };
    Ok(format!(
        "{}.{}.{}{}",
        field("VERSION"),
        field("PATCHLEVEL"),
        field("SUBLEVEL"),
        field("EXTRAVERSION")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_needs_every_makefile_and_not_every_driver() {
        for path in [
            "Makefile",
            "drivers/gpu/drm/Kconfig",
            "mm/slub.c",
            "arch/x86/um/Makefile",
            "scripts/kconfig/conf.c",
        ] {
            assert!(needed(path), "{path}");
        }
        for path in [
            "drivers/gpu/drm/drm_drv.c",
            "mm/slub.o",
            "mm/folioscope/main.c",
            ".config",
            "mm/.slub.o.cmd",
            "vmlinux",
            "include/generated/autoconf.h",
        ] {
            assert!(!needed(path), "{path}");
        }
    }

    #[test]
    fn a_folder_that_is_no_source_is_refused_with_what_it_lacks() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("Makefile"), "VERSION = 6\n").unwrap();
        let error = find(&Source::Tree(dir.path().into()), dir.path(), false).unwrap_err();
        assert!(error.to_string().contains("mm/Makefile"), "{error}");
        let error = find(&Source::Series("4.4".into()), dir.path(), false).unwrap_err();
        assert!(error.to_string().contains("one of 5.10"), "{error}");
    }

    #[test]
    fn a_tree_of_ones_own_is_known_by_its_files() {
        let dir = tempfile::tempdir().unwrap();
        for (file, text) in [
            (
                "Makefile",
                "VERSION = 6\nPATCHLEVEL = 13\nSUBLEVEL = 0\nEXTRAVERSION = -rc1\n",
            ),
            ("mm/Makefile", ""),
            ("block/bio.c", "1"),
            ("arch/um/Makefile", ""),
        ] {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let source = Source::Tree(dir.path().into());
        let before = find(&source, dir.path(), false).unwrap();
        assert_eq!(before.version(), "6.13.0-rc1");
        assert_eq!(before, find(&source, dir.path(), false).unwrap());
        fs::write(dir.path().join("block/bio.c"), "22").unwrap();
        let after = find(&source, dir.path(), false).unwrap();
        assert_ne!(before.identity(), after.identity());
        assert_eq!(before.tree_name(), after.tree_name());
    }

    #[test]
    fn an_archive_that_is_here_needs_no_network() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("linux-source-6.1-6.1.9-1.tar.xz"), "").unwrap();
        fs::write(dir.path().join("linux-source-6.12-6.12.3-1.tar.xz"), "").unwrap();
        let found = find(&Source::Series("6.1".into()), dir.path(), false).unwrap();
        assert_eq!(found.version(), "6.1.9-1");
        assert_eq!(found.tree_name(), "6.1-6.1.9-1");
    }
}
