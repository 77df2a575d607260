//! The invariants of crates/README.md, checked: which crate uses which, where unsafe code
//! is, how long a file may be, what a file may not be called.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

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
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .expect("cargo metadata runs");
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

/// Files of one crate that use each other in a circle have no first one to read.
#[test]
fn no_files_use_each_other_in_a_circle() {
    let found: Vec<String> = crate_files()
        .iter()
        .flat_map(|(name, files)| {
            let circles = circles(files).into_iter();
            circles.map(move |circle| format!("{name}: {}", circle.join(", ")))
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_circle_of_files_is_found() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let three = BTreeMap::from([
        file("a", "use crate::{b::One, c};\n"),
        file("b", "use crate::c::Two;\n"),
        file("c", "fn x() { crate::a::y() }\n"),
        file("c::inner", "use crate::c::Two;\n"),
        file("d", "// crate::a\nuse crate::a::y;\n"),
    ]);
    assert_eq!(circles(&three), [["a", "b", "c"]]);
    let nested = BTreeMap::from([
        file("command::one", "use crate::command::{two, three};\n"),
        file("command::two", "use crate::{x, command::{one::open}};\n"),
        file("command::three", ""),
    ]);
    assert_eq!(circles(&nested), [["command::one", "command::two"]]);
    let mut open = three;
    open.insert(
        "c".to_owned(),
        "mod inner;\nuse crate::c::inner;\n".to_owned(),
    );
    assert!(circles(&open).is_empty());
}

/// The module files of every crate, by their paths as modules.
fn crate_files() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut crates: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (path, text) in all_sources() {
        let path = path.to_string_lossy().into_owned();
        let Some((package, file)) = path.split_once("/src/") else {
            continue;
        };
        let module = file.strip_suffix(".rs").map(|name| name.replace('/', "::"));
        if let Some(module) = module.filter(|name| name != "lib" && name != "main") {
            let files = crates.entry(package.to_owned()).or_default();
            files.insert(module, text);
        }
    }
    assert!(crates.len() > 15, "the walk found the crates");
    crates
}

/// Files that reach each other, by what follows `crate::` in them. A module and what is inside
/// of it may use each other: they are read as one.
fn circles(files: &BTreeMap<String, String>) -> Vec<Vec<&str>> {
    let used: BTreeMap<&str, BTreeSet<&str>> = files
        .iter()
        .map(|(name, text)| (name.as_str(), files_used(name, text, files)))
        .collect();
    let reached = |from: &str| {
        let mut seen = BTreeSet::new();
        let mut left: Vec<&str> = used[from].iter().copied().collect();
        while let Some(next) = left.pop() {
            if seen.insert(next) {
                left.extend(&used[next]);
            }
        }
        seen
    };
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        used.keys().map(|&name| (name, reached(name))).collect();
    let circle = |name: &&str| -> Vec<&str> {
        let both = reach[*name]
            .iter()
            .filter(|other| reach[**other].contains(*name));
        both.copied().collect()
    };
    let all: BTreeSet<Vec<&str>> = reach.keys().map(circle).collect();
    all.into_iter()
        .filter(|circle| !circle.is_empty())
        .collect()
}

fn files_used<'a>(
    name: &str,
    text: &str,
    files: &'a BTreeMap<String, String>,
) -> BTreeSet<&'a str> {
    let code: String = text
        .split("#[cfg(test)]")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut used = BTreeSet::new();
    for behind in code.split("crate::").skip(1) {
        for path in paths(behind) {
            used.extend(file_of(&path, files));
        }
    }
    let apart = |other: &&str| {
        let inside = |a: &str, b: &str| a.starts_with(&format!("{b}::"));
        *other != name && !inside(name, other) && !inside(other, name)
    };
    used.into_iter().filter(apart).collect()
}

/// The paths that follow `crate::`: one, or all of `{a::b, c::{d, e}}`.
fn paths(text: &str) -> Vec<String> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let (head, rest) = text.split_at(end.unwrap_or(text.len()));
    match rest.strip_prefix('{') {
        Some(group) => outermost(group)
            .into_iter()
            .flat_map(|item| paths(item.trim_start()))
            .map(|inner| format!("{head}{inner}"))
            .collect(),
        None => vec![head.to_owned()],
    }
}

/// The items of `{a::b, c::{d, e}}` without its first brace.
fn outermost(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items
}

/// The file that a path leads into: the longest that is one.
fn file_of<'a>(path: &str, files: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let mut path = path.trim_end_matches(':');
    loop {
        if let Some((file, _)) = files.get_key_value(path) {
            return Some(file);
        }
        path = path.rsplit_once("::")?.0;
    }
}
