//! Counts a loop in a running kernel, instruction by instruction.
//!
//! The host lets a parent run its child one instruction at a time. The loop stands between the
//! two readings of the time stamp counter that time it, so nothing is brought into the kernel:
//! what is counted is the program that is timed. The timer's signal is held back meanwhile, by
//! the driver itself.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use iced_x86::{Code, Mnemonic};
use nix::errno::Errno;
use nix::libc;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

mod traffic;

pub use traffic::Traffic;
use traffic::{Decoded, Machine, Meter};

/// A pause between two looks at a kernel that runs on its own.
const PAUSE: Duration = Duration::from_micros(50);
/// How often a look at the clock is worth its time, in steps.
const GLANCE: u64 = 1 << 12;
/// [`libc::ptrace_syscall_info`]'s `op`: a system call begins, and has ended.
const ENTRY: u8 = 1;
const EXIT: u8 = 2;

/// Why nothing was counted.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The host does not let a parent trace its child.
    #[error("this host does not let a program step its own children (ptrace): {0}")]
    NotAllowed(Errno),
    /// A request to the host failed.
    #[error("stepping the kernel failed: {0}")]
    Host(#[from] Errno),
    /// The kernel's memory cannot be read.
    #[error("the kernel's code cannot be read: {0}")]
    Code(#[from] io::Error),
    /// The kernel ended.
    #[error("the kernel ended while it was stepped: {0:?}")]
    Ended(WaitStatus),
    /// The kernel answered without having read the time stamp counter.
    #[error("the kernel answered before it came to a loop")]
    Unmet,
    /// The loop called the host.
    #[error("the loop calls the host at {0:#x}, which cannot be counted")]
    SystemCall(u64),
    /// The bytes there are no instruction that the decoder knows.
    #[error("no known instruction at {0:#x}")]
    Unknown(u64),
    /// More instructions than were allowed.
    #[error("more than {0} instructions: not counted")]
    Long(u64),
    /// No progress within the time.
    #[error("the kernel did not come to the loop within {0:?}")]
    Slow(Duration),
}

/// The bounds of a counted run.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Instructions after which it is given up.
    pub instructions: u64,
    /// Time after which it is given up.
    pub time: Duration,
}

/// A kernel's process that is stopped; it runs on when this is dropped.
#[derive(Debug)]
pub(crate) struct Stopped {
    pid: Pid,
    memory: File,
    /// The CPUs of both processes before they were put on one.
    cpus: Option<(CpuSet, CpuSet)>,
}

impl Stopped {
    /// Stops the process, which waits for a command.
    pub(crate) fn stop(id: u32) -> Result<Self, StepError> {
        let pid = Pid::from_raw(id.cast_signed());
        ptrace::seize(pid, Options::PTRACE_O_TRACESYSGOOD).map_err(StepError::NotAllowed)?;
        let memory = File::open(format!("/proc/{id}/mem"));
        let stopped = ptrace::interrupt(pid)
            .map_err(StepError::from)
            .and_then(|()| Ok(waitpid(pid, None)?));
        // Dropped, it lets go of the process, whichever failed.
        let this = Self {
            pid,
            memory: memory?,
            cpus: on_one_cpu(pid),
        };
        match stopped? {
            WaitStatus::PtraceEvent(..) => Ok(this),
            other => Err(StepError::Ended(other)),
        }
    }

    /// Lets the kernel obey a `run` command, which it has been sent, up to its answer, and
    /// counts what lies between the two readings of the time stamp counter. `descriptors` are
    /// the addresses of the arena's descriptors.
    pub(crate) fn count(
        &self,
        descriptors: std::ops::Range<u64>,
        bounds: Bounds,
    ) -> Result<Traffic, StepError> {
        let until = Instant::now() + bounds.time;
        let mut meter = Meter::new(descriptors);
        // The driver holds the timer's signal back just before the loop: up to there the
        // kernel runs by itself.
        ptrace::syscall(self.pid, None)?;
        loop {
            match self.wait(until, bounds.time)? {
                WaitStatus::PtraceSyscall(_) => {}
                WaitStatus::Stopped(_, signal) => {
                    ptrace::syscall(self.pid, signal)?;
                    continue;
                }
                WaitStatus::PtraceEvent(..) => {
                    ptrace::syscall(self.pid, None)?;
                    continue;
                }
                other => return Err(StepError::Ended(other)),
            }
            let info = ptrace::syscall_info(self.pid)?;
            let regs = ptrace::getregs(self.pid)?;
            let call = regs.orig_rax.cast_signed();
            if info.op == ENTRY && call == libc::SYS_write {
                return Err(StepError::Unmet);
            }
            let holds = call == libc::SYS_rt_sigprocmask && regs.rdi == libc::SIG_BLOCK as u64;
            if info.op == EXIT && holds && self.steps_to_loop(&mut meter, until, bounds)? {
                self.steps_through_loop(&mut meter, until, bounds)?;
                return Ok(meter.finish());
            }
            ptrace::syscall(self.pid, None)?;
        }
    }

    /// Steps until the first reading of the counter; `false` where a system call comes before.
    fn steps_to_loop(
        &self,
        meter: &mut Meter,
        until: Instant,
        bounds: Bounds,
    ) -> Result<bool, StepError> {
        let mut before = Mnemonic::INVALID;
        for steps in 0..bounds.instructions {
            let machine = self.machine()?;
            let at = meter.decoded(machine.rip(), || self.code(machine.rip()))?;
            let (mnemonic, calls) = (at.mnemonic(), at.code() == Code::Syscall);
            // The host's own clock reads the counter too, without a fence before it.
            if mnemonic == Mnemonic::Rdtscp && before == Mnemonic::Lfence {
                self.step()?;
                return Ok(true);
            }
            if calls {
                return Ok(false);
            }
            before = mnemonic;
            self.step()?;
            in_time(steps, until, bounds)?;
        }
        Err(StepError::Long(bounds.instructions))
    }

    /// Counts until the second reading of the counter.
    fn steps_through_loop(
        &self,
        meter: &mut Meter,
        until: Instant,
        bounds: Bounds,
    ) -> Result<(), StepError> {
        for steps in 0..bounds.instructions {
            let machine = self.machine()?;
            let at: &Decoded = meter.decoded(machine.rip(), || self.code(machine.rip()))?;
            if at.mnemonic() == Mnemonic::Rdtscp {
                return Ok(());
            }
            if at.code() == Code::Syscall {
                return Err(StepError::SystemCall(machine.rip()));
            }
            meter.count(&machine);
            self.step()?;
            in_time(steps, until, bounds)?;
        }
        Err(StepError::Long(bounds.instructions))
    }

    fn machine(&self) -> Result<Machine, StepError> {
        Ok(Machine(ptrace::getregs(self.pid)?))
    }

    fn code(&self, address: u64) -> io::Result<[u8; 16]> {
        let mut bytes = [0; 16];
        self.memory.read_at(&mut bytes, address)?;
        Ok(bytes)
    }

    /// One instruction; a signal that comes meanwhile waits until the process runs again.
    fn step(&self) -> Result<(), StepError> {
        let mut signal = None;
        loop {
            ptrace::step(self.pid, signal)?;
            match waitpid(self.pid, None)? {
                WaitStatus::Stopped(_, Signal::SIGTRAP) => return Ok(()),
                WaitStatus::Stopped(_, other) => signal = Some(other),
                WaitStatus::PtraceEvent(..) | WaitStatus::PtraceSyscall(_) => {}
                other => return Err(StepError::Ended(other)),
            }
        }
    }

    /// The next stop of a process that runs by itself.
    fn wait(&self, until: Instant, limit: Duration) -> Result<WaitStatus, StepError> {
        loop {
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG))? {
                WaitStatus::StillAlive if Instant::now() > until => {
                    ptrace::interrupt(self.pid)?;
                    waitpid(self.pid, None)?;
                    return Err(StepError::Slow(limit));
                }
                WaitStatus::StillAlive => std::thread::sleep(PAUSE),
                status => return Ok(status),
            }
        }
    }
}

/// Puts this thread and the process on one CPU, on which they take turns: waking another one at
/// every instruction takes several times as long. `None` where the host does not let us.
fn on_one_cpu(pid: Pid) -> Option<(CpuSet, CpuSet)> {
    let this = Pid::from_raw(0);
    let before = (sched_getaffinity(this).ok()?, sched_getaffinity(pid).ok()?);
    let both = (0..CpuSet::count()).find(|&cpu| {
        [before.0, before.1]
            .iter()
            .all(|set| set.is_set(cpu) == Ok(true))
    })?;
    let mut one = CpuSet::new();
    one.set(both).ok()?;
    for pid in [this, pid] {
        sched_setaffinity(pid, &one).ok()?;
    }
    Some(before)
}

impl Drop for Stopped {
    fn drop(&mut self) {
        if let Some((ours, its)) = self.cpus {
            let _ = sched_setaffinity(Pid::from_raw(0), &ours);
            let _ = sched_setaffinity(self.pid, &its);
        }
        // It fails where the process has ended, or was never stopped; then nothing holds it.
        let _ = ptrace::detach(self.pid, None);
    }
}

fn in_time(steps: u64, until: Instant, bounds: Bounds) -> Result<(), StepError> {
    if steps.is_multiple_of(GLANCE) && Instant::now() > until {
        return Err(StepError::Slow(bounds.time));
    }
    Ok(())
}
