//! Records of memory traffic, and the tracer's own output: two files, with a line of dashes
//! between.
#![no_main]

use fuzz::{file, files, parts};
use libfuzzer_sys::fuzz_target;
use results::TrafficRecord;

fuzz_target!(|data: &[u8]| {
    let [record, sections] = parts(data);
    if let Ok(record) = TrafficRecord::read(&file("traffic.jsonl", record)) {
        record
            .write(&file("again.jsonl", b""))
            .expect("a record is written");
        match TrafficRecord::read(&files().join("again.jsonl")) {
            Ok(again) => assert_eq!(again, record),
            Err(error) => panic!("{error}"),
        }
    }
    if let Ok(sections) = trace::sections(&String::from_utf8_lossy(sections)) {
        let _ = trace::usual(sections.iter());
    }
});
