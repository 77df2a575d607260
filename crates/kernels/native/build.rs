//! Lists the driver's sources, those of the module that it shares, and our patches, so that
//! the tool carries them and needs no checkout at run time.

use std::path::{Path, PathBuf};
use std::{env, fmt::Write as _, fs};

/// The module's sources that the driver is built of as well.
const SHARED: [&str; 12] = [
    "answer.c",
    "bodies.h",
    "case_compat.h",
    "cases.c",
    "cases.h",
    "compat.h",
    "count_compat.h",
    "oracle.h",
    "out.c",
    "out.h",
    "queue.c",
    "queue.h",
];

fn main() {
    let crate_folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let kernels = crate_folder.join("..");
    for folder in ["driver", "module", "patches"] {
        println!("cargo::rerun-if-changed=../{folder}");
    }
    let mut files: Vec<_> = files_of(&kernels.join("driver"))
        .into_iter()
        .filter(|path| {
            path.extension().is_some_and(|e| e == "c" || e == "h") || path.ends_with("Makefile")
        })
        .chain(SHARED.map(|name| kernels.join("module").join(name)))
        .collect();
    files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    write_list("driver_files.rs", &crate_folder, &files, &|path| {
        format!("{:?}", name(path))
    });

    // patches/SERIES/NAME.patch
    let mut patches: Vec<_> = files_of(&kernels.join("patches"))
        .iter()
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| files_of(folder))
        .filter(|path| path.extension().is_some_and(|e| e == "patch"))
        .collect();
    patches.sort();
    write_list("patch_files.rs", &crate_folder, &patches, &|path| {
        let series = name(path.parent().expect("it is in a folder"));
        let stem = name(&path.with_extension(""));
        format!("{series:?}, {stem:?}")
    });
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .expect("the folder is part of this crate")
        .map(|entry| entry.expect("readable").path())
        .collect()
}

fn name(path: &Path) -> String {
    let name = path.file_name().expect("a file");
    name.to_string_lossy().into_owned()
}

/// Writes a list of what `key` says of each file, and the file's text.
fn write_list(list: &str, crate_folder: &Path, files: &[PathBuf], key: &dyn Fn(&Path) -> String) {
    let mut text = String::from("&[\n");
    for path in files {
        let key = key(path);
        let inside = path.strip_prefix(crate_folder).expect("it was joined");
        // Not the whole path: another checkout may build into the same target folder.
        let file = format!(
            "concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{}\")",
            inside.display()
        );
        writeln!(text, "    ({key}, include_str!({file})),").expect("a string takes all");
    }
    text.push(']');
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join(list);
    fs::write(out, text).expect("cargo's own directory is writable");
}
