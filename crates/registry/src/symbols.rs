//! Bytes of machine code of each loop, from the running executable's own symbols.

use std::sync::LazyLock;

use object::{Object, ObjectSymbol, SymbolKind};
use workloads::SetupError;

use crate::contenders::DesignInfo;

/// Why the code cannot be looked at.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CodeError {
    /// The executable cannot be read.
    #[error("the running executable cannot be read: {0}")]
    Unreadable(String),
    /// It has no symbols of loops.
    #[error(
        "the running executable names no loops: it is stripped, or its symbols drop type parameters (build with -C symbol-mangling-version=v0)"
    )]
    NoSymbols,
}

/// The code of one loop.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct EntryCode {
    /// The demangled name: `workloads::iteration::segments::entry::<design_flat::Flat>`.
    pub name: String,
    /// Where it starts in the executable.
    pub address: u64,
    /// Bytes.
    pub bytes: u64,
}

impl EntryCode {
    /// Whether this is a loop of the workload with this id.
    pub fn is_of(&self, workload: &str) -> bool {
        let module = workload.replace('/', "::").replace('-', "_");
        self.name.starts_with(&format!("workloads::{module}::"))
    }

    /// Whether this loop was stamped out for the type of this name.
    pub(crate) fn is_for(&self, type_name: &str) -> bool {
        let Some((_, after)) = self.name.split_once(&format!("<{type_name}")) else {
            return false;
        };
        after.starts_with([',', '>'])
    }
}

/// Every timed loop in this executable, by name.
///
/// # Errors
/// [`CodeError`].
pub fn entry_codes() -> Result<&'static [EntryCode], CodeError> {
    static CODES: LazyLock<Result<Vec<EntryCode>, CodeError>> = LazyLock::new(read);
    CODES.as_deref().map_err(Clone::clone)
}

fn read() -> Result<Vec<EntryCode>, CodeError> {
    let unreadable = |e: &dyn std::fmt::Display| CodeError::Unreadable(e.to_string());
    let path = std::env::current_exe().map_err(|e| unreadable(&e))?;
    let bytes = std::fs::read(path).map_err(|e| unreadable(&e))?;
    let file = object::File::parse(&*bytes).map_err(|e| unreadable(&e))?;
    let mut codes: Vec<EntryCode> = file
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
        .filter_map(|symbol| {
            let name = format!("{:#}", rustc_demangle::demangle(symbol.name().ok()?));
            let function = name
                .split("::<")
                .next()
                .unwrap_or(&name)
                .rsplit("::")
                .next();
            let is_loop =
                name.starts_with("workloads::") && function.is_some_and(|f| f.starts_with("entry"));
            (is_loop && !name.contains("{closure")).then(|| EntryCode {
                name,
                address: symbol.address(),
                bytes: symbol.size(),
            })
        })
        .collect();
    codes.sort();
    codes.dedup();
    if codes.iter().any(|code| code.name.contains('<')) {
        Ok(codes)
    } else {
        Err(CodeError::NoSymbols)
    }
}

/// Bytes of a design's loops, of one workload or of all.
pub(crate) fn code_bytes(design: &DesignInfo, of: Option<&str>) -> Result<f64, SetupError> {
    let codes = entry_codes().map_err(|e| SetupError::Absent(e.to_string()))?;
    let its = codes
        .iter()
        .filter(|code| code.is_for((design.type_name)()));
    let bytes: u64 = its
        .filter(|code| of.is_none_or(|id| code.is_of(id)))
        .map(|code| code.bytes)
        .sum();
    if bytes == 0 {
        return Err(SetupError::Absent(format!(
            "this executable has no such loop of {}",
            design.name
        )));
    }
    Ok(bytes as f64)
}
