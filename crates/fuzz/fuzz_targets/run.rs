//! A run's folder, and the texts of what is read: `env.json`, a line of dashes, `samples.jsonl`.
#![no_main]

use compare::Summary;
use fuzz::{file, files, parts};
use libfuzzer_sys::fuzz_target;
use render::Context;
use results::{ENV_FILE, Run, SAMPLES_FILE, Tail};

fuzz_target!(|data: &[u8]| {
    let [env, samples] = parts(data);
    file(ENV_FILE, env);
    file(SAMPLES_FILE, samples);
    let Ok(run) = Run::load(&files(), Tail::Drop) else {
        return;
    };
    let summary = Summary::from_run(&run);
    let _ = render::mail(&summary, &Context::default());
    let _ = render::report(&summary, &Context::default()).markdown();
    let _ = render::first_screen(&summary, &Context::default());
    let _ = render::json_lines(&summary);
});
