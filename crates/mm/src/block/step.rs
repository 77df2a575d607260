//! A vec as the rules of the queue see it: what counting, splitting, merging and mapping
//! ask of it.

use super::bio::{BioClone, Bvec, BvecIter};
use crate::rules::{KernelRules, QueueLimits, SECTOR_SIZE};
use crate::{BlockIo, KernelVersion};
use physmem::{PAGE_SIZE, PhysAddr};

pub(super) const PAGE: u32 = PAGE_SIZE as u32;
pub(super) const SECTOR_SHIFT: u32 = SECTOR_SIZE.trailing_zeros();

/// One step of a walk by vec, as the kernel's own rules see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<R> {
    /// The page or unit that the vec points at.
    pub page: R,
    /// Bytes from `page` to the step's first byte (`bv_offset`). Where a vec names a whole unit
    /// they may be more than a page, as those of 6.1's `bio_add_folio` are, and the rules that
    /// test them against a mask see them so.
    pub offset: u32,
    /// Bytes.
    pub len: u32,
}

impl<R: Copy> Step<R> {
    /// `len` bytes of a vec after the first `done`.
    #[inline]
    pub fn of(vec: &Bvec<R>, done: u32, len: u32) -> Self {
        Self {
            page: vec.page,
            offset: vec.offset.wrapping_add(done),
            len,
        }
    }

    /// The rest of the vec that an iterator stands in, and that vec's whole length
    /// (`mp_bvec_iter_bvec`).
    #[inline]
    pub fn current(table: &[Bvec<R>], iter: &BvecIter) -> Option<(Self, u32)> {
        let vec = table.get(iter.idx as usize)?;
        let len = iter.size.min(vec.len.wrapping_sub(iter.done));
        Some((Self::of(vec, iter.done, len), vec.len))
    }

    /// The offset of the step's end.
    #[inline]
    pub fn end(&self) -> u32 {
        self.offset.wrapping_add(self.len)
    }

    /// The physical address of the first byte (`bvec_phys`).
    #[inline]
    pub fn phys<'d, D: BlockIo<BvPage<'d> = R>>(&self, design: &'d D) -> PhysAddr {
        design.phys(self.page) + u64::from(self.offset)
    }
}

/// The end of a vec, counted from the page that it begins in (`bv_offset + bv_len`). Where names
/// are of units `bv_offset` counts from there, and a kernel with such vecs looks at the offset in
/// the page (the patch `headpage`: `offset_in_page`).
#[inline]
pub(super) fn end_in_page<D: BlockIo>(offset: u32, len: u32) -> u32 {
    let offset = if D::NAMES_UNITS {
        offset % PAGE
    } else {
        offset
    };
    offset.wrapping_add(len)
}

/// Walks a part by vec (`bio_for_each_bvec`; `bio_for_each_segment` before v5.1, when a
/// vec was never more than a page).
#[derive(Debug)]
pub(super) struct Steps<'b, R, V> {
    part: BioClone<'b, R>,
    rules: std::marker::PhantomData<V>,
}

impl<'b, R: Copy, V: KernelRules> Steps<'b, R, V> {
    #[inline]
    pub fn over(part: &BioClone<'b, R>) -> Self {
        Self {
            part: *part,
            rules: std::marker::PhantomData,
        }
    }
}

impl<R: Copy, V: KernelRules> Iterator for Steps<'_, R, V> {
    type Item = Step<R>;

    #[inline]
    fn next(&mut self) -> Option<Step<R>> {
        let iter = &mut self.part.iter;
        if iter.size == 0 {
            return None;
        }
        let (step, vec_len) = Step::current(self.part.table, iter)?;
        if V::VERSION <= KernelVersion::V5_10 {
            iter.advance(self.part.table, step.len);
        } else {
            iter.advance_single(vec_len, step.len);
        }
        Some(step)
    }
}

/// Whether two neighbours in a table would leave a gap that the device cannot express
/// (`bvec_gap_to_prev`): the end of one or the start of the other, both counted from the
/// page that their vec starts in, is inside a unit of the virtual boundary.
#[inline]
pub(super) fn gap_to_prev(limits: &QueueLimits, prev_end: u32, offset: u32) -> bool {
    let mask = limits.virt_boundary_mask;
    mask != 0 && (u64::from(offset) & mask != 0 || u64::from(prev_end) & mask != 0)
}

/// Whether `next` physically follows `prev`, in the same boundary window
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

/// Maximum bytes, up to `len`, that one segment may take from `phys` on
/// (`get_max_segment_size`). `len` is not 0.
#[inline]
pub(super) fn max_segment_size(limits: &QueueLimits, phys: PhysAddr, len: u32) -> u32 {
    let mask = limits.seg_boundary_mask;
    let room = (mask - (mask & phys)).min(u64::from(limits.max_segment_size) - 1);
    // One is added after the minimum: the mask may be all ones.
    (room as u32).min(len - 1) + 1
}

/// Sectors from `sector` to the next unit boundary (`blk_boundary_sectors_left`).
#[inline]
pub(super) fn chunk_sectors_left(chunk_sectors: u32, sector: u64) -> u32 {
    if chunk_sectors.is_power_of_two() {
        chunk_sectors - (sector & u64::from(chunk_sectors - 1)) as u32
    } else {
        // Never 0 here: the callers test for it, and `.max(1)` keeps the panic path out.
        chunk_sectors - (sector % u64::from(chunk_sectors.max(1))) as u32
    }
}

/// The counts of a bio so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    /// Segments.
    pub segments: u32,
    /// Sectors under 5.10 rules, bytes later.
    pub amount: u32,
}

/// Adds the segments of one vec, as many as fit, to the counts of a bio
/// (`bvec_split_segs`, v5.1 and later). True where the bio must be cut inside the vec.
///
/// `phys` and `offset` are where the vec starts, in memory and counted from its page.
/// `most.amount` has the unit of [`Counted::amount`].
#[inline]
fn split_segs<V: KernelRules>(
    limits: &QueueLimits,
    phys: PhysAddr,
    offset: u32,
    vec_len: u32,
    counted: &mut Counted,
    most: Counted,
) -> bool {
    let in_sectors = V::VERSION <= KernelVersion::V5_10;
    let max_len = if in_sectors {
        let most = most.amount.min(u32::MAX >> SECTOR_SHIFT);
        most.wrapping_sub(counted.amount) << SECTOR_SHIFT
    } else {
        most.amount.wrapping_sub(counted.amount)
    };
    let mut len = vec_len.min(max_len);
    let mut total = 0_u32;
    while len != 0 && counted.segments < most.segments {
        let segment = max_segment_size(limits, phys + u64::from(total), len);
        counted.segments += 1;
        total += segment;
        len -= segment;
        if u64::from(offset.wrapping_add(total)) & limits.virt_boundary_mask != 0 {
            break;
        }
    }
    counted.amount += if in_sectors {
        total >> SECTOR_SHIFT
    } else {
        total
    };
    len > 0 || vec_len > max_len
}

/// [`split_segs`] as a split calls it.
#[inline(never)]
pub(super) fn bvec_split_segs<V: KernelRules>(
    limits: &QueueLimits,
    phys: PhysAddr,
    offset: u32,
    len: u32,
    counted: &mut Counted,
    most: &Counted,
) -> bool {
    split_segs::<V>(limits, phys, offset, len, counted, *most)
}

/// [`split_segs`] as a recount calls it, without a bound that matters.
#[inline(never)]
pub(super) fn bvec_count_segs<V: KernelRules>(
    limits: &QueueLimits,
    phys: PhysAddr,
    offset: u32,
    len: u32,
    counted: &mut Counted,
) {
    let most = Counted {
        segments: u32::MAX,
        amount: u32::MAX,
    };
    split_segs::<V>(limits, phys, offset, len, counted, most);
}
