//! One boot: a kernel, an initramfs and the module in an emulated machine without a network.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{OracleError, io_error};
use crate::kernel::Kernel;
use crate::outcome::{Remains, judge};
use crate::payload::initramfs;
use crate::wire::Batch;
use trace::Plugin;

/// Distinguishes a missing emulator from other errors, for callers that only ask whether
/// the live check can run.
pub const MISSING_QEMU: &str = "qemu-system-x86_64";

/// The emulator and how long a boot may take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Emulator {
    /// The program's name or path.
    pub program: String,
    /// Processor time from start to end; four times as long by the clock, since on a busy
    /// machine a guest that waits for its turn does not hang.
    pub time_limit: Duration,
}

impl Default for Emulator {
    fn default() -> Self {
        Self {
            program: MISSING_QEMU.into(),
            time_limit: Duration::from_secs(200),
        }
    }
}

/// The work of the guest.
#[derive(Clone, Default, Debug)]
pub(crate) struct Job {
    /// Text for the module's cases part.
    pub(crate) cases: Option<String>,
    /// Text for its counting part; cases come first.
    pub(crate) count: Option<String>,
    /// The plugin that traces the counting part.
    pub(crate) trace: Option<Plugin>,
}

/// The output of a boot that ended well.
#[derive(Debug)]
pub(crate) struct Done {
    /// The module's batches after its greeting.
    pub(crate) batches: Vec<Batch>,
    /// Output of the plugin; empty without one.
    pub(crate) trace: String,
}

/// RAM lies in two pieces: 1 GiB from 0, and the pages on both sides of 8 GiB, so that a case
/// can cross a real 4 GiB boundary. What QEMU would put between 4 and 7.75 GiB is hidden from
/// the guest and never touched, so it costs the host nothing. The upper 640 MiB hold nothing
/// unmovable: that is where the module takes its arena.
const MACHINE: [&str; 4] = ["-machine", "pc,max-ram-below-4g=1G", "-m", "5632M"];
/// Counted is the code that today's processors run. QEMU up to at least 7.2 leaves garbage
/// in the flags after a cmpxchg16b, until the next instruction that sets them: an interrupt right
/// there saves it, and its return may switch the direction of string operations or stop the kernel
/// with a double fault. The slab allocator is full of them. Answers do not depend on the
/// instruction and do without it; such a fault while counting is a panic that says so.
const COUNTING_CPU: &str = "max";
const ASKING_CPU: &str = "max,-cx16";
/// The guest ends by a reset through a triple fault, which needs nothing of a kernel that
/// somebody configured, where a power-off needs ACPI; `-no-reboot` makes it the end of QEMU.
const COMMAND_LINE: &str = "console=ttyS0 loglevel=5 panic=-1 oops=panic reboot=t mitigations=off nokaslr \
    init_on_alloc=0 memmap=3840M$0x100000000 movablecore=640M randomize_kstack_offset=off";
/// Makes every boot the same to the last figure, with the stack offset above: the guest's
/// entropy, and its clock's start and pace.
const REPEATABLE: [&str; 4] = ["-seed", "1", "-rtc", "base=2024-01-01T00:00:00,clock=vm"];

impl Emulator {
    /// The first line of `qemu-system-x86_64 --version`.
    ///
    /// # Errors
    /// [`OracleError::NoQemu`].
    pub fn version(&self) -> Result<String, OracleError> {
        let done = Command::new(&self.program)
            .arg("--version")
            .output()
            .map_err(|e| self.missing(e))?;
        Ok(String::from_utf8_lossy(&done.stdout)
            .lines()
            .next()
            .unwrap_or("QEMU")
            .trim()
            .to_owned())
    }

    fn missing(&self, error: io::Error) -> OracleError {
        match error.kind() {
            io::ErrorKind::NotFound => OracleError::NoQemu {
                program: self.program.clone(),
            },
            _ => OracleError::Io {
                what: format!("running {}", self.program),
                source: error,
            },
        }
    }

    /// Boots, runs the job, and returns what it left.
    pub(crate) fn run(
        &self,
        kernel: &Kernel,
        module: &Path,
        job: &Job,
    ) -> Result<Done, OracleError> {
        let initramfs = initramfs(
            module,
            [
                ("cases", job.cases.as_deref()),
                ("count", job.count.as_deref()),
            ],
        )?;
        let work = tempfile::tempdir().map_err(io_error("making a directory for the boot"))?;
        fs::write(work.path().join("initramfs"), initramfs)
            .map_err(io_error("writing the initramfs"))?;
        let cpu = if job.count.is_some() {
            COUNTING_CPU
        } else {
            ASKING_CPU
        };
        let trace = work.path().join("trace");
        let plugin = job
            .trace
            .as_ref()
            .map(|plugin| plugin.argument(&trace, &[]));
        let remains = self.boot(kernel, work.path(), cpu, plugin.as_deref())?;
        let batches = judge(&kernel.release, self.time_limit, remains)?;
        let trace = match plugin {
            Some(_) => fs::read_to_string(&trace).map_err(io_error("reading the trace"))?,
            None => String::new(),
        };
        Ok(Done { batches, trace })
    }

    fn boot(
        &self,
        kernel: &Kernel,
        work: &Path,
        cpu: &str,
        plugin: Option<&str>,
    ) -> Result<Remains, OracleError> {
        let stderr = fs::File::create(work.join("stderr"))
            .map_err(io_error("making a file for the boot"))?;
        let mut command = Command::new(&self.program);
        if let Some(plugin) = plugin {
            command.args(["-plugin", plugin]);
        }
        let child = command
            // One instruction is one nanosecond of the guest's time; idle time is skipped.
            .args(["-accel", "tcg", "-icount", "shift=0,sleep=off", "-smp", "1"])
            .args(["-cpu", cpu])
            .args(REPEATABLE)
            .args(MACHINE)
            .args([
                "-nodefaults",
                "-no-user-config",
                "-no-reboot",
                "-display",
                "none",
                "-nic",
                "none",
            ])
            .args(["-serial", "stdio", "-chardev", "file,id=data,path=data"])
            .args(["-device", "isa-debugcon,iobase=0xe9,chardev=data"])
            .arg("-kernel")
            .arg(&kernel.bzimage)
            .args(["-initrd", "initramfs", "-append", COMMAND_LINE])
            .current_dir(work)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(|error| self.missing(error))?;
        let mut guest = Guest(child);
        let (late, console) = guest.watch(self.time_limit)?;
        let status = guest.0.wait().map_err(io_error("waiting for QEMU"))?;
        let read = |name: &str| fs::read(work.join(name)).unwrap_or_default();
        Ok(Remains {
            late,
            failed: (!late && !status.success()).then(|| status.to_string()),
            console: String::from_utf8_lossy(&console).into_owned(),
            stderr: String::from_utf8_lossy(&read("stderr")).into_owned(),
            data: read("data"),
        })
    }
}

/// A running emulator, killed when dropped.
struct Guest(Child);

impl Guest {
    /// Gathers the console until it closes or the time is up, which ends the guest.
    fn watch(&mut self, limit: Duration) -> Result<(bool, Vec<u8>), OracleError> {
        let start = Instant::now();
        let mut stdout = self.0.stdout.take().expect("it was asked for");
        let (send, receive) = mpsc::channel();
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = stdout.read(&mut buffer) {
                if send.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut console = Vec::new();
        let late = loop {
            match receive.recv_timeout(LOOK_EVERY.min(limit)) {
                Ok(bytes) => console.extend(bytes),
                Err(RecvTimeoutError::Disconnected) => break false,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let spent = processor_time(self.0.id());
            if spent >= limit || start.elapsed() >= 4 * limit {
                break true;
            }
        };
        if late {
            self.0.kill().map_err(io_error("ending QEMU"))?;
            console.extend(receive.iter().flatten());
        }
        reader.join().expect("the reader does not panic");
        Ok((late, console))
    }
}

/// How often a running guest is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The time that a process has used so far (utime and stime of proc(5), in hundredths of a second);
/// zero where that cannot be read, which leaves the clock.
fn processor_time(process: u32) -> Duration {
    let ticks = || -> Option<u64> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name, in parentheses, may hold blanks; utime is the 12th word after it.
        let (_, behind) = stat.rsplit_once(')')?;
        let mut words = behind.split_whitespace().skip(11);
        Some(words.next()?.parse::<u64>().ok()? + words.next()?.parse::<u64>().ok()?)
    };
    Duration::from_millis(10 * ticks().unwrap_or(0))
}

impl Drop for Guest {
    fn drop(&mut self) {
        // Nothing to do about an emulator that cannot be ended, nor about one that has.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
#[path = "guest_tests.rs"]
mod tests;
