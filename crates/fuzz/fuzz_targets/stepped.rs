//! Loops counted by single steps in native kernels, and what patches moved in them.
#![no_main]

use compare::stepped::stepped;
use fuzz::{file, files};
use libfuzzer_sys::fuzz_target;
use results::SteppedRecord;

fuzz_target!(|data: &[u8]| {
    let Ok(record) = SteppedRecord::read(&file("loops.jsonl", data)) else {
        return;
    };
    let _ = render::stepped_loops(&record.loops).text();
    for (table, _) in render::stepped_patches(&stepped(&record)) {
        let _ = table.markdown();
    }
    record
        .write(&file("again.jsonl", b""))
        .expect("a record is written");
    match SteppedRecord::read(&files().join("again.jsonl")) {
        Ok(again) => assert_eq!(again, record),
        Err(error) => panic!("{error}"),
    }
});
