//! Ctrl-C and the like: a flag that is polled, so that a row is never cut short.

use crate::say::say;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);
static SET: OnceLock<bool> = OnceLock::new();

/// The flag that Ctrl-C, a hang-up and a termination signal raise from now on. A second
/// signal ends the program at once.
pub(crate) fn flag() -> &'static AtomicBool {
    let installed = SET.get_or_init(|| {
        // Where the system refuses, a hang-up interrupts the run, which can be resumed.
        let _ = hugemem::process::keep_hangup_ignored();
        ctrlc::set_handler(|| {
            if STOP.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        })
        .is_ok()
    });
    if !installed {
        say!("folioscope: Ctrl-C cannot be caught here; an interrupted run can still be resumed");
    }
    &STOP
}

/// Workers leave the terminal's signals to their parent, which ends them in order.
pub(crate) fn leave_to_parent() {
    let _ = hugemem::process::keep_hangup_ignored();
    SET.get_or_init(|| ctrlc::set_handler(|| {}).is_ok());
}
