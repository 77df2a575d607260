//! Records that read back, and records that are refused.

use conformance::reference::evaluate;

use std::fs;

use super::*;
use results::{Absent, KernelCount, KernelCounts, KernelIdentity, Package};

fn recorded() -> Recorded {
    let answers = worked_cases(KernelVersion::V6_12)
        .into_iter()
        .map(|case| Answered {
            heard: KernelAnswer {
                answer: evaluate(&case),
                walks_chunks: true,
            },
            case,
        })
        .collect();
    let count = KernelCount {
        primitive: "bio_add_page".into(),
        order: 9,
        state: "all".parse().unwrap(),
        samples: 40,
        min: 7,
        max: 7,
    };
    let absent = Absent {
        primitive: "lock_page_memcg".into(),
        reason: "gone since v6.13".into(),
    };
    Recorded {
        identity: KernelIdentity {
            release: "6.12.0-test".into(),
            rules: "6.12".into(),
            package: Some(Package {
                name: "linux-image-test".into(),
                version: "1".into(),
            }),
            qemu: "QEMU 7".into(),
            compiler: "gcc 12".into(),
            module: "00".into(),
        },
        answers,
        counts: KernelCounts {
            rows: vec![count],
            absent: vec![absent],
            overhead: Some(13),
            conditions: Default::default(),
        },
    }
}

fn written() -> (tempfile::TempDir, PathBuf, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kernel/6.12.jsonl");
    recorded().write(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    (dir, path, text)
}

fn refusal(path: &Path, text: &str) -> String {
    fs::write(path, text).unwrap();
    Recorded::read(path).unwrap_err().to_string()
}

#[test]
fn a_record_reads_back_as_it_was() {
    let (_dir, path, _) = written();
    assert_eq!(Recorded::read(&path).unwrap(), recorded());
}

#[test]
fn a_record_cut_at_any_line_or_inside_one_is_refused() {
    let (_dir, path, text) = written();
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    for &end in &ends[..ends.len() - 1] {
        let told = refusal(&path, &text[..end]);
        assert!(told.contains("ends after"), "{told}");
    }
    assert!(refusal(&path, &text[..text.len() - 3]).contains("is cut off"));
    let doubled = format!("{text}{}\n", text.lines().last().unwrap());
    assert!(refusal(&path, &doubled).contains("one line more"));
}

/// Each of these was taken for a sound record once.
#[test]
fn counts_that_cannot_be_are_refused_by_line_and_field() {
    let (_dir, path, text) = written();
    let at = 2 + recorded().answers.len();
    let count = text.lines().nth(at - 1).unwrap();
    let with = |damaged: &str| text.replacen(count, damaged, 1);
    let field = |from: &str, to: &str| with(&count.replace(from, to));
    for (damaged, line, named) in [
        (with(&format!("{count}}}]garbage")), at, "`.`: no JSON"),
        (
            field("\"max\":7", "\"max\":6"),
            at,
            "`min`: 7 is above max, 6",
        ),
        (field("40", "0"), at, "`samples`: a count without a sample"),
        (
            field("\"all\"", "\"all@8\""),
            at,
            "`class`: all@8 is not min and max",
        ),
        (field("\"all\"", "\"\""), at, "`class`: `` is not a state"),
        (
            field("\"min\":7", "\"min\":7,\"min\":7"),
            at,
            "`.`: duplicate key `min`",
        ),
        (
            with(&format!("{count}\n{count}")).replace("\"counts\":1", "\"counts\":2"),
            at + 1,
            "`class`: duplicate bio_add_page",
        ),
        (
            text.replace("lock_page_memcg", "bio_add_page"),
            at + 1,
            "`primitive`: duplicate bio_add_page",
        ),
    ] {
        let told = refusal(&path, &damaged);
        let place = format!("6.12.jsonl:{line}: field {named}");
        assert!(told.contains(&place), "{place}: {told}");
    }
}

#[test]
fn a_newer_schema_and_a_damaged_field_are_named() {
    let (_dir, path, text) = written();
    let newer = text.replacen("\"schema\":2", "\"schema\":3", 1);
    assert!(refusal(&path, &newer).contains("field `schema`: version 3 is newer"));
    let damaged = text.replacen("\"sp_segments\":16", "\"sp_segments\":\"16\"", 1);
    assert_ne!(damaged, text);
    let told = refusal(&path, &damaged);
    assert!(told.contains("6.12.jsonl:2: field `heard"), "{told}");
}

#[test]
fn every_worked_case_is_possible_and_named_once() {
    let cases = worked_cases(KernelVersion::V6_12);
    let names: std::collections::BTreeSet<&str> =
        cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), WORKED.lines().count());
}
