//! A worker process seen from its parent: its assignment, its messages, its end.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use results::{Row, Tail, rows_from_bytes};

use crate::assignment::{Assignment, Note, ROW_PREFIX};

/// Lines of a worker's error output that are kept for its obituary.
const LAST_WORDS: usize = 3;

/// A message of a worker, or its end.
#[derive(Debug)]
pub(crate) enum Said {
    /// Nothing came in time.
    Nothing,
    /// A row.
    Row(Box<Row>),
    /// A note.
    Note(Note),
    /// A line that is neither.
    Garbage(String),
    /// It has ended and will say nothing more.
    Gone(Ended),
}

/// How a worker ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Ended {
    /// With exit status 0.
    InOrder,
    /// By a signal: its last words, if any.
    Killed(String),
    /// Otherwise: how, and its last words.
    Badly(String),
}

/// A running worker. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Child {
    child: std::process::Child,
    lines: Receiver<io::Result<String>>,
    errors: Option<JoinHandle<VecDeque<String>>>,
}

impl Child {
    /// Starts the command and hands it its assignment.
    pub(crate) fn start(mut command: Command, assignment: &Assignment) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (send, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines() {
                    if send.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        let errors = child
            .stderr
            .take()
            .map(|stderr| thread::spawn(move || last_words(stderr)));
        let started = Self {
            child,
            lines,
            errors,
        };
        if let Some(mut stdin) = started.child.stdin.as_ref() {
            let mut text = serde_json::to_vec(assignment)?;
            text.push(b'\n');
            // A worker that dies at once is noticed when it is read from.
            let _ = stdin.write_all(&text);
        }
        Ok(started)
    }

    /// The next message, waiting for at most `patience`.
    pub(crate) fn hear(&mut self, patience: Duration) -> Said {
        match self.lines.recv_timeout(patience) {
            Err(RecvTimeoutError::Timeout) => Said::Nothing,
            Err(RecvTimeoutError::Disconnected) => Said::Gone(self.ended()),
            Ok(Err(error)) => Said::Garbage(error.to_string()),
            Ok(Ok(line)) => understand(line),
        }
    }

    /// Whether a signal has stopped it (`SIGSTOP`, a debugger's hand): it does nothing and
    /// does not end by itself.
    pub(crate) fn is_stopped(&self) -> bool {
        i32::try_from(self.child.id())
            .ok()
            .and_then(|pid| procfs::process::Process::new(pid).ok())
            .and_then(|process| process.stat().ok())
            .is_some_and(|stat| stat.state == 'T')
    }

    /// Ends it, whatever it is doing.
    pub(crate) fn kill(&mut self) {
        // It may be gone already, which is what was wanted.
        let _ = self.child.kill();
    }

    fn ended(&mut self) -> Ended {
        let status = self.child.wait();
        let words = self
            .errors
            .take()
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default();
        match status {
            Ok(status) if status.success() => Ended::InOrder,
            Ok(status) => {
                let words: Vec<String> = words.into();
                let why = format!(
                    "{status}{}{}",
                    if words.is_empty() { "" } else { ": " },
                    words.join(" / ")
                );
                match status.signal() {
                    Some(_) => Ended::Killed(why),
                    None => Ended::Badly(why),
                }
            }
            Err(error) => Ended::Badly(error.to_string()),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
        // Nobody is left to be told how it ended.
        let _ = self.child.wait();
    }
}

fn understand(line: String) -> Said {
    if line.starts_with(ROW_PREFIX) {
        let whole = format!("{line}\n");
        return match rows_from_bytes(whole.as_bytes(), Path::new("worker"), Tail::Refuse) {
            Ok(mut rows) if rows.len() == 1 => Said::Row(Box::new(rows.remove(0))),
            Ok(_) => Said::Garbage(line),
            Err(error) => Said::Garbage(error.to_string()),
        };
    }
    serde_json::from_str(&line).map_or(Said::Garbage(line), Said::Note)
}

/// The last lines of an error output, each cut to what fits a message.
pub(crate) fn last_words(stderr: impl Read) -> VecDeque<String> {
    let mut words = VecDeque::new();
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if line.trim().is_empty() || line.starts_with("note:") {
            continue;
        }
        if words.len() == LAST_WORDS {
            words.pop_front();
        }
        words.push_back(line.chars().take(200).collect());
    }
    words
}
