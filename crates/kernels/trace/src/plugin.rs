//! Building the plugin for the emulator at hand.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The plugin's sources, name and text.
const FILES: [(&str, &str); 4] = [
    ("calls.h", include_str!("../plugin/calls.h")),
    ("memtrace.c", include_str!("../plugin/memtrace.c")),
    ("qemu_plugin.h", include_str!("../plugin/qemu_plugin.h")),
    ("set.h", include_str!("../plugin/set.h")),
];

/// Why memory traffic cannot be traced. Instructions are counted all the same.
#[derive(Debug, thiserror::Error)]
pub enum NoTrace {
    /// The emulator is not installed.
    #[error("{program} is not installed\n  do: apt-get install {package}")]
    NoEmulator {
        /// The emulator's program.
        program: String,
        /// Debian's package.
        package: &'static str,
    },
    /// The emulator was built without plugins.
    #[error(
        "{version} takes no TCG plugins, so lines are not counted\n  \
         do: use a QEMU built with --enable-plugins: Debian's qemu-system-x86 7.2 or 10.0, \
         qemu-user 7.2 (10.0's qemu-user lacks them)"
    )]
    NoPlugins {
        /// The first line of its `--version`.
        version: String,
    },
    /// No C compiler.
    #[error("the tracing plugin cannot be built: no gcc on the PATH\n  do: apt-get install gcc")]
    NoCompiler,
    /// The compiler refused the plugin.
    #[error("gcc failed to build the tracing plugin:\n{0}")]
    Compile(String),
    /// A file could not be read or written, a program not be run.
    #[error("{what}: {source}")]
    Io {
        /// The step that failed.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The program under the emulator failed.
    #[error("under {emulator} the program ended with {status}: {stderr}")]
    Program {
        /// The emulator.
        emulator: String,
        /// How it ended.
        status: String,
        /// The end of what was printed.
        stderr: String,
    },
    /// The plugin's output does not read, or does not fit the traced program.
    #[error("cannot parse the plugin's trace: {0}")]
    Malformed(String),
}

/// Returns a converter of IO errors that names what was tried.
pub(crate) fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> NoTrace {
    let what = what.into();
    move |source| NoTrace::Io { what, source }
}

/// The plugin as a shared object that an emulator loads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plugin {
    path: PathBuf,
    emulator: String,
}

impl Plugin {
    /// Builds the plugin in `directory` for an emulator, `package` being where to get it.
    ///
    /// # Errors
    /// [`NoTrace`] where the emulator is missing or takes no plugins, or gcc does not build.
    pub fn build(emulator: &str, package: &'static str, directory: &Path) -> Result<Self, NoTrace> {
        let version = output(emulator, package, "--version")?;
        let version = version.lines().next().unwrap_or(emulator).trim();
        let interface = interface(version);
        let no_plugins = || NoTrace::NoPlugins {
            version: version.to_owned(),
        };
        let Some(interface) = interface else {
            return Err(no_plugins());
        };
        if !output(emulator, package, "-help")?.contains("-plugin ") {
            return Err(no_plugins());
        }
        let path = Self::compile(interface, directory)?;
        Ok(Self {
            path,
            emulator: version.to_owned(),
        })
    }

    /// Returns the first line of the emulator's `--version`.
    pub fn emulator(&self) -> &str {
        &self.emulator
    }

    /// Compiles the sources for a plugin interface.
    fn compile(interface: u32, directory: &Path) -> Result<PathBuf, NoTrace> {
        for (name, text) in FILES {
            fs::write(directory.join(name), text).map_err(io_error(format!("writing {name}")))?;
        }
        let path = directory.join(format!("memtrace-{interface}.so"));
        let done = Command::new("gcc")
            .args([
                "-O2",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-Wno-unused-parameter",
            ])
            .args(["-fPIC", "-shared", "-fvisibility=hidden"])
            .arg(format!("-DAPI={interface}"))
            .arg("-o")
            .arg(&path)
            .arg(directory.join("memtrace.c"))
            .output();
        let done = done.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => NoTrace::NoCompiler,
            _ => io_error("running gcc")(error),
        })?;
        if !done.status.success() {
            return Err(NoTrace::Compile(
                String::from_utf8_lossy(&done.stderr).into_owned(),
            ));
        }
        Ok(path)
    }

    /// The value of the emulator's `-plugin` that writes sections to `out`, with further
    /// arguments of the plugin.
    pub fn argument(&self, out: &Path, more: &[String]) -> String {
        let mut text = format!("{},out={}", self.path.display(), out.display());
        for argument in more {
            text.push(',');
            text.push_str(argument);
        }
        text
    }
}

fn output(program: &str, package: &'static str, option: &str) -> Result<String, NoTrace> {
    let done = Command::new(program)
        .arg(option)
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => NoTrace::NoEmulator {
                program: program.to_owned(),
                package,
            },
            _ => io_error(format!("running {program}"))(error),
        })?;
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The newest plugin interface that the QEMU of this `--version` has; none before 6.0, whose
/// interface lacks what is needed.
fn interface(version: &str) -> Option<u32> {
    let number = version.split("version ").nth(1)?;
    let mut parts = number.split(['.', ' ']).map(str::parse::<u32>);
    match (parts.next()?.ok()?, parts.next()?.ok()?) {
        (..6, _) => None,
        (6..=8, _) => Some(1),
        (9, 0) => Some(2),
        (9, 1) => Some(3),
        _ => Some(4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_follows_from_the_version() {
        let debian = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)";
        assert_eq!(interface(debian), Some(1));
        assert_eq!(interface("qemu-x86_64 version 10.0.2 (Debian)"), Some(4));
        assert_eq!(interface("QEMU emulator version 9.1.0"), Some(3));
        assert_eq!(interface("QEMU emulator version 5.2.0"), None);
        assert_eq!(interface("something else"), None);
    }

    #[test]
    fn every_interface_is_built_from_the_one_source() {
        let directory = tempfile::tempdir().unwrap();
        for interface in 1..=4 {
            match Plugin::compile(interface, directory.path()) {
                Ok(path) => assert!(path.is_file()),
                Err(NoTrace::NoCompiler) => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn an_emulator_without_plugins_is_told_from_one_that_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let missing = Plugin::build("qemu-of-nowhere", "qemu-user", directory.path());
        assert!(matches!(missing, Err(NoTrace::NoEmulator { .. })));
        // It has a version and options, but none of a plugin's.
        let other = Plugin::build("gcc", "gcc", directory.path());
        if let Err(error @ NoTrace::NoPlugins { .. }) = other {
            assert!(error.to_string().contains("7.2"), "{error}");
        }
    }
}
