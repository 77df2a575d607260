//! Tables, texts and exports of valid rows with extreme contents.
#![no_main]

use compare::{Diff, Floors, History, HistoryRun, Summary};
use libfuzzer_sys::fuzz_target;
use render::Context;

fuzz_target!(|data: &[u8]| {
    let Some(run) = fuzz::run(data) else {
        return;
    };
    let summary = Summary::from_run(&run);
    let context = Context::default();
    let mail = render::mail(&summary, &context);
    assert!(mail.is_ascii(), "a mail is ASCII");
    let _ = render::first_screen(&summary, &context);
    let _ = render::report(&summary, &context).markdown();
    let _ = render::json_lines(&summary);
    let rows = render::exported("machine", "2026-11-23-1d0aed6", &summary);
    let _ = render::csv(&rows);
    let _ = render::exported_lines(&rows);
    let _ = render::bencher(&rows);
    let _ = render::github_action_benchmark(&rows);

    // The same beside half of itself.
    let mut half = run.clone();
    half.rows.truncate(run.rows.len().div_ceil(2));
    let half = Summary::from_run(&half);
    let diff = Diff::between(&summary, &half, &Floors::default());
    let _ = render::diff_mail(&diff);
    let _ = render::diff_json_lines(&diff);
    let _ = render::diff_changed(&diff);
    let runs = [("a", &summary), ("b", &half)];
    let runs = runs.map(|(name, summary)| HistoryRun::from_summary("machine", name, summary));
    if let Ok(history) = History::of(runs.to_vec()) {
        let _ = render::history_text(&history);
        let _ = render::history_json_lines(&history);
    }
});
