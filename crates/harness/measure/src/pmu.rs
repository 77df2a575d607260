//! Hardware counters, where the machine has any. What is not there is absent, never zero.

use perf_event::events::{Cache, CacheId, CacheOp, CacheResult, Hardware};
use perf_event::{Builder, Counter};

/// The counts between start and stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Instructions retired in user space.
    pub instructions: Option<u64>,
    /// Loads that missed the data TLB.
    pub dtlb_misses: Option<u64>,
}

impl std::ops::AddAssign for Counts {
    /// Adds event by event. An event that only one side counts keeps that side's count.
    fn add_assign(&mut self, more: Self) {
        let add = |mine: &mut Option<u64>, more: Option<u64>| {
            if let Some(more) = more {
                *mine = Some(mine.unwrap_or(0) + more);
            }
        };
        add(&mut self.instructions, more.instructions);
        add(&mut self.dtlb_misses, more.dtlb_misses);
    }
}

/// The counters of the calling thread.
#[derive(Debug, Default)]
pub struct Counters {
    instructions: Option<Counter>,
    dtlb_misses: Option<Counter>,
}

impl Counters {
    /// Opens what the machine and its settings let us open, which may be nothing.
    #[must_use]
    pub fn open() -> Self {
        let misses = Cache {
            which: CacheId::DTLB,
            operation: CacheOp::READ,
            result: CacheResult::MISS,
        };
        Self {
            instructions: Builder::new(Hardware::INSTRUCTIONS).build().ok(),
            dtlb_misses: Builder::new(misses).build().ok(),
        }
    }

    /// No counters, for tests and workloads on several threads.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether any counter could be opened.
    #[must_use]
    pub fn any(&self) -> bool {
        self.instructions.is_some() || self.dtlb_misses.is_some()
    }

    /// Sets the counters to zero and lets them run.
    pub fn start(&mut self) {
        for slot in [&mut self.instructions, &mut self.dtlb_misses] {
            let works = slot
                .as_mut()
                .is_none_or(|counter| counter.reset().and_then(|()| counter.enable()).is_ok());
            if !works {
                *slot = None;
            }
        }
    }

    /// Stops the counters and reads them.
    pub fn stop(&mut self) -> Counts {
        let read = |slot: &mut Option<Counter>| {
            let counter = slot.as_mut()?;
            counter.disable().ok()?;
            counter.read().ok()
        };
        Counts {
            instructions: read(&mut self.instructions),
            dtlb_misses: read(&mut self.dtlb_misses),
        }
    }
}
