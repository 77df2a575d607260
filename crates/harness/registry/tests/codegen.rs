//! The machine code of every timed loop, in the very executable that is timed: no path out of
//! a loop, or of a function of ours that it calls, ends in a panic.
//!
//! A bounds or overflow check that the compiler could not remove would be work that the
//! kernel does not do, and in one design only as likely as not. `ci/codegen` builds the
//! executable and names it in `FOLIOSCOPE_BINARY`; without it the tests pass over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

/// The functions that a failed check ends in.
const PANICS: [&str; 6] = [
    "core::panicking::",
    "core::slice::index::",
    "core::option::",
    "core::result::unwrap_failed",
    "core::str::slice_error_fail",
    "std::panicking::",
];

/// A Mutex asks on its way out whether its thread panics: it reads a counter, and never panics
/// itself.
const ASKS_ONLY: &str = "std::panicking::panic_count::is_zero_slow_path";

struct Function {
    name: String,
    code: Vec<u8>,
}

struct Executable {
    functions: BTreeMap<u64, Function>,
    /// The targets of the words that the loader fills in: a call may go through one of them.
    pointers: BTreeMap<u64, u64>,
}

impl Executable {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("FOLIOSCOPE_BINARY names a file");
        let file = object::File::parse(&*bytes).unwrap();
        let functions = file
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
            .filter_map(|symbol| {
                let section = file.section_by_index(symbol.section_index()?).ok()?;
                let code = section.data_range(symbol.address(), symbol.size()).ok()??;
                let name = format!("{:#}", rustc_demangle::demangle(symbol.name().ok()?));
                Some((
                    symbol.address(),
                    Function {
                        name,
                        code: code.to_vec(),
                    },
                ))
            })
            .collect();
        let pointers = file
            .dynamic_relocations()
            .into_iter()
            .flatten()
            .map(|(at, relocation)| (at, relocation.addend() as u64))
            .collect();
        Self {
            functions,
            pointers,
        }
    }

    fn instructions(&self, address: u64) -> impl Iterator<Item = Instruction> {
        let function = &self.functions[&address];
        let mut decoder = Decoder::with_ip(64, &function.code, address, DecoderOptions::NONE);
        std::iter::from_fn(move || decoder.can_decode().then(|| decoder.decode()))
    }

    /// Functions that a function calls, or jumps to as its last act.
    fn calls(&self, address: u64) -> BTreeSet<u64> {
        self.instructions(address)
            .filter(|instruction| {
                matches!(
                    instruction.flow_control(),
                    FlowControl::Call
                        | FlowControl::IndirectCall
                        | FlowControl::UnconditionalBranch
                        | FlowControl::IndirectBranch
                        | FlowControl::ConditionalBranch
                )
            })
            .filter_map(|instruction| {
                if instruction.is_ip_rel_memory_operand() {
                    let slot = instruction.ip_rel_memory_address();
                    self.pointers.get(&slot).copied()
                } else {
                    Some(instruction.near_branch_target())
                }
            })
            .filter(|target| self.functions.contains_key(target) && *target != address)
            .collect()
    }

    /// The chains of calls, from a loop through our own functions, that end in a panic.
    fn panic_paths(&self, entry: u64) -> Vec<String> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let mut left = vec![(entry, String::new())];
        while let Some((address, path)) = left.pop() {
            if !seen.insert(address) {
                continue;
            }
            let path = format!("{path} -> {}", self.functions[&address].name);
            for callee in self.calls(address) {
                let name = &self.functions[&callee].name;
                let panics = PANICS.iter().any(|panic| name.starts_with(panic));
                if panics && !name.starts_with(ASKS_ONLY) {
                    found.push(format!("{path} -> {name}"));
                } else if registry::is_followed(name) {
                    left.push((callee, path.clone()));
                }
            }
        }
        found
    }
}

/// The optimised executable, and its loops.
fn optimised() -> Option<(PathBuf, Vec<registry::EntryCode>)> {
    let Some(path) = std::env::var_os("FOLIOSCOPE_BINARY") else {
        eprintln!("codegen: passed over, for FOLIOSCOPE_BINARY is not set; run ci/codegen");
        return None;
    };
    let path = PathBuf::from(path);
    let codes = registry::entry_codes_in(&path).expect("the executable names its loops");
    Some((path, codes))
}

#[test]
fn no_timed_loop_has_a_path_into_a_panic() {
    let Some((path, codes)) = optimised() else {
        return;
    };
    let executable = Executable::read(&path);
    assert!(codes.len() > 100, "{} loops", codes.len());
    let mut paths = Vec::new();
    for code in codes {
        // A thread pool is not ours, and its entry is a call into it; the loop that its
        // threads run is an entry of its own.
        if code.is_of("accounting/contention") && !code.name.contains("entry_thread") {
            continue;
        }
        paths.extend(executable.panic_paths(code.address));
    }
    assert!(
        paths.is_empty(),
        "{} paths:\n{}",
        paths.len(),
        paths.join("\n")
    );
}

#[test]
fn every_design_has_a_loop_of_its_own_for_every_timed_workload() {
    let Some((_, codes)) = optimised() else {
        return;
    };
    let workloads = registry::workloads()
        .iter()
        .filter(|workload| workload.is_timed());
    for workload in workloads {
        let of: Vec<_> = codes
            .iter()
            .filter(|code| code.is_of(workload.id))
            .collect();
        assert!(of.len() > 1, "{} has {} loops", workload.id, of.len());
    }
    // Nothing is claimed of a table that is empty.
    assert!(codes.len() > 100, "{} loops", codes.len());
}
