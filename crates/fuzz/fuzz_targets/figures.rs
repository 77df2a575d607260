//! Figures of valid rows with extreme contents.
#![no_main]

use compare::Summary;
use libfuzzer_sys::fuzz_target;

/// An input is to take milliseconds.
const MAX_FIGURES: usize = 4;

fuzz_target!(|data: &[u8]| {
    let Some(run) = fuzz::run(data) else {
        return;
    };
    for figure in render::figures(&Summary::from_run(&run))
        .iter()
        .take(MAX_FIGURES)
    {
        if let Err(error) = figure.svg() {
            panic!("{error}");
        }
    }
});
