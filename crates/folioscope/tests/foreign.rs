//! Another project's benchmarks, as crates/CI.md has them: imported, compared, exported, drawn.

use std::fs;
use std::path::Path;

use crate::made::folioscope;
use tempfile::TempDir;

/// Writes the files of `cargo bench`: two functions of one group, the second taking `ns` a call.
fn benched(folder: &Path, name: &str, ns: f64) {
    for (function, ns) in [("std", 100.0), ("ours", ns)] {
        let new = folder
            .join(name)
            .join("sort")
            .join(function)
            .join("1000/new");
        fs::create_dir_all(&new).expect("a folder");
        let named = format!(
            r#"{{"group_id":"sort","function_id":"{function}","value_str":"1000","throughput":null}}"#
        );
        fs::write(new.join("benchmark.json"), named).expect("written");
        let calls: Vec<f64> = (1..=20).map(|n| f64::from(n) * 10.0).collect();
        // No two rounds or processes take exactly as long.
        let wobble = 1.0 + 0.001 * name.len() as f64;
        let times: Vec<f64> = calls
            .iter()
            .enumerate()
            .map(|(at, calls)| calls * ns * wobble * (1.0 + 0.002 * (at % 3) as f64))
            .collect();
        let sample = format!(r#"{{"sampling_mode":"Linear","iters":{calls:?},"times":{times:?}}}"#);
        fs::write(new.join("sample.json"), sample).expect("written");
    }
}

/// Imports three runs of the benchmarks into a store.
fn imported(root: &Path, run: &str, ns: f64) {
    let names = ["a", "bb", "ccc"].map(|name| format!("{run}-{name}"));
    for name in &names {
        benched(root, name, ns);
    }
    let out = format!("results/laptop/{run}");
    let mut args = vec!["import", "criterion"];
    args.extend(names.iter().map(String::as_str));
    args.extend(["--out", &out]);
    let (code, stdout, stderr) = folioscope(root, &args);
    assert_eq!((code, stdout.trim()), (0, out.as_str()), "{stderr}");
}

#[test]
fn a_slower_function_is_found_and_the_other_one_is_not() {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path();
    imported(root, "before", 200.0);
    // Another second: a store takes no two runs of one.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    imported(root, "same", 200.0);
    let (before, same) = ("results/laptop/before", "results/laptop/same");
    let (code, _, stderr) = folioscope(root, &["diff", before, same, "--threshold", "5"]);
    assert_eq!(code, 0, "{stderr}");
    fs::remove_dir_all(root.join(same)).expect("removed");
    imported(root, "after", 300.0);
    let env = root.join("results/laptop/after/env.json");
    let text = fs::read_to_string(&env).expect("an environment");
    let date = measure::machine::utc(later).expect("a date");
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    json["date_utc"] = date.into();
    // What is about physical memory may be left out.
    let fields = json.as_object_mut().expect("an object");
    for field in [
        "hugetlb",
        "thp",
        "read_bandwidth",
        "clock",
        "caches",
        "pmu",
        "steal_ticks",
    ] {
        fields.remove(field);
    }
    let machine: serde_json::Value = serde_json::from_str(
        &fs::read_to_string(root.join(before).join("env.json")).expect("an environment"),
    )
    .expect("JSON");
    json["caches"] = machine["caches"].clone();
    fs::write(&env, json.to_string()).expect("written");

    let after = "results/laptop/after";
    let args = ["diff", before, after, "--threshold", "10", "--changed"];
    let (_, stdout, stderr) = folioscope(root, &args);
    assert!(
        stdout.contains("slower") && stdout.contains("criterion/sort ours"),
        "{stdout}{stderr}"
    );
    let (code, stdout, stderr) = folioscope(root, &["export", "results", "--format", "csv"]);
    assert_eq!((code, stdout.lines().count()), (0, 5), "{stderr}");
    let page = ["history", "--store", "results", "--out", "page"];
    let (code, stdout, stderr) = folioscope(root, &page);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("criterion/sort"), "{stdout}");
    assert!(root.join("page/index.html").is_file());
    let (code, stdout, stderr) = folioscope(root, &["report", after, "--full"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("sort"), "{stdout}");
}

#[test]
fn one_process_says_nothing_and_nothing_is_imported_from_nothing() {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path();
    for (run, ns) in [("one", 200.0), ("two", 400.0)] {
        benched(root, run, ns);
        let (code, ..) = folioscope(
            root,
            &["import", "criterion", run, "--out", &format!("r/{run}")],
        );
        assert_eq!(code, 0);
    }
    let (_, stdout, _) = folioscope(root, &["diff", "r/one", "r/two", "--changed"]);
    assert_eq!(stdout, "", "nothing is known of its noise");
    fs::create_dir(root.join("empty")).expect("a folder");
    let (code, _, stderr) = folioscope(root, &["import", "criterion", "empty", "--out", "r/three"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("no benchmark of Criterion's"), "{stderr}");
    let (code, _, stderr) = folioscope(root, &["import", "criterion", "one", "--out", "r/one"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("holds a run already"), "{stderr}");
}
