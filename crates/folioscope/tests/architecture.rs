//! The invariants of crates/README.md, checked: which crate uses which, where unsafe code
//! is, how long a file may be, what a file may not be called.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

mod circles;

/// The crates of the workspace that each crate uses, and no other: the table is the architecture,
/// and the manifests must say the same. [`DESIGNS`] stands for every crate in `crates/designs`.
const USES: &[(&str, &[&str])] = &[
    ("params", &[]),
    ("jsonl", &[]),
    ("hugemem", &[]),
    ("physmem", &["hugemem", "jsonl"]),
    ("mm", &["hugemem", "physmem"]),
    (DESIGNS, &["mm", "physmem"]),
    ("conformance", &["hugemem", "mm", "physmem"]),
    ("workloads", &["hugemem", "mm", "params", "physmem"]),
    (
        "registry",
        &[DESIGNS, "conformance", "mm", "results", "workloads"],
    ),
    ("native", &["physmem"]),
    ("stats", &[]),
    ("results", &["jsonl", "params"]),
    ("compare", &["results", "stats"]),
    ("render", &["compare", "results", "stats"]),
    ("trace", &["results"]),
    (
        "measure",
        &[
            "hugemem",
            "native",
            "registry",
            "results",
            "stats",
            "workloads",
        ],
    ),
    (
        "oracle",
        &["conformance", "mm", "native", "physmem", "results", "trace"],
    ),
    (
        "icount",
        &[
            "flat",
            "folio",
            "hugemem",
            "mm",
            "physmem",
            "registry",
            "results",
            "trace",
            "workloads",
        ],
    ),
    ("bench", &[]),
    (
        "sensitivity",
        &[
            "compare", "hugemem", "icount", "measure", "registry", "render", "results", "stats",
        ],
    ),
    (
        "folioscope",
        &[
            "compare",
            "conformance",
            "hugemem",
            "icount",
            "measure",
            "native",
            "oracle",
            "physmem",
            "registry",
            "render",
            "results",
            "stats",
            "workloads",
        ],
    ),
];

/// Every contender's crate: one more does not change the architecture.
const DESIGNS: &str = "designs/*";

/// The maximum number of lines of a source file.
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
fn crates_use_what_the_table_says() {
    let metadata = metadata();
    let is_design = |package: &Package| {
        let folder = package.manifest_path.parent().and_then(|at| at.parent());
        folder.is_some_and(|at| at.ends_with("crates/designs"))
    };
    let names = |packages: &mut dyn Iterator<Item = &Package>| -> BTreeSet<String> {
        packages.map(|package| package.name.to_string()).collect()
    };
    let house = names(&mut metadata.packages.iter());
    let designs = names(
        &mut metadata
            .packages
            .iter()
            .filter(|package| is_design(package)),
    );
    let table: BTreeMap<String, BTreeSet<String>> = USES
        .iter()
        .flat_map(|(user, used)| {
            let used = each(used, &designs);
            let users = each(&[user], &designs).into_iter();
            users.map(move |user| (user, used.clone()))
        })
        .collect();
    let manifests: BTreeMap<String, BTreeSet<String>> = metadata
        .packages
        .iter()
        .map(|package| {
            let normal = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .map(|dependency| dependency.name.clone());
            let used = normal.filter(|name| house.contains(name));
            (package.name.to_string(), used.collect())
        })
        .collect();
    assert_eq!(manifests, table, "manifests on the left, USES on the right");
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .expect("cargo metadata runs")
}

/// A program of unit tests is linked once a crate, and rustdoc is started once, for nothing
/// where there are none: a crate says `test = false` and `doctest = false` until it has some,
/// and one that nothing runs is none.
#[test]
fn tests_are_built_where_there_are_some() {
    let metadata = metadata();
    for package in &metadata.packages {
        let Some(library) = package.targets.iter().find(|target| target.is_lib()) else {
            continue;
        };
        let mut files = Vec::new();
        let folder = library.src_path.parent().expect("a folder");
        sources(folder.as_std_path(), &mut files);
        let read = |file: &PathBuf| fs::read_to_string(file).expect("a source file can be read");
        let texts: Vec<String> = files.iter().map(read).collect();
        let has_examples = texts.iter().any(|text| has_doctest(text));
        assert_eq!(library.doctest, has_examples, "doctest of {}", package.name);
        let has_tests = texts.iter().any(|text| text.contains("#[cfg(test)]"));
        assert_eq!(library.test, has_tests, "test of {}", package.name);
    }
}

/// Whether rustdoc would compile a fenced block of the documentation in `text`: it leaves out
/// blocks of another language and those to be ignored.
fn has_doctest(text: &str) -> bool {
    let fences = text.lines().filter_map(|line| {
        let line = line.trim_start();
        let doc = line.strip_prefix("//!").or(line.strip_prefix("///"))?;
        doc.trim_start().strip_prefix("```")
    });
    fences
        .step_by(2)
        .any(|info| info != "text" && info != "ignore")
}

#[test]
fn a_doctest_is_found() {
    assert!(has_doctest("/// ```\n/// f();\n/// ```\n"));
    assert!(has_doctest(
        "//! ```compile_fail,E0599\n//! f();\n//! ```\n"
    ));
    assert!(!has_doctest("/// ```text\n/// f();\n/// ```\n"));
    assert!(!has_doctest("//! ```ignore\n//! f();\n//! ```\n"));
    assert!(!has_doctest("let fence = \"```\";\n"));
}

/// The names of a row, with every design in the place of [`DESIGNS`].
fn each(names: &[&str], designs: &BTreeSet<String>) -> BTreeSet<String> {
    let expand = |name: &&str| match *name {
        DESIGNS => designs.clone(),
        name => BTreeSet::from([name.to_owned()]),
    };
    names.iter().flat_map(expand).collect()
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
fn files_have_at_most_450_lines() {
    let long: Vec<String> = all_sources()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn no_catch_all_modules() {
    let catch_all = ["utils", "util", "common", "helpers", "misc"];
    let wrong: Vec<PathBuf> = all_sources()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| {
            path.file_stem()
                .is_some_and(|s| catch_all.iter().any(|d| s == *d))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_has_module_docs() {
    let without: Vec<PathBuf> = all_sources()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "rs"))
        .filter(|(_, text)| !text.starts_with("//!") && !text.starts_with("#!["))
        .map(|(path, _)| path)
        .collect();
    assert!(without.is_empty(), "{without:#?}");
}
