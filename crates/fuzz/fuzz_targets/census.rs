//! A census of a machine's memory.
#![no_main]

use compare::census::by_use;
use fuzz::{file, files};
use libfuzzer_sys::fuzz_target;
use results::Census;

fuzz_target!(|data: &[u8]| {
    let Ok(census) = Census::read(&file("census.jsonl", data)) else {
        return;
    };
    let _ = by_use(&census);
    census
        .write(&file("again.jsonl", b""))
        .expect("a census is written");
    match Census::read(&files().join("again.jsonl")) {
        Ok(again) => assert_eq!(again, census),
        Err(error) => panic!("{error}"),
    }
});
