//! The house's invariants (crates/README.md), checked: who may see whom, where unsafe code
//! may stand, how long a file may be, what a file may not be called.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Which crates of the house each crate may use. A crate that is not in the table, or an
/// edge that is not, fails the test: the table is the architecture.
const MAY_USE: &[(&str, &[&str])] = &[
    ("hugemem", &[]),
    ("physmem", &["hugemem", "jsonl"]),
    ("mm", &["hugemem", "physmem"]),
    ("flat", &["mm", "physmem"]),
    ("folio", &["mm", "physmem"]),
    ("split", &["mm", "physmem"]),
    ("headpage", &["mm", "physmem"]),
    ("null", &["mm", "physmem"]),
    ("conformance", &["mm", "hugemem", "physmem"]),
    ("params", &[]),
    ("workloads", &["mm", "hugemem", "params", "physmem"]),
    (
        "registry",
        &[
            "conformance",
            "mm",
            "flat",
            "folio",
            "headpage",
            "null",
            "split",
            "hugemem",
            "physmem",
            "workloads",
        ],
    ),
    ("stats", &[]),
    ("jsonl", &[]),
    ("results", &["jsonl", "params"]),
    ("compare", &["results", "stats"]),
    ("render", &["compare", "results", "stats"]),
    (
        "measure",
        &[
            "mm",
            "hugemem",
            "physmem",
            "results",
            "registry",
            "stats",
            "workloads",
        ],
    ),
    (
        "oracle",
        &[
            "conformance",
            "mm",
            "flat",
            "folio",
            "headpage",
            "split",
            "hugemem",
            "physmem",
            "results",
        ],
    ),
    (
        "sensitivity",
        &[
            "compare", "hugemem", "icount", "measure", "render", "results", "registry", "stats",
        ],
    ),
    (
        "icount",
        &[
            "mm",
            "flat",
            "folio",
            "hugemem",
            "physmem",
            "results",
            "registry",
            "workloads",
        ],
    ),
    ("bench", &["icount", "registry"]),
];

/// Lines beyond which a source file is too long to be one thought.
const MAX_LINES: usize = 450;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace exists")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            sources(&path, found);
        } else if path
            .extension()
            .is_some_and(|e| e == "rs" || e == "c" || e == "h")
        {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    sources(&root().join("crates"), &mut paths);
    assert!(paths.len() > 50, "the walk found the sources");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source file is readable text");
        let inside = path
            .strip_prefix(root())
            .expect("below the root")
            .to_path_buf();
        (inside, text)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn crates_see_only_whom_they_may() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .expect("cargo metadata runs");
    let house: BTreeSet<String> = metadata
        .packages
        .iter()
        .map(|p| p.name.to_string())
        .collect();
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        if package.name.as_str() == "folioscope" {
            continue; // The command line may use all.
        }
        let Some(may) = allowed.get(package.name.as_str()) else {
            wrong.push(format!("{} is not in the table", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let normal = dependency.kind == DependencyKind::Normal;
            let used = dependency.name.as_str();
            if normal && house.contains(used) && !may.contains(&used) {
                wrong.push(format!("{} may not use {used}", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn unsafe_code_stands_only_in_hugemem_and_the_slot() {
    let unsafe_word = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        [
            "unsafe {",
            "unsafe impl",
            "unsafe fn",
            "unsafe trait",
            "unsafe extern",
        ]
        .iter()
        .any(|u| code.contains(u))
    };
    let wrong: Vec<PathBuf> = all_sources()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "rs"))
        .filter(|(path, _)| {
            !path.starts_with("crates/memory/hugemem") && path != Path::new("crates/mm/src/slot.rs")
        })
        .filter(|(path, _)| !path.ends_with("tests/architecture.rs"))
        .filter(|(_, text)| text.lines().any(unsafe_word))
        .map(|(path, _)| path)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn crates_without_unsafe_code_forbid_it() {
    let missing: Vec<PathBuf> = all_sources()
        .into_iter()
        .filter(|(path, _)| path.ends_with("src/lib.rs") || path.ends_with("src/main.rs"))
        .filter(|(path, _)| {
            !path.starts_with("crates/memory/hugemem") && !path.starts_with("crates/mm/src")
        })
        .filter(|(_, text)| !text.contains("#![forbid(unsafe_code)]"))
        .map(|(path, _)| path)
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn files_are_one_thought_long() {
    let long: Vec<String> = all_sources()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn no_file_is_a_drawer_for_anything() {
    let drawers = ["utils", "util", "common", "helpers", "misc"];
    let wrong: Vec<PathBuf> = all_sources()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| {
            path.file_stem()
                .is_some_and(|s| drawers.iter().any(|d| s == *d))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rust_files_say_which_room_they_are() {
    let silent: Vec<PathBuf> = all_sources()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "rs"))
        .filter(|(_, text)| !text.starts_with("//!") && !text.starts_with("#!["))
        .map(|(path, _)| path)
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}
