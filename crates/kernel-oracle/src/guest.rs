//! One boot: a kernel, an initramfs and the module in an emulated machine without a network.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{OracleError, io_error};
use crate::initramfs::Initramfs;
use crate::kernel::Kernel;
use crate::wire::{Batch, batches};

/// How a missing emulator is told from other errors by those who only need to know whether
/// the live check can run.
pub const MISSING_QEMU: &str = "qemu-system-x86_64";

/// The emulator and how long a boot may take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Emulator {
    /// The program's name or path.
    pub program: String,
    /// From start to power-off.
    pub time_limit: Duration,
}

impl Default for Emulator {
    fn default() -> Self {
        Self {
            program: MISSING_QEMU.into(),
            time_limit: Duration::from_secs(180),
        }
    }
}

/// What the guest is to do.
#[derive(Clone, Default, Debug)]
pub(crate) struct Job {
    /// Text for the module's cases part.
    pub(crate) cases: Option<String>,
    /// Text for its counting part; cases come first.
    pub(crate) count: Option<String>,
}

/// RAM lies in two pieces: 1 GiB from 0, and the pages on both sides of 8 GiB, so that a case
/// can cross a real 4 GiB boundary. What QEMU would put between 4 and 7.75 GiB is hidden from
/// the guest and never touched, so it costs the host nothing. The upper 640 MiB hold nothing
/// unmovable: that is where the module takes its arena.
const MACHINE: [&str; 4] = ["-machine", "pc,max-ram-below-4g=1G", "-m", "5632M"];
const COMMAND_LINE: &str = "console=ttyS0 loglevel=5 panic=-1 oops=panic mitigations=off nokaslr \
    init_on_alloc=0 memmap=3840M$0x100000000 movablecore=640M";

const INIT: &str = "#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mkdir -p /sys/fs/cgroup
/bin/busybox mount -t cgroup2 none /sys/fs/cgroup
for group in /sys/fs/cgroup /sys/fs/cgroup/a /sys/fs/cgroup/a/b; do
    /bin/busybox mkdir -p $group
    [ $group = /sys/fs/cgroup/a/b ] || echo +memory > $group/cgroup.subtree_control
done
echo $$ > /sys/fs/cgroup/a/b/cgroup.procs
if /bin/busybox insmod /folioscope.ko; then
    for part in cases count; do
        [ -e /$part ] && /bin/busybox cat /$part > /proc/folioscope/$part
    done
else
    echo 'folioscope: insmod failed'
fi
echo 'folioscope: the end'
/bin/busybox poweroff -f
";

/// What a boot left behind.
struct Remains {
    /// Not ended when the time was up.
    late: bool,
    /// QEMU's exit status where that is not success.
    failed: Option<String>,
    console: String,
    stderr: String,
    data: Vec<u8>,
}

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

    /// Boots, runs the job, and returns the module's batches behind its greeting.
    pub(crate) fn run(
        &self,
        kernel: &Kernel,
        module: &Path,
        job: &Job,
    ) -> Result<Vec<Batch>, OracleError> {
        let initramfs = initramfs(module, job)?;
        let work = tempfile::tempdir().map_err(io_error("making a directory for the boot"))?;
        fs::write(work.path().join("initramfs"), initramfs)
            .map_err(io_error("writing the initramfs"))?;
        let remains = self.boot(kernel, work.path())?;
        judge(&kernel.release, self.time_limit, remains)
    }

    fn boot(&self, kernel: &Kernel, work: &Path) -> Result<Remains, OracleError> {
        let stderr = fs::File::create(work.join("stderr"))
            .map_err(io_error("making a file for the boot"))?;
        let child = Command::new(&self.program)
            // One instruction is one nanosecond of the guest's time; idle time is skipped.
            .args([
                "-accel",
                "tcg",
                "-icount",
                "shift=0,sleep=off",
                "-cpu",
                "max",
                "-smp",
                "1",
            ])
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

/// A running emulator; it does not outlive whoever asked.
struct Guest(Child);

impl Guest {
    /// Gathers the console until it closes or the time is up, which ends the guest.
    fn watch(&mut self, limit: Duration) -> Result<(bool, Vec<u8>), OracleError> {
        let deadline = Instant::now() + limit;
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
            match receive.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => console.extend(bytes),
                Err(RecvTimeoutError::Disconnected) => break false,
                Err(RecvTimeoutError::Timeout) => break true,
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

impl Drop for Guest {
    fn drop(&mut self) {
        // Nothing to do about an emulator that cannot be ended, nor about one that has.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the remains of a boot amount to.
fn judge(kernel: &str, limit: Duration, remains: Remains) -> Result<Vec<Batch>, OracleError> {
    let kernel = kernel.to_owned();
    let console = remains.console;
    // A panic is the cause even where the guest then hung or QEMU fell over.
    if let Some(at) = fault(&console) {
        return Err(OracleError::Panic {
            kernel,
            tail: tail(&console[at..], 40, true),
        });
    }
    let tail = tail(&console, 20, false);
    if remains.late {
        return Err(OracleError::TimeLimit {
            kernel,
            limit,
            tail,
        });
    }
    if let Some(status) = remains.failed {
        return Err(OracleError::Qemu {
            status,
            stderr: remains.stderr,
        });
    }
    let mut batches = match batches(&remains.data) {
        Ok(batches) => batches,
        Err(source) => return Err(OracleError::Wire { kernel, source }),
    };
    if let Some(reason) = refusal(&batches, &console) {
        return Err(OracleError::ModuleRefused {
            kernel,
            reason,
            tail,
        });
    }
    if batches.is_empty() || batches[0].name != "hello" {
        return Err(OracleError::Silent { kernel, tail });
    }
    if let Some(failure) = batches.iter().find(|batch| batch.name == "failure") {
        let words = failure.lines.first().cloned().unwrap_or_default();
        let (part, errno) = words.split_once(' ').unwrap_or((&words, "?"));
        // The part's own last line says where it stopped.
        let at = batches
            .iter()
            .find(|batch| batch.name == part)
            .and_then(|batch| batch.lines.last());
        let what = format!(
            "errno {errno}{}",
            at.map(|line| format!(", at `{line}`")).unwrap_or_default()
        );
        return Err(OracleError::Part {
            kernel,
            part: part.into(),
            what,
        });
    }
    batches.remove(0);
    Ok(batches)
}

/// Where in the console a kernel's fault begins.
fn fault(console: &str) -> Option<usize> {
    [
        "kernel BUG at",
        "BUG: ",
        "Oops: ",
        "general protection fault",
        "Kernel panic",
    ]
    .iter()
    .filter_map(|sign| console.find(sign))
    .min()
    .map(|at| console[..at].rfind('\n').map_or(0, |newline| newline + 1))
}

/// Why the module did not start, if that is what happened.
fn refusal(batches: &[Batch], console: &str) -> Option<String> {
    let arena = batches
        .first()
        .filter(|batch| batch.name == "hello")
        .and_then(|hello| {
            hello
                .lines
                .iter()
                .find_map(|line| line.strip_prefix("arena "))
        });
    match arena {
        Some("0") => None,
        Some("-38") => Some(
            "it lacks alloc_contig_range or prep_compound_page: CONFIG_CONTIG_ALLOC=y is needed"
                .into(),
        ),
        Some(errno) => Some(format!(
            "the contiguous pages around 8 GiB are not to be had (errno {errno}); memmap= and movablecore= must be honoured"
        )),
        None if console.contains("folioscope: insmod failed") => Some(
            "insmod failed; do the headers (--kdir) belong to this very image (--bzimage)?".into(),
        ),
        None => None,
    }
}

/// The first or last lines of the console.
fn tail(console: &str, lines: usize, from_start: bool) -> String {
    let all: Vec<&str> = console
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    let part = if from_start {
        &all[..all.len().min(lines)]
    } else {
        &all[all.len().saturating_sub(lines)..]
    };
    if part.is_empty() {
        return "  (the console stayed empty)".into();
    }
    part.iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn initramfs(module: &Path, job: &Job) -> Result<Vec<u8>, OracleError> {
    let ko = fs::read(module).map_err(io_error(format!("reading {}", module.display())))?;
    let mut archive = Initramfs::default();
    for directory in ["bin", "proc", "dev", "sys"] {
        archive.directory(directory);
    }
    archive.program("bin/busybox", &busybox()?);
    archive.program("init", INIT.as_bytes());
    archive.file("folioscope.ko", &ko);
    for (name, text) in [("cases", &job.cases), ("count", &job.count)] {
        if let Some(text) = text {
            // An empty write would not reach the module.
            archive.file(
                name,
                if text.is_empty() {
                    b"\n"
                } else {
                    text.as_bytes()
                },
            );
        }
    }
    Ok(archive.finish())
}

/// A busybox that needs no libraries: the one that `FOLIOSCOPE_BUSYBOX` names, or the PATH's.
fn busybox() -> Result<Vec<u8>, OracleError> {
    let no = |reason: String| OracleError::NoBusybox { reason };
    let path = match env::var_os("FOLIOSCOPE_BUSYBOX") {
        Some(path) => PathBuf::from(path),
        None => on_path("busybox").ok_or_else(|| no("none on the PATH".into()))?,
    };
    let bytes = fs::read(&path).map_err(|error| no(format!("{}: {error}", path.display())))?;
    check_static(&bytes).map_err(|reason| no(format!("{}: {reason}", path.display())))?;
    Ok(bytes)
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let found = env::split_paths(&path)
        .map(|dir| dir.join(OsStr::new(program)))
        .find(|file| file.is_file());
    // Debian's root-only places are not on everybody's PATH.
    found.or_else(|| {
        [Path::new("/bin/busybox").into()]
            .into_iter()
            .find(|p: &PathBuf| p.is_file())
    })
}

/// An ELF program with an interpreter (PT_INTERP, 3) would not start in the guest.
fn check_static(elf: &[u8]) -> Result<(), String> {
    let word = |at: usize, len: usize| -> Option<u64> {
        let bytes = elf.get(at..at + len)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0, |n, &byte| (n << 8) | u64::from(byte)),
        )
    };
    let dynamic = || -> Option<bool> {
        if elf.get(..6)? != b"\x7fELF\x02\x01" {
            return None;
        }
        let (table, size, count) = (
            word(32, 8)? as usize,
            word(54, 2)? as usize,
            word(56, 2)? as usize,
        );
        Some((0..count).any(|n| word(table + n * size, 4) == Some(3)))
    };
    match dynamic() {
        Some(false) => Ok(()),
        Some(true) => Err("it is dynamically linked".into()),
        None => Err("not a 64-bit ELF program".into()),
    }
}

#[cfg(test)]
#[path = "guest_tests.rs"]
mod tests;
