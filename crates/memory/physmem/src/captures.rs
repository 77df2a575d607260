//! The captures that ship with the project, for machines that hide page frame numbers.

use std::sync::LazyLock;

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

/// Every shipped capture with its name.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Capture)> {
    CAPTURES.iter().map(|(name, capture)| (*name, capture))
}

/// The names of the shipped captures.
pub fn names() -> impl Iterator<Item = &'static str> {
    TEXTS.iter().map(|(name, _)| *name)
}

/// The shipped capture of this name.
pub fn by_name(name: &str) -> Option<&'static Capture> {
    all()
        .find(|(known, _)| *known == name)
        .map(|(_, capture)| capture)
}
