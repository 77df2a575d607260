//! `samples.jsonl`: what is read is read again as it was.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use results::{Tail, rows_from_bytes};

fuzz_target!(|data: &[u8]| {
    let path = Path::new("samples.jsonl");
    let Ok(rows) = rows_from_bytes(data, path, Tail::Drop) else {
        assert!(rows_from_bytes(data, path, Tail::Refuse).is_err());
        return;
    };
    let mut written = Vec::new();
    for row in &rows {
        serde_json::to_writer(&mut written, row).expect("a row is written");
        written.push(b'\n');
    }
    let again = rows_from_bytes(&written, path, Tail::Refuse);
    // Under an old schema a design is read by its name of today.
    let as_today = |row: &results::Row| match row {
        results::Row::Sample(sample) => sample.schema == results::SCHEMA_VERSION,
        results::Row::Value(value) => value.schema == results::SCHEMA_VERSION,
    };
    match again {
        Ok(again) => assert!(again == rows || !rows.iter().all(as_today)),
        Err(error) => panic!("{error}"),
    }
});
