//! Lists the module's sources, so that the tool carries them and needs no checkout at run time.

use std::{env, fmt::Write as _, fs, path::Path};

fn main() {
    let module =
        Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../module");
    println!("cargo::rerun-if-changed=../module");
    let mut names: Vec<String> = fs::read_dir(&module)
        .expect("the module's folder is part of this crate")
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .into_string()
                .expect("a plain name")
        })
        .filter(|name| name.ends_with(".c") || name.ends_with(".h") || name == "Kbuild")
        .collect();
    names.sort();
    let mut list = String::from("&[\n");
    for name in names {
        // Not the whole path: another checkout may build into the same target folder.
        let file = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../module/{name}\")");
        writeln!(list, "    ({name:?}, include_str!({file})),").expect("a string takes all");
    }
    list.push(']');
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("module_files.rs");
    fs::write(out, list).expect("cargo's own directory is writable");
}
