//! Running make: its arguments, its output, and what a failure means.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::BuildError;
use crate::driver;
use crate::error::io;

/// Lines of a log that an error may come with.
const MAX_LINES: usize = 12;

/// A make in a kernel's tree.
#[derive(Debug)]
pub(crate) struct Make<'a> {
    /// The tree.
    pub linux: &'a Path,
    /// The tree, for people.
    pub name: &'a str,
    /// The compiler.
    pub cc: &'a str,
    /// Where its words go.
    pub log: PathBuf,
}

impl Make<'_> {
    /// Configures the tree, and checks that it took every option that is asked for.
    pub fn configure(&self, fragment: &str) -> Result<(), BuildError> {
        let path = self.linux.join(".folioscope.config");
        std::fs::write(&path, fragment).map_err(io("writing", &path))?;
        let all = format!("KCONFIG_ALLCONFIG={}", path.display());
        let failed = |options| BuildError::Config {
            tree: self.name.to_owned(),
            options,
        };
        self.run(&["allnoconfig", &all], &mut |_| {})
            .map_err(|error| match error {
                BuildError::Make { lines, .. } => failed(lines),
                other => other,
            })?;
        let path = self.linux.join(".config");
        let config = std::fs::read_to_string(&path).map_err(io("reading", &path))?;
        let unset = unset(fragment, &config);
        if unset.is_empty() {
            Ok(())
        } else {
            Err(failed(unset))
        }
    }

    /// Builds, and reports each step.
    pub fn build(&self, step: &mut dyn FnMut(&str)) -> Result<(), BuildError> {
        self.run(&[], step)
    }

    fn run(&self, args: &[&str], step: &mut dyn FnMut(&str)) -> Result<(), BuildError> {
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        let mut log = File::create(&self.log).map_err(io("writing", &self.log))?;
        let (reader, writer) = std::io::pipe().map_err(io("making a pipe for", self.linux))?;
        let errors = writer
            .try_clone()
            .map_err(io("making a pipe for", self.linux))?;
        let mut child = make()
            .current_dir(self.linux)
            .args(["ARCH=um", &format!("-j{jobs}"), &format!("CC={}", self.cc)])
            .arg(format!("KCFLAGS={}", driver::KCFLAGS))
            .args([
                "KBUILD_BUILD_USER=folioscope",
                "KBUILD_BUILD_HOST=folioscope",
            ])
            .args([
                "KBUILD_BUILD_VERSION=1",
                "KBUILD_BUILD_TIMESTAMP=1970-01-01",
            ])
            .args(args)
            .env_remove("MAKEFLAGS")
            .env_remove("MFLAGS")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(errors)
            .spawn()
            .map_err(io("starting make in", self.linux))?;
        let mut telling = VecDeque::new();
        let mut full = false;
        for line in BufReader::new(reader).lines().map_while(Result::ok) {
            let written = writeln!(log, "{line}");
            full |= line.contains("No space left on device") || written.is_err();
            if line.starts_with("  ") && !line.contains("error") {
                step(line.trim());
            } else if is_telling(&line) && telling.len() < MAX_LINES {
                telling.push_back(line);
            }
        }
        let status = child
            .wait()
            .map_err(io("waiting for make in", self.linux))?;
        match (status.success(), full) {
            (_, true) => Err(BuildError::DiskFull(self.linux.to_owned())),
            (true, false) => Ok(()),
            (false, false) => Err(BuildError::Make {
                tree: self.name.to_owned(),
                lines: telling.into(),
                log: self.log.clone(),
            }),
        }
    }
}

/// A make that ends with us, however we end: one that went on would still be at work in the
/// tree when the next builder has its lock.
fn make() -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let setpriv = std::env::split_paths(&path)
        .map(|dir| dir.join("setpriv"))
        .find(|file| file.is_file());
    match setpriv {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "TERM", "--", "make"]);
            command
        }
        None => Command::new("make"),
    }
}

/// Whether a line says what is wrong, not just that something is.
fn is_telling(line: &str) -> bool {
    [
        "error:",
        "undefined reference",
        "can't open",
        "No rule to make",
        "fatal",
        "ld:",
        "syntax error",
    ]
    .iter()
    .any(|sign| line.contains(sign))
}

/// The options of a fragment that a configuration does not have. Those after a line
/// `# Where the version has it` may be missing.
fn unset(fragment: &str, config: &str) -> Vec<String> {
    let has = |line: &str| config.lines().any(|set| set == line);
    fragment
        .lines()
        .take_while(|line| !line.starts_with("# Where the version has it"))
        .filter(|line| line.starts_with("CONFIG_") && !line.ends_with("=n") && !has(line))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make<'a>(dir: &'a Path) -> Make<'a> {
        Make {
            linux: dir,
            name: "Linux 6.13",
            cc: "cc",
            log: dir.join("log"),
        }
    }

    #[test]
    fn an_option_that_a_tree_does_not_take_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("Makefile"),
            "allnoconfig:\n\techo CONFIG_BLOCK=y > .config\n",
        )
        .unwrap();
        let fragment =
            "CONFIG_BLOCK=y\nCONFIG_MEMCG=y\n# Where the version has it:\nCONFIG_NEW=y\n";
        let error = make(dir.path())
            .configure(fragment)
            .unwrap_err()
            .to_string();
        assert_eq!(error, "Linux 6.13 does not configure: CONFIG_MEMCG=y");
    }

    #[test]
    fn a_build_that_fails_says_why_and_where_the_rest_is() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("Makefile"),
            "all:\n\t@echo '  CC      mm/slub.o'\n\t@echo \"mm/slub.c:1:2: error: no such thing\"\n\t@false\n",
        )
        .unwrap();
        let mut steps = Vec::new();
        let error = make(dir.path())
            .build(&mut |step| steps.push(step.to_owned()))
            .unwrap_err();
        assert_eq!(steps, ["CC      mm/slub.o"]);
        let text = error.to_string();
        assert!(
            text.contains("mm/slub.c:1:2: error: no such thing"),
            "{text}"
        );
        assert!(text.contains("log"), "{text}");
    }

    #[test]
    fn a_full_disk_is_called_that() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("Makefile"),
            "all:\n\t@echo 'fatal error: a.o: No space left on device'\n\t@false\n",
        )
        .unwrap();
        let error = make(dir.path()).build(&mut |_| {}).unwrap_err().to_string();
        assert!(
            error.contains("is full") && error.contains("XDG_CACHE_HOME"),
            "{error}"
        );
    }
}
