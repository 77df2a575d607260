//! The bodies of the loops, each written once.
//!
//! The entry of a workload repeats a body over many bios or units, and is timed. An operation
//! of `icount` calls the same body once, in each state that the kernel's module met, and is
//! counted. Both are inlined into their caller. Where the body is one call of a design's path
//! or of the block layer, that call is shared and has no function here.

use mm::block::{Bio, BioClone, SgEntry, blk_recalc_rq_segments, blk_rq_map_sg};
use mm::memcg::MemCgroup;
use mm::{BlockIo, KernelRules, Memcg, Pointer, QueueLimits};

/// The sums of a walk over bios: each step adds its length and mixes in what it was handed,
/// so that no step can be left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walk {
    bytes: u64,
    mix: u64,
}

impl Walk {
    /// `bio_for_each_segment`.
    #[inline(always)]
    pub fn segments<'d, D: BlockIo>(&mut self, design: &'d D, bio: &Bio<D::BvPage<'d>>) {
        design.for_each_segment(bio, |bv| {
            self.bytes += u64::from(bv.len);
            self.mix ^= design.descriptor_word(bv.page);
            self.mix ^= u64::from(bv.offset);
        });
    }

    /// `bio_for_each_bvec`.
    #[inline(always)]
    pub fn bvecs<'d, D: BlockIo>(&mut self, design: &'d D, bio: &Bio<D::BvPage<'d>>) {
        design.for_each_bvec(bio, |bv| {
            self.bytes += u64::from(bv.len);
            self.mix ^= bv.page.word();
            self.mix ^= u64::from(bv.offset);
        });
    }

    /// `bio_for_each_folio_all`.
    #[inline(always)]
    pub fn units<'d, D: BlockIo>(&mut self, design: &'d D, bio: &Bio<D::BvPage<'d>>) {
        design.for_each_unit(bio, |range| {
            self.bytes += u64::from(range.len);
            self.mix ^= range.unit.word();
            self.mix ^= range.offset;
        });
    }

    /// The result.
    #[inline(always)]
    pub fn result(self) -> u64 {
        self.bytes ^ self.mix
    }
}

/// Maps a request's bios to a scatterlist (`__blk_rq_map_sg`); entries used, `u64::MAX` where
/// the table is too short.
#[inline(always)]
pub fn map_sg<'d, D: BlockIo, V: KernelRules>(
    design: &'d D,
    limits: &QueueLimits,
    bios: &[BioClone<'_, D::BvPage<'d>>],
    table: &mut [SgEntry],
) -> u64 {
    match blk_rq_map_sg::<V, D>(design, limits, bios, table) {
        Ok(entries) => u64::from(entries),
        Err(_) => u64::MAX,
    }
}

/// Recounts a request's segments (`blk_recalc_rq_segments`).
#[inline(always)]
pub fn recount<'d, D: BlockIo, V: KernelRules>(
    design: &'d D,
    limits: &QueueLimits,
    bios: &[BioClone<'_, D::BvPage<'d>>],
) -> u64 {
    u64::from(blk_recalc_rq_segments::<V, D>(design, limits, bios))
}

/// Charges units to one group, one after the other; the number of refusals.
#[inline(always)]
pub fn charge_each<'d, D: Memcg, V: KernelRules>(
    design: &'d D,
    cpu: usize,
    group: &MemCgroup,
    units: &[D::Unit<'d>],
) -> u64 {
    let mut refused = 0;
    for &unit in units {
        refused += u64::from(design.charge::<V>(cpu, group, unit).is_err());
    }
    refused
}

/// Uncharges units directly, one after the other.
#[inline(always)]
pub fn uncharge_each<'d, D: Memcg, V: KernelRules>(
    design: &'d D,
    cpu: usize,
    units: &[D::Unit<'d>],
) {
    for &unit in units {
        design.uncharge::<V>(cpu, unit);
    }
}
