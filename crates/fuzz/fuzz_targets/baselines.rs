//! Baselines of instructions and of lines, and the gate between one and itself: the two files,
//! with a line of dashes between.
#![no_main]

use std::path::Path;

use compare::gate::{Findings, Limits, LineFindings};
use fuzz::{file, parts};
use libfuzzer_sys::fuzz_target;
use results::{Baseline, LinesBaseline};

fuzz_target!(|data: &[u8]| {
    let [counts, lines] = parts(data);
    if let Ok(base) = Baseline::from_bytes(counts, Path::new("baseline.jsonl")) {
        let less = &base.counts[base.counts.len() / 2..];
        let found = Findings::of(&base.counts, less, Limits::default(), &[], &|_| true);
        let page = render::gate_page(&found, Limits::default(), "baseline.jsonl");
        let _ = (page.text(), page.markdown());
        let _ = render::gate_json(&found, Limits::default());
    }
    if let Ok(base) = LinesBaseline::read(&file("lines.jsonl", lines)) {
        let less = &base.loops[base.loops.len() / 2..];
        let found = LineFindings::of(&base.loops, less, &|_| true);
        let page = render::gate_lines_page(&found, "lines.jsonl");
        let _ = (page.text(), page.markdown());
        let _ = render::gate_lines_json(&found);
    }
});
