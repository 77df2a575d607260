//! A process in lock-step, seen from its parent.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use results::Status;

use super::protocol::{Answer, Ask, Hello, VERSION};
use crate::child::last_words;
use crate::resume::DIED;

/// The longest that one answer may take: setting up the largest loop is a second or two.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that takes turns. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Peer {
    child: Child,
    to: Option<ChildStdin>,
    from: Receiver<io::Result<String>>,
    words: Option<JoinHandle<VecDeque<String>>>,
}

/// A process that cannot take turns.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// It could not be started.
    #[error("cannot be started: {0}")]
    Start(#[from] io::Error),
    /// It sent something other than a greeting, or nothing.
    #[error(
        "takes no turns with others: it is another program, or a build from before lock-step{0}"
    )]
    NoHello(String),
    /// It speaks another version.
    #[error("speaks version {theirs} of lock-step, this build speaks {VERSION}: build both anew")]
    Version {
        /// Its version.
        theirs: u32,
    },
}

impl Peer {
    /// Starts a program and reads its greeting.
    pub(crate) fn start(mut command: Command) -> Result<(Self, Hello), PeerError> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (send, from) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines() {
                    if send.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        let stderr = child.stderr.take();
        let mut peer = Self {
            to: child.stdin.take(),
            words: stderr.map(|stderr| thread::spawn(move || last_words(stderr))),
            child,
            from,
        };
        let hello = match peer.hear() {
            Ok(line) => serde_json::from_str(&line).map_err(|_| PeerError::NoHello(String::new())),
            Err(words) => Err(PeerError::NoHello(format!(" ({words})"))),
        };
        let hello: Hello = hello?;
        match hello.lockstep {
            VERSION => Ok((peer, hello)),
            theirs => Err(PeerError::Version { theirs }),
        }
    }

    /// Asks for something and waits for the answer. A process that dies, falls silent or
    /// sends nonsense answers [`Answer::No`], from then on to every request.
    pub(crate) fn ask(&mut self, ask: &Ask) -> Answer {
        let died = |why: String| Answer::No(Status::Err(format!("{DIED}{why}")));
        let Ok(mut text) = serde_json::to_vec(ask) else {
            return died("it could not be asked".to_owned());
        };
        text.push(b'\n');
        if let Some(to) = &mut self.to {
            // What became of it shows below.
            let _ = to.write_all(&text);
        }
        match self.hear() {
            Err(why) => died(why),
            Ok(line) => serde_json::from_str(&line).unwrap_or_else(|_| {
                self.end();
                died(format!("malformed answer: {line}"))
            }),
        }
    }

    fn hear(&mut self) -> Result<String, String> {
        match self.from.recv_timeout(PATIENCE) {
            Ok(Ok(line)) => Ok(line),
            Ok(Err(error)) => Err(error.to_string()),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.end();
                Err(format!("silent for {PATIENCE:?}"))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(self.obituary()),
        }
    }

    fn end(&mut self) {
        self.to = None;
        // It may be gone already, which is what was wanted.
        let _ = self.child.kill();
    }

    fn obituary(&mut self) -> String {
        self.end();
        let status = self.child.wait();
        let words = self.words.take().and_then(|thread| thread.join().ok());
        let words: Vec<String> = words.unwrap_or_default().into();
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        [vec![how], words].concat().join(": ")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.end();
        // Nobody is left to be told how it ended.
        let _ = self.child.wait();
    }
}
