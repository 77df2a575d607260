//! Messages for people, on standard error; writing them never fails a command.

use std::fmt::Arguments;
use std::io::{Write, stderr};

/// Writes a line to standard error. `eprintln!` panics where that is closed or full, and a
/// run must not be lost for want of a reader.
macro_rules! say {
    ($($arg:tt)*) => {
        $crate::say::line(format_args!($($arg)*))
    };
}
pub(crate) use say;

pub(crate) fn line(words: Arguments<'_>) {
    // There is nowhere else to report it.
    let _ = writeln!(stderr().lock(), "{words}");
}
