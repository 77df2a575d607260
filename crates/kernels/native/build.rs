//! Lists the driver's sources and those of the module that it shares, so that the tool
//! carries them and needs no checkout at run time.

use std::path::{Path, PathBuf};
use std::{env, fmt::Write as _, fs};

/// The module's sources that the driver is built of as well.
const SHARED: [&str; 11] = [
    "answer.c",
    "bodies.h",
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
    println!("cargo::rerun-if-changed=../driver");
    println!("cargo::rerun-if-changed=../module");
    let mut files: Vec<_> = fs::read_dir(kernels.join("driver"))
        .expect("the driver's folder is part of this crate")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| {
            path.extension().is_some_and(|e| e == "c" || e == "h") || path.ends_with("Makefile")
        })
        .chain(SHARED.map(|name| kernels.join("module").join(name)))
        .collect();
    files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    let mut list = String::from("&[\n");
    for path in files {
        let name = path.file_name().expect("a file").to_string_lossy();
        let inside = path.strip_prefix(&crate_folder).expect("it was joined");
        // Not the whole path: another checkout may build into the same target folder.
        let file = format!(
            "concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{}\")",
            inside.display()
        );
        writeln!(list, "    ({name:?}, include_str!({file})),").expect("a string takes all");
    }
    list.push(']');
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("driver_files.rs");
    fs::write(out, list).expect("cargo's own directory is writable");
}
