//! A case put to a design: the same question as to the reference, answered with real
//! descriptors and the block layer of [`mm::block`].

use std::collections::BTreeMap;

use hugemem::Backing;
use mm::block::{Bio, BioClone, Op, Segments, for_each_unit};
use mm::{BlockIo, KernelVersion, Plan, QueueLimits};
use physmem::{Extent, Kind, Order, PAGE_SHIFT, Pfn};

use crate::case::{self, Add, Answer, By, Case, Refusal, Refused, Taken};
use crate::under::Under;

mod discard;
mod error;
mod held;
mod queue;

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
    evaluate_on(&D::build(&plan(case)?)?, case)
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

/// Puts a case to a design that describes its memory, all of it free, under the case's own rules.
/// The memory is free again afterwards.
///
/// Anonymous and file memory alternate, so that typed designs show what they do where
/// one meets the other.
///
/// # Errors
/// [`EvaluateError::Refused`] where the design cannot name the memory,
/// [`EvaluateError::DeviceMemory`] where its rules ask what it cannot tell,
/// [`EvaluateError::Rules`] where it is not run under them.
#[inline(never)]
pub(crate) fn evaluate_on<D: BlockIo>(design: &D, case: &Case) -> Result<Answer, EvaluateError> {
    let mut under = under::<D>(case)?;
    // Other cases are answered by the code that is timed.
    if case.has_device_memory() {
        under = under.with_device_memory();
    }
    let refused = |error| {
        Ok(Answer::Refused(Refused {
            name: case.name.clone(),
            error,
        }))
    };
    let limits = match case.limits.effective(case.rules) {
        Ok(limits) => limits,
        Err(error) => return refused(error),
    };
    if case.op == case::Operation::Discard {
        return Ok(discard::answer(case, &limits));
    }
    let built = Built::new(design, under, case, &anon_and_file)?;
    let answer = match built.answer(design, under, case, &limits) {
        Ok(taken) => Ok(Answer::Taken(taken)),
        Err(error) => refused(error),
    };
    if under.asks_pgmap() {
        for &unit in built.units.values() {
            design.set_pgmap(unit, None);
        }
    }
    free(design, built.units);
    answer
}

/// The rules of a case.
fn under<D: BlockIo>(case: &Case) -> Result<Under, EvaluateError> {
    Under::new::<D>(case.rules).ok_or(EvaluateError::Rules {
        design: D::NAME,
        version: case.rules,
    })
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
pub(crate) fn with_bios<'d, D: BlockIo, T>(
    design: &'d D,
    case: &Case,
    kind: &dyn Fn(usize) -> Kind,
    look: impl FnOnce(Under, &Built<'d, D>) -> T,
) -> Result<T, EvaluateError> {
    let under = under::<D>(case)?;
    let built = Built::new(design, under, case, kind)?;
    let out = look(under, &built);
    free(design, built.units);
    Ok(out)
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

/// An empty bio that starts where the one before ends.
fn next_bio<R: Copy>(case: &Case, before: Option<&Bio<R>>, filler: R) -> Bio<R> {
    let sector = before.map_or(case.start_sector, |bio| {
        bio.iter.sector + u64::from(bio.iter.size >> 9)
    });
    Bio::new(case.max_vecs, sector, Op::Read, filler)
}

/// Whether an add hands over the head of its allocation, as 6.1's `bio_add_folio` does.
fn names_head(case: &Case, add: &Add) -> bool {
    case.rules == KernelVersion::V6_1 && add.by == By::Folio
}

/// The page and offset that an add hands to `bio_add_page`: the page of its first byte, or the
/// head and the whole offset.
fn named<'d, D: BlockIo>(
    design: &'d D,
    case: &Case,
    unit: D::Unit<'d>,
    add: &Add,
) -> Option<(D::BvPage<'d>, u32)> {
    let page = if names_head(case, add) {
        0
    } else {
        add.offset >> PAGE_SHIFT
    };
    let (reference, rest) = design.nth_page(unit, u64::from(page))?;
    Some((reference, rest + (add.offset - (page << PAGE_SHIFT))))
}

impl<'d, D: BlockIo + 'd> Built<'d, D> {
    /// Allocates a case's memory and adds it to bios.
    #[inline(never)]
    pub fn new(
        design: &'d D,
        under: Under,
        case: &Case,
        kind: &dyn Fn(usize) -> Kind,
    ) -> Result<Self, EvaluateError> {
        let units = alloc(design, case, kind);
        if under.asks_pgmap() && !place_on_devices(design, case, &units) {
            free(design, units);
            return Err(EvaluateError::DeviceMemory { design: D::NAME });
        }
        let mut built = Self {
            units,
            bios: Vec::new(),
            accepted: Vec::with_capacity(case.adds.len()),
            opened_by: Vec::new(),
            first: Vec::new(),
        };
        if built.add_all(design, under, case).is_none() {
            free(design, built.units);
            return Err(EvaluateError::Refused {
                design: D::NAME,
                kind: kind(0),
            });
        }
        Ok(built)
    }

    /// All adds of a case; `None` where the design refuses one of them.
    fn add_all(&mut self, design: &'d D, under: Under, case: &Case) -> Option<()> {
        let mut number = None;
        let zone = case.zone_limits();
        let zone = zone.as_ref().map(|(limits, zone)| (limits, zone));
        for (i, add) in case.adds.iter().enumerate() {
            let (page, offset) = named(design, case, self.units[&add.pfn], add)?;
            if number != Some(add.bio) {
                number = Some(add.bio);
                self.first.push(self.bios.len());
                let mut bio = next_bio(case, self.bios.last(), page);
                if let Some(zone) = case.zone_sectors() {
                    bio.iter.sector = case.start_sector + u64::from(add.bio) * zone;
                }
                self.bios.push(bio);
            }
            let mut taken = 0;
            loop {
                let bio = self.bios.last_mut().expect("one was just made");
                let before = bio.vecs().len();
                let n = if let Some(zone) = zone {
                    under.add_zone_append_page(design, zone, bio, page, add.len, offset)
                } else if under.version() == KernelVersion::V5_0 {
                    let (page, offset) = design.page_at(page, offset + taken);
                    under.add_page_in_page_pieces(design, bio, page, add.len - taken, offset)
                } else {
                    under.add_page(design, bio, page, add.len, offset)
                };
                let opened = self.opened_by.len() + bio.vecs().len() - before;
                self.opened_by.resize(opened, i);
                taken += n;
                // Before multi-page bvecs a submitter that ran out of vecs went on in a new
                // bio; a bio that is full from the start refuses, as it does later.
                if under.version() != KernelVersion::V5_0 || taken == add.len || taken == 0 {
                    break;
                }
                let next = next_bio(case, self.bios.last(), page);
                self.bios.push(next);
            }
            self.accepted.push(taken);
        }
        Some(())
    }

    /// Submits the bios, and writes down what becomes of them.
    #[inline(never)]
    fn answer(
        &self,
        design: &'d D,
        under: Under,
        case: &Case,
        limits: &QueueLimits,
    ) -> Result<Taken, Refusal> {
        let parts = self.submitted(design, under, case);
        let requests = queue::submit(design, under, case, limits, &parts)?;
        let (mut sp_segments, mut units) = (0, 0);
        if case.clones.is_empty() {
            for bio in &self.bios {
                design.for_each_segment(bio, |_| sp_segments += 1);
            }
        } else {
            for part in &parts {
                sp_segments += Segments::over(design, part).count() as u64;
            }
        }
        for bio in &self.bios {
            for_each_unit(design, bio, |_| units += 1);
        }
        let mut bios = Vec::with_capacity(requests.len());
        for request in &requests {
            bios.push(queue::describe(design, under, limits, request));
        }
        Ok(Taken {
            name: case.name.clone(),
            accepted: self.accepted.clone(),
            vecs: self.vecs(design, case),
            bios,
            sp_segments,
            chunks: units,
            held: case.held.then(|| held::held(design, under, case, self)),
        })
    }

    /// The bios as they are submitted, or the clones of them that the case asks for.
    fn submitted(
        &self,
        design: &'d D,
        under: Under,
        case: &Case,
    ) -> Vec<BioClone<'_, D::BvPage<'d>>> {
        let count = match case.clones.len() {
            0 => self.bios.len(),
            clones => clones,
        };
        let mut parts = Vec::with_capacity(count);
        for n in 0..count {
            let (bio, mut part) = if let Some(clone) = case.clones.get(n) {
                let bio = &self.bios[self.first[usize::from(clone.bio)]];
                let (start, bytes) = (clone.start_bytes() as u32, clone.bytes() as u32);
                (bio, bio.clone_part(start, bytes))
            } else {
                (&self.bios[n], self.bios[n].part())
            };
            part.nomerge = under.is_nomerge(design, bio);
            parts.push(part);
        }
        parts
    }

    /// The tables as the kernel would write them, whatever a design's references name:
    /// the page of the call that opened the vec, and the offset from it.
    fn vecs(&self, design: &D, case: &Case) -> Vec<(u64, u32, u32)> {
        let mut vecs = Vec::with_capacity(self.opened_by.len());
        for vec in self.bios.iter().flat_map(|bio| bio.vecs()) {
            let phys = design.phys(vec.page) + u64::from(vec.offset);
            let add = &case.adds[self.opened_by[vecs.len()]];
            let pfn = if names_head(case, add) {
                add.pfn
            } else {
                phys >> PAGE_SHIFT
            };
            vecs.push((pfn, (phys - (pfn << PAGE_SHIFT)) as u32, vec.len));
        }
        vecs
    }
}
