//! Captures of physical memory, and the layouts they come to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use physmem::Capture;

/// An input is to take milliseconds: a line of a capture may stand for 2^24 allocations.
const MAX_EXTENTS: usize = 50_000;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(capture) = Capture::parse("capture.jsonl", text) else {
        return;
    };
    if capture.extents().nth(MAX_EXTENTS).is_none() {
        let _ = capture.layout();
    }
});
