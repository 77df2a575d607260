//! The end of a kernel's console, and what it says of the kernel's health.

use std::collections::{BTreeSet, VecDeque};
use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::Console;

/// Lines that are kept.
const KEPT: usize = 60;

/// The lines that came, read by a thread of their own so that the kernel never waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail(Arc<(Mutex<Lines>, Condvar)>);

#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<String>,
    /// The first line that names a fault.
    fault: Option<Fault>,
    /// Every line that warns, each once.
    warnings: BTreeSet<String>,
    ended: bool,
}

/// A fault that a kernel reports of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// It warned and went on.
    Warn(String),
    /// A bug or an oops.
    Bug(String),
    /// It panicked.
    Panic(String),
}

impl Fault {
    fn of(line: &str) -> Option<Self> {
        let text = || line.trim().to_owned();
        if line.contains("Kernel panic") {
            Some(Self::Panic(text()))
        } else if line.contains("BUG:") || line.contains("kernel BUG at") || line.contains("Oops") {
            Some(Self::Bug(text()))
        } else if line.contains("WARNING:") {
            Some(Self::Warn(text()))
        } else {
            None
        }
    }
}

impl Tail {
    /// Reads until the kernel closes its side.
    pub fn follow(source: impl Read + Send + 'static) -> Self {
        let tail = Self::default();
        let into = tail.clone();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(source);
            let mut bytes = Vec::new();
            while reader.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
                into.add(String::from_utf8_lossy(&bytes).trim_end().to_owned());
                bytes.clear();
            }
            into.with(|lines| lines.ended = true);
            into.0.1.notify_all();
        });
        tail
    }

    fn with<T>(&self, act: impl FnOnce(&mut Lines) -> T) -> T {
        act(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, line: String) {
        self.with(|lines| {
            if let Some(fault) = Fault::of(&line) {
                if let Fault::Warn(text) = &fault {
                    lines.warnings.insert(text.clone());
                }
                // A BUG ends in a panic, and the BUG is what tells.
                match (&lines.fault, &fault) {
                    (None, _) | (Some(Fault::Warn(_)), Fault::Bug(_) | Fault::Panic(_)) => {
                        lines.fault = Some(fault);
                    }
                    _ => {}
                }
            }
            if lines.lines.len() == KEPT {
                lines.lines.pop_front();
            }
            lines.lines.push_back(line);
        });
    }

    /// The last lines.
    pub fn end(&self) -> Console {
        self.with(|lines| Console(Vec::from(lines.lines.clone()).join("\n")))
    }

    /// Every line that warned, each once.
    pub fn warnings(&self) -> Vec<String> {
        self.with(|lines| lines.warnings.iter().cloned().collect())
    }

    /// The fault that was reported, once the kernel has closed its console or `wait` is over.
    pub fn fault(&self, wait: Duration) -> Option<Fault> {
        let (lines, ended) = &*self.0;
        let held = lines.lock().unwrap_or_else(PoisonError::into_inner);
        let (held, _) = ended
            .wait_timeout_while(held, wait, |lines| !lines.ended)
            .unwrap_or_else(PoisonError::into_inner);
        held.fault.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &'static str) -> Option<Fault> {
        Tail::follow(text.as_bytes()).fault(Duration::from_secs(60))
    }

    #[test]
    fn the_gravest_fault_that_tells_the_cause_is_reported() {
        assert_eq!(fault("Linux version 6.12\nall is well\n"), None);
        assert_eq!(
            fault("WARNING: CPU: 0 at mm/x.c:1\n"),
            Some(Fault::Warn("WARNING: CPU: 0 at mm/x.c:1".into()))
        );
        assert_eq!(
            fault("WARNING: a\nkernel BUG at mm/x.c:2!\nKernel panic - not syncing: BUG!\n"),
            Some(Fault::Bug("kernel BUG at mm/x.c:2!".into()))
        );
        assert_eq!(
            fault("Kernel panic - not syncing: VFS\n"),
            Some(Fault::Panic("Kernel panic - not syncing: VFS".into()))
        );
    }

    #[test]
    fn every_warning_is_kept_once() {
        let text = "WARNING: b\nx\nWARNING: a\nWARNING: b\n";
        let tail = Tail::follow(text.as_bytes());
        tail.fault(Duration::from_secs(60));
        assert_eq!(tail.warnings(), ["WARNING: a", "WARNING: b"]);
    }

    #[test]
    fn only_the_end_is_kept() {
        let text: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let tail = Tail::follow(std::io::Cursor::new(text));
        tail.fault(Duration::from_secs(60));
        let end = tail.end().0;
        assert_eq!(end.lines().count(), KEPT);
        assert!(end.ends_with("line 99"));
    }
}
