//! The patches that the tool carries, known by name: answers of the debate, each written for
//! the kernels of some series (`crates/kernels/patches`, GPL-2.0).

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::BuildError;

/// The series, name and text of each, in the order of series.
const FILES: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/patch_files.rs"));

/// A patch that the tool carries.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CarriedPatch {
    /// Its name.
    pub name: &'static str,
    /// The series of the kernel that it is written for: `6.12`.
    pub series: &'static str,
    /// Its effect, in one line.
    pub summary: &'static str,
    /// Lines that it takes out and brings in.
    pub lines: usize,
}

/// All of them, by name and series.
pub fn carried_patches() -> Vec<CarriedPatch> {
    let mut patches: Vec<_> = FILES
        .iter()
        .map(|&(series, name, text)| CarriedPatch {
            name,
            series,
            summary: summary(text),
            lines: changed_lines(text),
        })
        .collect();
    // Stable, so that versions stay in their order.
    patches.sort_by_key(|patch| patch.name);
    patches
}

/// The first line after the name that it begins with.
fn summary(text: &'static str) -> &'static str {
    let line = text.lines().next().unwrap_or_default();
    line.split_once(": ").map_or(line, |(_, summary)| summary)
}

fn changed_lines(text: &str) -> usize {
    let hunks = text.lines().skip_while(|line| !line.starts_with("--- "));
    hunks
        .filter(|line| line.starts_with(['+', '-']))
        .filter(|line| !line.starts_with("--- ") && !line.starts_with("+++ "))
        .count()
}

/// The text of the patch that this names, for a kernel of this series; `None` where it is not one
/// of our names, so that it may be a file. A file that has such a name is given with a path:
/// `./headpage`.
pub(crate) fn carried(wanted: &Path, series: &str) -> Result<Option<&'static str>, BuildError> {
    let named = || {
        FILES
            .iter()
            .filter(|(_, name, _)| wanted.as_os_str() == *name)
    };
    if let Some((.., text)) = named().find(|(of, ..)| *of == series) {
        return Ok(Some(text));
    }
    let known: Vec<_> = named().map(|&(of, ..)| of).collect();
    if known.is_empty() {
        return Ok(None);
    }
    Err(BuildError::PatchOfOthers {
        name: wanted.display().to_string(),
        series: series.to_owned(),
        known,
    })
}

/// Refuses a carried patch without the one that it goes on top of before it: it might apply, and
/// be a kernel of nobody's answer.
pub(crate) fn check_order(wanted: &[PathBuf]) -> Result<(), BuildError> {
    for (at, patch) in wanted.iter().enumerate() {
        let carried = FILES.iter().find(|(_, name, _)| patch.as_os_str() == *name);
        let Some(&(_, name, text)) = carried else {
            continue;
        };
        if let Some(base) = base(text)
            && !wanted[..at].iter().any(|below| below.as_os_str() == base)
        {
            return Err(BuildError::PatchWithoutBase { name, base });
        }
    }
    Ok(())
}

/// The patch that one goes on top of, as its first line says.
fn base(text: &'static str) -> Option<&'static str> {
    let rest = summary(text).strip_prefix("on top of ")?;
    rest.split_once(',').map(|(base, _)| base)
}

/// The error for an unknown patch, with similar names.
pub(crate) fn unknown(wanted: &Path) -> BuildError {
    let stem = wanted.file_stem().unwrap_or_default().to_string_lossy();
    let mut near: Vec<(usize, &str)> = FILES
        .iter()
        .map(|&(_, name, _)| (strsim::damerau_levenshtein(&stem, name), name))
        .filter(|(distance, _)| *distance <= stem.chars().count().div_ceil(3))
        .collect();
    near.sort_unstable();
    near.dedup();
    let least = near.first().map_or(0, |(distance, _)| *distance);
    BuildError::UnknownPatch {
        name: wanted.display().to_string(),
        near: near
            .into_iter()
            .filter(|(distance, _)| *distance == least)
            .map(|(_, name)| name)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SERIES;
    use crate::patch::Patch;

    #[test]
    fn every_patch_says_what_it_stands_for_and_what_it_breaks() {
        assert!(FILES.len() > 1);
        for (series, name, text) in FILES {
            assert!(SERIES.iter().any(|(known, _)| known == series), "{series}");
            assert!(text.starts_with(&format!("{name}: ")), "{name}");
            for part in [
                "\nStands for ",
                "\nLeaves out",
                "\nBreaks",
                "\nSPDX-License-Identifier: GPL-2.0\n",
            ] {
                assert!(text.contains(part), "{series}/{name} has no {part:?}");
            }
            let patch = Patch::find(Path::new(name), series).unwrap();
            assert_eq!(patch.name(), *name);
            assert!(!patch.files().is_empty(), "{name}");
        }
        for patch in carried_patches() {
            assert!(patch.lines > 0 && patch.summary.len() < 75, "{patch:?}");
        }
    }

    #[test]
    fn a_name_with_a_slip_is_told_what_it_may_mean() {
        let said = |wanted: &str, series: &str| {
            let error = Patch::find(Path::new(wanted), series).unwrap_err();
            error.to_string()
        };
        for slip in ["haedpage", "headpage.patch", "headpag"] {
            let error = said(slip, "6.12");
            assert!(error.contains("did you mean `headpage`?"), "{error}");
        }
        let error = said("something/else.patch", "6.12");
        assert!(!error.contains("did you mean"), "{error}");
        assert!(error.contains("--list-patches"), "{error}");
        let error = said("headpage", "4.19");
        assert!(error.contains("not for 4.19"), "{error}");
    }

    #[test]
    fn a_patch_on_top_of_another_is_refused_without_it() {
        let check = |names: &[&str]| {
            let wanted: Vec<_> = names.iter().map(PathBuf::from).collect();
            check_order(&wanted).map_err(|error| error.to_string())
        };
        let bases: Vec<_> = FILES.iter().filter_map(|(.., text)| base(text)).collect();
        assert!(!bases.is_empty());
        for base in bases {
            assert!(FILES.iter().any(|(_, name, _)| *name == base), "{base}");
        }
        let error = check(&["headpage-strict"]).unwrap_err();
        let command = "--patch headpage --patch headpage-strict";
        assert!(error.contains(command), "{error}");
        assert!(check(&["headpage-strict", "headpage"]).is_err());
        assert_eq!(check(&["headpage", "headpage-strict"]), Ok(()));
        assert_eq!(check(&["no-merge", "./headpage-strict"]), Ok(()));
    }

    #[test]
    fn a_file_is_no_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("headpage");
        std::fs::write(&path, "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n").unwrap();
        let patch = Patch::find(&path, "4.19").unwrap();
        assert_eq!(patch.files().into_iter().collect::<Vec<_>>(), ["x"]);
    }
}
