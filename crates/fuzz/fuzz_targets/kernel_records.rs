//! Records of what real kernels answered and counted: two files, with a line of dashes between,
//! and what changed from one to the other.
#![no_main]

use compare::kernel_diff;
use fuzz::{file, parts};
use libfuzzer_sys::fuzz_target;
use oracle::recorded::Recorded;

fuzz_target!(|data: &[u8]| {
    let [before, after] = parts(data);
    let Ok(before) = Recorded::read(&file("before.jsonl", before)) else {
        return;
    };
    let after = match Recorded::read(&file("after.jsonl", after)) {
        Ok(after) => after,
        Err(_) => before.clone(),
    };
    let changes = kernel_diff::diff(&before.counts, &after.counts);
    let table = render::kernel_changes(&changes);
    let _ = table.text();
    let _ = table.markdown();
    before
        .write(&file("again.jsonl", b""))
        .expect("a record is written");
    match Recorded::read(&fuzz::files().join("again.jsonl")) {
        Ok(again) => assert_eq!(again, before),
        Err(error) => panic!("{error}"),
    }
});
