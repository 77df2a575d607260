//! Errors of mappings, each with the command that helps.

use std::io;
use std::path::PathBuf;

/// Why memory could not be had, locked or looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A request that no kernel could meet.
    #[error("a mapping of {len} bytes aligned to {align} cannot be asked for: {why}")]
    BadRequest {
        /// The length asked for, in bytes.
        len: usize,
        /// The alignment asked for, in bytes.
        align: usize,
        /// The fault.
        why: &'static str,
    },

    /// The hugetlb pool of this size does not hold enough free pages.
    #[error(
        "{wanted} hugetlb page(s) of {size_bytes} bytes wanted, {free} free; \
         reserve them with: echo {reserve} | sudo tee \
         /sys/kernel/mm/hugepages/hugepages-{}kB/nr_hugepages",
        size_bytes / 1024
    )]
    HugetlbUnavailable {
        /// Bytes in one page of the pool.
        size_bytes: usize,
        /// Pages that are free and not reserved by another mapping.
        free: u64,
        /// Pages that the request takes.
        wanted: u64,
        /// The pool's size in pages that would have done.
        reserve: u64,
    },

    /// The kernel has no hugetlb pool of this size at all.
    #[error("this kernel has no hugetlb pages of {size_bytes} bytes: {source}")]
    HugetlbUnsupported {
        /// Bytes in one page of the pool.
        size_bytes: usize,
        /// The kernel's answer.
        source: io::Error,
    },

    /// Fewer transparent huge pages than the request takes.
    #[error(
        "{wanted_bytes} bytes of transparent huge pages wanted, {got_bytes} given \
         (transparent_hugepage/enabled is `{enabled}`); {help}"
    )]
    ThpUnavailable {
        /// Bytes wanted on huge pages.
        wanted_bytes: u64,
        /// Bytes that smaps says are on huge pages.
        got_bytes: u64,
        /// The mode selected in /sys/kernel/mm/transparent_hugepage/enabled, or `absent`.
        enabled: String,
        /// The remedy.
        help: &'static str,
    },

    /// Not enough memory for the request.
    #[error("out of memory: {len} bytes wanted{}", available.map_or(String::new(), |a| format!(
        ", {a} available"
    )))]
    OutOfMemory {
        /// The length asked for, in bytes.
        len: usize,
        /// Bytes that are available according to the kernel, where it was asked.
        available: Option<u64>,
    },

    /// Locking would go beyond the limit on locked memory.
    #[error(
        "locking {len} bytes goes beyond the memlock limit of {limit} bytes; \
         raise it with: ulimit -l {} (or LimitMEMLOCK= of the service)",
        len.div_ceil(1024)
    )]
    MemlockLimit {
        /// Bytes to be locked.
        len: usize,
        /// The soft limit (`RLIMIT_MEMLOCK`) in bytes.
        limit: u64,
    },

    /// pagemap shows that pages are there but hides their frames.
    #[error(
        "/proc/{pid}/pagemap hides page frame numbers: they need CAP_SYS_ADMIN; \
         run it as root (sudo)"
    )]
    PfnsHidden {
        /// The process whose pages were asked for, `self` for the own one.
        pid: String,
    },

    /// A file under /proc that tells about memory cannot be read.
    #[error("cannot read {path}: {why}")]
    NoProc {
        /// The file.
        path: String,
        /// The answer.
        why: String,
    },

    /// smaps has no entry for the mapping.
    #[error("/proc/self/smaps has no entry for {start:#x}-{end:#x}")]
    NotInSmaps {
        /// The mapping's first address.
        start: usize,
        /// The first address past it.
        end: usize,
    },

    /// A file that backs a mapping, or that is looked at, gave an error.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// The step that failed.
        what: &'static str,
        /// The file, or the folder of a temporary one.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },

    /// A system call failed for a reason of its own.
    #[error("{call}: {source}")]
    System {
        /// The call.
        call: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
}

impl Error {
    /// The error of the system call that has just failed.
    pub(crate) fn last(call: &'static str) -> Self {
        Self::System {
            call,
            source: io::Error::last_os_error(),
        }
    }

    /// The error of a system call that has failed with `errno`.
    pub(crate) fn of(call: &'static str, errno: nix::errno::Errno) -> Self {
        Self::System {
            call,
            source: errno.into(),
        }
    }

    /// The error of a /proc file that procfs could not read.
    pub(crate) fn proc(path: impl Into<String>, why: impl ToString) -> Self {
        Self::NoProc {
            path: path.into(),
            why: why.to_string(),
        }
    }
}
