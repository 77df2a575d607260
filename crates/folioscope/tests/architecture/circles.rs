//! No files of a crate use each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::all_sources;

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
