//! Lines of descriptor beside the instructions.

use super::*;

/// The record of lines beside a blessed baseline; `None` where the emulator that traces is
/// missing, or takes no plugins.
fn lines_of(path: &Path) -> Option<PathBuf> {
    let lines = path.with_file_name("lines.jsonl");
    if !lines.exists() {
        eprintln!("passed over: no qemu-x86_64 with plugins (scripts/setup)");
        return None;
    }
    Some(lines)
}

/// The record with one loop's lines changed, and what it says of functions with them.
fn with_lines(text: &str, design: &str, change: impl Fn(u64) -> u64) -> String {
    let changed = text.lines().map(|line| {
        let mut row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if row["loop"]["design"] != design || row["loop"]["params"]["order"] != 9 {
            return line.to_owned();
        }
        let functions = row["functions"].as_object_mut().expect("functions");
        for lines in functions.values_mut() {
            *lines = change(lines.as_u64().expect("a number")).into();
        }
        let sum: u64 = functions.values().filter_map(|lines| lines.as_u64()).sum();
        row["lines"] = sum.into();
        row.to_string()
    });
    changed.map(|line| line + "\n").collect()
}

#[test]
fn a_line_more_is_caught_with_its_function_and_a_doctored_record_passes_nothing() {
    let Some((_folder, path)) = blessed() else {
        return;
    };
    let (code, stdout, stderr) = gate_on_both(&path, &["--bless", "--workload", WORKLOAD]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let Some(lines) = lines_of(&path) else {
        return;
    };
    let honest = fs::read_to_string(&lines).expect("a record");
    let again = || gate_on_both(&path, &["--workload", WORKLOAD]);
    let with = |text: String| {
        assert_ne!(text, honest);
        fs::write(&lines, text).expect("written");
        again()
    };
    let (code, stdout, stderr) = again();
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains("the lines that they did"), "{stdout}");

    // One less in the record is one more now, and so are half of them and none at all.
    for change in [|n: u64| n - 1, |n: u64| n / 2, |_| 0] {
        let (code, stdout, stderr) = with(with_lines(&honest, "folio", change));
        assert_eq!(code, 3, "{stdout}{stderr}");
        assert!(stdout.contains("BEYOND: 1 of"), "{stdout}");
        assert!(stdout.contains(".rs "), "the function is named: {stdout}");
    }
    // More in the record is an improvement now, which is said.
    let (code, stdout, stderr) = with(with_lines(&honest, "folio", |n| n + 1));
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains("fewer lines"), "{stdout}");

    let (code, stdout, stderr) = with(honest.replace("\"folio\"", "\"octavo\""));
    assert_eq!(code, 2, "a foreign design: {stdout}{stderr}");
    let (code, _, stderr) = with(honest.replacen("\"lines\":", "\"lines\":1", 1));
    assert_eq!(code, 2, "it does not add up: {stderr}");
    assert!(stderr.contains("lines"), "{stderr}");
    let other_build = honest.replacen("\"optimised\":false", "\"optimised\":true", 1);
    let (code, _, stderr) = with(other_build);
    assert_eq!(code, 2, "of another build: {stderr}");
    fs::remove_file(&lines).expect("removed");
    let (code, _, stderr) = again();
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("--bless"), "{stderr}");
}

#[test]
fn without_the_emulator_instructions_alone_are_gated_and_that_is_said() {
    let Some((folder, path)) = blessed() else {
        return;
    };
    let path_of_all = std::env::var_os("PATH").expect("a PATH");
    let mut valgrind = std::env::split_paths(&path_of_all).map(|bin| bin.join("valgrind"));
    let valgrind = valgrind.find(|file| file.is_file()).expect("it ran");
    // Not a link: Debian's valgrind is a script that looks for more beside itself.
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).expect("made");
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", valgrind.display());
    fs::write(bin.join("valgrind"), script).expect("written");
    fs::set_permissions(bin.join("valgrind"), fs::Permissions::from_mode(0o755)).expect("set");
    let mut bare = folioscope();
    bare.args(["gate", "--workload", WORKLOAD, "--baseline"])
        .arg(&path)
        .env("PATH", &bin);
    let (code, stdout, stderr) = answer(&mut bare);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(
        stderr.contains("instructions alone") && stderr.contains("qemu-user"),
        "{stderr}"
    );
    assert!(!stdout.contains("lines of descriptor"), "{stdout}");
}
