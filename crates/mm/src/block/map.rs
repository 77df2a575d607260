//! From a request's bios to a scatterlist, and the recount of segments.

use super::bio::{BioClone, BvecIter, Op};
use super::device::may_share_segment;
use super::step::{
    Counted, PAGE, Step, Steps, bvec_count_segs, end_in_page, max_segment_size, phys_mergeable,
};
use crate::rules::{KernelRules, QueueLimits};
use crate::{BlockIo, KernelVersion};
use physmem::{PAGE_SIZE, PhysAddr};

/// One entry of a scatterlist (`struct scatterlist`, 32 bytes with a DMA length of its own).
///
/// The kernel's `page_link` is the address of a descriptor with two tag bits; here it is
/// the physical address of the page with the same tag bits, so that an entry means the
/// same under every design. The DMA fields are filled in by the driver, not by mapping,
/// but they take their place in the cache lines that mapping writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct SgEntry {
    page_link: u64,
    offset: u32,
    length: u32,
    /// Bus address (`dma_address`).
    pub dma_address: u64,
    /// Bytes on the bus (`dma_length`).
    pub dma_length: u32,
    /// `dma_flags`.
    pub dma_flags: u32,
}

const _: () = assert!(size_of::<SgEntry>() == 32);

/// `SG_CHAIN`: the entry points at another table.
const CHAIN: u64 = 1;
/// `SG_END`: the entry is the last one.
const END: u64 = 2;

impl SgEntry {
    /// The physical address (`sg_phys`).
    #[inline]
    pub fn phys(&self) -> PhysAddr {
        (self.page_link & !(CHAIN | END)) + u64::from(self.offset)
    }

    /// Bytes.
    #[inline]
    pub fn length(&self) -> u32 {
        self.length
    }

    /// Whether this is the last entry of the list (`sg_is_last`).
    #[inline]
    pub fn is_last(&self) -> bool {
        self.page_link & END != 0
    }

    /// `sg_mark_end`: one store of the whole word. A narrower one would not be forwarded to the
    /// load when the entry is next filled.
    #[inline]
    fn mark_end(&mut self) {
        self.page_link = (self.page_link | END) & !CHAIN;
    }

    /// `sg_unmark_end`.
    #[inline]
    fn unmark_end(&mut self) {
        self.page_link &= !END;
    }

    /// `sg_set_page`: tag bits stay.
    #[inline]
    fn set_page(&mut self, page: PhysAddr, len: u32, offset: u32) {
        self.page_link = (self.page_link & (CHAIN | END)) | page;
        self.offset = offset;
        self.length = len;
    }
}

/// The table has no entry left: the caller gave less room than the request has segments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the scatterlist has no entry left")]
pub struct TableFull;

/// A scatterlist while it is filled.
struct Table<'s> {
    entries: &'s mut [SgEntry],
    /// Entries in use: the last of them is the kernel's `*last_sg`.
    used: usize,
}

impl Table<'_> {
    /// The last entry in use.
    #[inline]
    fn last(&mut self) -> Option<&mut SgEntry> {
        self.entries.get_mut(self.used.wrapping_sub(1))
    }

    /// The next entry (`blk_next_sg`): the mark of the end, which an earlier use of the
    /// table may have left, goes from the one before.
    #[inline]
    fn next(&mut self) -> Result<&mut SgEntry, TableFull> {
        let next = match self.last() {
            None => 0,
            Some(last) => {
                last.unmark_end();
                sg_next(self.entries, self.used - 1).ok_or(TableFull)?
            }
        };
        let entry = self.entries.get_mut(next).ok_or(TableFull)?;
        self.used = next + 1;
        Ok(entry)
    }
}

/// The entry after one (`sg_next`). Chained tables are not modelled: an entry that leads to one
/// ends the table.
#[inline(never)]
fn sg_next(entries: &[SgEntry], at: usize) -> Option<usize> {
    if entries.get(at)?.is_last() {
        return None;
    }
    let next = at + 1;
    (entries.get(next)?.page_link & CHAIN == 0).then_some(next)
}

/// Maps a request's bios to a scatterlist (`__blk_rq_map_sg`); returns the entries used.
///
/// 5.0 joins page after page, 5.10 to 6.12 map vec after vec and join only where one bio
/// follows another, 7.1 absorbs whole vecs past the end of one.
///
/// # Errors
/// [`TableFull`] where `table` is shorter than the list; a kernel would write past it.
#[inline(never)]
pub fn blk_rq_map_sg<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    bios: &[BioClone<'_, D::BvPage<'d>>],
    table: &mut [SgEntry],
) -> Result<u32, TableFull> {
    let mut table = Table {
        entries: table,
        used: 0,
    };
    match V::VERSION {
        KernelVersion::V5_0 => map_by_page::<V, D>(design, limits, bios, &mut table)?,
        KernelVersion::V5_10 | KernelVersion::V6_1 | KernelVersion::V6_12 => {
            map_by_vec::<V, D>(design, limits, bios, &mut table)?;
        }
        KernelVersion::V7_1 | KernelVersion::V7_2 => {
            map_by_run::<V, D>(design, limits, bios, &mut table)?
        }
    }
    if let Some(last) = table.last() {
        last.mark_end();
    }
    Ok(table.used as u32)
}

/// `__blk_segment_map_sg` before v5.1.
#[inline]
fn map_by_page<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    bios: &[BioClone<'_, D::BvPage<'d>>],
    table: &mut Table<'_>,
) -> Result<(), TableFull> {
    let mut prev: Option<Step<D::BvPage<'d>>> = None;
    for bio in bios {
        for step in Steps::<_, V>::over(bio) {
            match (table.last(), &prev) {
                (Some(entry), Some(prev))
                    if joins::<V, D>(design, limits, entry.length, prev, &step) =>
                {
                    entry.length += step.len;
                }
                _ => table
                    .next()?
                    .set_page(design.phys(step.page), step.len, step.offset),
            }
            prev = Some(step);
        }
    }
    Ok(())
}

/// Whether a step may join an entry of `length` bytes that ends with `prev`
/// (`__blk_segment_map_sg_merge`).
#[inline]
fn joins<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    length: u32,
    prev: &Step<D::BvPage<'d>>,
    step: &Step<D::BvPage<'d>>,
) -> bool {
    length.wrapping_add(step.len) <= limits.max_segment_size
        && phys_mergeable(
            limits,
            (prev.phys(design), prev.len),
            (step.phys(design), step.len),
        )
        && may_share_segment::<V, D>(design, prev.page, step.page)
}

/// `__blk_bios_map_sg`, v5.1 to v6.13.
#[inline]
fn map_by_vec<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    bios: &[BioClone<'_, D::BvPage<'d>>],
    table: &mut Table<'_>,
) -> Result<(), TableFull> {
    // The last vec of the bio before: vecs inside a bio were merged when it was built.
    let mut prev: Option<Step<D::BvPage<'d>>> = None;
    let mut new_bio = false;
    for bio in bios {
        let mut last = None;
        for step in Steps::<_, V>::over(bio) {
            let joined = new_bio
                && match (table.last(), &prev) {
                    (Some(entry), Some(prev))
                        if joins::<V, D>(design, limits, entry.length, prev, &step) =>
                    {
                        entry.length += step.len;
                        true
                    }
                    _ => false,
                };
            if !joined {
                if end_in_page::<D>(step.offset, step.len) <= PAGE {
                    let (page, offset) = first_page(design, &step);
                    table.next()?.set_page(page, step.len, offset);
                } else {
                    bvec_map_sg(limits, step.phys(design), step.len, table)?;
                }
            }
            new_bio = false;
            last = Some(step);
        }
        if bio.iter.size != 0 {
            prev = last;
            new_bio = true;
        }
    }
    Ok(())
}

/// The page that a step begins in and the offset there, as `__blk_bvec_map_sg` takes them: the
/// vec's own, or where vecs name units (the patch `headpage`) `bvec_page` and `offset_in_page`.
#[inline]
fn first_page<'d, D: BlockIo>(design: &'d D, step: &Step<D::BvPage<'d>>) -> (PhysAddr, u32) {
    if !D::NAMES_UNITS {
        return (design.phys(step.page), step.offset);
    }
    let phys = step.phys(design);
    (phys & !(PAGE_SIZE - 1), phys as u32 % PAGE)
}

/// The pieces of one vec (`blk_bvec_map_sg`); each starts inside its first page.
#[inline(never)]
fn bvec_map_sg(
    limits: &QueueLimits,
    mut phys: PhysAddr,
    mut left: u32,
    table: &mut Table<'_>,
) -> Result<(), TableFull> {
    while left != 0 {
        let len = max_segment_size(limits, phys, left);
        table
            .next()?
            .set_page(phys & !(PAGE_SIZE - 1), len, phys as u32 % PAGE);
        phys += u64::from(len);
        left -= len;
    }
    Ok(())
}

/// Where 7.1's mapping stands (`struct blk_map_iter`).
struct MapIter<'p, 'b, R> {
    bio: BioClone<'b, R>,
    iter: BvecIter,
    next: std::slice::Iter<'p, BioClone<'b, R>>,
}

impl<R: Copy> MapIter<'_, '_, R> {
    /// Goes on to the next bio where this one is used up (`__blk_map_iter_next`).
    #[inline]
    fn has_more(&mut self) -> bool {
        if self.iter.size != 0 {
            return true;
        }
        let Some(bio) = self.next.next() else {
            return false;
        };
        self.bio = *bio;
        self.iter = bio.iter;
        true
    }

    /// The next run of memory (`blk_map_iter_next`).
    #[inline]
    fn next_run<'d, V: KernelRules, D: BlockIo<BvPage<'d> = R>>(
        &mut self,
        design: &'d D,
        limits: &QueueLimits,
    ) -> Option<(PhysAddr, u32)> {
        if self.iter.size == 0 {
            return None;
        }
        let (step, vec_len) = Step::current(self.bio.table, &self.iter)?;
        let phys = step.phys(design);
        let max = max_segment_size(limits, phys, u32::MAX);
        let mut len = step.len.min(max);
        self.iter.advance_single(vec_len, len);
        // A vec that is used up may be followed by its neighbour: in the next bio, or
        // where the submitter did not pack the table.
        while (self.iter.size == 0 || self.iter.done == 0) && self.has_more() {
            let Some((next, next_vec_len)) = Step::current(self.bio.table, &self.iter) else {
                break;
            };
            if len.wrapping_add(next.len) > max
                || !phys_mergeable(limits, (phys, len), (next.phys(design), next.len))
                || !may_share_segment::<V, D>(design, step.page, next.page)
            {
                break;
            }
            len += next.len;
            self.iter.advance_single(next_vec_len, next.len);
        }
        Some((phys, len))
    }
}

#[inline]
fn map_by_run<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    bios: &[BioClone<'_, D::BvPage<'d>>],
    table: &mut Table<'_>,
) -> Result<(), TableFull> {
    let mut next = bios.iter();
    let Some(first) = next.next() else {
        return Ok(());
    };
    let mut runs = MapIter {
        bio: *first,
        iter: first.iter,
        next,
    };
    while let Some((phys, len)) = runs.next_run::<V, D>(design, limits) {
        table
            .next()?
            .set_page(phys & !(PAGE_SIZE - 1), len, phys as u32 % PAGE);
    }
    Ok(())
}

/// Recounts the segments of a request (`__blk_recalc_rq_segments` in 5.0,
/// `blk_recalc_rq_segments` later): page by page before multi-page bvecs, then by vec.
#[inline(never)]
pub fn blk_recalc_rq_segments<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    limits: &QueueLimits,
    bios: &[BioClone<'_, D::BvPage<'d>>],
) -> u32 {
    match bios.first() {
        None => return 0,
        Some(bio) if bio.op == Op::Discard => return 1,
        Some(_) => {}
    }
    if V::VERSION != KernelVersion::V5_0 {
        let mut counted = Counted::default();
        for bio in bios {
            for step in Steps::<_, V>::over(bio) {
                bvec_count_segs::<V>(
                    limits,
                    step.phys(design),
                    step.offset,
                    step.len,
                    &mut counted,
                );
            }
        }
        return counted.segments;
    }
    let (mut segments, mut amount) = (0_u32, 0_u32);
    let mut prev: Option<Step<D::BvPage<'d>>> = None;
    for bio in bios {
        for step in Steps::<_, V>::over(bio) {
            match &prev {
                Some(prev) if joins::<V, D>(design, limits, amount, prev, &step) => {
                    amount += step.len
                }
                _ => {
                    segments += 1;
                    amount = step.len;
                }
            }
            prev = Some(step);
        }
    }
    segments
}
