//! A prepared job: one design and one workload, resident, ready to be timed.

use hugemem::Mapping;
use mm::{DescriptorArray, Design};

/// One design, built and populated, and a loop over it.
///
/// A sample is `prepare(n)`, then, between two readings of the clock, `run(n)`, then
/// `checksum` of what it answered.
pub trait Job {
    /// Most calls of the loop's body in one [`Self::run`]: 1 where the state must be put
    /// back in between.
    fn max_iters(&self) -> u64;

    /// Puts the state back for `iters` calls. Outside the clock, before every run.
    fn prepare(&mut self, iters: u64);

    /// The work and nothing else. Answers a raw result, for [`Self::checksum`].
    fn run(&mut self, iters: u64) -> u64;

    /// The checksum of one call, the same for every design that did the same work.
    /// Outside the clock, after a run.
    fn checksum(&mut self, raw: u64) -> u64;

    /// Elements that one call handles.
    fn elements(&self) -> u64;

    /// Bytes of descriptor that one call reads, where that is what the row is about.
    fn bytes_touched(&self) -> Option<u64>;

    /// The memory that the job works on.
    fn memory(&self) -> Vec<MemoryOf<'_>>;

    /// Reads the same descriptor mapping from end to end, `iters` times, with plain loads
    /// of 8 bytes: what the memory gives at best. `None` where the workload has no such line.
    fn read_linearly(&mut self, iters: u64) -> Option<LinearRead>;

    /// The identity of the last run's executor, where that is not this thread: `None` where it
    /// is, and the caller's clock counts.
    fn outside(&self) -> Option<Outside> {
        None
    }
}

/// Nanoseconds that a run took where it was done, or why there is no answer.
pub type Outside = Result<f64, String>;

/// The result of a linear read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinearRead {
    /// Bytes that were read, all rounds together.
    pub bytes: u64,
    /// The sum of the words, so that they were really read.
    pub sum: u64,
}

/// A range of memory that a job works on.
#[derive(Clone, Copy, Debug)]
pub struct MemoryOf<'a> {
    /// `descriptors` or `payload`.
    pub what: &'static str,
    /// The mapping that it lies in.
    pub mapping: &'a Mapping,
}

/// The continuation that a job is handed to.
pub type Then<'a> = &'a mut dyn FnMut(&mut dyn Job);

/// The one implementation of [`Job`]: a state and what to do with it.
pub(crate) struct Prepared<'d, D, S, R, C> {
    /// The design that owns the descriptors.
    design: &'d D,
    /// The state that the loop works on.
    state: S,
    /// Elements of one call.
    elements: u64,
    /// The loop.
    run: R,
    /// The translation of its result.
    check: C,
    /// See [`Extras`].
    extras: Extras<S>,
}

/// The parts that only some jobs have.
pub(crate) struct Extras<S> {
    /// Puts the state back before every run, which is then one call.
    pub rewind: Option<fn(&mut S)>,
    /// Bytes of descriptor read by one call.
    pub bytes_touched: Option<u64>,
    /// Memory other than descriptors.
    pub payload: fn(&S) -> Vec<MemoryOf<'_>>,
    /// See [`Job::read_linearly`].
    pub read_linearly: Option<fn(&mut S, u64) -> LinearRead>,
}

impl<S> Default for Extras<S> {
    fn default() -> Self {
        Self {
            rewind: None,
            bytes_touched: None,
            payload: |_| Vec::new(),
            read_linearly: None,
        }
    }
}

impl<'d, D, S, R, C> Prepared<'d, D, S, R, C>
where
    R: FnMut(&mut S, u64) -> u64,
    C: FnMut(&mut S, u64) -> u64,
{
    /// A job whose body can run again and again.
    pub fn new(design: &'d D, state: S, elements: u64, run: R, check: C) -> Self {
        Self {
            design,
            state,
            elements,
            run,
            check,
            extras: Extras::default(),
        }
    }

    /// The same with what only some jobs have.
    pub fn with(self, extras: Extras<S>) -> Self {
        Self { extras, ..self }
    }
}

impl<D, S, R, C> Job for Prepared<'_, D, S, R, C>
where
    D: Design,
    R: FnMut(&mut S, u64) -> u64,
    C: FnMut(&mut S, u64) -> u64,
{
    fn max_iters(&self) -> u64 {
        if self.extras.rewind.is_some() {
            1
        } else {
            u64::MAX
        }
    }

    fn prepare(&mut self, _: u64) {
        if let Some(rewind) = self.extras.rewind {
            rewind(&mut self.state);
        }
    }

    fn run(&mut self, iters: u64) -> u64 {
        (self.run)(&mut self.state, iters)
    }

    fn checksum(&mut self, raw: u64) -> u64 {
        (self.check)(&mut self.state, raw)
    }

    fn elements(&self) -> u64 {
        self.elements
    }

    fn bytes_touched(&self) -> Option<u64> {
        self.extras.bytes_touched
    }

    fn memory(&self) -> Vec<MemoryOf<'_>> {
        memory_of(self.design.memory(), (self.extras.payload)(&self.state))
    }

    fn read_linearly(&mut self, iters: u64) -> Option<LinearRead> {
        self.extras
            .read_linearly
            .map(|read| read(&mut self.state, iters))
    }
}

/// Descriptors first; compiled once, not once for every loop of every design.
fn memory_of<'a>(
    arrays: Vec<DescriptorArray<'a>>,
    payload: Vec<MemoryOf<'a>>,
) -> Vec<MemoryOf<'a>> {
    let descriptors = arrays.into_iter().map(|array| MemoryOf {
        what: "descriptors",
        mapping: array.mapping,
    });
    descriptors.chain(payload).collect()
}

/// The true answer of a walk over something that does not change, found out once, outside
/// the clock, by other means than the timed loop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Truth {
    /// The checksum of what was visited, which no design can choose.
    pub checksum: u64,
    /// The loop's answer if it meets the same; it may hold values that are the design's own.
    pub raw: u64,
}

impl Truth {
    /// The checksum that stands for a raw result: the true one only for the true result.
    pub fn of(self, raw: u64) -> u64 {
        self.checksum ^ (self.raw ^ raw)
    }
}
