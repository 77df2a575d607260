//! A vec as the rules of the queue see it: what counting, splitting, merging and mapping
//! ask of it.

use super::bio::{Bvec, BvecIter, Part};
use crate::rules::{QueueLimits, Rules, SECTOR_SIZE};
use crate::{BlockIo, Version};
use physmem::{PAGE_SIZE, PhysAddr};

pub(super) const PAGE: u32 = PAGE_SIZE as u32;
pub(super) const SECTOR_SHIFT: u32 = SECTOR_SIZE.trailing_zeros();

/// One step of a walk by vec, as the kernel's own rules see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<R> {
    /// What the vec points at.
    pub page: R,
    /// Bytes from `page` to the step's first byte.
    pub start: u32,
    /// `bv_offset`: the same, but from the page that the vec starts in.
    pub offset: u32,
    /// Bytes.
    pub len: u32,
}

impl<R: Copy> Step<R> {
    /// `len` bytes of a vec behind the first `done`.
    #[inline]
    pub fn of<V: Rules>(vec: &Bvec<R>, done: u32, len: u32) -> Self {
        Self {
            page: vec.page,
            start: vec.offset.wrapping_add(done),
            offset: offset_in_first_page::<V>(vec.offset).wrapping_add(done),
            len,
        }
    }

    /// The rest of the vec that an iterator stands in, and that vec's whole length
    /// (`mp_bvec_iter_bvec`).
    #[inline]
    pub fn current<V: Rules>(table: &[Bvec<R>], iter: &BvecIter) -> Option<(Self, u32)> {
        let vec = table.get(iter.idx as usize)?;
        let len = iter.size.min(vec.len.wrapping_sub(iter.done));
        Some((Self::of::<V>(vec, iter.done, len), vec.len))
    }

    /// The physical address of the first byte (`bvec_phys`).
    #[inline]
    pub fn phys<'d, D: BlockIo<Ref<'d> = R>>(&self, design: &'d D) -> PhysAddr {
        design.phys(self.page) + u64::from(self.start)
    }
}

/// Where the vec starts in its first page. Rules that test `bv_offset` against a page or
/// a mask mean that page, so a vec that names a whole unit is asked the same question.
/// Under 6.1 `bio_add_folio` itself stores offsets beyond a page, and the rules see them.
#[inline]
pub(super) fn offset_in_first_page<V: Rules>(offset: u32) -> u32 {
    match V::VERSION {
        Version::V6_1 => offset,
        _ => offset % PAGE,
    }
}

/// Walks a part by vec (`bio_for_each_bvec`; `bio_for_each_segment` before v5.1, when a
/// vec was never more than a page).
#[derive(Debug)]
pub(super) struct Steps<'b, R, V> {
    part: Part<'b, R>,
    rules: std::marker::PhantomData<V>,
}

impl<'b, R: Copy, V: Rules> Steps<'b, R, V> {
    #[inline]
    pub fn over(part: &Part<'b, R>) -> Self {
        Self {
            part: *part,
            rules: std::marker::PhantomData,
        }
    }
}

impl<R: Copy, V: Rules> Iterator for Steps<'_, R, V> {
    type Item = Step<R>;

    #[inline]
    fn next(&mut self) -> Option<Step<R>> {
        let iter = &mut self.part.iter;
        if iter.size == 0 {
            return None;
        }
        let (step, vec_len) = Step::current::<V>(self.part.table, iter)?;
        iter.advance_single(vec_len, step.len);
        Some(step)
    }
}

/// Whether two neighbours in a table would leave a gap that the device cannot express
/// (`bvec_gap_to_prev`): the end of one or the start of the other is inside a unit of the
/// virtual boundary.
#[inline]
pub(super) fn gap_to_prev<R>(limits: &QueueLimits, prev: &Step<R>, offset: u32) -> bool {
    let mask = limits.virt_boundary_mask;
    mask != 0
        && (u64::from(offset) & mask != 0
            || u64::from(prev.offset.wrapping_add(prev.len)) & mask != 0)
}

/// Whether `next` lies physically behind `prev` and in the same boundary window
/// (`biovec_phys_mergeable`).
#[inline]
pub(super) fn phys_mergeable(
    limits: &QueueLimits,
    (prev, prev_len): (PhysAddr, u32),
    (next, next_len): (PhysAddr, u32),
) -> bool {
    let mask = limits.seg_boundary_mask;
    prev + u64::from(prev_len) == next && (prev | mask) == ((next + u64::from(next_len) - 1) | mask)
}

/// Most bytes, up to `len`, that one segment may take from `phys` on
/// (`get_max_segment_size`).
#[inline]
pub(super) fn max_segment_size(limits: &QueueLimits, phys: PhysAddr, len: u32) -> u32 {
    let mask = limits.seg_boundary_mask;
    // One is added after the minimum: the mask may be all ones.
    let room = (mask - (mask & phys)).min(u64::from(limits.max_segment_size) - 1) + 1;
    room.min(u64::from(len)) as u32
}

/// Sectors from `sector` to the next chunk boundary (`blk_boundary_sectors_left`).
#[inline]
pub(super) fn chunk_sectors_left(chunk_sectors: u32, sector: u64) -> u32 {
    if chunk_sectors.is_power_of_two() {
        chunk_sectors - (sector & u64::from(chunk_sectors - 1)) as u32
    } else {
        // Never 0 here: the callers test for it, and `.max(1)` keeps the panic path out.
        chunk_sectors - (sector % u64::from(chunk_sectors.max(1))) as u32
    }
}

/// Adds the segments of one vec, as many as fit, to the counts of a bio
/// (`bvec_split_segs`, v5.1 and later). True where the bio must be cut inside the vec.
///
/// `amount` and `max_amount` are sectors under 5.10 rules and bytes later.
#[inline(never)]
pub(super) fn bvec_split_segs<'d, V: Rules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    step: &Step<D::Ref<'d>>,
    segments: &mut u32,
    amount: &mut u32,
    max_segments: u32,
    max_amount: u32,
) -> bool {
    let in_sectors = V::VERSION <= Version::V5_10;
    let max_len = if in_sectors {
        max_amount
            .min(u32::MAX >> SECTOR_SHIFT)
            .wrapping_sub(*amount)
            << SECTOR_SHIFT
    } else {
        max_amount.wrapping_sub(*amount)
    };
    let mut len = step.len.min(max_len);
    let mut total = 0_u32;
    let phys = step.phys(design);
    while len != 0 && *segments < max_segments {
        let segment = max_segment_size(limits, phys + u64::from(total), len);
        *segments += 1;
        total += segment;
        len -= segment;
        if u64::from(step.offset.wrapping_add(total)) & limits.virt_boundary_mask != 0 {
            break;
        }
    }
    *amount += if in_sectors {
        total >> SECTOR_SHIFT
    } else {
        total
    };
    len > 0 || step.len > max_len
}
