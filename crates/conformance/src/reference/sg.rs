//! From a request to the scatterlist that the driver programs (`blk_rq_map_sg`).

use mm::{KernelVersion, QueueLimits};

use crate::case::PAGE_SIZE;

use super::bio::Bvec;
use super::request::QueuedRequest;
use super::{Change, Kernel, phys_mergeable, segment_room};

/// The scatterlist of a request: physical address and bytes of each entry.
pub fn map_sg(
    kernel: impl Into<Kernel>,
    limits: &QueueLimits,
    request: &QueuedRequest,
) -> Vec<(u64, u32)> {
    let kernel = kernel.into();
    if kernel.change == Some(Change::SinglePage) {
        return join_pages(kernel, limits, request);
    }
    match kernel.rules {
        KernelVersion::V5_0 => join_pages(kernel, limits, request),
        KernelVersion::V5_10 | KernelVersion::V6_1 | KernelVersion::V6_12 => {
            join_at_bio_seams(kernel, limits, request)
        }
        KernelVersion::V7_1 | KernelVersion::V7_2 => absorb_vecs(kernel, limits, request),
    }
}

/// 5.0: `__blk_segment_map_sg`. Each page joins the entry before it or opens one.
fn join_pages(kernel: Kernel, limits: &QueueLimits, request: &QueuedRequest) -> Vec<(u64, u32)> {
    let mut sg: Vec<(u64, u32)> = Vec::new();
    let mut prev: Option<Bvec> = None;
    for piece in request.bios.iter().flat_map(|bio| bio.segments()) {
        match sg.last_mut() {
            Some(entry) if joins(kernel, limits, entry.1, prev, piece) => entry.1 += piece.len,
            _ => sg.push((piece.phys(), piece.len)),
        }
        prev = Some(piece);
    }
    sg
}

/// 5.10 to 6.12: `__blk_bios_map_sg`. Vecs of one bio were merged when they were added, so
/// only the first vec of a following bio, whole, may still join the last entry.
fn join_at_bio_seams(
    kernel: Kernel,
    limits: &QueueLimits,
    request: &QueuedRequest,
) -> Vec<(u64, u32)> {
    let mut sg: Vec<(u64, u32)> = Vec::new();
    let mut last_of_bio: Option<Bvec> = None;
    for bio in &request.bios {
        let vecs = bio.bvecs();
        for (i, &vec) in vecs.iter().enumerate() {
            match sg.last_mut() {
                Some(entry) if i == 0 && joins(kernel, limits, entry.1, last_of_bio, vec) => {
                    entry.1 += vec.len
                }
                _ => chop(kernel, limits, vec, &mut sg),
            }
        }
        last_of_bio = vecs.last().copied();
    }
    sg
}

fn joins(
    kernel: Kernel,
    limits: &QueueLimits,
    entry_len: u32,
    prev: Option<Bvec>,
    next: Bvec,
) -> bool {
    // The kernel adds the lengths in 32 bits; no bio comes near.
    u64::from(entry_len) + u64::from(next.len) <= u64::from(limits.max_segment_size)
        && prev.is_some_and(|prev| phys_mergeable(kernel, limits, prev, next))
}

/// `__blk_bvec_map_sg`, or for a vec beyond its page `blk_bvec_map_sg`: one entry for each
/// segment's worth.
fn chop(kernel: Kernel, limits: &QueueLimits, vec: Bvec, sg: &mut Vec<(u64, u32)>) {
    // Every device takes a piece of one page, even where 6.12 lets one state a smaller segment.
    if kernel.end_in_page(vec) <= PAGE_SIZE {
        sg.push((vec.phys(), vec.len));
        return;
    }
    let mut at = vec.phys();
    while at < vec.end() {
        let len = segment_room(limits, at).min(vec.end() - at);
        sg.push((at, len as u32));
        at += len;
    }
}

/// 7.1: `blk_map_iter_next`. An entry that reaches the end of its vec absorbs the vecs after it, of
/// the next bio too, each as a whole.
fn absorb_vecs(kernel: Kernel, limits: &QueueLimits, request: &QueuedRequest) -> Vec<(u64, u32)> {
    let vecs: Vec<Bvec> = request.bios.iter().flat_map(|bio| bio.bvecs()).collect();
    let mut sg = Vec::new();
    let (mut next, mut done) = (0, 0);
    while next < vecs.len() {
        let vec = vecs[next];
        let left = Bvec {
            offset: vec.offset + done,
            len: vec.len - done,
            ..vec
        };
        let room = segment_room(limits, left.phys());
        let mut entry = Bvec {
            len: u64::from(left.len).min(room) as u32,
            ..left
        };
        if entry.len < left.len {
            done += entry.len;
        } else {
            (next, done) = (next + 1, 0);
            while next < vecs.len()
                && u64::from(entry.len) + u64::from(vecs[next].len) <= room
                && phys_mergeable(kernel, limits, entry, vecs[next])
            {
                entry.len += vecs[next].len;
                next += 1;
            }
        }
        sg.push((entry.phys(), entry.len));
    }
    sg
}
