//! A kernel that runs: started, asked, ended; and every way in which it can fail to answer.

use std::ffi::OsString;
use std::fs;
use std::io::{BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crate::console::{Fault as Said, Tail};
use crate::stepper::Stopped;
use crate::wire::{self, Answer, Fault, Status};
use crate::{Kernel, RunError, StepError, Traffic, spawner};

/// How long a dead kernel's console is waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The frames that a kernel sets aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// The first frame of the arena.
    pub first: u64,
    /// Frames of the arena, which layouts are made of.
    pub frames: u64,
    /// Frames after it, which the driver keeps its state in.
    pub pool: u64,
}

impl Size {
    /// For layouts of this many frames, at the physical addresses that the models use.
    pub const fn of(frames: u64) -> Self {
        // Bios, tables and lists of additions: 512 bytes for every frame are enough.
        let state = frames / 8 + (1 << 13);
        Self {
            first: 1 << 18,
            frames: frames.next_multiple_of(1 << 10),
            pool: state.next_multiple_of(1 << 9),
        }
    }

    /// For cases: 128 MiB around a 4 GiB boundary.
    pub const fn cases() -> Self {
        Self {
            first: (1 << 20) - (1 << 14),
            frames: 1 << 15,
            pool: 1 << 13,
        }
    }

    /// Memory of the whole kernel in KiB. Only what is touched takes memory of the host.
    const fn kib(self) -> u64 {
        let all = self.first + self.frames + self.pool;
        // Boot takes the descriptors and its own tables from the end.
        let end = all / 32 + (1 << 14);
        (all + end) * 4
    }
}

/// A running kernel. Dropped, it ends; and it ends with this process, however that ends.
#[derive(Debug)]
pub struct Process {
    child: Child,
    orders: Option<Sender<Order>>,
    answers: Receiver<Result<Answer, Fault>>,
    tail: Tail,
    seq: u64,
    /// Whether it may still be asked.
    alive: bool,
    size: Size,
    memory: PathBuf,
    /// The folder of its files.
    _folder: tempfile::TempDir,
}

#[derive(Debug)]
struct Order {
    seq: u64,
    verb: String,
    bytes: Vec<u8>,
}

impl Process {
    /// Starts a kernel.
    ///
    /// # Errors
    /// [`RunError::Spawn`]. That it comes up is only known from its first answer.
    pub fn start(kernel: &Kernel, size: Size) -> Result<Self, RunError> {
        Self::start_program(&kernel.program, size)
    }

    /// Starts a program that speaks as a kernel with our driver does.
    ///
    /// # Errors
    /// [`RunError::Spawn`].
    pub fn start_program(program: &Path, size: Size) -> Result<Self, RunError> {
        let folder = tempfile::Builder::new()
            .prefix("folioscope-kernel.")
            .tempdir()
            .map_err(RunError::Folder)?;
        let memory = memory_folder();
        let mut command = prepared(program, folder.path(), size.kib());
        command
            .arg(format!(
                "folioscope={},{},{},{}",
                size.first,
                size.frames,
                size.pool,
                std::process::id()
            ))
            .arg("loglevel=5")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let spawned = spawner::spawn(command);
        let mut child = spawned.map_err(|error| RunError::Spawn {
            kernel: program.to_owned(),
            error,
        })?;
        let stdin = child.stdin.take().expect("it was asked for");
        let stdout = child.stdout.take().expect("it was asked for");
        let tail = Tail::follow(child.stderr.take().expect("it was asked for"));
        let (orders, inbox) = channel();
        let (outbox, answers) = channel();
        std::thread::spawn(move || talk(stdin, stdout, &inbox, &outbox));
        Ok(Self {
            child,
            orders: Some(orders),
            answers,
            tail,
            seq: 0,
            alive: true,
            size,
            memory,
            _folder: folder,
        })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The frames that it set aside.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The folder that its memory is a file in.
    pub fn memory_folder(&self) -> &Path {
        &self.memory
    }

    /// Gives a command and returns the text of the answer.
    ///
    /// # Errors
    /// [`RunError`]. After any but [`RunError::Refused`] and [`RunError::Absent`] the kernel
    /// has been ended and gives no further answers.
    pub fn ask(&mut self, verb: &str, data: &[u8], limit: Duration) -> Result<String, RunError> {
        let answer = self.hear(verb, data, limit)?;
        self.judge(verb, answer)
    }

    /// The same for a caller that can tell which warnings an answer must come with: returns the
    /// text and every line that warned. Where there is one the kernel has been ended.
    ///
    /// # Errors
    /// As [`Self::ask`], but for [`RunError::Warn`].
    pub fn ask_with_warnings(
        &mut self,
        verb: &str,
        data: &[u8],
        limit: Duration,
    ) -> Result<(String, Vec<String>), RunError> {
        let answer = self.hear(verb, data, limit)?;
        if answer.status != Status::Tainted {
            return Ok((self.judge(verb, answer)?, Vec::new()));
        }
        self.end();
        if let Some(said @ (Said::Bug(_) | Said::Panic(_))) = self.tail.fault(LAST_WORDS) {
            return Err(self.said(verb, said));
        }
        let mut warnings = self.tail.warnings();
        if warnings.is_empty() {
            warnings.push("it says so of itself".to_owned());
        }
        Ok((answer.text, warnings))
    }

    /// Gives a command while the kernel is stopped, and lets `count` step it up to the answer.
    pub(crate) fn ask_stepped(
        &mut self,
        verb: &str,
        data: &[u8],
        limit: Duration,
        count: impl FnOnce(&Stopped) -> Result<Traffic, StepError>,
    ) -> Result<(String, Traffic), RunError> {
        let stopped = Stopped::stop(self.id());
        let sent = self.send(verb, data)?;
        let counted = stopped.and_then(|stopped| count(&stopped));
        // Let go, it answers; where it does not, that is the reason rather than its effect.
        let answer = self.answer(verb, sent, limit)?;
        Ok((self.judge(verb, answer)?, counted?))
    }

    /// Gives a command and returns what came.
    fn hear(&mut self, verb: &str, data: &[u8], limit: Duration) -> Result<Answer, RunError> {
        let sent = self.send(verb, data)?;
        self.answer(verb, sent, limit)
    }

    /// Gives a command; whether it was taken.
    fn send(&mut self, verb: &str, data: &[u8]) -> Result<bool, RunError> {
        if !self.alive {
            return Err(self.ended(verb));
        }
        self.seq += 1;
        let mut bytes = wire::head(self.seq, verb, data.len()).into_bytes();
        bytes.extend_from_slice(data);
        let order = Order {
            seq: self.seq,
            verb: verb.to_owned(),
            bytes,
        };
        let orders = self.orders.as_ref();
        Ok(orders.is_some_and(|orders| orders.send(order).is_ok()))
    }

    /// The answer to a command that was given.
    fn answer(&mut self, verb: &str, sent: bool, limit: Duration) -> Result<Answer, RunError> {
        let answer = if sent {
            self.answers.recv_timeout(limit)
        } else {
            Err(RecvTimeoutError::Disconnected)
        };
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(fault)) => Err(self.faulty(verb, fault)),
            Err(RecvTimeoutError::Disconnected) => Err(self.ended(verb)),
            Err(RecvTimeoutError::Timeout) => {
                self.end();
                let console = self.tail.end();
                Err(RunError::Hang {
                    verb: verb.to_owned(),
                    limit,
                    console,
                })
            }
        }
    }

    fn judge(&mut self, verb: &str, answer: Answer) -> Result<String, RunError> {
        match answer.status {
            Status::Ok => Ok(answer.text),
            Status::Absent => Err(RunError::Absent(answer.text.trim().to_owned())),
            Status::Error => Err(RunError::Refused {
                verb: verb.to_owned(),
                reason: answer.text.trim().to_owned(),
            }),
            Status::Tainted => {
                self.end();
                Err(match self.tail.fault(LAST_WORDS) {
                    Some(said) => self.said(verb, said),
                    None => RunError::Warn {
                        verb: verb.to_owned(),
                        message: "it says so of itself".to_owned(),
                        console: self.tail.end(),
                    },
                })
            }
        }
    }

    /// The meaning of a broken answer: a kernel that said why, or one that did not.
    fn faulty(&mut self, verb: &str, fault: Fault) -> RunError {
        if let Fault::End = fault {
            return self.ended(verb);
        }
        self.end();
        if let Some(said @ (Said::Bug(_) | Said::Panic(_))) = self.tail.fault(LAST_WORDS) {
            return self.said(verb, said);
        }
        let (verb, console) = (verb.to_owned(), self.tail.end());
        match fault {
            Fault::Truncated { said, came } => RunError::Truncated {
                verb,
                said,
                came,
                console,
            },
            Fault::Garbled(reason) => RunError::Garbled {
                verb,
                reason,
                console,
            },
            Fault::End => unreachable!("it was dealt with"),
        }
    }

    fn ended(&mut self, verb: &str) -> RunError {
        // Its own status, where it ended by itself; else that of our signal.
        let fault = self.tail.fault(LAST_WORDS);
        if self.alive {
            self.alive = false;
            self.orders = None;
        }
        let status = self.status().unwrap_or_else(|| {
            self.end();
            "its output was closed".to_owned()
        });
        match fault {
            Some(said @ (Said::Bug(_) | Said::Panic(_))) => self.said(verb, said),
            _ => RunError::Exit {
                verb: verb.to_owned(),
                status,
                console: self.tail.end(),
            },
        }
    }

    /// How it ended, if it did or is about to.
    fn status(&mut self) -> Option<String> {
        let until = Instant::now() + LAST_WORDS;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status.to_string());
            }
            if Instant::now() > until {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn said(&self, verb: &str, said: Said) -> RunError {
        let (verb, console) = (verb.to_owned(), self.tail.end());
        match said {
            Said::Warn(message) => RunError::Warn {
                verb,
                message,
                console,
            },
            Said::Bug(message) => RunError::Bug {
                verb,
                message,
                console,
            },
            Said::Panic(message) => RunError::Panic {
                verb,
                message,
                console,
            },
        }
    }

    /// Ends the kernel.
    fn end(&mut self) {
        self.alive = false;
        self.orders = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Writes each command and reads its answer, until either side has gone.
fn talk(
    mut stdin: ChildStdin,
    stdout: ChildStdout,
    inbox: &Receiver<Order>,
    outbox: &Sender<Result<Answer, Fault>>,
) {
    let mut stdout = BufReader::with_capacity(1 << 16, stdout);
    for order in inbox {
        // A kernel that has ended shows that in what is read.
        let _ = stdin.write_all(&order.bytes).and_then(|()| stdin.flush());
        let answer = wire::read(&mut stdout, order.seq, &order.verb);
        let broken = answer.is_err();
        if outbox.send(answer).is_err() || broken {
            return;
        }
    }
}

/// The program with so much memory, which keeps what it has of itself in this folder.
pub(crate) fn prepared(program: &Path, folder: &Path, kib: u64) -> Command {
    let mut command = command(program);
    command
        .arg(format!("mem={kib}K"))
        .args(["panic=-1", "con=null"])
        .arg(uml_dir(folder))
        .env("HOME", folder)
        .env("TMPDIR", memory_folder())
        .current_dir(folder)
        .process_group(0);
    command
}

/// The program, at addresses that are the same in every run where the host lets it: where
/// boot finds the end of its heap decides which frames it takes.
fn command(program: &Path) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let setarch = std::env::split_paths(&path)
        .map(|dir| dir.join("setarch"))
        .find(|file| file.is_file());
    match setarch {
        Some(setarch) => {
            let mut command = Command::new(setarch);
            command.arg("-R").arg(program);
            command
        }
        None => Command::new(program),
    }
}

fn uml_dir(folder: &Path) -> OsString {
    let mut arg = OsString::from("uml_dir=");
    arg.push(folder);
    arg.push("/");
    arg
}

/// A folder on a tmpfs, so that the kernel's memory is memory and may be huge pages; that for
/// temporary files where there is none.
fn memory_folder() -> PathBuf {
    let shm = Path::new("/dev/shm");
    let usable = fs::read_to_string("/proc/self/mounts").is_ok_and(|mounts| {
        mounts
            .lines()
            .filter_map(|line| {
                let mut words = line.split(' ').skip(1);
                Some((words.next()?, words.next()?, words.next()?))
            })
            .rfind(|(place, ..)| *place == "/dev/shm")
            .is_some_and(|(_, kind, options)| {
                kind == "tmpfs" && !options.split(',').any(|o| o == "noexec" || o == "ro")
            })
    });
    if usable && tempfile::tempfile_in(shm).is_ok() {
        shm.to_owned()
    } else {
        std::env::temp_dir()
    }
}
