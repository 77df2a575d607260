//! The list of designs is whole: a crate in `crates/designs` that is not in it, or that no law
//! is stamped for, is a design nobody compares.

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::MetadataCommand;

/// Names of the workspace's design crates, and where each lives.
fn design_crates() -> Vec<(String, std::path::PathBuf)> {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .expect("cargo knows this workspace");
    metadata
        .packages
        .iter()
        .filter(|package| {
            let folder = package.manifest_path.parent();
            folder
                .and_then(|at| at.parent())
                .is_some_and(|at| at.ends_with("crates/designs"))
        })
        .map(|package| {
            let folder = package
                .manifest_path
                .parent()
                .expect("a manifest lies in a folder");
            (package.name.to_string(), folder.as_std_path().to_owned())
        })
        .collect()
}

#[test]
fn every_design_crate_is_in_the_list_and_nothing_else() {
    let crates: BTreeSet<String> = design_crates().into_iter().map(|(name, _)| name).collect();
    let listed: BTreeSet<String> = registry::designs()
        .iter()
        .map(|design| design.package.to_owned())
        .collect();
    assert_eq!(listed, crates);
    assert!(crates.len() >= 5);
}

#[test]
fn laws_are_stamped_for_every_design_crate() {
    for (name, folder) in design_crates() {
        // The floor does no work, and no law holds for nothing.
        let floor = registry::designs()
            .iter()
            .any(|d| d.package == name && d.is_floor);
        let stamped = rust_files(&folder).iter().any(|file| {
            let text = std::fs::read_to_string(file).expect("a source file is text");
            text.lines()
                .any(|line| line.trim_start().starts_with("conformance::conformance!("))
        });
        assert!(
            stamped || floor,
            "{name} has no `conformance::conformance!` line"
        );
    }
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)
        .expect("a crate's folder can be read")
        .flatten()
    {
        let path = entry.path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn names_of_designs_are_unique_and_the_first_is_the_reference() {
    let names: Vec<_> = registry::designs()
        .iter()
        .map(|design| design.name)
        .collect();
    let unique: BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    assert_eq!(names[0], "flat");
    assert_eq!(
        registry::designs()
            .iter()
            .filter(|design| design.is_floor)
            .count(),
        1
    );
}
