//! A benchmark of Criterion's: `benchmark.json`, a line of dashes, `sample.json`.
#![no_main]

use compare::Summary;
use fuzz::{environment, file, files, parts};
use libfuzzer_sys::fuzz_target;
use render::Context;
use results::{Run, Tail, read_criterion, rows_from_bytes};

fuzz_target!(|data: &[u8]| {
    let [benchmark, sample] = parts(data);
    file("group/new/benchmark.json", benchmark);
    file("group/new/sample.json", sample);
    let Ok((rows, _)) = read_criterion(&files(), 0) else {
        return;
    };
    let mut text = Vec::new();
    for row in &rows {
        serde_json::to_writer(&mut text, row).expect("a row is written");
        text.push(b'\n');
    }
    // What was read is a row that a record takes, or `import` refuses it.
    let Ok(rows) = rows_from_bytes(&text, "samples.jsonl".as_ref(), Tail::Refuse) else {
        return;
    };
    let summary = Summary::from_run(&Run {
        dir: "run".into(),
        env: environment(),
        rows,
    });
    let _ = render::mail(&summary, &Context::default());
});
