//! Studies of sensitivity: of `diff` between runs, and of comparisons in lock-step.
#![no_main]

use compare::lockstep::{Lockstep, Study};
use fuzz::file;
use libfuzzer_sys::fuzz_target;
use results::{LockstepRecord, StudyRecord};

fuzz_target!(|data: &[u8]| {
    let path = file("resolution.jsonl", data);
    if let Ok(study) = StudyRecord::read(&path) {
        let _ = render::resolution_table(&study);
    }
    if let Ok(record) = LockstepRecord::read(&path) {
        let found = Lockstep::of(&record);
        let page = render::lockstep_page(&found, &record.header);
        let _ = (page.text(), page.markdown());
        let _ = render::lockstep_json_lines(&found);
        let _ = render::lockstep_study(&Study::of(&[record]));
    }
});
