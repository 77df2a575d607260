//! The records that models are held to kernels by: `model.jsonl`, `reasons.jsonl`,
//! `misses.jsonl` and a kernel's record, with lines of dashes between.
#![no_main]

use compare::fidelity::Fidelity;
use fuzz::{file, files, parts};
use libfuzzer_sys::fuzz_target;
use results::{FidelityRecord, read_kernels};

fuzz_target!(|data: &[u8]| {
    let [models, reasons, misses, kernel] = parts(data);
    file("fidelity/model.jsonl", models);
    file("fidelity/reasons.jsonl", reasons);
    file("fidelity/misses.jsonl", misses);
    file("kernel/6.12.jsonl", kernel);
    let Ok(record) = FidelityRecord::read(&files()) else {
        return;
    };
    let kernels = read_kernels(&files()).unwrap_or_default();
    let found = Fidelity::of(&record, &kernels);
    let rows: Vec<_> = found.rows.iter().collect();
    let _ = render::fidelity_rows(&rows).text();
    let _ = render::fidelity_pairs(&found).markdown();
    let _ = render::fidelity_words(&found);
    let _ = render::fidelity_line(&found);
    if let Some(figure) = render::fidelity_figure(&found.rows)
        && let Err(error) = figure.svg()
    {
        panic!("{error}");
    }
});
