//! A progress bar with the time to go on a terminal; elsewhere nothing at all.

use std::fmt::Write as _;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// A bar over `total` steps; hidden unless standard error is a terminal.
pub(crate) fn bar(total: u64) -> ProgressBar {
    drawn(total, None)
}

/// The same for work that ends by `deadline`, whatever its pace.
pub(crate) fn bar_until(total: u64, deadline: Instant) -> ProgressBar {
    drawn(total, Some(deadline))
}

fn drawn(total: u64, deadline: Option<Instant>) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
    }
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} {to_go:14} {wide_msg}") {
        let to_go = move |state: &ProgressState, to: &mut dyn std::fmt::Write| {
            let by_pace = (state.pos() > 0).then(|| state.eta());
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            // A bar that cannot be drawn is no reason to stop.
            let _ = to.write_str(&to_go(by_pace, left));
        };
        bar.set_style(style.progress_chars("=> ").with_key("to_go", to_go));
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// The time to go in words: by the pace so far, but no longer than what is left.
fn to_go(by_pace: Option<Duration>, left: Option<Duration>) -> String {
    let Some(time) = by_pace.into_iter().chain(left).min() else {
        return String::new();
    };
    let seconds = time.as_secs_f64().ceil() as u64;
    let mut words = String::new();
    // Writing to a string does not fail.
    let _ = match seconds {
        0..120 => write!(words, "{seconds} s to go"),
        _ => write!(words, "{} min to go", seconds.div_ceil(60)),
    };
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_go_is_never_more_than_what_is_left() {
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(to_go(seconds(90), seconds(30)), "30 s to go");
        assert_eq!(to_go(seconds(20), seconds(30)), "20 s to go");
        assert_eq!(to_go(None, seconds(400)), "7 min to go");
        assert_eq!(to_go(seconds(121), None), "3 min to go");
        assert_eq!(to_go(None, None), "", "no pace yet");
    }
}
