//! Tracing a program under user-mode emulation: each call of some of its functions is a
//! section, from its first instruction until it has returned.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use object::{Object as _, ObjectSegment as _, ObjectSymbol as _, SegmentFlags};

use crate::plugin::{NoTrace, Plugin, io_error};
use crate::section::{Section, sections};

/// The emulator of programs.
pub const EMULATOR: &str = "qemu-x86_64";
/// Debian's package of it.
pub const PACKAGE: &str = "qemu-user";

/// A traced run: what the program printed, and its sections.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Traced {
    /// The standard output.
    pub output: String,
    /// The sections, in the order of the calls.
    pub sections: Vec<Section>,
    /// The first line of the emulator's `--version`.
    pub emulator: String,
    /// The address in the program's file of its first executable segment, from which a
    /// section's instructions are counted.
    pub base: u64,
}

/// Runs `program` with `args` in an empty environment and traces each call of the functions
/// whose demangled name `is_counted` picks.
///
/// # Errors
/// [`NoTrace`]. A function that was entered and never returned is one.
pub fn trace<S: AsRef<OsStr>>(
    program: &Path,
    args: &[S],
    is_counted: impl Fn(&str) -> bool,
) -> Result<Traced, NoTrace> {
    let work = tempfile::tempdir().map_err(io_error("making a directory for the trace"))?;
    let plugin = Plugin::build(EMULATOR, PACKAGE, work.path())?;
    let image = fs::read(program).map_err(io_error(format!("reading {}", program.display())))?;
    let mut text = String::new();
    let (base, addresses) = entries(&image, is_counted)?;
    for address in addresses {
        writeln!(text, "{:x}", address - base).expect("a string takes all");
    }
    let list = work.path().join("entries");
    fs::write(&list, text).map_err(io_error("writing the list of functions"))?;
    let out = work.path().join("sections");
    let entries = format!("entries={}", list.display());
    let done = Command::new(on_path(EMULATOR))
        // What the program would otherwise find on its stack differs from run to run.
        .args(["-seed", "1", "-plugin"])
        .arg(plugin.argument(&out, &[entries]))
        .arg(program)
        .args(args)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .map_err(io_error(format!("running {EMULATOR}")))?;
    if !done.status.success() {
        let stderr = String::from_utf8_lossy(&done.stderr);
        let tail: Vec<&str> = stderr.lines().rev().take(8).collect();
        return Err(NoTrace::Program {
            emulator: EMULATOR.into(),
            status: done.status.to_string(),
            stderr: tail.into_iter().rev().collect::<Vec<_>>().join("\n"),
        });
    }
    let written = fs::read_to_string(&out).map_err(io_error("reading the trace"))?;
    Ok(Traced {
        output: String::from_utf8_lossy(&done.stdout).into_owned(),
        sections: sections(&written)?,
        emulator: plugin.emulator().to_owned(),
        base,
    })
}

/// The path of a program that is on the PATH: an empty environment has none.
fn on_path(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(program));
    let mut found = found.filter(|file| file.is_file());
    found.next().unwrap_or_else(|| program.into())
}

/// The addresses of the first executable segment, which is what tells the plugin where a program
/// was loaded, and of functions.
fn entries(image: &[u8], is_counted: impl Fn(&str) -> bool) -> Result<(u64, Vec<u64>), NoTrace> {
    let malformed = |error: &dyn std::fmt::Display| NoTrace::Malformed(error.to_string());
    let file = object::File::parse(image).map_err(|error| malformed(&error))?;
    let executable = |flags| matches!(flags, SegmentFlags::Elf { p_flags, .. } if p_flags.0 & object::elf::PF_X.0 != 0);
    let base = file
        .segments()
        .filter(|segment| executable(segment.flags()))
        .map(|segment| segment.address())
        .min()
        .ok_or_else(|| malformed(&"the program has no executable segment"))?;
    let mut found: Vec<u64> = file
        .symbols()
        .filter(|symbol| symbol.is_definition() && symbol.kind() == object::SymbolKind::Text)
        .filter(|symbol| {
            let name = symbol.name().unwrap_or_default();
            is_counted(&format!("{:#}", rustc_demangle::demangle(name)))
        })
        .map(|symbol| symbol.address())
        .collect();
    found.sort_unstable();
    found.dedup();
    match found.is_empty() {
        true => Err(malformed(&"the program has none of the functions to trace")),
        false => Ok((base, found)),
    }
}
