//! Memory as it lies in a capture that the user brings.

use std::fs;
use std::path::{Path, PathBuf};

use results::{Run, Tail};
use tempfile::TempDir;

use crate::made::folioscope;

/// A file with what this machine's neighbour captured.
fn brought(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("written");
    path
}

fn shipped(name: &str) -> String {
    let capture = physmem::captures::by_name(name).expect("it ships");
    capture.to_text()
}

/// Measures folio's walk on a layout, in `run`.
fn measure(folder: &Path, more: &[&str]) -> (i32, String, String) {
    let args = [
        "measure",
        "--allow-debug",
        "--quick",
        "--workload",
        "iteration/chunks",
        "--design",
        "folio",
        "--processes",
        "1",
        "--budget",
        "60",
        "--out",
        "run",
    ];
    folioscope(folder, &[&args[..], more].concat())
}

#[test]
fn a_brought_capture_is_measured_kept_and_resumed() {
    let folder = TempDir::new().expect("a folder");
    let text = shipped("anon-base");
    let file = brought(folder.path(), "mine.jsonl", &text);
    let (code, _, stderr) = measure(folder.path(), &["--layout", "mine.jsonl"]);
    assert_eq!(code, 0, "{stderr}");
    let path = folder.path().join("run");
    let run = Run::load(&path, Tail::Refuse).expect("a sound record");
    assert!(run.samples().count() > 0);
    for sample in run.samples() {
        assert_eq!(sample.params["layout"].to_string(), "captured-mine");
    }
    let kept = path.join("layouts/mine.jsonl");
    assert_eq!(fs::read_to_string(&kept).expect("kept"), text);

    // As a kill leaves it before its last row; the file that was brought is gone.
    fs::remove_file(&file).expect("removed");
    let samples = path.join(results::SAMPLES_FILE);
    let rows = fs::read_to_string(&samples).expect("text");
    let lines: Vec<&str> = rows.lines().collect();
    let cut = lines[..lines.len() - 1].join("\n") + "\n";
    fs::write(&samples, cut).expect("written");
    let asked = r#"{"workload":["iteration/chunks"],"design":["folio"],"order":[],"layout":["mine"],"backing":[],"quick":true,"seed":1,"processes":1}"#;
    fs::write(path.join("unfinished.json"), asked).expect("written");
    let resume = |more: &[&str]| {
        let args = [
            "measure",
            "--allow-debug",
            "--resume",
            "--budget",
            "60",
            "--out",
            "run",
        ];
        folioscope(folder.path(), &[&args[..], more].concat())
    };
    // Under the same name another one is refused.
    brought(folder.path(), "mine.jsonl", &shipped("anon-thp"));
    let (code, _, stderr) = resume(&["--layout", "mine.jsonl"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("another capture"), "{stderr}");
    // And so is a run whose own copy is gone, or damaged.
    fs::remove_file(&kept).expect("removed");
    let (code, _, stderr) = resume(&[]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("layouts/mine.jsonl"), "{stderr}");
    fs::write(&kept, &text[..text.len() / 2]).expect("written");
    let (code, _, stderr) = resume(&[]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("layouts/mine.jsonl"), "{stderr}");
    fs::write(&kept, &text).expect("written");
    let (code, _, stderr) = resume(&[]);
    assert_eq!(code, 0, "{stderr}");
    let again = Run::load(&path, Tail::Refuse).expect("a sound record");
    assert_eq!(again.rows.len(), run.rows.len());
}

/// As a kill leaves a folder between the making of the rows' file and of the environment.
#[test]
fn a_folder_with_layouts_that_never_became_a_run_is_begun_in() {
    let folder = TempDir::new().expect("a folder");
    brought(folder.path(), "mine.jsonl", &shipped("anon-base"));
    let path = folder.path().join("run");
    fs::create_dir_all(path.join("layouts")).expect("a folder");
    brought(&path, "layouts/mine.jsonl", &shipped("anon-base"));
    let begin = || measure(folder.path(), &["--layout", "mine.jsonl"]);
    let (code, _, stderr) = begin();
    assert_eq!(code, 2, "without rows it is somebody's captures: {stderr}");
    fs::write(path.join(results::SAMPLES_FILE), "").expect("written");
    let (code, _, stderr) = begin();
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn what_cannot_be_a_layout_is_refused_by_its_file() {
    let folder = TempDir::new().expect("a folder");
    let text = shipped("anon-base");
    let slab = text.replace(r#""kind":"anon""#, r#""kind":"slab""#);
    for (name, text, why) in [
        ("anon-base.jsonl", text.as_str(), "another capture"),
        ("two words.jsonl", &text, "letters, digits"),
        ("cut.jsonl", &text[..text.len() / 2], "cut.jsonl"),
        ("empty.jsonl", "", "empty.jsonl"),
        ("slab.jsonl", &slab, "LRU"),
    ] {
        brought(folder.path(), name, text);
        let (code, _, stderr) = measure(folder.path(), &["--layout", name]);
        assert_ne!(code, 0, "{name}: {stderr}");
        assert!(stderr.contains(why), "{name}: {stderr}");
    }
    let (code, _, stderr) = measure(folder.path(), &["--layout", "missing.jsonl"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("missing.jsonl"), "{stderr}");
    let (code, _, stderr) = measure(folder.path(), &["--layout", "x.jsonl", "--order", "9"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--order"), "{stderr}");
}
