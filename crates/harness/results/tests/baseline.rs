//! A baseline is read whole or refused with the name of the culprit, and is never half written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use results::{Baseline, LinesBaseline, Loop, LoopCount, Params, RecordError};

const FILE: &str = "baseline/some-target-1.95.0.jsonl";

fn count(design: &str, order: u64, functions: &[(&str, u64)]) -> LoopCount {
    LoopCount {
        of: Loop {
            workload: "iteration/chunks".to_owned(),
            design: design.to_owned(),
            rules: "6.12".to_owned(),
            params: Params::from([("order".to_owned(), order.into())]),
        },
        instructions: functions.iter().map(|(_, n)| n).sum(),
        limit: None,
        functions: functions
            .iter()
            .map(|(name, n)| ((*name).to_owned(), *n))
            .collect(),
    }
}

fn baseline() -> Baseline {
    Baseline {
        target: "some-target".to_owned(),
        rustc: "rustc 1.95.0 (abc 2026-04-14)".to_owned(),
        optimised: true,
        valgrind: "valgrind-3.19.0".to_owned(),
        counts: vec![
            count("folio", 0, &[("entry", 40), ("for_each_chunk", 26)]),
            LoopCount {
                limit: Some(2.5),
                ..count("folio", 9, &[("entry", 47), ("for_each_chunk", 26)])
            },
        ],
    }
}

fn read(text: &str) -> Result<Baseline, RecordError> {
    Baseline::from_bytes(text.as_bytes(), Path::new(FILE))
}

fn refusal(text: &str) -> String {
    read(text).expect_err("the text is refused").to_string()
}

#[test]
fn what_is_written_is_what_is_read() {
    let text = baseline().to_text();
    assert_eq!(read(&text).unwrap(), baseline());
    let lines = text.lines().filter(|line| line.contains("\"loop\""));
    assert_eq!(lines.count(), 2, "a line for each count:\n{text}");
}

#[test]
fn the_name_of_the_file_says_target_and_compiler() {
    let name = Baseline::file_name("x86_64-unknown-linux-gnu", "rustc 1.95.0 (abc 2026-04-14)");
    assert_eq!(name, "x86_64-unknown-linux-gnu-1.95.0.jsonl");
}

#[test]
fn a_corrupt_baseline_is_refused_with_file_line_and_field() {
    let text = baseline().to_text();
    for (from, to, line, field, word) in [
        (":66", ":67", 2, "instructions", "add up"),
        (":66", ":-66", 2, "instructions", "u64"),
        ("\"instructions\":66,", "", 2, ".", "missing field"),
        ("\"order\":9", "\"order\":0", 3, "loop", "duplicate"),
        ("\"limit\":2.5", "\"limit\":-1", 3, "limit", "percentage"),
        ("\"rules\"", "\"rule\"", 2, "loop.rule", "unknown field"),
        (
            "\"order\":9",
            "\"order\":9,\"order\":9",
            3,
            "loop.params",
            "duplicate",
        ),
        (
            "\"optimised\":true",
            "\"optimised\":1",
            1,
            "optimised",
            "boolean",
        ),
        ("\"schema\":2", "\"schema\":0", 1, "schema", "never existed"),
        ("\"schema\":2,", "", 1, "schema", "missing"),
        ("\"counts\":2", "\"counts\":3", 3, ".", "ends after 2 of 3"),
        ("\"counts\":2", "\"counts\":1", 3, ".", "one line more"),
        ("\"counts\":2", "\"counts\":(", 1, ".", "no JSON"),
        ("}}\n", "}}}]x\n", 2, ".", "trailing"),
    ] {
        let damaged = text.replacen(from, to, 1);
        assert_ne!(damaged, text, "{from} is there");
        let refusal = refusal(&damaged);
        assert!(
            refusal.contains(&format!("{FILE}:{line}: field `{field}`")),
            "{to}: {refusal}"
        );
        assert!(refusal.contains(word), "{to} should say {word}: {refusal}");
    }
}

#[test]
fn a_baseline_of_the_shape_before_reads_as_the_same() {
    let text = baseline().to_text();
    let (head, rows) = text.split_once('\n').unwrap();
    let head = head.replace("\"counts\":2}", "\"counts\":[\n");
    let old = |rows: &str| {
        head.replacen('{', "{\n", 1) + &rows.trim_end().replace('\n', ",\n") + "]\n}\n"
    };
    assert_eq!(read(&old(rows)).unwrap(), baseline());
    let twice = rows.replace("\"order\":9", "\"order\":0");
    assert!(refusal(&old(&twice)).contains("field `loop`"));
    assert!(refusal(&head.replacen('{', "{\n", 1)).contains("no JSON"));
}

/// `split` of schema 1 is now `memdesc`, so that a loop keeps its history.
#[test]
fn a_baseline_of_schema_1_has_the_names_of_today() {
    let of = |schema: u32| Baseline {
        counts: vec![count(
            if schema < 2 { "split" } else { "memdesc" },
            0,
            &[("entry", 40)],
        )],
        ..baseline()
    };
    let old = of(1).to_text().replacen("\"schema\":2", "\"schema\":1", 1);
    assert_eq!(read(&old).unwrap(), of(2));
    let new = of(1);
    assert_eq!(read(&new.to_text()).unwrap(), new, "another design");
}

/// The committed file is as the gate would write it: a conversion by hand left nothing behind.
#[test]
fn committed_baselines_are_as_they_are_written() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../bench-results/baseline"
    );
    let files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let (lines, files): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|file| file.ends_with(LinesBaseline::FILE));
    assert!(!files.is_empty());
    let again = tempfile::tempdir().unwrap();
    for file in lines {
        let record = LinesBaseline::read(&file).unwrap();
        assert!(record.loops.is_sorted_by(|a, b| a.of < b.of));
        let copy = again.path().join(LinesBaseline::FILE);
        record.write(&copy).unwrap();
        assert!(fs::read_to_string(&copy).unwrap() == fs::read_to_string(&file).unwrap());
    }
    for file in files {
        let baseline = Baseline::read(&file).unwrap();
        assert!(baseline.counts.is_sorted_by(|a, b| a.of < b.of));
        assert!(baseline.to_text() == fs::read_to_string(&file).unwrap());
    }
}

#[test]
fn a_loop_is_read_as_it_is_written() {
    let label = "merging/add flat 6.12 kind=anon,order=9";
    let of: Loop = label.parse().unwrap();
    assert_eq!(of.params["order"], 9.into());
    assert_eq!(of.to_string(), label);
    for torn in [
        "",
        "merging/add",
        "merging/add flat 6.12 order",
        "a b c d=1 e",
    ] {
        assert!(torn.parse::<Loop>().is_err(), "{torn}");
    }
}

#[test]
fn a_baseline_of_a_later_tool_is_refused_as_such() {
    let text = baseline().to_text();
    let newer = text.replace("\"schema\":2", "\"schema\":3");
    assert!(matches!(
        read(&newer),
        Err(RecordError::Newer { found: 3, .. })
    ));
}

#[test]
fn a_loop_that_costs_nothing_was_not_counted() {
    let mut nothing = baseline();
    nothing.counts[0].instructions = 0;
    nothing.counts[0].functions = BTreeMap::new();
    assert!(refusal(&nothing.to_text()).contains("costs nothing"));
}

#[test]
fn writing_leaves_the_old_file_or_the_new_one_and_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.jsonl");
    baseline().write(&path).unwrap();
    let mut next = baseline();
    next.counts.truncate(1);
    next.write(&path).unwrap();
    assert_eq!(Baseline::read(&path).unwrap(), next);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    // The folder is gone: nothing can be written, and the error names the file.
    let error = next.write(&folder.path().join("gone/b.jsonl")).unwrap_err();
    assert!(error.to_string().contains("gone/b.jsonl"), "{error}");
}

#[test]
fn a_part_of_a_baseline_is_never_taken_for_a_whole() {
    let text = baseline().to_text();
    for cut in 0..text.len() {
        assert!(read(&text[..cut]).is_err(), "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_without_a_panic(text in "\\PC*", at in 0.0..1.0_f64) {
        prop_assert!(read(&text).is_err());
        // Put somewhere into a good one, it is refused or changes no number.
        let good = baseline().to_text();
        let (before, after) = good.split_at((good.len() as f64 * at) as usize);
        if let Ok(read) = read(&format!("{before}{text}{after}")) {
            let numbers = |b: &Baseline| b.counts.iter().map(|c| c.instructions).collect::<Vec<_>>();
            prop_assert_eq!(numbers(&read), numbers(&baseline()));
        }
    }
}
