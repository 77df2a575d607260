//! A job that takes a known part longer than the one it wraps.

use std::hint::black_box;

use registry::{Job, LinearRead, MemoryOf};
use stats::median;

use crate::clock::CLOCK;

/// The shortest time over which work is timed, in nanoseconds.
const LONG_ENOUGH_NS: u64 = 400_000;
/// The number of times that a median is taken of.
const TIMES: usize = 5;

/// A job of some design, and a burn after its calls of a given number of steps per call.
/// The loop itself stays as it is: every call is slower, by the same part.
pub struct Burning<'a> {
    job: &'a mut dyn Job,
    steps_per_call: f64,
}

impl std::fmt::Debug for Burning<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Burning")
            .field("steps_per_call", &self.steps_per_call)
            .finish_non_exhaustive()
    }
}

/// Steps of arithmetic, each waiting for the one before.
#[inline(never)]
fn burn(steps: u64) -> u64 {
    let mut x = black_box(1_u64);
    for _ in 0..steps {
        x = x.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
    }
    black_box(x)
}

impl<'a> Burning<'a> {
    /// The job as it is. It takes the same path as one that burns, so that the path makes
    /// no difference.
    pub fn not_at_all(job: &'a mut dyn Job) -> Self {
        Self {
            job,
            steps_per_call: 0.0,
        }
    }

    /// The job, slower by `percent`, as calibrated in this very process.
    pub fn by(job: &'a mut dyn Job, percent: f64) -> Self {
        let mut burning = Self::not_at_all(job);
        if percent > 0.0 {
            let steps = 100_000;
            let step_ns = middle(|| timed(|| burn(steps))) / steps as f64;
            let calls = burning.enough_calls();
            let call_ns = middle(|| burning.work_ns(calls)) / calls as f64;
            burning.steps_per_call = call_ns * percent / 100.0 / step_ns;
        }
        burning
    }

    /// The measured percentage by which it is slower: its burn beside its work, in turn.
    pub fn injected_percent(&mut self) -> f64 {
        let calls = self.enough_calls();
        let steps = self.steps(calls);
        middle(|| {
            let work = self.work_ns(calls);
            timed(|| burn(steps)) / work * 100.0
        })
    }

    fn steps(&self, calls: u64) -> u64 {
        (self.steps_per_call * calls as f64).round() as u64
    }

    /// Calls that are timed for calibration.
    fn enough_calls(&mut self) -> u64 {
        let mut calls = 1_u64;
        while self.work_ns(calls) < LONG_ENOUGH_NS as f64 && calls < 1 << 40 {
            calls *= 2;
        }
        calls
    }

    /// The nanoseconds that `calls` calls take, without burn and preparation.
    fn work_ns(&mut self, calls: u64) -> f64 {
        let mut ns = 0.0;
        let mut left = calls;
        while left > 0 {
            let some = left.min(self.job.max_iters().max(1));
            self.job.prepare(some);
            let job = &mut *self.job;
            let mut raw = 0;
            ns += timed(|| {
                raw = black_box(job.run(black_box(some)));
                raw
            });
            black_box(self.job.checksum(raw));
            left -= some;
        }
        ns
    }
}

fn timed(work: impl FnOnce() -> u64) -> f64 {
    let start = CLOCK.now_ns();
    black_box(work());
    (CLOCK.now_ns() - start) as f64
}

fn middle(mut time: impl FnMut() -> f64) -> f64 {
    let times: Vec<f64> = (0..TIMES).map(|_| time()).collect();
    median(&times).unwrap_or(f64::NAN)
}

impl Job for Burning<'_> {
    fn max_iters(&self) -> u64 {
        self.job.max_iters()
    }

    fn prepare(&mut self, iters: u64) {
        self.job.prepare(iters);
    }

    fn run(&mut self, iters: u64) -> u64 {
        let raw = self.job.run(iters);
        let steps = self.steps(iters);
        if steps > 0 {
            burn(steps);
        }
        raw
    }

    fn checksum(&mut self, raw: u64) -> u64 {
        self.job.checksum(raw)
    }

    fn elements(&self) -> u64 {
        self.job.elements()
    }

    fn bytes_touched(&self) -> Option<u64> {
        self.job.bytes_touched()
    }

    fn memory(&self) -> Vec<MemoryOf<'_>> {
        self.job.memory()
    }

    fn read_linearly(&mut self, iters: u64) -> Option<LinearRead> {
        self.job.read_linearly(iters)
    }
}
