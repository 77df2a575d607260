//! Bytes of machine code of each loop, from the running executable's own symbols.

use std::path::Path;
use std::sync::LazyLock;

use object::{Object, ObjectSymbol, SymbolKind};
use workloads::SetupError;

/// Why the code cannot be looked at.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CodeError {
    /// The executable cannot be read.
    #[error("the executable cannot be read: {0}")]
    Unreadable(String),
    /// It has no symbols of loops.
    #[error(
        "the executable names no loops: it is stripped, or its symbols drop type parameters (build with -C symbol-mangling-version=v0)"
    )]
    NoSymbols,
}

/// The code of one loop.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct EntryCode {
    /// The demangled name: `workloads::iteration::segments::entry::<flat::Flat>`.
    pub name: String,
    /// Where it starts in the executable.
    pub address: u64,
    /// Bytes.
    pub bytes: u64,
    /// The name as the linker knows it.
    pub symbol: String,
}

impl EntryCode {
    /// Whether this is a loop of the workload with this id.
    pub fn is_of(&self, workload: &str) -> bool {
        let module = workload.replace('/', "::").replace('-', "_");
        self.name.starts_with(&format!("workloads::{module}::"))
    }
}

/// Every timed loop in this executable, by name.
///
/// # Errors
/// [`CodeError`].
#[inline(never)]
pub fn entry_codes() -> Result<&'static [EntryCode], CodeError> {
    static CODES: LazyLock<Result<Vec<EntryCode>, CodeError>> = LazyLock::new(read);
    CODES.as_deref().map_err(Clone::clone)
}

/// Whether an out-of-line function belongs to a loop that calls it: those of the block layer,
/// of the loops themselves, and of every contender's crate.
pub fn is_followed(function: &str) -> bool {
    let path = function.trim_start_matches('<');
    let designs = crate::contenders().iter().map(|design| design.package);
    designs.chain(["mm", "workloads"]).any(|package| {
        let rest = path.strip_prefix(package);
        rest.is_some_and(|rest| rest.starts_with("::"))
    })
}

/// All functions of this executable, by where they start in its file.
struct Own {
    functions: Vec<EntryCode>,
    /// A function's address here, less its address in the file.
    slide: usize,
}

static OWN: LazyLock<Result<Own, CodeError>> = LazyLock::new(Own::read);

/// The functions that an executable holds.
fn functions_of(path: &Path) -> Result<Vec<EntryCode>, CodeError> {
    let unreadable = |e: &dyn std::fmt::Display| CodeError::Unreadable(e.to_string());
    let bytes = std::fs::read(path).map_err(|e| unreadable(&e))?;
    let file = object::File::parse(&*bytes).map_err(|e| unreadable(&e))?;
    Ok(file
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
        .filter_map(|symbol| {
            Some(EntryCode {
                name: format!("{:#}", rustc_demangle::demangle(symbol.name().ok()?)),
                address: symbol.address(),
                bytes: symbol.size(),
                symbol: symbol.name().ok()?.to_owned(),
            })
        })
        .collect())
}

impl Own {
    fn read() -> Result<Self, CodeError> {
        let path = std::env::current_exe().map_err(|e| CodeError::Unreadable(e.to_string()))?;
        let functions = functions_of(&path)?;
        let anchor = functions.iter().find(|function| function.name == ANCHOR);
        let anchor = anchor.ok_or(CodeError::NoSymbols)?.address as usize;
        let slide = (entry_codes as *const () as usize).wrapping_sub(anchor);
        Ok(Self { functions, slide })
    }
}

/// The function that shows where the executable was loaded.
const ANCHOR: &str = "registry::symbols::entry_codes";

fn read() -> Result<Vec<EntryCode>, CodeError> {
    let own = OWN.as_ref().map_err(Clone::clone)?;
    loops_among(&own.functions)
}

/// Returns every timed loop in an executable, by name.
///
/// # Errors
/// [`CodeError`].
pub fn entry_codes_in(executable: &Path) -> Result<Vec<EntryCode>, CodeError> {
    loops_among(&functions_of(executable)?)
}

fn loops_among(functions: &[EntryCode]) -> Result<Vec<EntryCode>, CodeError> {
    let is_loop = |name: &str| {
        let path = name.split("::<").next().unwrap_or(name);
        let function = path.rsplit("::").next().unwrap_or(path);
        path.starts_with("workloads::")
            && function.starts_with("entry")
            && !name.contains("{closure")
    };
    let mut codes: Vec<EntryCode> = functions
        .iter()
        .filter(|function| is_loop(&function.name))
        .cloned()
        .collect();
    codes.sort();
    codes.dedup();
    if codes.iter().any(|code| code.name.contains('<')) {
        Ok(codes)
    } else {
        Err(CodeError::NoSymbols)
    }
}

/// Bytes of the functions that start at these addresses, as often as they are named: two
/// loops that the compiler folded into one count for both.
pub(crate) fn code_bytes(addresses: &[usize]) -> Result<u64, SetupError> {
    let absent = |e: String| SetupError::Absent(e);
    if addresses.is_empty() {
        return Err(absent("the design has no such loop".to_owned()));
    }
    let own = OWN.as_ref().map_err(|e| absent(e.to_string()))?;
    addresses
        .iter()
        .map(|address| {
            let in_file = address.wrapping_sub(own.slide) as u64;
            let function = own
                .functions
                .iter()
                .find(|function| function.address == in_file);
            function.map(|function| function.bytes)
        })
        .sum::<Option<u64>>()
        .ok_or_else(|| absent("the running executable does not say how long a loop is".to_owned()))
}
