//! The captures that layouts go by: those that ship with the project, for machines that hide page
//! frame numbers, and those that a user brings.

use std::sync::{LazyLock, PoisonError, RwLock};

use crate::Capture;

/// A shipped capture's name, which is that of its file, and its text.
macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../captures/", $name, ".jsonl")))),*]
    };
}

/// Name and text of every shipped capture, in alphabetical order.
const TEXTS: [(&str, &str); 6] = shipped![
    "anon-base",
    "anon-thp",
    "hugetlb-2m",
    "page-cache-read",
    "page-cache-written",
    "process-anon",
];

static CAPTURES: LazyLock<Vec<(&'static str, Capture)>> = LazyLock::new(|| {
    TEXTS
        .iter()
        .map(|(name, text)| {
            (
                *name,
                Capture::parse(name, text).expect("a shipped capture is whole"),
            )
        })
        .collect()
});

/// Captures that users brought, for as long as the process runs.
static BROUGHT: RwLock<Vec<(&str, &Capture)>> = RwLock::new(Vec::new());

/// Why a capture cannot have a name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It cannot stand in a row's parameters.
    #[error("a capture's name has letters, digits, `-` and `_` only")]
    Malformed,
    /// Another capture has it.
    #[error("another capture has this name")]
    Taken,
}

/// Adds a capture under this name, until the process ends. Adding the same again changes nothing.
///
/// # Errors
/// [`NameError`].
pub fn add(name: &str, capture: Capture) -> Result<(), NameError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(fits) {
        return Err(NameError::Malformed);
    }
    let mut brought = BROUGHT.write().unwrap_or_else(PoisonError::into_inner);
    if CAPTURES.iter().any(|(known, _)| *known == name) {
        return Err(NameError::Taken);
    }
    if let Some((_, before)) = brought.iter().find(|(known, _)| *known == name) {
        return match **before == capture {
            true => Ok(()),
            false => Err(NameError::Taken),
        };
    }
    // Read once for a process's life, as a shipped one is.
    brought.push((name.to_owned().leak(), Box::leak(Box::new(capture))));
    Ok(())
}

/// Every capture with its name, shipped ones first.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Capture)> {
    let brought = BROUGHT.read().unwrap_or_else(PoisonError::into_inner);
    let shipped = CAPTURES.iter().map(|(name, capture)| (*name, capture));
    shipped.chain(brought.clone())
}

/// The names of the shipped captures.
pub fn names() -> impl Iterator<Item = &'static str> {
    TEXTS.iter().map(|(name, _)| *name)
}

/// The capture of this name.
pub fn by_name(name: &str) -> Option<&'static Capture> {
    all()
        .find(|(known, _)| *known == name)
        .map(|(_, capture)| capture)
}
