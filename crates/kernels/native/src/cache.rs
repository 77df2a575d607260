//! Where sources, work trees and kernels are kept, outside of any repository.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::io;
use crate::{BuildError, driver};

/// The cache: `$XDG_CACHE_HOME/folioscope/kernels`, or the same below `~/.cache`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cache(PathBuf);

impl Cache {
    /// That of this user.
    pub fn found() -> Self {
        let absolute = |name: &str| {
            env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let base = absolute("XDG_CACHE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
            .unwrap_or_else(env::temp_dir);
        Self(base.join("folioscope/kernels"))
    }

    /// One in this folder.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Archives.
    pub(crate) fn sources(&self) -> PathBuf {
        self.0.join("sources")
    }

    /// The folder of a work tree.
    pub(crate) fn tree(&self, name: &str) -> PathBuf {
        self.0.join("trees").join(name)
    }

    /// Finished kernels, a folder each.
    pub(crate) fn built(&self) -> PathBuf {
        self.0.join("built")
    }

    /// The finished kernel of this key.
    pub(crate) fn kernel(&self, key: &str) -> Result<Option<Kernel>, BuildError> {
        let folder = self.built().join(key);
        if !folder.join(MANIFEST).is_file() {
            return Ok(None);
        }
        Kernel::read(&folder).map(Some)
    }
}

/// The record beside a finished kernel.
pub(crate) const MANIFEST: &str = "kernel.json";
/// The kernel itself.
pub(crate) const PROGRAM: &str = "linux";

/// A kernel that is built.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Kernel {
    /// Identifies the kernel: source, patches, driver, configuration and compiler.
    pub key: String,
    /// As `6.12.95-1~bpo12+1`, or what a tree's Makefile says.
    pub version: String,
    /// Tells it from others of its version: given by name, or the folder and the key of
    /// a tree of one's own; nothing for a packaged version.
    #[serde(default)]
    pub label: Option<String>,
    /// Its patches by name, in the order in which they were applied.
    pub patches: Vec<String>,
    /// The compiler's own words.
    pub compiler: String,
    /// The hash of the driver in it.
    #[serde(default)]
    pub driver: String,
    /// Bytes of the program.
    pub bytes: u64,
    /// Seconds that its build took.
    pub seconds: u64,
    /// The program.
    #[serde(skip)]
    pub program: PathBuf,
}

impl Kernel {
    /// The major and minor version, as `6.12`.
    pub fn series(&self) -> String {
        series_of(&self.version)
    }

    /// The name as a contender: `linux-6.12`, `linux-6.12+headpage`, `linux-6.13@mine-1a2b3c`.
    pub fn name(&self) -> String {
        let mut name = format!("linux-{}", self.series());
        if let Some(label) = &self.label {
            name.push('@');
            name.push_str(label);
        }
        for patch in &self.patches {
            name.push('+');
            name.push_str(patch);
        }
        name
    }

    /// Keeps the program from being removed by a build of the same name, for as long as the
    /// value lives: a campaign starts its kernel again and again.
    ///
    /// # Errors
    /// The program is gone.
    pub fn keep(&self) -> std::io::Result<InUse> {
        let file = File::open(&self.program)?;
        file.lock_shared()?;
        Ok(InUse(file))
    }

    /// Whether the driver in it is this tool's: another one may not speak as we do.
    pub fn is_current(&self) -> bool {
        self.driver == driver::hash()
    }

    fn read(folder: &Path) -> Result<Self, BuildError> {
        let path = folder.join(MANIFEST);
        let text = fs::read(&path).map_err(io("reading", &path))?;
        let kernel: Self =
            serde_json::from_slice(&text).map_err(|error| BuildError::Malformed {
                path,
                reason: error.to_string(),
            })?;
        Ok(Self {
            program: folder.join(PROGRAM),
            ..kernel
        })
    }
}

/// Marks a kernel as in use, until it is dropped or the process ends.
#[derive(Debug)]
pub struct InUse(#[expect(dead_code, reason = "held, not read")] File);

/// Takes a kernel out of the list, and removes it unless it is in use.
pub(crate) fn retire(folder: &Path) -> Result<(), BuildError> {
    let manifest = folder.join(MANIFEST);
    match fs::remove_file(&manifest) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(io("removing", &manifest)(error));
        }
        _ => {}
    }
    let in_use = File::open(folder.join(PROGRAM)).is_ok_and(|file| file.try_lock().is_err());
    if in_use {
        return Ok(());
    }
    fs::remove_dir_all(folder).map_err(io("removing", folder))
}

/// Removes kernels that were retired while they were in use.
pub(crate) fn sweep(cache: &Cache) -> Result<(), BuildError> {
    for entry in fs::read_dir(cache.built()).into_iter().flatten().flatten() {
        let folder = entry.path();
        if !is_under_way(&folder) && !folder.join(MANIFEST).exists() {
            retire(&folder)?;
        }
    }
    Ok(())
}

/// The major and minor number of a version.
pub(crate) fn series_of(version: &str) -> String {
    version
        .split(|c: char| !c.is_ascii_digit())
        .take(2)
        .collect::<Vec<_>>()
        .join(".")
}

/// The kernels that are built, oldest version first.
///
/// # Errors
/// A record that does not read.
pub fn list(cache: &Cache) -> Result<Vec<Kernel>, BuildError> {
    let built = cache.built();
    let mut kernels = Vec::new();
    for entry in fs::read_dir(&built).into_iter().flatten().flatten() {
        // A folder under way has another kind of name.
        if entry.path().join(MANIFEST).is_file() && !is_under_way(&entry.path()) {
            kernels.push(Kernel::read(&entry.path())?);
        }
    }
    let numbers = |kernel: &Kernel| -> Vec<u64> {
        kernel
            .version
            .split(|c: char| !c.is_ascii_digit())
            .map_while(|part| part.parse().ok())
            .collect()
    };
    kernels.sort_by_key(|kernel| (numbers(kernel), kernel.patches.clone(), kernel.key.clone()));
    Ok(kernels)
}

/// Those of them with this tool's driver, which can be asked.
///
/// # Errors
/// As [`list`].
pub fn current(cache: &Cache) -> Result<Vec<Kernel>, BuildError> {
    let mut kernels = list(cache)?;
    kernels.retain(Kernel::is_current);
    Ok(kernels)
}

fn is_under_way(folder: &Path) -> bool {
    folder
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// A lock that one builder holds while others wait. It ends with the process at the latest.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held, not read")] File);

impl Lock {
    /// Takes the lock; calls `waits` first if another process holds it.
    pub fn take(folder: &Path, waits: impl FnOnce()) -> Result<Self, BuildError> {
        fs::create_dir_all(folder).map_err(io("making", folder))?;
        let path = folder.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(io("opening", &path))?;
        if file.try_lock().is_err() {
            waits();
            file.lock().map_err(io("locking", &path))?;
        }
        Ok(Self(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(version: &str, patches: &[&str]) -> Kernel {
        Kernel {
            key: format!("{version}-{}", patches.len()),
            version: version.into(),
            label: None,
            patches: patches.iter().map(|&p| p.to_owned()).collect(),
            compiler: "gcc".into(),
            driver: driver::hash(),
            bytes: 4,
            seconds: 60,
            program: PathBuf::new(),
        }
    }

    fn put(cache: &Cache, folder: &str, kernel: &Kernel) {
        let dir = cache.built().join(folder);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(MANIFEST), serde_json::to_vec(kernel).unwrap()).unwrap();
    }

    #[test]
    fn kernels_are_listed_by_version_and_what_is_under_way_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path());
        assert!(list(&cache).unwrap().is_empty());
        for kernel in [
            kernel("6.12.95-1~bpo12+1", &["headpage"]),
            kernel("6.1.176-1", &[]),
            kernel("6.12.95-1~bpo12+1", &[]),
        ] {
            put(&cache, &kernel.key, &kernel);
        }
        put(&cache, ".half", &kernel("7.2.13-1", &[]));
        let names: Vec<_> = list(&cache).unwrap().iter().map(Kernel::name).collect();
        assert_eq!(names, ["linux-6.1", "linux-6.12", "linux-6.12+headpage"]);
    }

    #[test]
    fn kernels_of_one_version_have_names_of_their_own() {
        let mut mine = kernel("6.13.0-rc1", &["fast"]);
        mine.label = Some("tree-1a2b3c".into());
        assert_eq!(mine.name(), "linux-6.13@tree-1a2b3c+fast");
    }

    #[test]
    fn a_record_that_does_not_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path());
        let folder = cache.built().join("key");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(MANIFEST), "{").unwrap();
        let error = list(&cache).unwrap_err().to_string();
        assert!(error.contains("kernel.json"), "{error}");
    }

    #[test]
    fn a_second_builder_waits_for_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path(), || panic!("nobody else is here")).unwrap();
        let (told, waits) = std::sync::mpsc::channel();
        let path = dir.path().to_owned();
        let second = std::thread::spawn(move || {
            Lock::take(&path, || told.send(()).unwrap()).unwrap();
        });
        waits.recv().expect("the second one is told that it waits");
        drop(first);
        second.join().unwrap();
    }
}
