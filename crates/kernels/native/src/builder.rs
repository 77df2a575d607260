//! From a source to a kernel in the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use crate::cache::{self, Cache, Kernel, Lock, MANIFEST, PROGRAM, series_of};
use crate::error::io;
use crate::make::Make;
use crate::patch::Patch;
use crate::source::{self, Found, Source, hex};
use crate::tree::Tree;
use crate::{BuildError, driver, kunit, tools};

/// The kernel to build.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// From this source,
    pub source: Source,
    /// with these patches, in this order, each a file or the name of one that is carried,
    pub patches: Vec<PathBuf>,
    /// with these options beside ours, a file or [`KUNIT`](crate::KUNIT),
    pub config: Option<PathBuf>,
    /// by this compiler,
    pub compiler: String,
    /// under this name beside the version.
    pub label: Option<String>,
    /// Whether a newer version of a series is looked for.
    pub refresh: bool,
}

impl Plan {
    /// A source as it is, by gcc.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            patches: Vec::new(),
            config: None,
            compiler: "gcc".into(),
            label: None,
            refresh: false,
        }
    }
}

/// Where a build is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    /// The source is looked for, and fetched if it is not here.
    Source,
    /// Another process builds from this source; it goes first.
    Waiting,
    /// The work tree is unpacked and patched.
    Tree,
    /// The tree is configured.
    Config,
    /// Files were compiled: how many, of about how many.
    Compiling(usize, usize),
    /// The kernel was there already.
    Cached,
}

/// Files of a kernel built from nothing, for progress.
const FILES: usize = 460;

/// Builds a kernel, or finds it built.
///
/// # Errors
/// [`BuildError`]. Whatever went wrong, the cache has nothing half-built in it.
pub fn build(
    cache: &Cache,
    plan: &Plan,
    progress: &mut dyn FnMut(Progress),
) -> Result<Kernel, BuildError> {
    crate::patches::check_order(&plan.patches)?;
    tools::check()?;
    progress(Progress::Source);
    let fetching = Lock::take(&cache.sources(), || progress(Progress::Waiting))?;
    let found = source::find(&plan.source, &cache.sources(), plan.refresh)?;
    drop(fetching);
    let patches = plan
        .patches
        .iter()
        .map(|wanted| Patch::find(wanted, &series_of(found.version())))
        .collect::<Result<Vec<_>, _>>()?;
    let fragment = fragment(plan.config.as_deref())?;
    let compiler = compiler(&plan.compiler)?;
    let key = key(
        &found,
        &patches,
        &fragment,
        &compiler,
        plan.label.as_deref(),
    );
    if let Some(kernel) = cache.kernel(&key)? {
        progress(Progress::Cached);
        return Ok(kernel);
    }

    let folder = cache.tree(&found.tree_name());
    let _lock = Lock::take(&folder, || progress(Progress::Waiting))?;
    // The other builder may have built this very kernel.
    if let Some(kernel) = cache.kernel(&key)? {
        progress(Progress::Cached);
        return Ok(kernel);
    }
    let started = Instant::now();
    progress(Progress::Tree);
    let tree = Tree::at(&folder, &found);
    tree.prepare(&found, &patches)?;
    let make = Make {
        linux: &tree.linux,
        name: &format!("Linux {}", found.version()),
        cc: &plan.compiler,
        log: folder.join("build.log"),
    };
    progress(Progress::Config);
    make.configure(&fragment)?;
    let mut done = 0;
    make.build(&mut |step| {
        if step.starts_with("CC ") || step.starts_with("AS ") {
            done += 1;
            progress(Progress::Compiling(done, FILES.max(done)));
        }
    })?;
    finish(
        cache,
        &tree.linux.join(PROGRAM),
        Kernel {
            label: label(plan, &found, &key),
            key,
            version: found.version().to_owned(),
            patches: patches.iter().map(Patch::name).collect(),
            compiler,
            driver: driver::hash(),
            bytes: 0,
            seconds: started.elapsed().as_secs(),
            program: PathBuf::new(),
        },
    )
}

/// The name of the kernel beside its version: the name it was given, or what is unusual
/// about its source, its options and its compiler.
fn label(plan: &Plan, found: &Found, key: &str) -> Option<String> {
    if plan.label.is_some() {
        return plan.label.clone();
    }
    let config = plan.config.as_deref().and_then(Path::file_stem);
    let compiler = (plan.compiler != "gcc").then(|| Path::new(&plan.compiler).file_name());
    let names = [config, compiler.flatten()];
    let names = names
        .into_iter()
        .flatten()
        .map(|name| name.to_string_lossy().into_owned());
    let parts: Vec<String> = found.label(key).into_iter().chain(names).collect();
    (!parts.is_empty()).then(|| parts.join("-"))
}

/// Our options, then the user's.
fn fragment(own: Option<&Path>) -> Result<String, BuildError> {
    let own = match own {
        None => String::new(),
        Some(name) if name.as_os_str() == kunit::KUNIT => kunit::CONFIG.to_owned(),
        Some(path) => fs::read_to_string(path).map_err(io("reading", path))?,
    };
    // Ahead of ours, whose tail may be missing in some versions.
    Ok(format!("{own}\n{}", driver::CONFIG))
}

/// The first line of the compiler's `--version`.
fn compiler(cc: &str) -> Result<String, BuildError> {
    let said = Command::new(cc)
        .arg("--version")
        .output()
        .map_err(io("starting", Path::new(cc)))?;
    let text = String::from_utf8_lossy(&said.stdout);
    Ok(text.lines().next().unwrap_or(cc).to_owned())
}

fn key(
    found: &Found,
    patches: &[Patch],
    fragment: &str,
    compiler: &str,
    label: Option<&str>,
) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(&found.identity());
    for patch in patches {
        add(&patch.hash());
    }
    add(&driver::hash());
    add(fragment);
    add(compiler);
    add(label.unwrap_or_default());
    hex(&hash.finalize()[..10])
}

/// Puts a finished kernel into its place in one step.
fn finish(cache: &Cache, program: &Path, kernel: Kernel) -> Result<Kernel, BuildError> {
    let built = cache.built();
    fs::create_dir_all(&built).map_err(io("making", &built))?;
    let new = tempfile::Builder::new()
        .prefix(".new.")
        .tempdir_in(&built)
        .map_err(io("making a folder in", &built))?;
    let bytes = fs::copy(program, new.path().join(PROGRAM)).map_err(io("copying", program))?;
    let place = built.join(&kernel.key);
    let kernel = Kernel {
        bytes,
        program: place.join(PROGRAM),
        ..kernel
    };
    let manifest = serde_json::to_vec_pretty(&kernel).expect("plain data");
    let path = new.path().join(MANIFEST);
    fs::write(&path, manifest).map_err(io("writing", &path))?;
    fs::rename(new.keep(), &place).map_err(io("putting a kernel at", &place))?;
    // A kernel that had this name is an older version, driver or patch: a name is for one.
    for old in crate::list(cache)? {
        if old.name() == kernel.name() && old.key != kernel.key {
            cache::retire(&built.join(&old.key))?;
        }
    }
    cache::sweep(cache)?;
    Ok(kernel)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(version: &str) -> Found {
        Found::Archive {
            series: "6.12".into(),
            version: version.into(),
            file: PathBuf::new(),
        }
    }

    #[test]
    fn a_key_changes_with_everything_that_makes_a_kernel() {
        let patch = |text: &str| Patch {
            path: "a.patch".into(),
            text: text.as_bytes().to_vec(),
        };
        let base = key(&found("1"), &[], "A=y", "gcc 12", None);
        assert_eq!(base, key(&found("1"), &[], "A=y", "gcc 12", None));
        for other in [
            key(&found("2"), &[], "A=y", "gcc 12", None),
            key(&found("1"), &[patch("x")], "A=y", "gcc 12", None),
            key(&found("1"), &[], "A=n", "gcc 12", None),
            key(&found("1"), &[], "A=y", "gcc 14", None),
            key(&found("1"), &[], "A=y", "gcc 12", Some("mine")),
        ] {
            assert_ne!(base, other);
        }
        let (x, y) = (patch("x"), patch("y"));
        assert_ne!(
            key(&found("1"), &[x.clone(), y.clone()], "", "", None),
            key(&found("1"), &[y, x], "", "", None)
        );
    }

    #[test]
    fn what_is_unusual_about_a_kernel_is_in_its_name() {
        let mut plan = Plan::new(Source::Series("6.12".into()));
        assert_eq!(label(&plan, &found("1"), "key"), None);
        plan.config = Some("/etc/thp.config".into());
        plan.compiler = "/usr/bin/gcc-14".into();
        let told = label(&plan, &found("1"), "key");
        assert_eq!(told.as_deref(), Some("thp-gcc-14"));
        plan.label = Some("mine".into());
        assert_eq!(label(&plan, &found("1"), "key").as_deref(), Some("mine"));
    }

    #[test]
    fn a_finished_kernel_is_found_again_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path());
        let program = dir.path().join("linux");
        fs::write(&program, "elf").unwrap();
        let kernel = Kernel {
            key: "k".into(),
            version: "6.12.1".into(),
            label: None,
            patches: vec![],
            compiler: "gcc".into(),
            driver: driver::hash(),
            bytes: 0,
            seconds: 1,
            program: PathBuf::new(),
        };
        let made = finish(&cache, &program, kernel).unwrap();
        assert_eq!(made.bytes, 3);
        assert_eq!(cache.kernel("k").unwrap(), Some(made.clone()));
        let again = Kernel {
            key: "newer".into(),
            ..made
        };
        let newer = finish(&cache, &program, again).unwrap();
        assert_eq!(crate::list(&cache).unwrap(), std::slice::from_ref(&newer));
        assert_eq!(fs::read_dir(cache.built()).unwrap().count(), 1);

        // One that is in use stays until it is not, and is listed no more.
        let used = newer.keep().unwrap();
        let third = |key: &str| Kernel {
            key: key.into(),
            ..newer.clone()
        };
        let made = finish(&cache, &program, third("third")).unwrap();
        assert_eq!(crate::list(&cache).unwrap(), [made]);
        assert!(newer.program.is_file());
        drop(used);
        finish(&cache, &program, third("fourth")).unwrap();
        assert_eq!(fs::read_dir(cache.built()).unwrap().count(), 1);
    }
}
