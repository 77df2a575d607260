//! From bios to requests: submission under a plug, with merging.

use mm::QueueLimits;
use mm::block::AtomicLimits;

use crate::case::Refusal;

use super::bio::Bio;
use super::split::{Split, atomic_to_limits, in_requests, split_to_limits};
use super::{Kernel, gap_to_prev, max_sectors_at, phys_mergeable};

/// A request: bios that follow each other on the device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueuedRequest {
    /// The bios, in order of sector; never empty.
    pub bios: Vec<Bio>,
    /// The sum of what the splits counted (`nr_phys_segments`).
    pub segments: u32,
}

impl QueuedRequest {
    /// The first sector.
    pub fn sector(&self) -> u64 {
        self.bios[0].sector
    }

    /// Bytes; the kernel keeps them in 32 bits.
    pub fn bytes(&self) -> u32 {
        self.bios.iter().map(|bio| bio.size).sum::<u64>() as u32
    }

    /// `blk_attempt_bio_merge` and `ll_back_merge_fn`: whether `bio` may be appended.
    fn takes(&self, kernel: Kernel, limits: &QueueLimits, bio: &Bio, segments: u32) -> bool {
        let sectors = self.bytes() >> 9;
        let most = max_sectors_at(limits, self.sector());
        !self.bios[0].nomerge
            && !bio.nomerge
            && self.sector() + u64::from(sectors) == bio.sector
            && !self.will_gap(kernel, limits, bio)
            && u64::from(sectors) + (bio.size >> 9) <= u64::from(most)
            && self.segments + segments <= u32::from(limits.max_segments)
    }

    /// `bio_will_gap`: whether a virtual boundary keeps `bio` from following.
    fn will_gap(&self, kernel: Kernel, limits: &QueueLimits, bio: &Bio) -> bool {
        let mask = limits.virt_boundary_mask;
        if mask == 0 {
            return false;
        }
        let first = self.bios[0].bvecs()[0];
        let last = *self.bios[self.bios.len() - 1]
            .bvecs()
            .last()
            .expect("a bio has data");
        let next = bio.bvecs()[0];
        kernel.place(first) & mask != 0
            || (!phys_mergeable(kernel, limits, last, next)
                && gap_to_prev(kernel, limits, last, next))
    }
}

/// Submits bios in order under one plug (`submit_bio`, `blk_mq_submit_bio`) and returns the
/// requests that reach the driver. The front part of a split merges with nothing; the last
/// part may still be continued by the next bio.
///
/// # Errors
/// If the kernel refuses any part of any bio.
pub fn submit(
    kernel: impl Into<Kernel>,
    limits: &QueueLimits,
    bios: Vec<Bio>,
) -> Result<Vec<QueuedRequest>, Refusal> {
    let kernel = kernel.into();
    let cut = |bio: &Bio| split_to_limits(kernel, limits, bio);
    submit_cut(kernel, limits, bios, cut)
}

/// The same for atomic writes.
///
/// # Errors
/// If the kernel refuses any of them.
pub fn submit_atomic(
    kernel: impl Into<Kernel>,
    limits: &QueueLimits,
    atomic: &AtomicLimits,
    bios: Vec<Bio>,
) -> Result<Vec<QueuedRequest>, Refusal> {
    let kernel = kernel.into();
    let cut = |bio: &Bio| atomic_to_limits(kernel, limits, atomic, bio);
    submit_cut(kernel, &in_requests(limits, atomic), bios, cut)
}

fn submit_cut(
    kernel: Kernel,
    limits: &QueueLimits,
    bios: Vec<Bio>,
    cut: impl Fn(&Bio) -> Split,
) -> Result<Vec<QueuedRequest>, Refusal> {
    let mut requests: Vec<QueuedRequest> = Vec::new();
    for bio in bios {
        let mut rest = Some(bio);
        while let Some(bio) = rest.take() {
            let (part, segments) = match cut(&bio) {
                Split::Refused(refusal) => return Err(refusal),
                Split::Whole { segments } => (bio, segments),
                Split::At { segments, bytes } => {
                    let (front, back) = bio.split_at(bytes);
                    rest = Some(back);
                    (front, segments)
                }
            };
            match requests.last_mut() {
                Some(last) if last.takes(kernel, limits, &part, segments) => {
                    last.segments += segments;
                    last.bios.push(part);
                }
                _ => requests.push(QueuedRequest {
                    bios: vec![part],
                    segments,
                }),
            }
        }
    }
    Ok(requests)
}
