//! What a benchmark needs to know and set of its own process and thread.

use std::mem::MaybeUninit;

use crate::Error;

/// What the kernel did to the process (or thread) on the side.
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
    /// What the process has seen so far.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn of_process() -> Result<Self, Error> {
        Ok(Self::of(&usage(libc::RUSAGE_SELF)?))
    }

    /// What the calling thread has seen so far.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn of_thread() -> Result<Self, Error> {
        Ok(Self::of(&usage(libc::RUSAGE_THREAD)?))
    }

    /// What was added since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            minor: self.minor - earlier.minor,
            major: self.major - earlier.major,
            voluntary_switches: self.voluntary_switches - earlier.voluntary_switches,
            involuntary_switches: self.involuntary_switches - earlier.involuntary_switches,
        }
    }

    fn of(usage: &libc::rusage) -> Self {
        Self {
            minor: usage.ru_minflt.cast_unsigned(),
            major: usage.ru_majflt.cast_unsigned(),
            voluntary_switches: usage.ru_nvcsw.cast_unsigned(),
            involuntary_switches: usage.ru_nivcsw.cast_unsigned(),
        }
    }
}

/// The most memory that the process has had resident at any time, in bytes (`ru_maxrss`).
///
/// # Errors
/// [`Error::System`].
pub fn peak_resident_bytes() -> Result<u64, Error> {
    // The kernel counts in KiB.
    Ok(usage(libc::RUSAGE_SELF)?.ru_maxrss.cast_unsigned() * 1024)
}

fn usage(who: libc::c_int) -> Result<libc::rusage, Error> {
    let mut usage = MaybeUninit::uninit();
    // SAFETY: the pointer is good for writing an `rusage`.
    if unsafe { libc::getrusage(who, usage.as_mut_ptr()) } != 0 {
        return Err(Error::last("getrusage"));
    }
    // SAFETY: the call succeeded, so it filled the value.
    Ok(unsafe { usage.assume_init() })
}

/// The CPUs that the calling thread may run on, ascending.
///
/// # Errors
/// [`Error::System`].
pub fn allowed_cpus() -> Result<Vec<usize>, Error> {
    let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: the pointer is good for writing a `cpu_set_t`, whose size is given.
    if unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), set.as_mut_ptr()) } != 0 {
        return Err(Error::last("sched_getaffinity"));
    }
    // SAFETY: zeroes are a valid `cpu_set_t`, and the call filled it.
    let set = unsafe { set.assume_init() };
    // SAFETY: the numbers stay below the set's size.
    Ok((0..libc::CPU_SETSIZE as usize)
        .filter(|cpu| unsafe { libc::CPU_ISSET(*cpu, &set) })
        .collect())
}

/// Lets the calling thread run on these CPUs only; threads it starts later inherit that.
///
/// # Errors
/// [`Error::System`] if none of them is allowed.
pub fn pin_to_any(cpus: &[usize]) -> Result<(), Error> {
    // SAFETY: zeroes are a valid, empty `cpu_set_t`.
    let mut set = unsafe { MaybeUninit::<libc::cpu_set_t>::zeroed().assume_init() };
    for cpu in cpus.iter().filter(|cpu| **cpu < libc::CPU_SETSIZE as usize) {
        // SAFETY: the number is below the set's size.
        unsafe { libc::CPU_SET(*cpu, &mut set) };
    }
    // SAFETY: the set is initialised and its size is given; 0 is the calling thread.
    if unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) } != 0 {
        return Err(Error::last("sched_setaffinity"));
    }
    Ok(())
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
    // SAFETY: the call takes and touches nothing.
    usize::try_from(unsafe { libc::sched_getcpu() }).ok()
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
    const fn id(self) -> libc::clockid_t {
        match self {
            Self::MonotonicRaw => libc::CLOCK_MONOTONIC_RAW,
            Self::ThreadCpu => libc::CLOCK_THREAD_CPUTIME_ID,
            Self::ProcessCpu => libc::CLOCK_PROCESS_CPUTIME_ID,
        }
    }

    /// The clock's reading in nanoseconds.
    #[inline]
    pub fn now_ns(self) -> u64 {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: the pointer is good for writing a `timespec`. The clocks exist since Linux
        // 2.6.28, so the call cannot fail.
        unsafe { libc::clock_gettime(self.id(), &mut time) };
        time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
    }

    /// The clock's step in nanoseconds, as the kernel states it.
    pub fn resolution_ns(self) -> u64 {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: as in `now_ns`.
        unsafe { libc::clock_getres(self.id(), &mut time) };
        time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
    }
}

/// The soft limit on locked memory in bytes (`RLIMIT_MEMLOCK`); `u64::MAX` without one.
///
/// # Errors
/// [`Error::System`].
pub fn memlock_limit_bytes() -> Result<u64, Error> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer is good for writing an `rlimit`.
    if unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &mut limit) } != 0 {
        return Err(Error::last("getrlimit"));
    }
    Ok(limit.rlim_cur)
}
