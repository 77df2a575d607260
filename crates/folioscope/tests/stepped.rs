//! `kernel step` without a kernel: the committed record of its counts, and damaged ones.

use std::fs;
use std::path::{Path, PathBuf};

use compare::stepped::stepped;
use results::SteppedRecord;
use results::look::stock_of;
use tempfile::TempDir;

use crate::made::folioscope;

fn committed() -> PathBuf {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench-results");
    store.join("kernel/patched/loops.jsonl")
}

fn print(folder: &Path, file: &Path, how: &[&str]) -> (i32, String, String) {
    let file = file.to_str().expect("UTF-8");
    let fixed = ["kernel", "step", "--read", file];
    folioscope(folder, &[&fixed, how].concat())
}

#[test]
fn the_committed_record_has_every_patch_beside_its_stock() {
    let record = SteppedRecord::read(&committed()).expect("a record");
    let moved = stepped(&record);
    for kernel in record.kernels.keys().filter(|name| stock_of(name) != *name) {
        let own = moved.iter().filter(|two| two.patched.kernel == *kernel);
        assert!(own.count() > 30, "{kernel}");
        let differ =
            |two: &&compare::stepped::Stepped<'_>| two.patched.kernel == *kernel && two.is_moved();
        assert!(
            moved.iter().any(|two| differ(&two)),
            "{kernel} moved nothing"
        );
    }
    let folder = TempDir::new().expect("a folder");
    for how in [
        ["--patched"].as_slice(),
        &["--patched", "--markdown"],
        &["--json"],
        &[],
    ] {
        let (code, out, err) = print(folder.path(), &committed(), how);
        assert_eq!(code, 0, "{how:?}: {err}");
        assert!(out.contains("+headpage"), "{how:?}: {out}");
    }
    // The counts of the models are in the checkout.
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (code, out, err) = print(&checkout, &committed(), &["--pairs"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("headpage-noassert : folio"), "{out}");
    let (code, out, err) = print(folder.path(), &committed(), &["--pairs"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("run it in a checkout"), "{err}");
}

#[test]
fn a_record_that_is_damaged_or_another_says_nothing() {
    let folder = TempDir::new().expect("a folder");
    let text = fs::read_to_string(committed()).expect("a record");
    let lines: Vec<&str> = text.lines().collect();
    let damaged = [
        String::new(),
        text[..text.len() / 2].to_owned(),
        lines[..lines.len() - 1].join("\n") + "\n",
        format!("{text}{}\n", lines[1]),
        text.replacen("\"instructions\":", "\"instructions\":-", 1),
        fs::read_to_string(committed().with_file_name("kunit.jsonl")).expect("another record"),
    ];
    for (at, text) in damaged.iter().enumerate() {
        let file = folder.path().join("loops.jsonl");
        fs::write(&file, text).expect("written");
        let (code, out, err) = print(folder.path(), &file, &["--patched"]);
        assert_eq!((code, out.as_str()), (2, ""), "{at}: {err}");
        assert!(err.contains("loops.jsonl"), "{at}: {err}");
    }
    // One without a patched kernel.
    let stock = SteppedRecord::read(&committed()).expect("a record");
    let file = folder.path().join("stock.jsonl");
    let stock = SteppedRecord {
        loops: stock
            .loops
            .into_iter()
            .filter(|one| stock_of(&one.kernel) == one.kernel)
            .collect(),
        ..stock
    };
    stock.write(&file).expect("written");
    let (code, _, err) = print(folder.path(), &file, &["--patched"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("no patched kernel"), "{err}");
}
