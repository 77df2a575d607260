//! A case's memory held by its submitter through the IO, and what is still held at the end.

use mm::BlockIo;
use mm::block::{Bio, Op};
use physmem::{PAGE_SHIFT, PAGE_SIZE};

use super::Built;
use crate::case::Case;
use crate::under::Under;

/// Takes a reference for each accepted add and page that it touches, as `get_user_pages` would have
/// done, ends the IO of all bios, and counts what is left on each allocation.
///
/// Taken after the bios were built, which nothing sees: no step between looks at the counts.
#[inline(never)]
pub(super) fn held<'d, D: BlockIo>(
    design: &'d D,
    under: Under,
    case: &Case,
    built: &Built<'d, D>,
) -> Vec<(u64, u64)> {
    let before = references(design, built);
    for (add, &got) in case
        .adds
        .iter()
        .zip(&built.accepted)
        .filter(|(_, got)| **got > 0)
    {
        let unit = built.units[&add.pfn];
        let last = (add.offset + (got - 1)) >> PAGE_SHIFT;
        for page in add.offset >> PAGE_SHIFT..=last {
            hold_page(design, under, unit, page);
        }
    }
    for bio in &built.bios {
        design.end_io(bio);
    }
    let mut left = references(design, built);
    for ((_, after), (_, before)) in left.iter_mut().zip(before) {
        // A count that fell below its owner's wraps around, and is seen.
        *after = after.wrapping_sub(before);
    }
    left
}

/// The references to each allocation, by its first frame.
fn references<'d, D: BlockIo>(design: &'d D, built: &Built<'d, D>) -> Vec<(u64, u64)> {
    let mut counts = Vec::with_capacity(built.units.len());
    for (&pfn, &unit) in &built.units {
        counts.push((pfn, u64::from(design.refcount(unit))));
    }
    counts
}

/// One page's pin, by the design's own way to take it: for a bio of that page alone.
fn hold_page<'d, D: BlockIo>(design: &'d D, under: Under, unit: D::Unit<'d>, page: u32) {
    let (name, offset) = design
        .nth_page(unit, page.into())
        .expect("it was named when it was added");
    let mut alone = Bio::new(1, 0, Op::Read, name);
    under.add_page(design, &mut alone, name, PAGE_SIZE as u32, offset);
    design.pin(&alone);
}
