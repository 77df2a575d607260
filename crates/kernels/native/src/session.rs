//! Questions to a running kernel.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use crate::memory::{self, Backed};
use crate::{Bounds, Kernel, Layout, Process, RunError, Size, Traffic};

/// Time for what takes a kernel milliseconds.
const SOON: Duration = Duration::from_secs(30);
/// Time for laying out memory and filling jobs, on a busy machine.
const SETUP: Duration = Duration::from_secs(120);

/// A running kernel with our driver, and its greeting.
#[derive(Debug)]
pub struct Session {
    process: Process,
    hello: Hello,
    /// Ticks and nanoseconds when it was started.
    started: (u64, u64),
}

/// The greeting of a kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hello {
    /// Its `uname -r`.
    pub release: String,
    /// The compiler that built it.
    pub compiler: String,
    /// The first frame of its arena.
    pub first: u64,
    /// Frames of its arena.
    pub frames: u64,
    /// The address of the arena's descriptors, and their bytes.
    pub descriptors: (u64, u64),
    /// The jobs that its driver has.
    pub jobs: Vec<String>,
}

/// A job's description of itself once it is set up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JobSetup {
    /// Elements that one call handles.
    pub elements: u64,
    /// Whether a run is one call, since the state must be put back in between.
    pub once: bool,
}

/// The time of a run, measured inside the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// Ticks of the time stamp counter, ordered on both sides.
    pub ticks: u64,
    /// Nanoseconds of `CLOCK_MONOTONIC_RAW`, with two readings of it inside.
    pub nanoseconds: u64,
    /// The raw result, for [`Session::check`].
    pub raw: u64,
    /// Whether the host's timer came meanwhile; it was held back and did not disturb the run.
    pub held: bool,
}

impl Session {
    /// Starts a kernel and reads its greeting.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn start(kernel: &Kernel, size: Size) -> Result<Self, RunError> {
        let mut process = Process::start(kernel, size)?;
        let text = process.ask("hello", &[], SOON)?;
        let hello = hello(&text).ok_or_else(|| garbled("hello", &text))?;
        let mut session = Self {
            process,
            hello,
            started: (0, 0),
        };
        session.started = session.clock()?;
        Ok(session)
    }

    /// Returns its greeting.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// The process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The time stamp counter and `CLOCK_MONOTONIC_RAW`, read together: two such pairs, some
    /// time apart, give the frequency.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn clock(&mut self) -> Result<(u64, u64), RunError> {
        let [ticks, ns] = self.fields("clock", &[], SOON, ["ticks", "ns"])?;
        Ok((ticks, ns))
    }

    /// Nanoseconds of `CLOCK_MONOTONIC_RAW` in a tick, from all the time since the start: a
    /// second gives it to a millionth.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn nanoseconds_per_tick(&mut self) -> Result<f64, RunError> {
        let (ticks, ns) = self.clock()?;
        let (ticks_then, ns_then) = self.started;
        Ok((ns - ns_then) as f64 / (ticks - ticks_then).max(1) as f64)
    }

    /// Lays out allocations and IOs; a job that was set up ends.
    ///
    /// # Errors
    /// [`RunError`], [`RunError::Layout`] if it does not fit.
    pub fn layout(&mut self, layout: &Layout) -> Result<(), RunError> {
        let bytes = layout.encode(self.hello.frames)?;
        self.process.ask("layout", &bytes, SETUP).map(drop)
    }

    /// Sets up a job over the layout, by the id of its workload, with parameters.
    ///
    /// # Errors
    /// [`RunError`], [`RunError::Absent`] with the reason where this kernel has no such thing.
    pub fn job<'a>(
        &mut self,
        name: &str,
        params: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Result<JobSetup, RunError> {
        let mut text = format!("{name}\n");
        for (key, value) in params {
            text += &format!("{key}={value}\n");
        }
        let [elements, once] = self.fields("job", text.as_bytes(), SETUP, ["elements", "once"])?;
        Ok(JobSetup {
            elements,
            once: once != 0,
        })
    }

    /// Runs the job's body this many times.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn run(&mut self, iters: u64, limit: Duration) -> Result<Run, RunError> {
        let data = iters.to_string();
        let names = ["ticks", "ns", "raw", "held"];
        let [ticks, nanoseconds, raw, held] = self.fields("run", data.as_bytes(), limit, names)?;
        Ok(Run {
            ticks,
            nanoseconds,
            raw,
            held: held != 0,
        })
    }

    /// Runs the job's body this many times, an instruction at a time, and counts what it
    /// executes and touches, with the call of the body.
    ///
    /// # Errors
    /// [`RunError`], [`RunError::Step`] where it could not be counted.
    pub fn count(&mut self, iters: u64, bounds: Bounds) -> Result<Traffic, RunError> {
        let data = iters.to_string();
        let (from, bytes) = self.hello.descriptors;
        let counted = self
            .process
            .ask_stepped("run", data.as_bytes(), SOON, |stopped| {
                stopped.count(from..from + bytes, bounds)
            });
        counted.map(|(_, traffic)| traffic)
    }

    /// The checksum of one call, formed from the state of the kernel after a run.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn check(&mut self, raw: u64) -> Result<u64, RunError> {
        let data = raw.to_string();
        let [checksum] = self.fields("check", data.as_bytes(), SETUP, ["checksum"])?;
        Ok(checksum)
    }

    /// Asks the host for huge pages behind descriptors and state, and says what they are on
    /// then. Call it when a job is set up.
    ///
    /// # Errors
    /// [`RunError`]; that the host refuses is no error but a fact in the result.
    pub fn collapse(&mut self) -> Result<Backed, RunError> {
        let [descriptors, _] = self.fields("collapse", &[], SETUP, ["descriptors", "pool"])?;
        let (resident, huge) = memory::of_mapping(self.process.id(), self.hello.descriptors.0)?;
        Ok(Backed {
            resident,
            huge,
            descriptors: self.hello.descriptors.1,
            collapsed: if descriptors == 0 {
                Ok(())
            } else {
                Err(descriptors as i32)
            },
            folder: self.process.memory_folder().to_owned(),
        })
    }

    /// Puts cases to the kernel, as `cases.c` reads them, and returns the batch of answers as
    /// it prints them, with every line of its console that warned: a case may be one that the
    /// kernel warns of. After a warning the kernel is gone. A job that was set up ends.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn cases(
        &mut self,
        text: &str,
        limit: Duration,
    ) -> Result<(String, Vec<String>), RunError> {
        self.process
            .ask_with_warnings("cases", text.as_bytes(), limit)
    }

    /// Puts accounting and lists to the kernel as cases, as `ledger.c` reads them, and returns
    /// the batch of answers as it prints them. A job that was set up ends.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn ledger(&mut self, text: &str, limit: Duration) -> Result<String, RunError> {
        self.process.ask("ledger", text.as_bytes(), limit)
    }

    /// Gives a command whose answer is `name number` lines.
    fn fields<const N: usize>(
        &mut self,
        verb: &str,
        data: &[u8],
        limit: Duration,
        names: [&str; N],
    ) -> Result<[u64; N], RunError> {
        let text = self.process.ask(verb, data, limit)?;
        let fields = pairs(&text);
        let values = names.map(|name| number(fields.get(name)));
        if values.iter().any(Option::is_none) {
            return Err(garbled(verb, &text));
        }
        Ok(values.map(Option::unwrap_or_default))
    }
}

fn garbled(verb: &str, text: &str) -> RunError {
    RunError::Garbled {
        verb: verb.to_owned(),
        reason: format!("fields are missing in `{}`", text.escape_debug()),
        console: crate::Console::default(),
    }
}

/// `name rest` lines.
fn pairs(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .collect()
}

fn number<T: FromStr>(text: Option<&&str>) -> Option<T> {
    text?.parse().ok()
}

fn hello(text: &str) -> Option<Hello> {
    let fields = pairs(text);
    let two = |name: &str| fields.get(name)?.split_once(' ');
    let (first, frames) = two("frames")?;
    let (address, bytes) = two("descriptors")?;
    Some(Hello {
        release: (*fields.get("release")?).to_owned(),
        compiler: (*fields.get("compiler")?).to_owned(),
        first: first.parse().ok()?,
        frames: frames.parse().ok()?,
        descriptors: (
            u64::from_str_radix(address, 16).ok()?,
            u64::from_str_radix(bytes, 16).ok()?,
        ),
        jobs: text
            .lines()
            .filter_map(|line| line.strip_prefix("job "))
            .map(str::to_owned)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "release 6.12.95\ncompiler gcc (Debian) 12\nframes 262144 4096\n\
        descriptors 90000000 40000\njob merging/add\njob layout/lookup\n";

    #[test]
    fn a_kernel_says_what_it_is() {
        let hello = hello(HELLO).unwrap();
        assert_eq!(hello.release, "6.12.95");
        assert_eq!(hello.compiler, "gcc (Debian) 12");
        assert_eq!((hello.first, hello.frames), (1 << 18, 1 << 12));
        assert_eq!(hello.descriptors, (0x9000_0000, 0x4_0000));
        assert_eq!(hello.jobs, ["merging/add", "layout/lookup"]);
    }

    #[test]
    fn a_kernel_that_leaves_something_out_is_not_believed() {
        for line in ["release", "compiler", "frames", "descriptors"] {
            let without: String = HELLO
                .lines()
                .filter(|l| !l.starts_with(line))
                .map(|l| format!("{l}\n"))
                .collect();
            assert_eq!(super::hello(&without), None, "{line}");
        }
    }
}
