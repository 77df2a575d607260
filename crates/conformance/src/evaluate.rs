//! A case put to a design: the same question as to the reference, answered with real
//! descriptors and the block layer of [`mm::block`].

use std::collections::BTreeMap;

use hugemem::Backing;
use mm::block::{
    Bio, BioClone, Op, Plug, Request, Segments, SgEntry, SplitError, add_page,
    add_page_in_page_pieces, add_zone_append_page, atomic_write_segments, blk_rq_map_sg,
    for_each_unit, is_nomerge, zone_append_segments,
};
use mm::{BlockIo, DeviceMemory, KernelRules, KernelVersion, Plan, QueueLimits, with_rules};
use physmem::{Extent, Kind, Order, PAGE_SHIFT, Pfn};

use crate::case::{self, Add, Answer, By, Case, Refusal, Refused, Taken};

mod discard;
mod error;
mod held;

pub use error::EvaluateError;

/// The maximum number of frames that a design is built over for one case: 64 GiB, 1 GiB of
/// descriptors. It is below the power of two by what else an array of descriptors holds (list
/// heads, free ones at hand); otherwise the array would be twice as large.
pub const MAX_FRAMES: u64 = (1 << 24) - (1 << 13);

/// Builds a design over the case's memory and asks it.
///
/// # Errors
/// [`EvaluateError`] where the question cannot be put; a kernel's refusal is an [`Answer`].
pub fn evaluate<D: BlockIo>(case: &Case) -> Result<Answer, EvaluateError> {
    let design = D::build(&plan(case)?)?;
    with_rules!(case.rules, V => evaluate_with::<D, V>(&design, case))
}

/// The frames that a case's allocations lie in.
fn plan(case: &Case) -> Result<Plan, EvaluateError> {
    let allocations = case.allocations();
    let largest = allocations.values().copied().max().unwrap_or(0);
    let mask = (1_u64 << largest) - 1;
    let first = allocations.keys().next().copied().unwrap_or(0) & !mask;
    let end = allocations
        .iter()
        .map(|(pfn, order)| pfn + (1 << order))
        .max()
        .unwrap_or(1);
    // One frame past the end, so that the unit after the last one is a free frame.
    let frames = end - first + 1;
    if frames > MAX_FRAMES {
        return Err(EvaluateError::Spread { frames });
    }
    Ok(Plan {
        base: Pfn(first),
        frames,
        backing: Backing::Base,
        seed: 1,
    })
}

/// Puts a case to a design that describes its memory, all of it free, under the rules of
/// `V`, which are the case's own. The memory is free again afterwards.
///
/// Anonymous and file memory alternate, so that typed designs show what they do where
/// one meets the other.
///
/// # Errors
/// [`EvaluateError::Refused`] where the design cannot name the memory,
/// [`EvaluateError::DeviceMemory`] where its rules ask what it cannot tell.
#[inline(never)]
pub fn evaluate_with<D: BlockIo, V: KernelRules>(
    design: &D,
    case: &Case,
) -> Result<Answer, EvaluateError> {
    // Other cases are answered by the code that is timed.
    if case.has_device_memory() {
        evaluate_under::<D, DeviceMemory<V>>(design, case)
    } else {
        evaluate_under::<D, V>(design, case)
    }
}

#[inline(never)]
fn evaluate_under<D: BlockIo, V: KernelRules>(
    design: &D,
    case: &Case,
) -> Result<Answer, EvaluateError> {
    assert_eq!(
        V::VERSION,
        case.rules,
        "a case is asked under its own rules"
    );
    let refused = |error| {
        Ok(Answer::Refused(Refused {
            name: case.name.clone(),
            error,
        }))
    };
    let limits = match case.limits.effective(V::VERSION) {
        Ok(limits) => limits,
        Err(error) => return refused(error),
    };
    if case.op == case::Operation::Discard {
        return Ok(discard::answer::<V>(case, &limits));
    }
    with_bios::<D, V, _>(design, case, anon_and_file, |built| {
        let parts = built.submitted::<V>(design, case);
        let requests = match submit::<D, V>(design, case, &limits, &parts) {
            Ok(requests) => requests,
            Err(error) => return refused(error),
        };
        let (mut sp_segments, mut units) = (0, 0);
        if case.clones.is_empty() {
            for bio in &built.bios {
                design.for_each_segment(bio, |_| sp_segments += 1);
            }
        } else {
            let steps = |part| Segments::over(design, part).count() as u64;
            sp_segments = parts.iter().map(steps).sum();
        }
        for bio in &built.bios {
            for_each_unit(design, bio, |_| units += 1);
        }
        Ok(Answer::Taken(Taken {
            name: case.name.clone(),
            accepted: built.accepted.clone(),
            vecs: built.vecs::<V>(design, case),
            bios: requests
                .iter()
                .map(|rq| describe::<D, V>(design, &limits, rq))
                .collect(),
            sp_segments,
            chunks: units,
            held: case.held.then(|| held::held::<D, V>(design, case, built)),
        }))
    })?
}

/// The kind of the n-th allocation of a case, counted by page frame.
pub(crate) fn anon_and_file(n: usize) -> Kind {
    if n.is_multiple_of(2) {
        Kind::Anon
    } else {
        Kind::File
    }
}

/// The bios of a case, before anything is submitted.
pub(crate) struct Built<'d, D: BlockIo + 'd> {
    /// The allocations by their first frame.
    pub units: BTreeMap<u64, D::Unit<'d>>,
    /// In order; bios that took nothing included.
    pub bios: Vec<Bio<D::BvPage<'d>>>,
    /// Bytes that each add took.
    pub accepted: Vec<u32>,
    /// For each vec of all bios the add that opened it.
    opened_by: Vec<usize>,
    /// For each bio that the case names, the bios before it.
    first: Vec<usize>,
}

/// Allocates a case's memory, adds it to bios through the design, shows them to `look`, and
/// frees the memory.
pub(crate) fn with_bios<'d, D: BlockIo + 'd, V: KernelRules, T>(
    design: &'d D,
    case: &Case,
    kind: impl Fn(usize) -> Kind,
    look: impl FnOnce(&Built<'d, D>) -> T,
) -> Result<T, EvaluateError> {
    let units = alloc(design, case, &kind);
    if V::ASKS_PGMAP && !place_on_devices(design, case, &units) {
        free(design, units);
        return Err(EvaluateError::DeviceMemory { design: D::NAME });
    }
    let built = build::<D, V>(design, case, units);
    match built {
        Ok(built) => {
            let out = look(&built);
            if V::ASKS_PGMAP {
                for &unit in built.units.values() {
                    design.set_pgmap(unit, None);
                }
            }
            free(design, built.units);
            Ok(out)
        }
        Err(units) => {
            free(design, units);
            Err(EvaluateError::Refused {
                design: D::NAME,
                kind: kind(0),
            })
        }
    }
}

/// A case's memory, by the first frame of each allocation.
///
/// Out of line, like what follows: a law is generic over the design, and copies of this in every
/// law of every design would be most of what an optimised build of the laws compiles.
#[inline(never)]
fn alloc<'d, D: BlockIo + 'd>(
    design: &'d D,
    case: &Case,
    kind: &dyn Fn(usize) -> Kind,
) -> BTreeMap<u64, D::Unit<'d>> {
    let mut units = BTreeMap::new();
    for (n, (pfn, order)) in case.allocations().into_iter().enumerate() {
        let extent = Extent::new(Pfn(pfn), Order::new(order));
        units.insert(pfn, design.alloc(extent, kind(n)));
    }
    units
}

/// Makes a case's device memory that; false where the design cannot describe it.
#[inline(never)]
fn place_on_devices<'d, D: BlockIo + 'd>(
    design: &'d D,
    case: &Case,
    units: &BTreeMap<u64, D::Unit<'d>>,
) -> bool {
    let mut on_device = case.adds.iter().filter(|add| add.pgmap.is_some());
    on_device.all(|add| design.set_pgmap(units[&add.pfn], case.pgmap_of(add)))
}

/// Frees a case's memory.
#[inline(never)]
fn free<'d, D: BlockIo + 'd>(design: &'d D, units: BTreeMap<u64, D::Unit<'d>>) {
    for unit in units.into_values() {
        design.free(unit);
    }
}

/// All adds of a case; the units are returned where the design refuses one of them.
#[inline(never)]
#[allow(
    clippy::type_complexity,
    reason = "either the bios or the units they should have named"
)]
fn build<'d, D: BlockIo + 'd, V: KernelRules>(
    design: &'d D,
    case: &Case,
    units: BTreeMap<u64, D::Unit<'d>>,
) -> Result<Built<'d, D>, BTreeMap<u64, D::Unit<'d>>> {
    let mut bios: Vec<Bio<D::BvPage<'d>>> = Vec::new();
    let mut accepted = Vec::with_capacity(case.adds.len());
    let mut opened_by = Vec::new();
    let mut first = Vec::new();
    let mut number = None;
    let zone = case.zone_limits();
    for (i, add) in case.adds.iter().enumerate() {
        let Some((page, offset)) = named::<D, V>(design, units[&add.pfn], add) else {
            return Err(units);
        };
        if number != Some(add.bio) {
            number = Some(add.bio);
            first.push(bios.len());
            let mut bio = next_bio(case, bios.last(), page);
            if let Some(zone) = case.zone_sectors() {
                bio.iter.sector = case.start_sector + u64::from(add.bio) * zone;
            }
            bios.push(bio);
        }
        let mut taken = 0;
        loop {
            let bio = bios.last_mut().expect("one was just made");
            let before = bio.vecs().len();
            let n = if let Some((limits, zone)) = &zone {
                add_zone_append_page::<V, D>(design, limits, zone, bio, page, add.len, offset)
            } else if V::VERSION == KernelVersion::V5_0 {
                let (page, offset) = design.page_at(page, offset + taken);
                add_page_in_page_pieces::<V, D>(design, bio, page, add.len - taken, offset)
            } else {
                add_page::<V, D>(design, bio, page, add.len, offset)
            };
            opened_by.resize(opened_by.len() + bio.vecs().len() - before, i);
            taken += n;
            // Before multi-page bvecs a submitter that ran out of vecs went on in a new
            // bio; a bio that is full from the start refuses, as it does later.
            if V::VERSION != KernelVersion::V5_0 || taken == add.len {
                break;
            }
            if taken == 0 {
                break;
            }
            let next = next_bio(case, bios.last(), page);
            bios.push(next);
        }
        accepted.push(taken);
    }
    Ok(Built {
        units,
        bios,
        accepted,
        opened_by,
        first,
    })
}

/// An empty bio that starts where the one before ends.
fn next_bio<R: Copy>(case: &Case, before: Option<&Bio<R>>, filler: R) -> Bio<R> {
    let sector = before.map_or(case.start_sector, |bio| {
        bio.iter.sector + u64::from(bio.iter.size >> 9)
    });
    Bio::new(case.max_vecs, sector, Op::Read, filler)
}

/// The page and offset that an add hands to `bio_add_page`: the page of its first byte, except
/// that 6.1's `bio_add_folio` hands over the head and the whole offset.
fn named<'d, D: BlockIo + 'd, V: KernelRules>(
    design: &'d D,
    unit: D::Unit<'d>,
    add: &Add,
) -> Option<(D::BvPage<'d>, u32)> {
    let page = if V::VERSION == KernelVersion::V6_1 && add.by == By::Folio {
        0
    } else {
        add.offset >> PAGE_SHIFT
    };
    let (reference, rest) = design.nth_page(unit, u64::from(page))?;
    Some((reference, rest + (add.offset - (page << PAGE_SHIFT))))
}

impl<'d, D: BlockIo + 'd> Built<'d, D> {
    /// The bios as they are submitted, or the clones of them that the case asks for.
    fn submitted<V: KernelRules>(
        &self,
        design: &'d D,
        case: &Case,
    ) -> Vec<BioClone<'_, D::BvPage<'d>>> {
        let whole = || self.bios.iter().map(|bio| (bio, bio.part()));
        let clone = |clone: &case::CloneOf| {
            let bio = &self.bios[self.first[usize::from(clone.bio)]];
            let part = bio.clone_part(clone.start_bytes() as u32, clone.bytes() as u32);
            (bio, part)
        };
        let mut parts: Vec<(&Bio<_>, BioClone<'_, _>)> = match case.clones.is_empty() {
            true => whole().collect(),
            false => case.clones.iter().map(clone).collect(),
        };
        for (bio, part) in &mut parts {
            part.nomerge = is_nomerge::<V, D>(design, bio);
        }
        parts.into_iter().map(|(_, part)| part).collect()
    }

    /// The tables as the kernel would write them, whatever a design's references name:
    /// the page of the call that opened the vec, and the offset from it.
    fn vecs<V: KernelRules>(&self, design: &D, case: &Case) -> Vec<(u64, u32, u32)> {
        let vecs = self.bios.iter().flat_map(|bio| bio.vecs());
        vecs.zip(&self.opened_by)
            .map(|(vec, &opener)| {
                let phys = design.phys(vec.page) + u64::from(vec.offset);
                let add = &case.adds[opener];
                let pfn = if V::VERSION == KernelVersion::V6_1 && add.by == By::Folio {
                    add.pfn
                } else {
                    phys >> PAGE_SHIFT
                };
                (pfn, (phys - (pfn << PAGE_SHIFT)) as u32, vec.len)
            })
            .collect()
    }
}

/// Submits bios in order under one plug; the requests by sector.
#[inline(never)]
fn submit<'d, 'b, D: BlockIo + 'd, V: KernelRules>(
    design: &'d D,
    case: &Case,
    limits: &QueueLimits,
    bios: &[BioClone<'b, D::BvPage<'d>>],
) -> Result<Vec<Request<'b, D::BvPage<'d>>>, Refusal> {
    let refusal = |error| match error {
        SplitError::Invalid => Refusal::Invalid,
        SplitError::Bug => Refusal::Bug,
    };
    let atomic = case.atomic_limits(limits);
    let zone = case.zone_limits();
    let mut plug = Plug::default();
    for &bio in bios.iter().filter(|bio| bio.iter.size != 0) {
        if !is_aligned::<V>(limits, bio.iter.sector, bio.iter.size) {
            return Err(Refusal::Invalid);
        }
        if let Some((_, zone)) = &zone {
            let segments = zone_append_segments::<V, D>(design, limits, zone, &bio);
            let mut append = bio;
            // No answer shows it: requests end with their zone, and no two bios share one.
            append.nomerge = true;
            plug.add::<V, D>(design, limits, append, segments.map_err(refusal)?);
        } else if let Some(atomic) = &atomic {
            let segments = atomic_write_segments::<V, D>(design, limits, atomic, &bio);
            let segments = segments.map_err(refusal)?;
            plug.add::<V, D>(design, &atomic.of_requests(limits), bio, segments);
        } else {
            plug.submit::<V, D>(design, limits, bio).map_err(refusal)?;
        }
    }
    let mut requests = plug.finish();
    requests.sort_by_key(Request::sector);
    Ok(requests)
}

/// Whether a bio is whole blocks (`bio_unaligned`, v6.11 and later). Older kernels leave
/// it to their callers; case files are held to whole sectors.
fn is_aligned<V: KernelRules>(limits: &QueueLimits, sector: u64, size: u32) -> bool {
    if V::VERSION < KernelVersion::V6_12 {
        return size.is_multiple_of(512);
    }
    let mask = u64::from(limits.logical_block_size) - 1;
    ((sector << 9) | u64::from(size)) & mask == 0
}

/// Maps a request and writes it down.
#[inline(never)]
fn describe<'d, D: BlockIo + 'd, V: KernelRules>(
    design: &'d D,
    limits: &QueueLimits,
    request: &Request<'_, D::BvPage<'d>>,
) -> case::Request {
    // 6.12 may send a bio on with a count that is too small, so the count is no bound.
    let mut table = vec![SgEntry::default(); request.segments() as usize + 16];
    let used = loop {
        match blk_rq_map_sg::<V, D>(design, limits, request.bios(), &mut table) {
            Ok(used) => break used,
            Err(_) => table = vec![SgEntry::default(); table.len() * 2],
        }
    };
    case::Request {
        sector: request.sector(),
        bytes: request.bytes(),
        segments: request.segments(),
        sg: table
            .iter()
            .take(used as usize)
            .map(|entry| (entry.phys(), entry.length()))
            .collect(),
    }
}
