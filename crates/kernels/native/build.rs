//! Lists the driver's sources and those of the module that it shares, so that the tool
//! carries them and needs no checkout at run time.

use std::{env, fmt::Write as _, fs, path::Path};

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
    let kernels = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("..");
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
        writeln!(list, "    ({name:?}, include_str!({path:?})),").expect("a string takes all");
    }
    list.push(']');
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("driver_files.rs");
    fs::write(out, list).expect("cargo's own directory is writable");
}
