//! Parameters: what a workload can be run with, and what it is run with.

use std::fmt;

use ::params::{Param, Params};

use crate::SetupError;

/// The default of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Default {
    /// A number.
    Number(u64),
    /// A word.
    Word(&'static str),
    /// It is unset.
    Unset,
}

/// The values that a parameter takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allowed {
    /// Any number from the first to the second.
    Range(u64, u64),
    /// One of these words.
    Words(&'static [&'static str]),
    /// `contiguous`, `scattered`, `fragmented`, or `captured-` and a capture's name.
    Layout,
    /// The identifier of a workload.
    Workload,
}

/// Which layouts a parameter belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applies {
    /// All.
    Always,
    /// Those that are made up; a captured one has its own orders and kinds.
    Synthetic,
    /// Captured ones.
    Captured,
}

/// A parameter of a workload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParamSpec {
    /// The name in records and on the command line.
    pub name: &'static str,
    /// Its meaning, with its unit.
    pub meaning: &'static str,
    /// Its default.
    pub default: Default,
    /// The values it takes.
    pub allowed: Allowed,
    /// The layouts it belongs to.
    pub applies: Applies,
}

impl ParamSpec {
    /// A parameter that takes numbers.
    pub(crate) const fn number(
        name: &'static str,
        meaning: &'static str,
        default: u64,
        (least, most): (u64, u64),
    ) -> Self {
        Self {
            name,
            meaning,
            default: Default::Number(default),
            allowed: Allowed::Range(least, most),
            applies: Applies::Always,
        }
    }

    /// A parameter that takes words, the first of them by default.
    pub(crate) const fn words(
        name: &'static str,
        meaning: &'static str,
        words: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            meaning,
            default: Default::Word(words[0]),
            allowed: Allowed::Words(words),
            applies: Applies::Always,
        }
    }

    /// The same with another default.
    pub(crate) const fn or(self, default: Default) -> Self {
        Self { default, ..self }
    }

    /// The same for some layouts only.
    pub(crate) const fn only(self, applies: Applies) -> Self {
        Self { applies, ..self }
    }

    /// Whether the parameter means anything with these others.
    fn applies_to(&self, params: &Params) -> bool {
        let captured =
            matches!(params.get(LAYOUT.name), Some(Param::Text(l)) if l.starts_with(CAPTURED));
        match self.applies {
            Applies::Always => true,
            Applies::Synthetic => !captured,
            Applies::Captured => captured,
        }
    }

    fn check(&self, value: &Param) -> Result<(), SetupError> {
        let fits = match (self.allowed, value) {
            (Allowed::Range(least, most), Param::Number(n)) => (least..=most).contains(n),
            (Allowed::Words(words), value) => words.contains(&value.to_string().as_str()),
            (Allowed::Layout, Param::Text(layout)) => {
                SYNTHETIC.contains(&layout.as_str())
                    || layout
                        .strip_prefix(CAPTURED)
                        .is_some_and(|name| physmem::captures::by_name(name).is_some())
            }
            (Allowed::Workload, Param::Text(id)) => crate::by_id(id).is_some(),
            _ => false,
        };
        if fits {
            return Ok(());
        }
        Err(SetupError::Param(format!(
            "{}={value}: it takes {}",
            self.name, self.allowed
        )))
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(least, most) => write!(f, "{least} to {most}"),
            Self::Words(words) => f.write_str(&words.join(", ")),
            Self::Layout => {
                f.write_str(&SYNTHETIC.join(", "))?;
                physmem::captures::all().try_for_each(|(name, _)| write!(f, ", {CAPTURED}{name}"))
            }
            Self::Workload => f.write_str("the id of a timed workload"),
        }
    }
}

/// Fills in defaults and refuses what the workload does not take.
pub(crate) fn complete(specs: &[ParamSpec], given: &Params) -> Result<Params, SetupError> {
    let mut params = given.clone();
    // The layout first: others depend on it.
    let (layout, rest): (Vec<&ParamSpec>, Vec<&ParamSpec>) =
        specs.iter().partition(|spec| spec.name == LAYOUT.name);
    for spec in layout.into_iter().chain(rest) {
        if params.contains_key(spec.name) || !spec.applies_to(&params) {
            continue;
        }
        let value = match spec.default {
            Default::Number(n) => Param::Number(n),
            Default::Word(word) => Param::from(word),
            Default::Unset => continue,
        };
        params.insert(spec.name.to_owned(), value);
    }
    for (name, value) in &params {
        let Some(spec) = specs.iter().find(|spec| spec.name == name) else {
            let known: Vec<_> = specs.iter().map(|spec| spec.name).collect();
            return Err(SetupError::Param(format!(
                "{name}: there is {}",
                known.join(", ")
            )));
        };
        if !spec.applies_to(&params) {
            return Err(SetupError::Param(format!(
                "{name} means nothing with this layout"
            )));
        }
        spec.check(value)?;
    }
    Ok(params)
}

/// Prefix of the name of a captured layout.
pub const CAPTURED: &str = "captured-";
/// The layouts that are made up.
pub const SYNTHETIC: [&str; 3] = ["contiguous", "scattered", "fragmented"];
/// The names of page kinds that can be asked for.
const KINDS: [&str; 7] = [
    "anon",
    "file",
    "slab",
    "page-table",
    "kernel-stack",
    "pipe-buffer",
    "zsmalloc",
];

/// Size of every allocation.
pub(crate) const ORDER: ParamSpec = ParamSpec {
    name: "order",
    meaning: "size of every allocation: 2^order base pages",
    default: Default::Number(0),
    allowed: Allowed::Range(0, 18),
    applies: Applies::Synthetic,
};
/// How allocations lie.
pub(crate) const LAYOUT: ParamSpec = ParamSpec {
    name: "layout",
    meaning: "how the allocations lie in physical memory",
    default: Default::Word("contiguous"),
    allowed: Allowed::Layout,
    applies: Applies::Always,
};
/// Allocations of one IO.
pub(crate) const COUNT: ParamSpec =
    ParamSpec::number("count", "allocations in one IO", 1, (1, 4096)).only(Applies::Synthetic);
/// Bytes of one IO.
pub(crate) const IO_BYTES: ParamSpec =
    ParamSpec::number("io_bytes", "bytes of one IO", 1 << 20, (4096, 1 << 30))
        .only(Applies::Captured);
/// Memory that is worked on in turn.
pub(crate) const FOOTPRINT: ParamSpec = ParamSpec {
    name: "footprint",
    meaning: "l1: one IO over and over; l2: 16 MiB of memory; mem: 4 GiB",
    default: Default::Word("l1"),
    allowed: Allowed::Words(&["l1", "l2", "mem"]),
    applies: Applies::Synthetic,
};
/// Use of the memory.
pub(crate) const KIND: ParamSpec =
    ParamSpec::words("kind", "what the memory is used for", &KINDS).only(Applies::Synthetic);
/// The kernel whose rules apply.
pub(crate) const RULES: ParamSpec = ParamSpec::words(
    "rules",
    "the kernel whose rules apply; unset: 6.12, and 5.0 for single-page bvecs",
    &["5.0", "5.10", "6.1", "6.12"],
)
.or(Default::Unset);
/// Depth of the group below the root.
pub(crate) const DEPTH: ParamSpec =
    ParamSpec::number("depth", "levels of the group below the root", 2, (1, 16));
