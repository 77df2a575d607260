//! Stores: what several runs may not say about each other, and who is to blame.

use std::fs;
use std::path::{Path, PathBuf};

use results::{
    ENV_FILE, Environment, Git, Params, Row, RowWriter, SAMPLES_FILE, Sample, Store, Stored,
    read_environment, write_environment,
};

fn environment(date: &str, elapsed_s: f64) -> Environment {
    Environment {
        date_utc: date.to_owned(),
        elapsed_s,
        finished: true,
        git: Some(Git {
            revision: "0123456789".to_owned(),
            dirty: false,
        }),
        ..Environment::unknown()
    }
}

/// Writes a run of one row.
fn run(root: &Path, place: &str, env: &Environment) -> PathBuf {
    let dir = root.join(place);
    fs::create_dir_all(&dir).unwrap();
    write_environment(&dir.join(ENV_FILE), env).unwrap();
    let mut rows = RowWriter::create(&dir.join(SAMPLES_FILE)).unwrap();
    rows.append(&Row::Sample(Sample {
        elements: 1,
        iters: 1,
        rounds: vec![1.0],
        checksum: "0x1".to_owned(),
        ..Sample::blank("iteration/segments", "flat", Params::new(), "page", 0)
    }))
    .unwrap();
    dir
}

fn places(root: &Path) -> Vec<String> {
    let store = Store::below(root).unwrap();
    store.runs.iter().map(Stored::place).collect()
}

fn refusal(root: &Path) -> String {
    Store::below(root).unwrap_err().to_string()
}

#[test]
fn a_store_is_read_by_machine_and_then_by_time() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(places(root.path()), [""; 0]);
    for (place, date) in [
        ("b/2026-11-02-a", "2026-11-02T05:00:00Z"),
        ("a/z", "2026-11-01T05:00:00Z"),
        ("a/2026-11-03-b", "2026-11-03T05:00:00Z"),
        ("a/2026-11-03-a", "2026-11-03T06:00:00Z"),
    ] {
        run(root.path(), place, &environment(date, 100.0));
    }
    fs::create_dir_all(root.path().join("baseline/x")).unwrap();
    fs::write(root.path().join("README.md"), "no run").unwrap();
    let want = ["a/z", "a/2026-11-03-b", "a/2026-11-03-a", "b/2026-11-02-a"];
    assert_eq!(places(root.path()), want);
}

#[test]
fn two_records_of_one_identity_are_refused_and_both_are_named() {
    let root = tempfile::tempdir().unwrap();
    let env = environment("2026-11-02T05:00:00Z", 100.0);
    let first = run(root.path(), "a/first", &env);
    // A copy stays a copy under another name of the run and of the machine.
    for place in ["a/second", "b/second"] {
        let second = run(root.path(), place, &env);
        let want = format!(
            "{} and {}: two records with the same identity (machine a, begun 2026-11-02T05:00:00Z); \
             leave one out",
            first.display(),
            second.display()
        );
        assert_eq!(refusal(root.path()), want);
        fs::remove_dir_all(second).unwrap();
    }
    // Two machines may begin in the same second.
    let other = Environment {
        elapsed_s: 101.5,
        ..env.clone()
    };
    run(root.path(), "b/first", &other);
    assert_eq!(places(root.path()), ["a/first", "b/first"]);
    // On one machine that is the same run, whatever it took.
    run(root.path(), "a/third", &other);
    assert!(refusal(root.path()).contains("two records with the same identity"));
}

#[test]
fn a_clock_that_goes_backwards_is_refused_and_the_culprit_named() {
    let root = tempfile::tempdir().unwrap();
    let first = run(
        root.path(),
        "a/first",
        &environment("2026-11-02T05:00:00Z", 100.5),
    );
    let second = run(
        root.path(),
        "a/second",
        &environment("2026-11-02T05:01:39Z", 100.0),
    );
    let want = format!(
        "{}: began at 2026-11-02T05:01:39Z, before {} had ended at 2026-11-02T05:01:40.5Z: the \
         clock of a went backwards, or two runs shared the machine; leave one of them out",
        second.display(),
        first.display()
    );
    assert_eq!(refusal(root.path()), want);
    // Another machine has another clock, and a date is rounded down to its second.
    fs::create_dir_all(root.path().join("b")).unwrap();
    fs::rename(&second, root.path().join("b/second")).unwrap();
    run(
        root.path(),
        "a/third",
        &environment("2026-11-02T05:01:40Z", 1.0),
    );
    assert_eq!(places(root.path()), ["a/first", "a/third", "b/second"]);
}

#[test]
fn a_name_and_a_clock_that_disagree_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let env = environment("2026-11-01T05:00:00Z", 1.0);
    let dir = run(root.path(), "a/2026-11-02-0123456", &env);
    let want = format!(
        "{}: its name says 2026-11-02, its clock 2026-11-01T05:00:00Z",
        dir.display()
    );
    assert!(
        refusal(root.path()).starts_with(&want),
        "{}",
        refusal(root.path())
    );
}

#[test]
fn times_that_are_none_are_refused_with_file_and_field() {
    for (env, field) in [
        (environment("yesterday", 1.0), "date_utc"),
        (environment("2026-11-31T05:00:00Z", 1.0), "date_utc"),
        (environment("2026-11-02 05:00:00Z", 1.0), "date_utc"),
        (environment("2026-11-02T05:00:00+02:00", 1.0), "date_utc"),
        (environment("2026-11-02T05:00:00Z", -1.0), "elapsed_s"),
        (environment("2026-11-02T05:00:00Z", 1e300), "elapsed_s"),
    ] {
        let root = tempfile::tempdir().unwrap();
        let dir = run(root.path(), "a/run", &env);
        let want = format!("{}: field `{field}`:", dir.join(ENV_FILE).display());
        let message = refusal(root.path());
        assert!(message.starts_with(&want), "{message} begins with {want}");
    }
}

#[test]
fn one_damaged_record_among_sound_ones_is_named() {
    let sound = ["a/one", "b/one"];
    type Damage<'a> = &'a dyn Fn(String) -> String;
    let damage: [(&str, Damage<'_>, &str); 5] = [
        (
            SAMPLES_FILE,
            &|text| text.replace("[1.0]", "[-1.0]"),
            ":1: field `rounds[0]`:",
        ),
        (
            SAMPLES_FILE,
            &|text| text[..text.len() - 9].to_owned(),
            ":1: the last line is cut off",
        ),
        (
            SAMPLES_FILE,
            &|text| text.replace("\"schema\":2", "\"schema\":3"),
            ":1: field `schema`: version 3 is newer",
        ),
        (
            ENV_FILE,
            &|text| text.replace("\"schema\": 2", "\"schema\": 3"),
            ":1: field `schema`: version 3 is newer",
        ),
        (
            ENV_FILE,
            &|text| text.replace("\"cores\": 1", "\"cores\": -1"),
            ":1: field `cores`:",
        ),
    ];
    for (file, damage, want) in damage {
        let root = tempfile::tempdir().unwrap();
        for (day, place) in sound.iter().enumerate() {
            let date = format!("2026-11-0{}T05:00:00Z", day + 1);
            run(root.path(), place, &environment(&date, 1.0));
        }
        let path = run(
            root.path(),
            "b/two",
            &environment("2026-11-05T05:00:00Z", 1.0),
        )
        .join(file);
        let text = fs::read_to_string(&path).unwrap();
        let damaged = damage(text.clone());
        assert_ne!(damaged, text, "{want}");
        fs::write(&path, damaged).unwrap();
        let want = format!("{}{want}", path.display());
        let message = refusal(root.path());
        assert!(message.starts_with(&want), "{message} begins with {want}");
    }
}

#[test]
fn what_has_not_finished_is_left_out_and_named() {
    let root = tempfile::tempdir().unwrap();
    let env = Environment {
        finished: false,
        ..environment("2026-11-02T05:00:00Z", 0.0)
    };
    let dir = run(root.path(), "a/run", &env);
    let store = Store::below(root.path()).unwrap();
    assert_eq!((store.runs.len(), store.unfinished), (0, vec![dir.clone()]));
    let error = Stored::load(&dir).unwrap_err().to_string();
    assert!(
        error.contains("has not finished") && error.contains("--resume"),
        "{error}"
    );
}

#[test]
fn a_run_is_copied_whole_and_never_over_another() {
    let root = tempfile::tempdir().unwrap();
    let env = environment("2026-11-02T05:00:00Z", 1.0);
    let mut stored = Stored::load(&run(root.path(), "a/run", &env)).unwrap();
    stored.machine = "b".to_owned();
    let store = root.path().join("store");
    let copy = stored.copy_into(&store).unwrap();
    assert_eq!(copy, store.join("b/run"));
    assert_eq!(read_environment(&copy.join(ENV_FILE)).unwrap(), env);
    assert_eq!(places(&store), ["b/run"]);
    fs::write(copy.join("mine"), "x").unwrap();
    let error = stored.copy_into(&store).unwrap_err().to_string();
    assert!(error.starts_with(&copy.display().to_string()), "{error}");
    assert!(copy.join("mine").exists());
    // Nothing half-made stays beside it, and what a killed copy leaves is not looked at.
    assert_eq!(fs::read_dir(store.join("b")).unwrap().count(), 1);
    run(&store, "b/.partial-x", &env);
    assert_eq!(places(&store), ["b/run"]);
}
