//! Every refusal names its culprit, and no accident costs more than the row in hand.

use std::fs;
use std::path::Path;

use results::{
    Environment, Params, RecordError, Row, RowSum, RowWriter, Run, RunLock, SAMPLES_FILE, Sample,
    Status, Tail, Yardsticks, command_without_paths, read_environment, read_rows, rows_from_bytes,
    write_environment,
};

fn sample(process: u32) -> Row {
    let params = Params::from([("order".to_owned(), 9.into())]);
    Row::Sample(Sample {
        axis: "order".to_owned(),
        elements: 512,
        iters: 100,
        rounds: vec![1.5, 1.25],
        checksum: "0xbeef".to_owned(),
        context_switches: 1,
        dtlb_misses: Some(0.5),
        yardsticks: Some(Yardsticks {
            chain_ns: vec![1.0, 1.0],
            walk_ns: vec![0.75, 2.25],
        }),
        ..Sample::blank("iteration/segments", "flat", params, "page", process)
    })
}

fn line(process: u32) -> String {
    format!("{}\n", serde_json::to_string(&sample(process)).unwrap())
}

fn refusal(text: &str) -> String {
    let error = rows_from_bytes(
        text.as_bytes(),
        Path::new("run/samples.jsonl"),
        Tail::Refuse,
    );
    error.expect_err("the text is refused").to_string()
}

#[test]
fn a_refusal_names_file_line_and_field() {
    for (from, to, field, word) in [
        ("\"process\":1", "\"process\":-1", "process", "u32"),
        ("[1.5,1.25]", "[1.5,\"fast\"]", "rounds[1]", "string"),
        ("[1.5,1.25]", "[1.5,-1.25]", "rounds[1]", "not a duration"),
        (
            "[0.75,2.25]",
            "[0.75]",
            "yardsticks.walk_ns",
            "1 values for 2",
        ),
        (
            "[0.75,2.25]",
            "[0.75,0.0]",
            "yardsticks.walk_ns",
            "not a duration",
        ),
        ("[1.5,1.25]", "[]", "rounds", "empty"),
        (
            "{\"order\":9}",
            "{\"order\":[9]}",
            "params.order",
            "any variant",
        ),
        (
            "\"axis\":\"order\"",
            "\"axis\":\"depth\"",
            "axis",
            "not among the params",
        ),
        ("0xbeef", "beef", "checksum", "hex"),
        (
            "\"family\":\"iteration\"",
            "\"family\":\"merging\"",
            "family",
            "merging",
        ),
        ("\"unit\":\"page\",", "", ".", "missing field `unit`"),
        (
            "\"process\":1",
            "\"process\":0,\"process\":1",
            ".",
            "duplicate",
        ),
        (
            "{\"order\":9}",
            "{\"order\":0,\"order\":9}",
            "params",
            "duplicate",
        ),
        ("\"status\":\"ok\"}", "\"status\":\"ok\"}}", ".", "trailing"),
        ("\"schema\":2,", "", "schema", "missing"),
        (
            "\"type\":\"sample\"",
            "\"type\":\"simple\"",
            "type",
            "simple",
        ),
    ] {
        let damaged = line(1).replace(from, to);
        assert_ne!(damaged, line(1), "{from} is in the line");
        let message = refusal(&format!("{}{damaged}", line(0)));
        let place = format!("run/samples.jsonl:2: field `{field}`:");
        assert!(message.starts_with(&place), "{message} begins with {place}");
        assert!(message.contains(word), "{message} says {word}");
    }
}

#[test]
fn a_newer_schema_is_told_apart_from_a_corrupt_line() {
    let newer = line(0).replace("\"schema\":2", "\"schema\":7,\"invented\":true");
    let error = rows_from_bytes(newer.as_bytes(), Path::new("x"), Tail::Refuse).unwrap_err();
    assert!(
        matches!(
            error,
            RecordError::Newer {
                found: 7,
                line: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn two_rows_of_one_identity_are_refused_by_name() {
    let message = refusal(&format!("{}{}{}", line(0), line(1), line(0)));
    let want = "run/samples.jsonl:3: same identity as line 1: \
                iteration/segments flat [order=9] process 0";
    assert_eq!(message, want);
}

#[test]
fn a_cut_off_line_is_refused_unless_the_run_is_resumed() {
    let text = format!("{}{}", line(0), line(1));
    for cut in line(0).len() + 1..text.len() {
        let bytes = &text.as_bytes()[..cut];
        let strict = rows_from_bytes(bytes, Path::new("x"), Tail::Refuse).unwrap_err();
        assert!(
            matches!(strict, RecordError::Truncated { line: 2, .. }),
            "{strict}"
        );
        let rows = rows_from_bytes(bytes, Path::new("x"), Tail::Drop).unwrap();
        assert_eq!(rows, vec![sample(0)]);
    }
}

#[test]
fn a_damaged_line_in_the_middle_is_refused_even_when_resuming() {
    let text = format!("{}{}", &line(0).replace('}', ""), line(1));
    let error = rows_from_bytes(text.as_bytes(), Path::new("x"), Tail::Drop).unwrap_err();
    assert!(error.to_string().starts_with("x:1: field `.`"), "{error}");
}

#[test]
fn resuming_heals_the_tail_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(SAMPLES_FILE);
    fs::write(&path, format!("{}{}", line(0), &line(1)[..40])).unwrap();
    let (mut writer, rows) = RowWriter::resume(&path).unwrap();
    assert_eq!(rows, vec![sample(0)]);
    assert!(writer.contains(&sample(0).identity()));
    assert!(!writer.contains(&sample(1).identity()));
    let again = writer.append(&sample(0)).unwrap_err();
    assert!(
        matches!(again, RecordError::Duplicate { first: 1, .. }),
        "{again}"
    );
    writer.append(&sample(1)).unwrap();
    writer.finish().unwrap();
    assert_eq!(
        read_rows(&path, Tail::Refuse).unwrap(),
        vec![sample(0), sample(1)]
    );
}

#[test]
fn resuming_a_corrupt_file_leaves_it_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(SAMPLES_FILE);
    let text = format!("not json\n{}cut", line(0));
    fs::write(&path, &text).unwrap();
    RowWriter::resume(&path).unwrap_err();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_row_is_readable_as_soon_as_it_is_appended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(SAMPLES_FILE);
    let mut writer = RowWriter::create(&path).unwrap();
    for process in 0..3 {
        writer.append(&sample(process)).unwrap();
        assert_eq!(
            read_rows(&path, Tail::Refuse).unwrap().len(),
            process as usize + 1
        );
    }
}

#[test]
fn a_writer_refuses_what_no_reader_would_take() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(SAMPLES_FILE);
    let mut writer = RowWriter::create(&path).unwrap();
    let Row::Sample(mut bad) = sample(0) else {
        unreachable!()
    };
    bad.rounds[1] = f64::NAN;
    let error = writer
        .append(&Row::Sample(bad.clone()))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("iteration/segments flat [order=9] process 0"),
        "{error}"
    );
    assert!(error.contains("rounds[1]"), "{error}");
    bad.rounds = vec![1.0];
    bad.status = Status::Err("checksum differs".to_owned());
    let error = writer.append(&Row::Sample(bad)).unwrap_err().to_string();
    assert!(error.contains("although the status is not ok"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn a_second_run_does_not_overwrite_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(SAMPLES_FILE);
    RowWriter::create(&path)
        .unwrap()
        .append(&sample(0))
        .unwrap();
    RowWriter::create(&path).unwrap_err();
    assert_eq!(read_rows(&path, Tail::Refuse).unwrap().len(), 1);
}

/// The test runs itself again under a file size limit, which refuses a write half-way
/// just as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_costs_only_the_row_in_hand() {
    const DIR: &str = "FOLIOSCOPE_TEST_FULL_DISK";
    if let Some(dir) = std::env::var_os(DIR) {
        let path = Path::new(&dir).join(SAMPLES_FILE);
        let mut writer = RowWriter::create(&path).unwrap();
        let error = (0..)
            .find_map(|process| writer.append(&sample(process)).err())
            .unwrap();
        assert!(matches!(error, RecordError::Io { .. }), "{error}");
        assert!(error.to_string().contains(SAMPLES_FILE), "{error}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let status = std::process::Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 4; exec \"$0\" --exact refusals::a_full_disk_costs_only_the_row_in_hand",
        ])
        .arg(std::env::current_exe().unwrap())
        .env(DIR, dir.path())
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    // Strict reading: the half line that the disk took is gone again.
    let rows = read_rows(&dir.path().join(SAMPLES_FILE), Tail::Refuse).unwrap();
    assert!(rows.len() > 2, "{} rows", rows.len());
    assert_eq!(rows, (0..rows.len() as u32).map(sample).collect::<Vec<_>>());
}

#[test]
fn resuming_something_that_is_no_file_is_refused() {
    let error = RowWriter::resume(Path::new("/dev/zero"))
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("/dev/zero: "), "{error}");
}

#[test]
fn an_environment_is_refused_with_its_field() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("env.json");
    write_environment(&path, &Environment::unknown()).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    for (from, to, field) in [
        ("\"cores\": 1", "\"cores\": \"one\"", "field `cores`"),
        ("\"schema\": 2", "\"schema\": 3", "field `schema`"),
        (
            "\"resolution_ns\": 0.0",
            "\"resolution_ns\": null",
            "field `clock.resolution_ns`",
        ),
        ("\"pmu\": null", "\"pmu\": ", "field `.`"),
    ] {
        let damaged = text.replace(from, to);
        assert_ne!(damaged, text, "{from} is in the file");
        fs::write(&path, damaged).unwrap();
        let error = read_environment(&path).unwrap_err().to_string();
        assert!(
            error.contains(field) && error.contains("env.json:"),
            "{error}"
        );
    }
}

/// A finished run of three rows, and the doctored remains of it.
#[test]
fn a_finished_run_knows_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    let (samples, env) = (dir.path().join(SAMPLES_FILE), dir.path().join("env.json"));
    let mut writer = RowWriter::create(&samples).unwrap();
    (0..3).for_each(|process| writer.append(&sample(process)).unwrap());
    let sum = writer.finish().unwrap();
    let whole = fs::read_to_string(&samples).unwrap();
    assert_eq!((sum.count, &sum), (3, &RowSum::of(whole.as_bytes())));
    let finished = Environment {
        finished: true,
        rows: Some(sum),
        ..Environment::unknown()
    };
    write_environment(&env, &finished).unwrap();
    let load = || Run::load(dir.path(), Tail::Refuse);
    assert_eq!(load().unwrap().rows.len(), 3);
    for (doctored, told) in [
        (String::new(), "ends after 0 of 3 rows"),
        (line(0), "ends after 1 of 3 rows"),
        (line(0) + &line(1), "ends after 2 of 3 rows"),
        (whole.clone() + &line(3), "ends after 4 of 3 rows"),
        (line(0) + &line(2) + &line(1), "not the rows"),
        (whole.replace("1.25", "1.26"), "not the rows"),
        (line(4) + &line(5) + &line(6), "not the rows"),
    ] {
        fs::write(&samples, doctored).unwrap();
        let error = load().unwrap_err().to_string();
        assert!(
            error.contains(SAMPLES_FILE) && error.contains(told),
            "{told}: {error}"
        );
    }
    // A record of before says nothing of its rows, and is still read.
    write_environment(&env, &Environment::unknown()).unwrap();
    fs::write(&samples, line(0)).unwrap();
    assert_eq!(load().unwrap().rows.len(), 1);
}

#[test]
fn a_run_has_one_writer_and_the_loser_is_told_who() {
    let dir = tempfile::tempdir().unwrap();
    let lock = RunLock::take(dir.path()).unwrap();
    assert!(RunLock::is_held(dir.path()));
    let error = RunLock::take(dir.path()).unwrap_err().to_string();
    assert!(
        error.contains(&format!("process {} writes", std::process::id())),
        "{error}"
    );
    drop(lock);
    assert!(!RunLock::is_held(dir.path()));
    // What a killed writer leaves holds nobody up.
    fs::write(dir.path().join(".lock"), "1\n").unwrap();
    assert!(!RunLock::is_held(dir.path()));
    drop(RunLock::take(dir.path()).unwrap());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn one_of_many_that_take_a_run_at_once_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let holders = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    if let Ok(lock) = RunLock::take(dir.path()) {
                        assert_eq!(holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        drop(lock);
                    }
                }
            });
        }
    });
}

#[test]
fn an_empty_file_of_a_run_that_never_began_is_begun() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(SAMPLES_FILE);
    drop(RowWriter::create(&path).unwrap());
    RowWriter::create(&path)
        .unwrap()
        .append(&sample(0))
        .unwrap();
    assert_eq!(read_rows(&path, Tail::Refuse).unwrap(), [sample(0)]);
}

#[test]
fn a_run_without_its_files_says_which() {
    let dir = tempfile::tempdir().unwrap();
    let error = Run::load(dir.path(), Tail::Refuse).unwrap_err();
    assert!(error.to_string().contains("env.json"), "{error}");
}

#[test]
fn the_command_line_keeps_no_path_of_the_machine() {
    let args = [
        "/home/ann/bin/folioscope",
        "measure",
        "--out=/home/ann/runs/a/",
        "/srv/x",
        "-q",
    ];
    assert_eq!(
        command_without_paths(&args),
        ["folioscope", "measure", "--out=a", "x", "-q"]
    );
    let mut env = Environment::unknown();
    env.command = vec![
        "folioscope".into(),
        "--workload".into(),
        "iteration/*".into(),
    ];
    assert_eq!(env.command_line(), "folioscope --workload 'iteration/*'");
}
