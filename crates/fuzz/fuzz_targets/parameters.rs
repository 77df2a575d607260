//! Rows by their names and the parameters of workloads: `time merging/add order=9 folio`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use params::{Param, Params};
use results::parse_row;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _ = parse_row(text);
    let mut words = text.split_ascii_whitespace();
    let Some(workload) = words.next().and_then(workloads::by_id) else {
        return;
    };
    let given: Params = words
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), Param::from(value)))
        .collect();
    if let Ok(whole) = workload.complete(&given) {
        assert_eq!(workload.complete(&whole).ok(), Some(whole.clone()));
        for value in whole.values() {
            assert_eq!(Param::from(value.to_string()), *value);
        }
    }
});
