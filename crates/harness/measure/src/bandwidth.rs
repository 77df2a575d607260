//! How fast a walk reads its descriptors, beside how fast that very mapping can be read.

use std::hint::black_box;

use serde::{Deserialize, Serialize};
use workloads::Job;

use crate::clock::CLOCK;

/// The minimum number of bytes that are read between two readings of the clock.
const MIN_BYTES: u64 = 8 << 20;

/// Reading speeds of one job's descriptor mapping in one process.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Speed {
    /// Bytes of the mapping that are read from end to end.
    pub bytes: u64,
    /// Bytes per second of the linear read, median of the rounds.
    pub linear: f64,
    /// Bytes of descriptor per second of the workload's own walk, median of the rounds.
    pub walk: f64,
    /// Walk by linear read, median of the rounds' ratios.
    pub share: f64,
}

/// Reads linearly and walks in turn, so that a neighbour on the machine slows both. `None`
/// where the job has no linear read.
pub(crate) fn compare(job: &mut dyn Job, rounds: u32) -> Option<Speed> {
    let touched = job.bytes_touched()?;
    let bytes = job.read_linearly(1)?.bytes;
    let times = |bytes: u64| MIN_BYTES.div_ceil(bytes.max(1));
    let (reads, walks) = (times(bytes), times(touched).min(job.max_iters()));
    let (mut linear, mut walk, mut share) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let start = CLOCK.now_ns();
        let read = black_box(job.read_linearly(reads)?);
        let read_ns = CLOCK.now_ns() - start;
        job.prepare(walks);
        let start = CLOCK.now_ns();
        let raw = black_box(job.run(walks));
        let walk_ns = CLOCK.now_ns() - start;
        job.checksum(raw);
        let per_second = |bytes: u64, ns: u64| bytes as f64 * 1e9 / ns.max(1) as f64;
        linear.push(per_second(read.bytes, read_ns));
        walk.push(per_second(touched * walks, walk_ns));
        share.push(per_second(touched * walks, walk_ns) / per_second(read.bytes, read_ns));
    }
    Some(Speed {
        bytes,
        linear: stats::median(&linear)?,
        walk: stats::median(&walk)?,
        share: stats::median(&share)?,
    })
}
