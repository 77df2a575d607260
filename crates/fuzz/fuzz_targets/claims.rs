//! The claims, judged by a run: `claims.jsonl`, a line of dashes, `samples.jsonl`.
#![no_main]

use std::path::Path;

use compare::Summary;
use compare::claims::{Evidence, judge};
use fuzz::{environment, parts};
use libfuzzer_sys::fuzz_target;
use results::{Claims, Run, Tail, rows_from_bytes};

fuzz_target!(|data: &[u8]| {
    let [claims, samples] = parts(data);
    let Ok(claims) = Claims::from_bytes(claims, Path::new("claims.jsonl")) else {
        return;
    };
    let rows = rows_from_bytes(samples, Path::new("samples.jsonl"), Tail::Drop);
    let summary = Summary::from_run(&Run {
        dir: "run".into(),
        env: environment(),
        rows: rows.unwrap_or_default(),
    });
    let evidence = Evidence {
        run: Some(&summary),
        kernels: &[],
        models: &[],
        traffic: &[],
        source: &[],
    };
    let judged = judge(&claims.claims, &evidence);
    let _ = render::claims_text(&judged, "run");
    let _ = render::claims_markdown(&judged);
    let _ = render::claims_json(&judged);
});
