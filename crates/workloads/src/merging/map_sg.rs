//! `merging/map-sg`: from requests to a scatterlist.

use std::hint::black_box;

use mm::block::{Request, SgEntry, blk_rq_map_sg};
use mm::{BlockIo, KernelRules, QueueLimits};

use super::{LIMITS, MERGE, bios, limits, requests};
use crate::bodies::map_sg;
use crate::checksum::Digest;
use crate::fixture::Fixture;
use crate::job::{Prepared, Then};
use crate::params;
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "merging/map-sg",
    capability: mm::Capability::Block,
    asks: "what does it cost to map a request's bios to a scatterlist under the queue's limits?",
    analysis: "Before 5.1 this is where segments were merged: page after page, each asking \
        whether it joins the entry before. Multi-page bvecs left only the cutting of vecs to the \
        queue's limits. Chenliang Li's io_uring series, one vec per hugepage instead of 512, \
        saw __blk_rq_map_sg and its 5.9 % of the CPU vanish. How a vec names its memory hardly \
        matters here: one address per vec. With merge=no the bios were built without asking for \
        neighbours: a vec for each thing that was added, which 5.10 to 6.12 map one by one, and \
        7.1 joins here.",
    favours: "any design with multi-page bvecs; flat-sp loses by the number of pages",
    unfair: "entries hold addresses in every design, so none looks for a page; a kernel's \
        page_link names one, which memdesc and phyr would have to find or drop from some 560 \
        places. The DMA mapping that follows is not modelled; it costs more than this on \
        machines with an IOMMU",
    unit: "allocation",
    axis: "order",
    params: &[
        params::LAYOUT,
        params::ORDER,
        params::COUNT,
        params::KIND,
        params::FOOTPRINT,
        params::IO_BYTES,
        params::RULES,
        LIMITS,
        MERGE,
    ],
    fixture: Some(Fixture::of),
    quantity: Quantity::Time(expected),
};

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    Ok(Fixture::shared(setup)?.digest())
}

/// Where the machine code of the loops is.
pub fn loops<D: BlockIo, V: KernelRules>() -> Vec<usize> {
    vec![entry::<D, V> as *const () as usize]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: BlockIo, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    let fixture = Fixture::shared(setup)?;
    let design: D = fixture.build(setup)?;
    let bios = bios::<D, V>(setup, &fixture, &design)?;
    let elements = fixture.ranges();
    let limits = limits::<V>(setup)?;
    let requests = requests::<D, V>(&design, &limits, &bios)?;
    // Room for the longest list; a split that sends a bio on whole can exceed its count.
    let room = requests
        .iter()
        .map(|r| u64::from(r.bytes()) / 4096 + u64::from(r.segments()))
        .max();
    let mut table = vec![SgEntry::default(); room.unwrap_or(0) as usize + 1];
    let mut digest = Digest::new();
    let mut entries = 0;
    for request in &requests {
        let used = blk_rq_map_sg::<V, D>(&design, &limits, request.bios(), &mut table);
        let used = used.map_err(|e| SetupError::Wrong(e.to_string()))?;
        for entry in &table[..used as usize] {
            digest.add_bytes(entry.phys(), u64::from(entry.length()));
        }
        entries += u64::from(used);
    }
    let checksum = digest.finish();
    then(&mut Prepared::new(
        &design,
        table,
        elements,
        |table, iters| entry::<D, V>(&design, &limits, &requests, table, iters),
        |_, raw| checksum ^ (entries ^ raw),
    ));
    Ok(())
}

#[inline(never)]
fn entry<'d, D: BlockIo, V: KernelRules>(
    design: &'d D,
    limits: &QueueLimits,
    requests: &[Request<'_, D::BvPage<'d>>],
    table: &mut [SgEntry],
    iters: u64,
) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut entries = 0;
        for request in black_box(requests) {
            entries += map_sg::<D, V>(design, limits, request.bios(), table);
            black_box(&mut *table);
        }
        result = black_box(entries);
    }
    result
}
