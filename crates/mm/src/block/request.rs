//! Requests, and how bios are merged into them under a plug.

use super::bio::{BioClone, Op};
use super::device::may_share_segment;
use super::split::{SplitError, bio_split_to_limits};
use super::step::{Step, chunk_sectors_left, gap_to_prev, phys_mergeable};
use crate::BlockIo;
use crate::rules::{KernelRules, QueueLimits};

/// A request as it reaches the driver (`struct request`): bios that follow each other on the device.
#[derive(Clone, Debug)]
pub struct Request<'b, R> {
    bios: Vec<BioClone<'b, R>>,
    /// The first sector (`blk_rq_pos`).
    sector: u64,
    /// Bytes (`blk_rq_bytes`).
    data_len: u32,
    /// Segments as counted at the split (`nr_phys_segments`).
    segments: u32,
    op: Op,
    /// No bio may be merged any more (`REQ_NOMERGE`).
    nomerge: bool,
}

impl<'b, R: Copy> Request<'b, R> {
    /// A request of one bio (`blk_mq_bio_to_request`).
    #[inline]
    pub fn new(bio: BioClone<'b, R>, segments: u32) -> Self {
        Self {
            sector: bio.iter.sector,
            data_len: bio.iter.size,
            segments,
            op: bio.op,
            nomerge: bio.nomerge,
            bios: vec![bio],
        }
    }

    /// The bios, in order of sector.
    #[inline]
    pub fn bios(&self) -> &[BioClone<'b, R>] {
        &self.bios
    }

    /// The first 512-byte sector (`blk_rq_pos`).
    #[inline]
    pub fn sector(&self) -> u64 {
        self.sector
    }

    /// Bytes (`blk_rq_bytes`).
    #[inline]
    pub fn bytes(&self) -> u32 {
        self.data_len
    }

    /// Physical segments (`blk_rq_nr_phys_segments`).
    #[inline]
    pub fn segments(&self) -> u32 {
        self.segments
    }

    /// Merges a bio at the end where the queue allows it
    /// (`blk_attempt_bio_merge` for a back merge). `false` leaves the request without it;
    /// a request that would grow beyond a limit takes no further bio.
    #[inline]
    pub fn attempt_back_merge<'d, V: KernelRules, D: BlockIo<BvPage<'d> = R>>(
        &mut self,
        design: &'d D,
        limits: &QueueLimits,
        bio: &BioClone<'b, R>,
        segments: u32,
    ) -> bool {
        // blk_rq_merge_ok; integrity, encryption, hints and priorities are not modelled.
        if self.nomerge || bio.nomerge || self.op != bio.op {
            return false;
        }
        // blk_try_merge
        if self.sector + u64::from(self.data_len >> 9) != bio.iter.sector {
            return false;
        }
        if !self.back_merge_fits::<V, D>(design, limits, bio, segments) {
            return false;
        }
        self.bios.push(*bio);
        self.data_len += bio.iter.size;
        true
    }

    /// `ll_back_merge_fn`.
    #[inline(never)]
    fn back_merge_fits<'d, V: KernelRules, D: BlockIo<BvPage<'d> = R>>(
        &mut self,
        design: &'d D,
        limits: &QueueLimits,
        bio: &BioClone<'b, R>,
        segments: u32,
    ) -> bool {
        if limits.virt_boundary_mask != 0 && self.will_gap::<V, D>(design, limits, bio) {
            return false;
        }
        let sectors = u64::from(self.data_len >> 9) + u64::from(bio.iter.size >> 9);
        if sectors > u64::from(max_request_sectors(limits, self.sector)) {
            self.nomerge = true;
            return false;
        }
        // ll_new_hw_segment
        if self.segments + segments > u32::from(limits.max_segments) {
            self.nomerge = true;
            return false;
        }
        self.segments += segments;
        true
    }

    /// Whether joining the bio would leave a gap in the middle that the device cannot
    /// express (`bio_will_gap`).
    #[inline]
    fn will_gap<'d, V: KernelRules, D: BlockIo<BvPage<'d> = R>>(
        &self,
        design: &'d D,
        limits: &QueueLimits,
        next: &BioClone<'b, R>,
    ) -> bool {
        let (Some(head), Some(tail)) = (self.bios.first(), self.bios.last()) else {
            return false;
        };
        let (Some(first), Some(last), Some(next)) = (
            first_step::<R>(head),
            last_step::<R>(tail),
            first_step::<R>(next),
        ) else {
            return false;
        };
        if u64::from(first.offset) & limits.virt_boundary_mask != 0 {
            return true;
        }
        if phys_mergeable(
            limits,
            (last.phys(design), last.len),
            (next.phys(design), next.len),
        ) && may_share_segment::<V, D>(design, last.page, next.page)
        {
            return false;
        }
        gap_to_prev(limits, last.end(), next.offset)
    }
}

/// Maximum sectors of a request that starts at `sector` (`blk_rq_get_max_sectors`).
#[inline]
fn max_request_sectors(limits: &QueueLimits, sector: u64) -> u32 {
    if limits.chunk_sectors == 0 {
        return limits.max_sectors;
    }
    limits
        .max_sectors
        .min(chunk_sectors_left(limits.chunk_sectors, sector))
}

/// `bio_get_first_bvec`.
#[inline]
fn first_step<R: Copy>(bio: &BioClone<'_, R>) -> Option<Step<R>> {
    Step::current(bio.table, &bio.iter).map(|(step, _)| step)
}

/// `bio_get_last_bvec`: the last vec from its own start, up to where the bio ends.
#[inline]
fn last_step<R: Copy>(bio: &BioClone<'_, R>) -> Option<Step<R>> {
    let first = first_step::<R>(bio)?;
    if first.len == bio.iter.size {
        return Some(first);
    }
    let mut iter = bio.iter;
    iter.advance(bio.table, iter.size);
    if iter.done == 0 {
        let vec = bio.table.get((iter.idx as usize).wrapping_sub(1))?;
        Some(Step::of(vec, 0, vec.len))
    } else {
        let vec = bio.table.get(iter.idx as usize)?;
        Some(Step::of(vec, 0, iter.done))
    }
}

/// The requests that a task has started and not yet handed down (`struct blk_plug`).
///
/// Only the newest request is tried for a merge. Kernels up to 5.15 look at older ones
/// too, but bios that follow each other on the device end where the newest one starts.
#[derive(Clone, Debug)]
pub struct Plug<'b, R> {
    requests: Vec<Request<'b, R>>,
}

impl<R> Default for Plug<'_, R> {
    fn default() -> Self {
        Self {
            requests: Vec::new(),
        }
    }
}

impl<'b, R: Copy> Plug<'b, R> {
    /// Submits a bio: splits it, and merges or queues each part (`blk_mq_submit_bio`).
    ///
    /// # Errors
    /// [`SplitError`]; parts in front of the failing one stay queued.
    pub fn submit<'d, V: KernelRules, D: BlockIo<BvPage<'d> = R>>(
        &mut self,
        design: &'d D,
        limits: &QueueLimits,
        bio: BioClone<'b, R>,
    ) -> Result<(), SplitError> {
        bio_split_to_limits::<V, D>(design, limits, bio, |part, segments| {
            self.add::<V, D>(design, limits, part, segments);
        })
    }

    /// Merges a bio that fits the queue into the newest request, or starts one
    /// (`blk_attempt_plug_merge`, `blk_add_rq_to_plug`).
    #[inline]
    pub fn add<'d, V: KernelRules, D: BlockIo<BvPage<'d> = R>>(
        &mut self,
        design: &'d D,
        limits: &QueueLimits,
        bio: BioClone<'b, R>,
        segments: u32,
    ) {
        if let Some(newest) = self.requests.last_mut()
            && newest.attempt_back_merge::<V, D>(design, limits, &bio, segments)
        {
            return;
        }
        self.requests.push(Request::new(bio, segments));
    }

    /// The requests in the order in which they were started (`blk_finish_plug`).
    pub fn finish(self) -> Vec<Request<'b, R>> {
        self.requests
    }
}
