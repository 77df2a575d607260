//! Laws of splitting, counting and mapping under a queue's limits.

use mm::block::{
    Bio, BioClone, Bvecs, SgEntry, bio_split_to_limits, blk_recalc_rq_segments, blk_rq_map_sg,
};
use mm::{BlockIo, KernelRules, KernelVersion, QueueLimits, SECTOR_SIZE, with_rules};
use physmem::PAGE_SIZE;

use super::{Law, bytes_of, for_bios, holds, taken};
use crate::evaluate::{anon_and_file, with_bios};
use crate::laws::cases::{for_each_case, in_one_page, joined};

/// One part of a split, and what was counted for it.
struct Piece<'b, R> {
    part: BioClone<'b, R>,
    segments: u32,
    /// Whether 6.12 sent it on whole because nothing was left in front of the cut.
    uncut: bool,
}

/// Splits all bios of a case that are whole blocks; nothing where the kernel refuses.
#[inline(never)]
fn pieces<'d, 'b, D: BlockIo, V: KernelRules>(
    design: &'d D,
    limits: &QueueLimits,
    bios: &'b [Bio<D::BvPage<'d>>],
) -> Vec<Vec<Piece<'b, D::BvPage<'d>>>> {
    let block = match V::VERSION {
        KernelVersion::V5_0 | KernelVersion::V5_10 | KernelVersion::V6_1 => SECTOR_SIZE as u32,
        KernelVersion::V6_12 | KernelVersion::V7_1 | KernelVersion::V7_2 => {
            limits.logical_block_size
        }
    };
    let mask = u64::from(block) - 1;
    let whole_blocks = |bio: &&Bio<_>| {
        let iter = bio.iter;
        iter.size > 0 && ((iter.sector * SECTOR_SIZE) | u64::from(iter.size)) & mask == 0
    };
    let mut out = Vec::new();
    for bio in bios.iter().filter(whole_blocks) {
        let mut pieces = Vec::new();
        let split = bio_split_to_limits::<V, D>(design, limits, bio.part(), |part, segments| {
            // Only what is left of a bio can go on whole, and its count is too small then.
            let no_gaps = QueueLimits {
                virt_boundary_mask: 0,
                ..*limits
            };
            let uncut = V::VERSION == KernelVersion::V6_12
                && !part.nomerge
                && blk_recalc_rq_segments::<V, D>(design, &no_gaps, &[part]) > segments;
            pieces.push(Piece {
                part,
                segments,
                uncut,
            });
        });
        if split.is_ok() {
            out.push(pieces);
        }
    }
    out
}

/// Runs a law over the parts of every bio of every case whose limits a kernel takes.
macro_rules! for_pieces {
    ($d:ty, |$design:ident, $limits:ident, $pieces:ident, $v:ident| $look:expr) => {
        for_each_case::<$d>(0, |$design, case| {
            let Ok($limits) = case.limits.effective(case.rules) else {
                return Ok(());
            };
            let $limits = &$limits;
            for_bios!($design, case, |built, $v| {
                pieces::<$d, $v>($design, $limits, &built.bios)
                    .iter()
                    .try_for_each(|$pieces| $look)
            })
        })
    };
}

/// The parts of a split follow each other on the device and in memory and add up to the
/// bio; each but the last is whole blocks, and none has more segments than the queue takes.
pub fn split_parts_add_up<D: BlockIo>() {
    fn add_up<'d, D: BlockIo, V: KernelRules>(
        design: &'d D,
        limits: &QueueLimits,
        pieces: &[Piece<'_, D::BvPage<'d>>],
    ) -> Law {
        let walk = |part: &BioClone<'_, D::BvPage<'d>>| {
            Bvecs::over(part)
                .map(|v| (v.page, v.offset, v.len))
                .collect::<Vec<_>>()
        };
        let first = &pieces[0].part;
        let mut whole = *first;
        whole.iter.size = pieces.iter().map(|piece| piece.part.iter.size).sum();
        let parts = bytes_of(design, pieces.iter().flat_map(|piece| walk(&piece.part)));
        let bytes = bytes_of(design, walk(&whole));
        holds(parts == bytes, || {
            format!("the parts cover {parts:x?}, the bio {bytes:x?}")
        })?;
        let mut sector = first.iter.sector;
        for (at, piece) in pieces.iter().enumerate() {
            let iter = &piece.part.iter;
            holds(iter.sector == sector, || {
                format!("part {at} starts at sector {}, not {sector}", iter.sector)
            })?;
            sector += u64::from(iter.size >> 9);
            let cut = at + 1 < pieces.len();
            let block = if V::VERSION < KernelVersion::V6_1 {
                SECTOR_SIZE as u32
            } else {
                limits.logical_block_size
            };
            holds(!cut || iter.size.is_multiple_of(block), || {
                format!("part {at} of {} bytes is no whole block", iter.size)
            })?;
            holds(cut == piece.part.nomerge, || {
                format!("part {at}: merged later? {}", !piece.part.nomerge)
            })?;
            holds(piece.segments <= u32::from(limits.max_segments), || {
                format!("part {at} has {} segments", piece.segments)
            })?;
        }
        Ok(())
    }
    for_pieces!(D, |design, limits, pieces, V| add_up::<D, V>(
        design, limits, pieces
    ));
    for_each_case::<D>(0, |design, case| {
        let Some(taken) = taken(design, case)? else {
            return Ok(());
        };
        let accepted: u64 = taken.accepted.iter().map(|&n| u64::from(n)).sum();
        let submitted: u64 = taken
            .bios
            .iter()
            .map(|request| u64::from(request.bytes))
            .sum();
        holds(submitted == accepted, || {
            format!("{accepted} bytes accepted, {submitted} in requests")
        })
    });
}

/// No scatterlist has more entries than segments were counted for it: drivers size their
/// tables by the count. (6.12 breaks this itself where a cut would fall inside the first
/// block: it sends the bio on whole.)
pub fn segments_bound_the_scatterlist<D: BlockIo>() {
    fn bound<'d, D: BlockIo, V: KernelRules>(
        design: &'d D,
        limits: &QueueLimits,
        pieces: &[Piece<'_, D::BvPage<'d>>],
    ) -> Law {
        let counted = || pieces.iter().filter(|piece| !piece.uncut);
        let longest = counted().map(|piece| piece.segments).max().unwrap_or(0);
        let mut table = vec![SgEntry::default(); longest as usize];
        // Twice, so that long lists follow short ones: a table keeps what was in it.
        for piece in counted().chain(counted()) {
            let before = table.clone();
            let room = &mut table[..piece.segments as usize];
            let used = blk_rq_map_sg::<V, D>(design, limits, &[piece.part], room)
                .map_err(|_| format!("more than {} entries for as many segments", piece.segments))?
                as usize;
            holds(table[used..] == before[used..], || {
                "entries behind the end were written".to_owned()
            })?;
            let used = &table[..used];
            let ends = used.iter().filter(|entry| entry.is_last()).count();
            holds(
                ends == 1 && used.last().is_some_and(SgEntry::is_last),
                || format!("{ends} of {} entries are marked as the end", used.len()),
            )?;
        }
        Ok(())
    }
    for_pieces!(D, |design, limits, pieces, V| bound::<D, V>(
        design, limits, pieces
    ));
}

/// Recounting the segments of a bio gives what the split counted; of a part that was
/// cut off, at most that.
pub fn recounts_agree_with_the_split<D: BlockIo>() {
    fn agrees<'d, D: BlockIo, V: KernelRules>(
        design: &'d D,
        limits: &QueueLimits,
        pieces: &[Piece<'_, D::BvPage<'d>>],
    ) -> Law {
        for piece in pieces.iter().filter(|piece| !piece.uncut) {
            let again = blk_recalc_rq_segments::<V, D>(design, limits, &[piece.part]);
            let agrees = match piece.part.nomerge {
                true => again <= piece.segments,
                false => again == piece.segments,
            };
            holds(agrees, || {
                format!(
                    "{} segments at the split, {again} counted anew",
                    piece.segments
                )
            })?;
        }
        Ok(())
    }
    for_pieces!(D, |design, limits, pieces, V| {
        // The short cuts of a split take a page for one segment, as every device must.
        if u64::from(limits.max_segment_size) < PAGE_SIZE {
            return Ok(());
        }
        agrees::<D, V>(design, limits, pieces)
    });
}

/// The scatterlists of a case's requests cover the bytes of its tables, in order, and each
/// entry keeps to the longest segment and to one boundary window.
pub fn scatterlists_keep_to_the_limits<D: BlockIo>() {
    for_each_case::<D>(0, |design, case| {
        let Some(taken) = taken(design, case)? else {
            return Ok(());
        };
        let limits = case
            .limits
            .effective(case.rules)
            .map_err(|_| "limits refused, case taken")?;
        let entries = || {
            taken
                .bios
                .iter()
                .flat_map(|request| request.sg.iter().copied())
        };
        let mapped = joined(entries().map(|(phys, len)| (phys, u64::from(len))));
        let tables = taken
            .vecs
            .iter()
            .map(|&(pfn, offset, len)| (pfn * PAGE_SIZE + u64::from(offset), u64::from(len)));
        let tables = joined(tables);
        holds(mapped == tables, || {
            format!("mapped {mapped:x?}, in the tables {tables:x?}")
        })?;
        for (phys, len) in entries() {
            let last = phys + u64::from(len) - 1;
            let mask = limits.seg_boundary_mask;
            holds(phys | mask == last | mask, || {
                format!("entry {phys:#x}+{len} crosses a boundary of {mask:#x}")
            })?;
            let longest = u64::from(limits.max_segment_size);
            holds(u64::from(len) <= longest || in_one_page(phys, len), || {
                format!("entry {phys:#x}+{len} is longer than {longest}")
            })?;
        }
        Ok(())
    });
}
