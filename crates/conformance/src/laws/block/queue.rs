//! Laws of splitting, counting and mapping under a queue's limits.

use mm::block::{Bio, BioClone, Bvecs, SgEntry};
use mm::{BlockIo, BvPages, KernelVersion, QueueLimits, SECTOR_SIZE};
use physmem::PAGE_SIZE;

use super::{Law, for_bios, holds, taken};
use crate::case::{Case, Taken};
use crate::evaluate::Built;
use crate::laws::cases::{Runs, for_each_case, in_one_page};
use crate::under::Under;

/// One part of a split, and what was counted for it.
struct Piece<'b, R> {
    part: BioClone<'b, R>,
    segments: u32,
    /// Whether 6.12 sent it on whole because nothing was left in front of the cut.
    uncut: bool,
}

/// Splits all bios of a case that are whole blocks; nothing where the kernel refuses.
#[inline(never)]
fn pieces<'d, 'b, D: BlockIo>(
    design: &'d D,
    under: Under,
    limits: &QueueLimits,
    bios: &'b [Bio<D::BvPage<'d>>],
) -> Vec<Vec<Piece<'b, D::BvPage<'d>>>> {
    let block = match under.version() {
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
        let split = under.bio_split_to_limits(design, limits, bio.part(), &mut |part, segments| {
            // Only what is left of a bio can go on whole, and its count is too small then.
            let no_gaps = QueueLimits {
                virt_boundary_mask: 0,
                ..*limits
            };
            let uncut = under.version() == KernelVersion::V6_12
                && !part.nomerge
                && under.blk_recalc_rq_segments(design, &no_gaps, &[part]) > segments;
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

/// A law of the parts of a bio under a queue's limits.
type OfPieces<D> =
    for<'d> fn(&'d D, Under, &QueueLimits, &[Piece<'_, <D as BvPages>::BvPage<'d>>]) -> Law;

/// Holds a law over the parts of every bio of a case whose limits a kernel takes.
fn hold_pieces<'d, D: BlockIo>(
    law: OfPieces<D>,
    design: &'d D,
    under: Under,
    case: &Case,
    built: &Built<'d, D>,
) -> Law {
    let Ok(limits) = case.limits.effective(case.rules) else {
        return Ok(());
    };
    let mut all = pieces(design, under, &limits, &built.bios).into_iter();
    all.try_for_each(|pieces| law(design, under, &limits, &pieces))
}

/// The parts of a split follow each other on the device and in memory and add up to the
/// bio; each but the last is whole blocks, and none has more segments than the queue takes.
pub fn split_parts_add_up<D: BlockIo>() {
    fn walk<'d, D: BlockIo>(design: &'d D, runs: &mut Runs, part: &BioClone<'_, D::BvPage<'d>>) {
        for vec in Bvecs::over(part) {
            runs.push(
                design.phys(vec.page) + u64::from(vec.offset),
                vec.len.into(),
            );
        }
    }
    fn add_up<'d, D: BlockIo>(
        design: &'d D,
        under: Under,
        limits: &QueueLimits,
        pieces: &[Piece<'_, D::BvPage<'d>>],
    ) -> Law {
        let first = &pieces[0].part;
        let mut whole = *first;
        whole.iter.size = pieces.iter().map(|piece| piece.part.iter.size).sum();
        let (mut parts, mut bytes) = (Runs::default(), Runs::default());
        for piece in pieces {
            walk(design, &mut parts, &piece.part);
        }
        walk(design, &mut bytes, &whole);
        holds(parts == bytes, || {
            format!("the parts cover {parts:x?}, the bio {bytes:x?}")
        })?;
        let mut sector = first.iter.sector;
        let block = if under.version() < KernelVersion::V6_1 {
            SECTOR_SIZE as u32
        } else {
            limits.logical_block_size
        };
        for (at, piece) in pieces.iter().enumerate() {
            let iter = &piece.part.iter;
            holds(iter.sector == sector, || {
                format!("part {at} starts at sector {}, not {sector}", iter.sector)
            })?;
            sector += u64::from(iter.size >> 9);
            let cut = at + 1 < pieces.len();
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
    fn submitted(taken: &Taken) -> Law {
        let accepted: u64 = taken.accepted.iter().map(|&n| u64::from(n)).sum();
        let requests = taken.bios.iter();
        let submitted: u64 = requests.map(|request| u64::from(request.bytes)).sum();
        holds(submitted == accepted, || {
            format!("{accepted} bytes accepted, {submitted} in requests")
        })
    }
    for_bios::<D>(|design, under, case, built| hold_pieces(add_up, design, under, case, built));
    for_each_case::<D>(&|design, case| taken(design, case)?.as_ref().map_or(Ok(()), submitted));
}

/// No scatterlist has more entries than segments were counted for it: drivers size their
/// tables by the count. (6.12 breaks this itself where a cut would fall inside the first
/// block: it sends the bio on whole.)
pub fn segments_bound_the_scatterlist<D: BlockIo>() {
    fn bound<'d, D: BlockIo>(
        design: &'d D,
        under: Under,
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
            let used = under
                .blk_rq_map_sg(design, limits, &[piece.part], room)
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
    for_bios::<D>(|design, under, case, built| hold_pieces(bound, design, under, case, built));
}

/// Recounting the segments of a bio gives what the split counted; of a part that was
/// cut off, at most that.
pub fn recounts_agree_with_the_split<D: BlockIo>() {
    fn agrees<'d, D: BlockIo>(
        design: &'d D,
        under: Under,
        limits: &QueueLimits,
        pieces: &[Piece<'_, D::BvPage<'d>>],
    ) -> Law {
        // The short cuts of a split take a page for one segment, as every device must.
        if u64::from(limits.max_segment_size) < PAGE_SIZE {
            return Ok(());
        }
        for piece in pieces.iter().filter(|piece| !piece.uncut) {
            let again = under.blk_recalc_rq_segments(design, limits, &[piece.part]);
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
    for_bios::<D>(|design, under, case, built| hold_pieces(agrees, design, under, case, built));
}

/// The scatterlists of a case's requests cover the bytes of its tables, in order, and each
/// entry keeps to the longest segment and to one boundary window.
pub fn scatterlists_keep_to_the_limits<D: BlockIo>() {
    fn keep(case: &Case, taken: &Taken) -> Law {
        let limits = case.limits.effective(case.rules);
        let limits = limits.map_err(|_| "limits refused, case taken")?;
        let (mut mapped, mut tables) = (Runs::default(), Runs::default());
        for &(pfn, offset, len) in &taken.vecs {
            tables.push(pfn * PAGE_SIZE + u64::from(offset), len.into());
        }
        for &(phys, len) in taken.bios.iter().flat_map(|request| &request.sg) {
            mapped.push(phys, len.into());
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
        holds(mapped == tables, || {
            format!("mapped {mapped:x?}, in the tables {tables:x?}")
        })
    }
    for_each_case::<D>(&|design, case| {
        let taken = taken(design, case)?;
        taken.map_or(Ok(()), |taken| keep(case, &taken))
    });
}
