//! The captures that ship with the project, for machines that hide page frame numbers.

use std::sync::LazyLock;

use crate::Capture;

/// Name and text of every shipped capture.
const TEXTS: [(&str, &str); 0] = [];

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

/// The shipped capture of this name.
pub fn by_name(name: &str) -> Option<&'static Capture> {
    all()
        .find(|(known, _)| *known == name)
        .map(|(_, capture)| capture)
}
