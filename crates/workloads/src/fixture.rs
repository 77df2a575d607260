//! The fixture a workload stands on: which allocations exist, which IO meets which of
//! them, and a design that describes them.

use std::cell::RefCell;
use std::rc::Rc;

use mm::block::{Bio, Op, add_page};
use mm::{BlockIo, BvPages, Design, KernelRules, Plan};
use physmem::{Extent, Kind, Layout, PAGE_SIZE, Pfn, captures};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

mod allocated;

pub(crate) use allocated::ALLOCATED;
pub use allocated::Allocated;

use crate::checksum::Digest;
use crate::params::CAPTURED;
use crate::{Setup, SetupError};

/// Where described memory starts: aligned to the largest order.
pub const BASE: Pfn = Pfn(1 << 18);
/// Frames of the footprint `l2`: 256 KiB of flat descriptors.
const L2_FRAMES: u64 = 1 << 12;
/// Frames of the footprint `mem`: 64 MiB of flat descriptors. Less than the power of two
/// by what the heads of the LRU lists and the shift of the arena take.
const MEM_FRAMES: u64 = (1 << 20) - (1 << 13);
/// Most base pages of a captured layout.
const CAPTURED_PAGES: u64 = 1 << 13;

/// A part of an allocation that one IO meets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IoRange {
    /// The allocation, by its place in [`Fixture::extents`].
    pub extent: usize,
    /// Bytes from its start; a whole number of pages.
    pub offset: u32,
    /// Bytes.
    pub len: u32,
}

/// Allocations, and what IO does with them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fixture {
    /// The allocations in the order in which they are visited.
    pub extents: Vec<(Extent, Kind)>,
    /// The order in which they are made.
    pub allocated: Allocated,
    /// Frames from [`BASE`] on that must be described.
    pub frames: u64,
    /// The IOs.
    pub ios: Vec<Vec<IoRange>>,
    /// The frames to look up.
    pub lookups: Vec<Pfn>,
}

thread_local! {
    /// The fixture that was made last, and for what.
    static LAST: RefCell<Option<(Setup, Rc<Fixture>)>> = const { RefCell::new(None) };
}

impl Fixture {
    /// [`Self::of`], made once for the contenders of a cell, which ask one after another: a
    /// layout of a million frames takes longer to draw than to describe.
    pub(crate) fn shared(setup: &Setup) -> Result<Rc<Self>, SetupError> {
        LAST.with_borrow_mut(|last| {
            if let Some((_, fixture)) = last.as_ref().filter(|(of, _)| of == setup) {
                return Ok(Rc::clone(fixture));
            }
            // The old one's memory first.
            *last = None;
            let fixture = Rc::new(Self::of(setup)?);
            *last = Some((setup.clone(), Rc::clone(&fixture)));
            Ok(fixture)
        })
    }

    /// The fixture that parameters `layout`, `order`, `count`, `kind`, `footprint` or
    /// `io_bytes` ask for.
    pub(crate) fn of(setup: &Setup) -> Result<Self, SetupError> {
        let layout = setup.word("layout")?;
        if let Some(name) = layout.strip_prefix(CAPTURED) {
            return Self::captured(setup, name);
        }
        let per_io = setup.number("count")?;
        let extents = synthetic(setup, &layout, per_io)?;
        let ios = extents
            .chunks(per_io as usize)
            .scan(0, |first, unit| {
                let start = *first;
                *first += unit.len();
                Some((start..).zip(unit).map(whole).collect())
            })
            .collect();
        Ok(Self {
            frames: frames_of(&extents),
            extents,
            allocated: Allocated::of(setup)?,
            ios,
            lookups: Vec::new(),
        })
    }

    fn captured(setup: &Setup, name: &str) -> Result<Self, SetupError> {
        let unknown = || SetupError::Param(format!("layout: no capture is named `{name}`"));
        let capture = captures::by_name(name).ok_or_else(unknown)?;
        let layout = Layout::from(capture)
            .first_pages(CAPTURED_PAGES)
            .squeezed(BASE);
        // A walk of page tables may meet an allocation twice in a layout; it is made only once.
        let mut seen = std::collections::BTreeSet::new();
        let extents: Vec<_> = layout
            .iter()
            .copied()
            .filter(|(extent, kind)| kind.is_lru() && seen.insert(extent.head))
            .collect();
        if extents.is_empty() {
            return Err(SetupError::Param(format!(
                "layout: the first {CAPTURED_PAGES} pages of capture `{name}` have no memory that \
                 is on LRU lists, which these layouts are made of"
            )));
        }
        let io_bytes = setup.number("io_bytes")? / PAGE_SIZE * PAGE_SIZE;
        Ok(Self {
            frames: frames_of(&extents),
            ios: cut(&extents, io_bytes),
            extents,
            allocated: Allocated::of(setup)?,
            lookups: Vec::new(),
        })
    }

    /// Bytes of all IO.
    pub(crate) fn bytes(&self) -> u64 {
        self.ios
            .iter()
            .flatten()
            .map(|range| u64::from(range.len))
            .sum()
    }

    /// Base pages of all IO.
    pub(crate) fn pages(&self) -> u64 {
        self.bytes() / PAGE_SIZE
    }

    /// Pieces of all IO: allocations, except that an IO's end can cut one in two.
    pub(crate) fn ranges(&self) -> u64 {
        self.ios.iter().map(|io| io.len() as u64).sum()
    }

    /// The digest that every walk over the IOs must answer.
    pub(crate) fn digest(&self) -> u64 {
        let mut digest = Digest::new();
        for range in self.ios.iter().flatten() {
            let (extent, _) = self.extents[range.extent];
            digest.add_bytes(
                extent.head.phys() + u64::from(range.offset),
                u64::from(range.len),
            );
        }
        digest.finish()
    }

    /// Builds a design that describes these frames.
    pub(crate) fn build<D: Design>(&self, setup: &Setup) -> Result<D, SetupError> {
        build(setup, self.frames)
    }

    /// Makes the allocations, in an order of their own ([`Allocated`]); they come back in the
    /// order in which they are visited.
    pub(crate) fn alloc<'d, D: Design>(&self, design: &'d D) -> Vec<D::Unit<'d>> {
        let places = self.allocated.places(&self.extents);
        let mut made = vec![None; self.extents.len()];
        for place in places {
            let (extent, kind) = self.extents[place];
            made[place] = Some(design.alloc(extent, kind));
        }
        made.into_iter().flatten().collect()
    }

    /// Bios for the IOs under the rules of `V`: as many for each as it takes.
    pub(crate) fn bios<'d, D: BlockIo, V: KernelRules>(
        &self,
        design: &'d D,
        units: &[D::Unit<'d>],
    ) -> Result<Vec<Bio<D::BvPage<'d>>>, SetupError> {
        let mut bios = Vec::new();
        for io in &self.ios {
            bios.extend(fill::<D, V>(design, units, io)?.0);
        }
        Ok(bios)
    }
}

/// A design over `frames` frames from [`BASE`] on.
pub(crate) fn build<D: Design>(setup: &Setup, frames: u64) -> Result<D, SetupError> {
    Ok(D::build(&Plan {
        base: BASE,
        frames,
        backing: setup.backing,
        seed: setup.seed,
    })?)
}

/// One addition to a bio that was accepted as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Added<C> {
    /// The bio, by its place among those of the IO.
    pub bio: usize,
    /// The allocation.
    pub unit: C,
    /// Bytes from its start.
    pub offset: u32,
    /// Bytes.
    pub len: u32,
}

/// One IO after building: its bios, and the additions that filled them.
pub(crate) type Filled<'d, D> = (
    Vec<Bio<<D as BvPages>::BvPage<'d>>>,
    Vec<Added<<D as Design>::Unit<'d>>>,
);

/// Builds one IO's bios with the design's own addition.
pub(crate) fn fill<'d, D: BlockIo, V: KernelRules>(
    design: &'d D,
    units: &[D::Unit<'d>],
    io: &[IoRange],
) -> Result<Filled<'d, D>, SetupError> {
    fill_by(design, units, io, |bio, unit, len, offset| {
        design.add_unit::<V>(bio, unit, len, offset)
    })
}

/// Builds one IO's bios a base page at a time.
pub(crate) fn fill_by_page<'d, D: BlockIo, V: KernelRules>(
    design: &'d D,
    units: &[D::Unit<'d>],
    io: &[IoRange],
) -> Result<Filled<'d, D>, SetupError> {
    fill_by(design, units, io, |bio, unit, len, offset| {
        let len = len.min(PAGE_SIZE as u32);
        let named = design.nth_page(unit, u64::from(offset) / PAGE_SIZE);
        named.map_or(0, |(page, offset)| {
            add_page::<V, D>(design, bio, page, len, offset)
        })
    })
}

/// Builds one IO's bios: `add` is asked for what is left of a range until it is taken, and
/// where it takes nothing the next bio begins.
fn fill_by<'d, D: BlockIo>(
    design: &'d D,
    units: &[D::Unit<'d>],
    io: &[IoRange],
    add: impl Fn(&mut Bio<D::BvPage<'d>>, D::Unit<'d>, u32, u32) -> u32,
) -> Result<Filled<'d, D>, SetupError> {
    let pages = io
        .iter()
        .map(|range| u64::from(range.len) / PAGE_SIZE)
        .sum();
    let (mut bios, mut added) = (Vec::new(), Vec::new());
    let mut sector = 0;
    for range in io {
        let unit = units[range.extent];
        let Some(filler) = design.bv_page(unit) else {
            let kind = design.kind(unit);
            return Err(SetupError::Absent(format!(
                "{} refuses block IO to {kind} memory",
                D::NAME
            )));
        };
        let mut done = 0;
        let mut stuck = false;
        while done < range.len {
            if bios.is_empty() || stuck {
                bios.push(Bio::new(vecs_for(pages), sector, Op::Read, filler));
            }
            let Some(bio) = bios.last_mut() else { break };
            let n = add(bio, unit, range.len - done, range.offset + done);
            if n == 0 && (stuck || D::IS_FLOOR) {
                if D::IS_FLOOR {
                    break;
                }
                return Err(SetupError::Wrong(format!(
                    "an empty bio refuses {} bytes",
                    range.len - done
                )));
            }
            stuck = n == 0;
            if n > 0 {
                added.push(Added {
                    bio: bios.len() - 1,
                    unit,
                    offset: range.offset + done,
                    len: n,
                });
                sector += u64::from(n >> 9);
                done += n;
            }
        }
    }
    Ok((bios, added))
}

/// The vec table that the kernel allocates for this many pages (`biovec_slab`).
pub(crate) fn vecs_for(pages: u64) -> u16 {
    match pages {
        0..=4 => 4,
        5..=16 => 16,
        17..=64 => 64,
        65..=128 => 128,
        _ => 256,
    }
}

/// Allocations that are made up, from [`BASE`] on.
fn synthetic(setup: &Setup, layout: &str, per_io: u64) -> Result<Vec<(Extent, Kind)>, SetupError> {
    let (order, kind) = (setup.order()?, setup.kind()?);
    let spread = if layout == "contiguous" { 1 } else { 2 };
    let least = per_io * order.pages();
    let pages = match setup.word("footprint")?.as_str() {
        "l1" => least,
        "l2" => L2_FRAMES.max(least),
        _ => (MEM_FRAMES / spread).max(least),
    };
    let count = pages / order.pages() / per_io * per_io;
    let start = BASE + setup.shift() * order.pages();
    Ok(match layout {
        "contiguous" => Layout::contiguous(start, order, count, kind),
        "scattered" => Layout::scattered(start, order, count, kind, setup.seed),
        _ => Layout::fragmented(order, count, kind, setup.seed, 0.5)
            .map_err(|e| SetupError::Param(format!("layout: {e}")))?
            .squeezed(BASE),
    }
    .extents)
}

/// `count` allocations for accounting and lists: neighbours, in random order where asked.
pub(crate) fn allocations(setup: &Setup, l1: u64) -> Result<Fixture, SetupError> {
    let (order, kind) = (setup.order()?, setup.kind()?);
    let count = match setup.word("footprint")?.as_str() {
        "l1" => l1,
        "l2" => (L2_FRAMES / order.pages()).max(l1),
        _ => (MEM_FRAMES / order.pages()).max(l1),
    };
    let start = BASE + setup.shift() * order.pages();
    let mut extents = Layout::contiguous(start, order, count, kind).extents;
    if matches!(setup.word("layout"), Ok(layout) if layout == "scattered") {
        extents.shuffle(&mut Pcg64::seed_from_u64(setup.seed));
    }
    Ok(Fixture {
        frames: frames_of(&extents),
        ios: Vec::new(),
        extents,
        allocated: Allocated::of(setup)?,
        lookups: Vec::new(),
    })
}

fn frames_of(extents: &[(Extent, Kind)]) -> u64 {
    extents
        .iter()
        .map(|(extent, _)| extent.end() - BASE)
        .max()
        .unwrap_or(0)
}

fn whole((index, (extent, _)): (usize, &(Extent, Kind))) -> IoRange {
    IoRange {
        extent: index,
        offset: 0,
        len: extent.order.bytes() as u32,
    }
}

/// Cuts allocations into IOs of `io_bytes`, the last one of what is left.
fn cut(extents: &[(Extent, Kind)], io_bytes: u64) -> Vec<Vec<IoRange>> {
    let mut ios = vec![Vec::new()];
    let mut room = io_bytes;
    for (index, (extent, _)) in extents.iter().enumerate() {
        let mut done = 0;
        while done < extent.order.bytes() {
            if room == 0 {
                ios.push(Vec::new());
                room = io_bytes;
            }
            let len = room.min(extent.order.bytes() - done);
            let range = IoRange {
                extent: index,
                offset: done as u32,
                len: len as u32,
            };
            if let Some(io) = ios.last_mut() {
                io.push(range);
            }
            done += len;
            room -= len;
        }
    }
    ios
}

#[cfg(test)]
mod tests {
    use physmem::Order;

    use super::allocated::tests::setup;
    use super::*;
    use crate::Param;

    #[test]
    fn cutting_keeps_every_byte_in_order_and_no_io_is_too_large() {
        let at = |pfn, order| (Extent::new(Pfn(pfn), Order::new(order)), Kind::Anon);
        let extents = [at(512, 9), at(3, 0), at(16, 4)];
        let ios = cut(&extents, 24 * 4096);
        let lens: Vec<u32> = ios
            .iter()
            .map(|io| io.iter().map(|p| p.len).sum())
            .collect();
        assert_eq!(lens.iter().sum::<u32>(), (512 + 1 + 16) * 4096);
        assert!(lens.iter().all(|&len| len <= 24 * 4096 && len > 0));
        assert!(lens[..lens.len() - 1].iter().all(|&len| len == 24 * 4096));
        let flat: Vec<IoRange> = ios.concat();
        assert!(flat.windows(2).all(|w| {
            w[1].extent == w[0].extent && w[1].offset == w[0].offset + w[0].len
                || w[1].extent == w[0].extent + 1 && w[1].offset == 0
        }));
    }

    #[test]
    fn a_fixture_is_shared_by_equal_setups_alone() {
        let of = |seed| {
            let mut setup = setup(None, "scattered");
            setup.params.insert("count".to_owned(), Param::Number(16));
            Setup { seed, ..setup }
        };
        let first = Fixture::shared(&of(1)).expect("a fixture");
        let again = Fixture::shared(&of(1)).expect("a fixture");
        assert!(Rc::ptr_eq(&first, &again));
        let other = Fixture::shared(&of(2)).expect("a fixture");
        assert_ne!(other.extents, first.extents);
        assert_eq!(*other, Fixture::of(&of(2)).expect("a fixture"));
    }
}
