//! Where instructions come from: the functions whose source they were compiled from.
//!
//! Loops are inlined into their entry, so a profile by symbol says nothing. The debug
//! information of the executable knows which function an address was inlined from, and
//! through which; line tables are enough for that.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use addr2line::Loader;

use crate::profile::{Part, Profile};

/// A function on the way to an instruction.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Frame {
    /// For a function of ours its file and its own name: `design/memcg/charge.rs charge`;
    /// else the name alone.
    pub name: String,
    /// Whether its source is this workspace's, not a library's.
    pub is_ours: bool,
}

/// Functions from the counted one down to the one that an instruction belongs to, and how
/// many instructions it is about.
pub type Stack = (Vec<Frame>, u64);

/// The debug information of an executable.
pub struct Origin {
    executable: PathBuf,
    loader: Loader,
    known: RefCell<HashMap<u64, Rc<[Frame]>>>,
}

impl Origin {
    /// Opens an executable.
    ///
    /// # Errors
    /// In words, that it cannot be read.
    pub fn of(executable: &Path) -> Result<Self, String> {
        let unreadable = |error: &dyn std::fmt::Display| {
            let executable = executable.display();
            format!("{executable}: its debug information cannot be read: {error}")
        };
        // As valgrind names it.
        let executable = executable.canonicalize().map_err(|e| unreadable(&e))?;
        let loader = Loader::new(&executable).map_err(|e| unreadable(&e))?;
        Ok(Self {
            executable,
            loader,
            known: RefCell::default(),
        })
    }

    /// The functions inlined into one another at an address, outermost first; `symbol` is
    /// the name that stands there if nothing else is known.
    fn frames(&self, object: &str, address: u64, symbol: &str) -> Rc<[Frame]> {
        let of_library = || -> Rc<[Frame]> { Rc::new([Frame::of_symbol(symbol)]) };
        if Path::new(object) != self.executable {
            return of_library();
        }
        if let Some(known) = self.known.borrow().get(&address) {
            return known.clone();
        }
        let mut found = Vec::new();
        if let Ok(mut frames) = self.loader.find_frames(address) {
            while let Ok(Some(frame)) = frames.next() {
                let name = frame.function.as_ref().map(|f| f.demangle());
                let file = frame.location.as_ref().and_then(|at| at.file);
                if let Some(Ok(name)) = name {
                    found.push(Frame::of_source(file, &name));
                }
            }
        }
        found.reverse();
        let frames = match found.is_empty() {
            true => of_library(),
            false => found.into(),
        };
        self.known.borrow_mut().insert(address, frames.clone());
        frames
    }

    /// The function that an instruction is of: the innermost of ours, since what a library does
    /// there it does for that function.
    pub fn function_at(&self, address: u64) -> String {
        let object = self.executable.to_string_lossy();
        let frames = self.frames(&object, address, "?");
        let ours = frames.iter().rev().find(|frame| frame.is_ours);
        ours.or(frames.last())
            .map_or("?".to_owned(), |frame| frame.name.clone())
    }

    /// The instructions of a part by the way that led to them.
    ///
    /// Callgrind knows who called whom, not which path led through several calls: a function
    /// with several callers stands below the one that spends most in it.
    pub fn stacks(&self, profile: &Profile, part: &Part) -> Vec<Stack> {
        let costly: HashMap<usize, ()> = part.costs.iter().map(|c| (c.function, ())).collect();
        let mut above: HashMap<usize, (u64, usize, u64)> = HashMap::new();
        for call in &part.calls {
            // Callers outside the counted function cost nothing: they were not counted.
            if call.from == call.to || !costly.contains_key(&call.from) {
                continue;
            }
            let heaviest = above.entry(call.to).or_default();
            if heaviest.0 < call.instructions {
                *heaviest = (call.instructions, call.from, call.site);
            }
        }
        let mut stacks: BTreeMap<Vec<Frame>, u64> = BTreeMap::new();
        for cost in &part.costs {
            let mut ways = vec![(cost.function, cost.address)];
            let mut at = cost.function;
            while let Some(&(_, from, site)) = above.get(&at) {
                if ways.iter().any(|(function, _)| *function == from) {
                    break; // They call one another.
                }
                ways.push((from, site));
                at = from;
            }
            let stack = ways.iter().rev().flat_map(|&(function, address)| {
                let function = &profile.functions[function];
                self.frames(&function.object, address, &function.name)
                    .to_vec()
            });
            *stacks.entry(stack.collect()).or_default() += cost.instructions;
        }
        stacks.into_iter().collect()
    }
}

impl Frame {
    fn of_source(file: Option<&str>, name: &str) -> Self {
        match file.and_then(of_ours) {
            Some(file) => Self {
                name: format!("{file} {}", bare(name)),
                is_ours: true,
            },
            None => Self {
                name: bare(name),
                is_ours: false,
            },
        }
    }

    fn of_symbol(symbol: &str) -> Self {
        let name = match rustc_demangle::try_demangle(symbol) {
            Ok(name) => bare(&format!("{name:#}")),
            Err(_) => symbol.to_owned(),
        };
        Self {
            name,
            is_ours: false,
        }
    }
}

/// The same instructions by function: the innermost of ours on the way, since what a library
/// does there it does for that function.
pub fn functions(stacks: &[Stack]) -> BTreeMap<String, u64> {
    let mut functions = BTreeMap::new();
    for (stack, instructions) in stacks {
        let ours = stack.iter().rev().find(|frame| frame.is_ours);
        let name = ours.or(stack.last()).map_or("?", |frame| &frame.name);
        *functions.entry(name.to_owned()).or_default() += instructions;
    }
    functions
}

/// A file of this workspace without what all have in common: `crates/mm/src/slot.rs` is
/// `mm/slot.rs`. `None` for the standard library and for crates of a registry.
fn of_ours(file: &str) -> Option<String> {
    // Relative in the workspace, absolute in builds from elsewhere.
    let (before, inside) = file.split_once("crates/")?;
    let is_ours = (before.is_empty() || before.ends_with('/')) && !before.contains("/registry/");
    is_ours.then(|| inside.replacen("/src/", "/", 1))
}

/// A function's own name: no path, no arguments of types. Debug information has it with and
/// without a path, depending on how much of it was asked for.
fn bare(name: &str) -> String {
    let mut plain = String::new();
    let (mut depth, mut before) = (0_u32, ' ');
    for c in name.chars() {
        match c {
            '<' => depth += 1,
            // Not the arrow of a function's type.
            '>' if before != '-' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
        before = c;
    }
    // What stood between two paths is gone.
    let plain = plain.replace("::::", "::");
    let plain = plain.trim_end_matches(':');
    match plain.rfind("::") {
        // A closure by the function that it stands in.
        Some(at) if plain[at..].contains('{') => match plain[..at].rfind("::") {
            Some(above) => plain[above + 2..].to_owned(),
            None => plain.to_owned(),
        },
        Some(at) => plain[at + 2..].to_owned(),
        None => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_its_own_name_however_it_is_written() {
        for (name, wanted) in [
            ("a::b::<c::D<e::F>>", "b"),
            ("b<c::D<e::F>, fn(u8) -> u16>", "b"),
            ("<a::B<c::D> as e::F>::g::<h::I, j::K>", "g"),
            ("a::b::<c>::{closure#0}", "b::{closure#0}"),
            ("{closure#0}<c>", "{closure#0}"),
            ("plain", "plain"),
        ] {
            assert_eq!(bare(name), wanted);
        }
    }

    #[test]
    fn a_file_is_named_from_its_crate_on_and_a_library_s_is_not_ours() {
        for (file, wanted) in [
            ("crates/mm/src/memcg/charge.rs", Some("mm/memcg/charge.rs")),
            ("/home/of/crates/bench/tests/t.rs", Some("bench/tests/t.rs")),
            ("/rustc/59807616/library/core/src/hint.rs", None),
            (
                "/home/of/registry/src/index/rayon-1.12.0/src/crates/x.rs",
                None,
            ),
        ] {
            assert_eq!(of_ours(file).as_deref(), wanted);
        }
    }

    #[test]
    fn what_a_library_does_counts_for_the_function_of_ours_that_asked_for_it() {
        let frame = |name: &str, is_ours| Frame {
            name: name.to_owned(),
            is_ours,
        };
        let stacks = [
            (vec![frame("entry", true), frame("step", true)], 3),
            (
                vec![
                    frame("entry", true),
                    frame("step", true),
                    frame("next", false),
                ],
                4,
            ),
            (vec![frame("memcpy", false)], 5),
        ];
        let wanted = [("memcpy", 5), ("step", 7)].map(|(name, n)| (name.to_owned(), n));
        assert_eq!(functions(&stacks), BTreeMap::from(wanted));
    }
}
