//! By name, with near matches.

use std::fmt;

use wildmatch::WildMatch;
use workloads::{Workload, every};

use crate::contender::Contender;
use crate::contenders;

/// A name that does not exist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unknown {
    /// The kind of the name: `design`, `workload`.
    pub what: &'static str,
    /// The name.
    pub name: String,
    /// Similar names; all names where none is similar.
    pub near: Vec<&'static str>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {} `{}`", self.what, self.name)?;
        match &self.near[..] {
            [] => Ok(()),
            [only] => write!(f, "; did you mean `{only}`?"),
            near => write!(f, "; there is {}", near.join(", ")),
        }
    }
}

impl std::error::Error for Unknown {}

/// The nearest names, or all of them.
fn unknown(what: &'static str, name: &str, known: &[&'static str]) -> Unknown {
    let distance = |known: &str| {
        let tail = known.rsplit('/').next().unwrap_or(known);
        strsim::damerau_levenshtein(name, known).min(strsim::damerau_levenshtein(name, tail))
    };
    let least = known
        .iter()
        .map(|known| distance(known))
        .min()
        .unwrap_or(usize::MAX);
    let near: Vec<_> = known
        .iter()
        .copied()
        .filter(|known| distance(known) == least)
        .collect();
    let far = least > name.len().div_ceil(3).max(2);
    Unknown {
        what,
        name: name.to_owned(),
        near: if far { known.to_vec() } else { near },
    }
}

/// The contender of this name.
///
/// # Errors
/// [`Unknown`], with near matches.
pub fn contender(name: &str) -> Result<&'static Contender, Unknown> {
    contenders()
        .iter()
        .copied()
        .find(|design| design.name == name)
        .ok_or_else(|| {
            let known: Vec<_> = contenders().iter().map(|design| design.name).collect();
            unknown("design", name, &known)
        })
}

/// The workload with this id.
///
/// # Errors
/// [`Unknown`], with near matches.
pub fn workload(id: &str) -> Result<&'static Workload, Unknown> {
    every().find(|workload| workload.id == id).ok_or_else(|| {
        let known: Vec<_> = every().map(|workload| workload.id).collect();
        unknown("workload", id, &known)
    })
}

/// The workloads whose id matches a pattern of `*` and `?`; a family's name matches all of it.
///
/// # Errors
/// [`Unknown`] where none does.
pub fn workloads_matching(glob: &str) -> Result<Vec<&'static Workload>, Unknown> {
    let pattern = WildMatch::new(glob);
    let fits = |workload: &&Workload| pattern.matches(workload.id) || workload.family() == glob;
    let found: Vec<_> = every().filter(fits).collect();
    if found.is_empty() {
        return workload(glob).map(|workload| vec![workload]);
    }
    Ok(found)
}
