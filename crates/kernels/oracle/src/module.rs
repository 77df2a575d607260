//! Building the module against a kernel's headers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::error::{OracleError, io_error};
use crate::kernel::Kernel;
use crate::store::Store;

/// The module's sources, name and text, sorted by name.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/module_files.rs"));

/// The part of the module to build.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Parts {
    /// Only what answers cases: less to build, and less that can fail on a kernel under
    /// development.
    Cases,
    /// Counting too.
    All,
}

impl Parts {
    fn files(self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        FILES
            .iter()
            .filter(move |(name, _)| self == Self::All || !name.starts_with("count"))
    }
}

/// SHA-256 (hex) over the names and texts of the sources of these parts: what a record carries
/// to say which module gave its answers.
pub fn source_hash(parts: Parts) -> String {
    let mut hash = Sha256::new();
    for (name, text) in parts.files() {
        for piece in [name, text] {
            hash.update((piece.len() as u64).to_le_bytes());
            hash.update(piece.as_bytes());
        }
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A module that was built, and by what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Module {
    /// The `.ko`.
    pub(crate) path: PathBuf,
    /// The first line of `gcc --version`.
    pub(crate) compiler: String,
}

/// Builds the module for a kernel, or takes the one that was built before from the same
/// sources, headers and compiler.
pub(crate) fn build(kernel: &Kernel, parts: Parts, store: &Store) -> Result<Module, OracleError> {
    let compiler = compiler(kernel)?;
    let mut key = Sha256::new();
    for piece in [
        source_hash(parts),
        kernel.kdir.display().to_string(),
        header_state(kernel),
        compiler.clone(),
    ] {
        key.update((piece.len() as u64).to_le_bytes());
        key.update(piece);
    }
    let name = format!("{}-{}", kernel.release, &hex(&key.finalize())[..16]);
    let builds = store.path().join("modules");
    // Inside a chroot only what lies below its root can be seen.
    let place = kernel
        .chroot
        .as_ref()
        .map_or(builds.clone(), |root| root.join("build"));
    let path = builds.join(name).with_added_extension("ko");
    if path.is_file() {
        return Ok(Module { path, compiler });
    }
    fs::create_dir_all(&builds).map_err(io_error(format!("making {}", builds.display())))?;
    // A directory of its own: several processes may build at once, the last one's file stays.
    let work = tempfile::Builder::new()
        .prefix("build-")
        .tempdir_in(&place)
        .map_err(io_error(format!(
            "making a directory in {}",
            place.display()
        )))?;
    compile(kernel, parts, work.path(), &path.with_extension("log"))?;
    fs::rename(work.path().join("folioscope.ko"), &path)
        .map_err(io_error(format!("moving the module to {}", path.display())))?;
    Ok(Module { path, compiler })
}

fn compile(kernel: &Kernel, parts: Parts, work: &Path, log: &Path) -> Result<(), OracleError> {
    for (name, text) in parts.files() {
        fs::write(work.join(name), text).map_err(io_error(format!("writing {name}")))?;
    }
    let work = work
        .canonicalize()
        .map_err(io_error("finding the build directory"))?;
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let done = tool(kernel, "make")
        .arg(format!("-j{jobs}"))
        .arg("-C")
        .arg(inside(kernel, &kernel.kdir))
        .arg(format!("M={}", inside(kernel, &work).display()))
        // Debian's headers name the compiler that Debian used; BTF would need pahole.
        .args(["CC=gcc", "HOSTCC=gcc", "CONFIG_DEBUG_INFO_BTF_MODULES="])
        // Debug information would only make the guest unpack more.
        .args(["KCFLAGS=-g0", "modules"])
        // Cargo's own jobserver is not this make's.
        .env_remove("MAKEFLAGS")
        .env_remove("MFLAGS")
        .env("LC_ALL", "C")
        .output()
        .map_err(|error| missing(error, "make"))?;
    if done.status.success() {
        return Ok(());
    }
    let text =
        String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    fs::write(log, &text).map_err(io_error(format!("writing {}", log.display())))?;
    Err(OracleError::ModuleBuild {
        kernel: kernel.release.clone(),
        log: log.into(),
        tail: telling_lines(&text),
    })
}

/// The first errors of a build log, which is where its cause stands.
fn telling_lines(log: &str) -> String {
    let told: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("error") || line.contains("ERROR") || line.contains("rror:"))
        .collect();
    let lines = if told.is_empty() {
        log.lines().rev().take(10).collect::<Vec<_>>()
    } else {
        told
    };
    lines
        .into_iter()
        .take(10)
        .map(|line| format!("  {line}\n"))
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// The state of the headers that changes when the kernel is rebuilt.
fn header_state(kernel: &Kernel) -> String {
    ["Module.symvers", ".config", "include/generated/autoconf.h"]
        .iter()
        .map(|file| {
            let changed = fs::metadata(kernel.kdir.join(file)).and_then(|meta| meta.modified());
            format!("{changed:?} ")
        })
        .collect()
}

fn compiler(kernel: &Kernel) -> Result<String, OracleError> {
    let done = tool(kernel, "gcc")
        .arg("--version")
        .output()
        .map_err(|error| missing(error, "gcc"))?;
    if !done.status.success() {
        let why = String::from_utf8_lossy(&done.stderr).into_owned();
        return Err(OracleError::NoChroot {
            kernel: kernel.release.clone(),
            why,
        });
    }
    let text = String::from_utf8_lossy(&done.stdout);
    Ok(text.lines().next().unwrap_or("gcc").to_owned())
}

/// A program of this machine, or of the kernel's own root: entered as root of a user namespace
/// of its own, so that it needs no root and its mounts end with it.
fn tool(kernel: &Kernel, program: &str) -> Command {
    const ENTER: &str = "mount --rbind /dev \"$0/dev\" && mount --rbind /proc \"$0/proc\" && exec chroot \"$0\" \"$@\"";
    match &kernel.chroot {
        None => Command::new(program),
        Some(root) => {
            let mut command = Command::new("unshare");
            command
                .args(["--map-root-user", "--mount", "sh", "-c", ENTER])
                .arg(root)
                .arg(program);
            command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
            command
        }
    }
}

/// A path as the programs of [`tool`] see it.
fn inside(kernel: &Kernel, path: &Path) -> PathBuf {
    let below = kernel
        .chroot
        .as_ref()
        .and_then(|root| path.strip_prefix(root).ok());
    below.map_or(path.into(), |below| Path::new("/").join(below))
}

fn missing(error: io::Error, program: &str) -> OracleError {
    match error.kind() {
        io::ErrorKind::NotFound => OracleError::NoCompiler {
            program: program.into(),
        },
        _ => OracleError::Io {
            what: format!("running {program}"),
            source: error,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_of_the_parts_differ_and_so_do_their_hashes() {
        assert!(Parts::Cases.files().any(|(name, _)| *name == "cases.c"));
        assert!(
            !Parts::Cases
                .files()
                .any(|(name, _)| name.starts_with("count"))
        );
        assert!(Parts::All.files().any(|(name, _)| *name == "count.c"));
        assert_ne!(source_hash(Parts::Cases), source_hash(Parts::All));
    }

    #[test]
    fn only_the_compatibility_headers_ask_for_the_version() {
        for (name, text) in FILES {
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with('*'));
            let asks = code
                .into_iter()
                .any(|line| line.contains("LINUX_VERSION_CODE") || line.contains("COUNT_SINCE("));
            assert_eq!(asks, name.ends_with("compat.h"), "{name}");
        }
    }

    #[test]
    fn a_module_that_does_not_build_shows_the_errors_and_where_the_log_is() {
        let dir = tempfile::tempdir().unwrap();
        let makefile =
            ".PHONY: modules\nmodules:\n\t@echo 'cases.c:3:1: error: no such field'; exit 1\n";
        fs::write(dir.path().join("Makefile"), makefile).unwrap();
        let kernel = Kernel {
            release: "6.1-test".into(),
            rules: mm::KernelVersion::V6_1,
            bzimage: dir.path().join("bzImage"),
            kdir: dir.path().into(),
            package: None,
            chroot: None,
        };
        match build(&kernel, Parts::Cases, &Store::at(dir.path())) {
            Err(OracleError::ModuleBuild { log, tail, .. }) => {
                assert!(tail.contains("cases.c:3:1: error: no such field"), "{tail}");
                assert!(fs::read_to_string(log).unwrap().contains("no such field"));
            }
            // A machine without gcc or make has its own message.
            Err(OracleError::NoCompiler { .. }) => {}
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_compiler_that_is_missing_is_named() {
        let gone = io::Error::from(io::ErrorKind::NotFound);
        let text = missing(gone, "make").to_string();
        assert!(
            text.contains("`make`") && text.contains("apt-get install"),
            "{text}"
        );
    }

    #[test]
    fn a_build_log_is_cut_to_its_errors() {
        let log = "  CC [M]  cases.o\ncases.c:3:1: error: no\nmake: *** [x] Error 2\nmake: Leaving directory\n";
        assert_eq!(telling_lines(log), "  cases.c:3:1: error: no");
    }
}
