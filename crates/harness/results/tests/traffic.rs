//! Traffic records read back, and records that are not whole are refused.

use std::fs;

use results::{Class, Lines, Traffic, TrafficRecord, TrafficRow, Words};

fn record() -> TrafficRecord {
    let lines = Lines {
        lines: 512,
        written: 0,
    };
    let words = Words {
        read: vec![0, 1],
        written: vec![],
        descriptors: 512,
    };
    let row = TrafficRow {
        primitive: "bio_add_page".into(),
        design: None,
        kernel: "6.12".into(),
        order: 9,
        class: "all".into(),
        samples: 40,
        alike: 39,
        traffic: Traffic {
            lines: 523,
            classes: [(Class::Descriptor, lines)].into(),
            words: vec![words],
            ..Traffic::default()
        },
    };
    TrafficRecord::new("6.12.0-test", "QEMU 7", vec![row])
}

#[test]
fn a_traffic_record_reads_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines/6.12.jsonl");
    record().write(&path).unwrap();
    assert_eq!(TrafficRecord::read(&path).unwrap(), record());
}

#[test]
fn a_traffic_record_that_is_not_whole_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("6.12.jsonl");
    record().write(&path).unwrap();
    let whole = fs::read_to_string(&path).unwrap();
    let header = whole.lines().next().unwrap().to_owned() + "\n";
    for (text, reason) in [
        (whole.trim_end().to_owned(), "cut off"),
        (header, "ends after 0 of 1 rows"),
        (whole.replace("\"schema\":2", "\"schema\":9"), "newer"),
        (whole.replace("\"order\":9", "\"order\":\"9\""), ":2: field"),
        (whole.replace("\"descriptor\"", "\"heap\""), ":2: field"),
    ] {
        fs::write(&path, text).unwrap();
        let error = TrafficRecord::read(&path).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}
