//! The tool, started in a folder.

use std::path::Path;

use assert_cmd::Command;

/// Exit code, standard output, standard error.
pub fn folioscope(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command =
        Command::cargo_bin("folioscope").expect("the binary was built with the tests");
    let output = command
        .current_dir(folder)
        .args(args)
        .output()
        .expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().expect("no signal"),
        text(output.stdout),
        text(output.stderr),
    )
}
