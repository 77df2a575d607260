//! Studies of sensitivity: of `diff` between runs, and of comparisons in lock-step.
#![no_main]

use compare::Resolution;
use compare::lockstep::{Lockstep, StudyLine};
use fuzz::file;
use libfuzzer_sys::fuzz_target;
use results::{LockstepRecord, read_lines};

fuzz_target!(|data: &[u8]| {
    let path = file("resolution.jsonl", data);
    if let Ok(study) = read_lines::<Resolution>(&path) {
        let _ = render::resolution_table(&study);
    }
    if let Ok(record) = LockstepRecord::read(&path) {
        let found = Lockstep::of(&record);
        let _ = render::lockstep_text(&found, &record.header);
        let _ = render::lockstep_markdown(&found, &record.header);
        let _ = render::lockstep_json_lines(&found);
        let _ = render::lockstep_study(&StudyLine::of(&[record]));
    }
});
