//! Facts and settings of a benchmark's own process and thread.

use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::sys::personality::{self, Persona};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, Usage, UsageWho, getrlimit, getrusage};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::time::TimeSpec;
use nix::time::ClockId;
use nix::unistd::Pid;

use crate::Error;

/// Starts processes without the randomisation of their addresses, so that two of them that allocate
/// alike find their memory at the same addresses. Returns the result of `start`, and whether the
/// system allowed it: a container may not.
pub fn with_fixed_addresses<T>(start: impl FnOnce() -> T) -> (T, bool) {
    let before = personality::get();
    let fixed = before.is_ok_and(|persona| {
        personality::set(persona | Persona::ADDR_NO_RANDOMIZE).is_ok()
            && personality::get().is_ok_and(|now| now.contains(Persona::ADDR_NO_RANDOMIZE))
    });
    let started = start();
    if let Ok(before) = before {
        // It was allowed a moment ago, or nothing was changed.
        let _ = personality::set(before);
    }
    (started, fixed)
}

/// Has the kernel kill this process when the thread that started it ends, however it ends.
///
/// A parent that died before the call is not noticed: a child that speaks to its parent
/// through a pipe finds that closed.
///
/// # Errors
/// [`Error::System`].
pub fn die_with_parent() -> Result<(), Error> {
    set_pdeathsig(Signal::SIGKILL).map_err(|errno| Error::of("prctl(PR_SET_PDEATHSIG)", errno))
}

/// Keeps a hang-up out of this thread, and of those and of the processes that it starts from
/// now on, where the process was started with `SIGHUP` ignored, as `nohup` does. A handler
/// that is installed later would replace what was inherited.
///
/// # Errors
/// [`Error::System`].
pub fn keep_hangup_ignored() -> Result<(), Error> {
    let ignored = procfs::process::Process::myself()
        .and_then(|process| process.status())
        .is_ok_and(|status| status.sigign & (1 << (Signal::SIGHUP as u64 - 1)) != 0);
    if !ignored {
        return Ok(());
    }
    let mut hangup = SigSet::empty();
    hangup.add(Signal::SIGHUP);
    hangup
        .thread_block()
        .map_err(|errno| Error::of("pthread_sigmask", errno))
}

/// Events that the kernel counted of the process (or thread).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults {
    /// Page faults served without IO (`ru_minflt`).
    pub minor: u64,
    /// Page faults that took IO (`ru_majflt`).
    pub major: u64,
    /// Context switches because it waited (`ru_nvcsw`).
    pub voluntary_switches: u64,
    /// Context switches because another was to run (`ru_nivcsw`).
    pub involuntary_switches: u64,
}

impl Faults {
    /// Returns the counts of the process so far.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn of_process() -> Result<Self, Error> {
        Ok(Self::of(&usage(UsageWho::RUSAGE_SELF)?))
    }

    /// Returns the counts of the calling thread so far.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn of_thread() -> Result<Self, Error> {
        Ok(Self::of(&usage(UsageWho::RUSAGE_THREAD)?))
    }

    /// The events since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            minor: self.minor - earlier.minor,
            major: self.major - earlier.major,
            voluntary_switches: self.voluntary_switches - earlier.voluntary_switches,
            involuntary_switches: self.involuntary_switches - earlier.involuntary_switches,
        }
    }

    fn of(usage: &Usage) -> Self {
        Self {
            minor: usage.minor_page_faults().cast_unsigned(),
            major: usage.major_page_faults().cast_unsigned(),
            voluntary_switches: usage.voluntary_context_switches().cast_unsigned(),
            involuntary_switches: usage.involuntary_context_switches().cast_unsigned(),
        }
    }
}

/// The most memory that the process has had resident at any time, in bytes (`ru_maxrss`).
///
/// # Errors
/// [`Error::System`].
pub fn peak_resident_bytes() -> Result<u64, Error> {
    // The kernel counts in KiB.
    Ok(usage(UsageWho::RUSAGE_SELF)?.max_rss().cast_unsigned() * 1024)
}

fn usage(who: UsageWho) -> Result<Usage, Error> {
    getrusage(who).map_err(|errno| Error::of("getrusage", errno))
}

/// The calling thread, to the calls that set a thread's CPUs.
const THIS_THREAD: Pid = Pid::from_raw(0);

/// The CPUs that the calling thread may run on, ascending.
///
/// # Errors
/// [`Error::System`].
pub fn allowed_cpus() -> Result<Vec<usize>, Error> {
    let set =
        sched_getaffinity(THIS_THREAD).map_err(|errno| Error::of("sched_getaffinity", errno))?;
    Ok((0..CpuSet::count())
        .filter(|cpu| set.is_set(*cpu) == Ok(true))
        .collect())
}

/// Lets the calling thread run on these CPUs only; threads it starts later inherit that.
///
/// # Errors
/// [`Error::System`] if none of them is allowed.
pub fn pin_to_any(cpus: &[usize]) -> Result<(), Error> {
    let mut set = CpuSet::new();
    for cpu in cpus.iter().filter(|cpu| **cpu < CpuSet::count()) {
        set.set(*cpu)
            .map_err(|errno| Error::of("sched_setaffinity", errno))?;
    }
    sched_setaffinity(THIS_THREAD, &set).map_err(|errno| Error::of("sched_setaffinity", errno))
}

/// Lets the calling thread run on one CPU only; threads it starts later inherit that.
///
/// # Errors
/// [`Error::System`] if the CPU is not there or not allowed.
pub fn pin_to(cpu: usize) -> Result<(), Error> {
    pin_to_any(&[cpu])
}

/// The CPU that the calling thread runs on at this moment; `None` where the kernel does not tell.
pub fn current_cpu() -> Option<usize> {
    sched_getcpu().ok()
}

/// A clock of the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clock {
    /// Time since some start, never adjusted (`CLOCK_MONOTONIC_RAW`).
    MonotonicRaw,
    /// CPU time of the calling thread (`CLOCK_THREAD_CPUTIME_ID`).
    ThreadCpu,
    /// CPU time of the process (`CLOCK_PROCESS_CPUTIME_ID`).
    ProcessCpu,
}

impl Clock {
    const fn id(self) -> ClockId {
        match self {
            Self::MonotonicRaw => ClockId::CLOCK_MONOTONIC_RAW,
            Self::ThreadCpu => ClockId::CLOCK_THREAD_CPUTIME_ID,
            Self::ProcessCpu => ClockId::CLOCK_PROCESS_CPUTIME_ID,
        }
    }

    /// The clock's reading in nanoseconds.
    #[inline]
    pub fn now_ns(self) -> u64 {
        let time = self.id().now();
        nanoseconds(time.expect("the clocks exist since Linux 2.6.28"))
    }

    /// The clock's step in nanoseconds, as the kernel states it.
    pub fn resolution_ns(self) -> u64 {
        let step = self.id().res();
        nanoseconds(step.expect("the clocks exist since Linux 2.6.28"))
    }
}

#[inline]
fn nanoseconds(time: TimeSpec) -> u64 {
    time.tv_sec().cast_unsigned() * 1_000_000_000 + time.tv_nsec().cast_unsigned()
}

/// The soft limit on locked memory in bytes (`RLIMIT_MEMLOCK`); `u64::MAX` without one.
///
/// # Errors
/// [`Error::System`].
pub fn memlock_limit_bytes() -> Result<u64, Error> {
    let (soft, _) =
        getrlimit(Resource::RLIMIT_MEMLOCK).map_err(|errno| Error::of("getrlimit", errno))?;
    Ok(soft)
}
