//! Errors between the question and the kernel's answer, each with its remedy.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::arena::Unplaceable;
use crate::wire::WireError;

/// An error of asking a kernel. Each message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OracleError {
    /// A native kernel gave no answer.
    #[error(transparent)]
    Native(#[from] native::RunError),
    /// The emulator is not installed.
    #[error(
        "QEMU is not installed: no `{program}` on the PATH\n  do: apt-get install qemu-system-x86"
    )]
    NoQemu {
        /// The program.
        program: String,
    },
    /// No static busybox for the guest's initramfs.
    #[error(
        "no static busybox for the guest: {reason}\n  do: apt-get install busybox-static, or name one with FOLIOSCOPE_BUSYBOX"
    )]
    NoBusybox {
        /// The fault of the one that was found, or that there is none.
        reason: String,
    },
    /// No C compiler or no make.
    #[error(
        "the module cannot be built: no `{program}` on the PATH\n  do: apt-get install gcc make"
    )]
    NoCompiler {
        /// The program.
        program: String,
    },
    /// The kernel's build tools want a chroot, which this machine does not give.
    #[error(
        "modules for kernel {kernel} are built in a chroot, which failed: {why}\n  do: allow user namespaces, or run as root"
    )]
    NoChroot {
        /// The kernel's release.
        kernel: String,
        /// Error of unshare, mount or chroot.
        why: String,
    },
    /// The series was not fetched yet.
    #[error(
        "kernel {series} is not in {}\n  do: folioscope kernel fetch {series} (scripts/fetch-kernels {series} in a checkout)",
        store.display()
    )]
    NotFetched {
        /// The series, as `5.10`.
        series: String,
        /// Where it was looked for.
        store: PathBuf,
    },
    /// Fetching failed; the script's own words say why.
    #[error("fetching kernels failed:\n{log}")]
    Fetch {
        /// Output of the script.
        log: String,
    },
    /// A manifest, record or file of ours that does not read as it should.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Field and fault.
        reason: String,
    },
    /// `--bzimage` or `--kdir` do not name what they should.
    #[error("{}: {reason}", path.display())]
    NotAKernel {
        /// The path given.
        path: PathBuf,
        /// The file that was expected there, and how to get it.
        reason: String,
    },
    /// The kernel was built without options that the guest or the module needs.
    #[error("kernel {kernel} lacks options the referee needs: {}\n  do: enable them in its .config and rebuild", options.join(", "))]
    MissingOptions {
        /// The kernel's release.
        kernel: String,
        /// The options, as `CONFIG_KPROBES=y`.
        options: Vec<String>,
    },
    /// The module did not compile or link against the kernel's headers.
    #[error("the module does not build for {kernel} (whole log: {}):\n{tail}\n  do: if a kernel interface changed, module/compat.h is the place", log.display())]
    ModuleBuild {
        /// The kernel's release.
        kernel: String,
        /// The whole log.
        log: PathBuf,
        /// The lines that matter.
        tail: String,
    },
    /// The module was built but the guest's kernel would not load or start it.
    #[error("kernel {kernel} did not take the module: {reason}\n{tail}")]
    ModuleRefused {
        /// The kernel's release.
        kernel: String,
        /// The usual cause.
        reason: String,
        /// The console's last lines.
        tail: String,
    },
    /// The guest's kernel panicked or oopsed.
    #[error(
        "kernel {kernel} panicked in the guest; its last words:\n{tail}\n  do: look for a BUG or NULL pointer above; a case that stops the kernel is worth a report; a double fault behind a cmpxchg16b is the emulator's, gone on the next run or with a newer QEMU"
    )]
    Panic {
        /// The kernel's release.
        kernel: String,
        /// The console from the fault on.
        tail: String,
    },
    /// The guest did not end in time.
    #[error("kernel {kernel} was still running after {} s of processor time; the console's tail:\n{tail}\n  do: look at what it waited for; it boots in under 10 s", limit.as_secs())]
    TimeLimit {
        /// The kernel's release.
        kernel: String,
        /// The time that was allowed.
        limit: Duration,
        /// The console's last lines.
        tail: String,
    },
    /// The guest ended, but the module never said a word.
    #[error(
        "kernel {kernel} ended without the module's output; the console's tail:\n{tail}\n  do: see whether it found its init and console (CONFIG_BLK_DEV_INITRD, CONFIG_SERIAL_8250_CONSOLE)"
    )]
    Silent {
        /// The kernel's release.
        kernel: String,
        /// The console's last lines.
        tail: String,
    },
    /// QEMU itself failed.
    #[error("QEMU failed ({status}):\n{stderr}")]
    Qemu {
        /// Its exit status.
        status: String,
        /// Its output.
        stderr: String,
    },
    /// The data port's text is truncated or damaged; nothing of it is used.
    #[error(
        "kernel {kernel}: {source}; no part of that boot's answers is used\n  do: run it again; if it repeats, the guest died while printing"
    )]
    Wire {
        /// The kernel's release.
        kernel: String,
        /// The fault.
        source: WireError,
    },
    /// A part of the module stopped with an error.
    #[error("kernel {kernel}: the module's {part} part stopped: {what}")]
    Part {
        /// The kernel's release.
        kernel: String,
        /// `cases` or `count`.
        part: String,
        /// The errno and where.
        what: String,
    },
    /// A case that the guest's memory cannot hold.
    #[error("case `{name}`: {reason}")]
    Unplaceable {
        /// The case's name.
        name: String,
        /// Why not.
        reason: Unplaceable,
    },
    /// A case on which this kernel would stop at a BUG_ON; it is not asked.
    #[error("case `{name}` would stop kernel {kernel} at a BUG_ON, so it is not asked")]
    WouldStop {
        /// The case's name.
        name: String,
        /// The kernel's release.
        kernel: String,
    },
    /// A record of ours.
    #[error(transparent)]
    Record(#[from] results::RecordError),
    /// The trace of a boot's memory traffic.
    #[error(transparent)]
    Trace(#[from] trace::NoTrace),
    /// A file or process of this machine.
    #[error("{what}: {source}")]
    Io {
        /// The step that failed.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

/// Turns an I/O error into one that names the operation.
pub(crate) fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> OracleError {
    let what = what.into();
    move |source| OracleError::Io { what, source }
}
